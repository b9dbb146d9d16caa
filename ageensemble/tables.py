"""The results table: a pure function of the runs on one plan, for the terminal, CSV, Markdown and JSON."""

import re

import numpy as np
import pandas as pd

from . import ages, compare, metrics
from .console import plain
from .errors import UnequalError
from .runs import PARTS

COSTS = ["fit_seconds", "images_per_second", "peak_gb", "size_mb"]


def rows(plan_folder, groups):
    """One row for each run: floor first, then by out-of-fold MAE, refits and what is not complete last.

    Parameters
    ----------
    plan_folder : PlanFolder
    groups : ages.Scheme

    Returns
    -------
    pandas.DataFrame
        columns model, run, state, why; `oof_` and `test_` before each name of `metrics.NAMES`, the headline ones with
        `_low` and `_high`; the costs

    Raises
    ------
    UnequalError
        A run was made on another manifest or plan than this folder's.
    """
    plan, y, clusters = plan_folder.plan, plan_folder.y, plan_folder.items["cluster"].to_numpy()
    items = {"oof": plan.rest, "test": plan.test}
    result = []
    for run in plan_folder.runs:
        if not run.trouble:
            _refuse_unequal(run, plan_folder)
        state, why = run.state(plan.folds)
        row = {
            "model": run.title,
            "run": run.folder.name,
            "state": state,
            "why": why,
        }
        if state == "complete":
            row["why"] = next((r["model"]["fallback"] for r in run.records(plan.folds) if "fallback" in r["model"]), "")
            row |= run.costs(plan.folds)
            for part in run.parts:
                rows_ = items[part]
                row |= _scores(part, run.predictions(part), y[rows_], clusters[rows_], groups)
        result.append(row)
    table = pd.DataFrame(result, columns=_columns())
    rank = np.select(
        [table["state"] != "complete", table["oof_mae"].isna() & table["oof_f1_weighted"].isna()], [2, 1], 0
    )
    first = table["model"] != "floor"
    order = np.lexsort((-table["oof_f1_weighted"].fillna(0), table["oof_mae"].fillna(np.inf), first, rank))
    return table.iloc[order].reset_index(drop=True)


def _columns():
    names = ["model", "run", "state", "why"]
    for part in PARTS:
        for name in metrics.NAMES:
            names.append(f"{part}_{name}")
            if name in ("mae", "cs5", "accuracy", "f1_weighted"):
                names += [f"{part}_{name}_low", f"{part}_{name}_high"]
    return names + COSTS


def _refuse_unequal(run, plan_folder):
    for what in ("manifest", "plan"):
        if run.config.get(what) != plan_folder.about[what]:
            raise UnequalError(
                f"{run.folder.name} was made on another {what} than {plan_folder.folder.name}; "
                "unequal runs do not share a table, move it out of this folder"
            )


def _scores(part, distribution, y, clusters, groups):
    values = metrics.score(distribution, y, groups)
    result = {f"{part}_{name}": value for name, value in values.items()}
    for name, (low, high) in compare.headline_intervals(distribution, y, clusters, groups).items():
        result |= {f"{part}_{name}_low": low, f"{part}_{name}_high": high}
    return result


def best(table):
    """Place of the row with the lowest out-of-fold MAE (without exact ages: the highest weighted F1), or None."""
    scores = table["oof_mae"] if table["oof_mae"].notna().any() else -table["oof_f1_weighted"]
    scores = scores[table["state"] == "complete"].dropna()
    return scores.idxmin() if len(scores) else None


def heading(plan_folder):
    """What all rows share, in one line."""
    about = plan_folder.about
    plan = plan_folder.plan
    parts = [
        f"{about['data']}: {about['items']:,} items",
        "a part of a larger set" if about["limited"] else "",
        f"{about['excluded']:,} excluded" if about["excluded"] else "",
        f"{about['folds']} folds, {len(plan.test):,} test items",
        f"plan {about['plan'][:8]} ({about['source']})",
        f"LEAKS: {about['leaks']:,} items have others of their cluster in another part" if about["leaks"] else "",
    ]
    return "; ".join(part for part in parts if part)


def notes(plan_folder, groups):
    """What a reader must know to read the table right."""
    lines = [
        f"OOF: out-of-fold, what to choose by. Test: the mean of the folds' models on the test part, for the record. "
        f"Intervals: 95 %, {compare.REPLICATES:,} bootstrap resamples of clusters; "
        "the variance of retraining is not in them. "
        f"F1: weighted, over the age groups '{groups.name}'. "
        "CS@5: share of photographs within 5 years. Seconds: fitting, all folds. img/s: predicting, by "
        "all folds. GB: peak memory of a cell. MB: the saved models. *best: best out-of-fold; where intervals overlap, "
        "another may be as good."
    ]
    ranged = int((plan_folder.y[:, 0] != plan_folder.y[:, 1]).sum())
    if ranged:
        lines.append(f"{ranged:,} items are labelled by ranges: metrics in years are blank where they take part.")
    count, years = ages.outside(groups, plan_folder.y)
    if count:
        shown = ", ".join(map(str, years[:12])) + (" ..." if len(years) > 12 else "")
        lines.append(f"{count:,} items aged {shown} lie in no group and are left out of the metrics by group.")
    return lines


SHOWN = {  # column of the short table: (source, format); the last go first where a terminal is narrow
    "OOF MAE": ("oof_mae", "{:.2f}"),
    "OOF F1": ("oof_f1_weighted", "{:.3f}"),
    "OOF CS@5": ("oof_cs5", "{:.3f}"),
    "test MAE": ("test_mae", "{:.2f}"),
    "test F1": ("test_f1_weighted", "{:.3f}"),
    "seconds": ("fit_seconds", "{:,.0f}"),
    "img/s": ("images_per_second", "{:,.0f}"),
    "GB": ("peak_gb", "{:.1f}"),
    "MB": ("size_mb", "{:,.1f}"),
}
MODEL_WIDTH = 24  # characters a terminal leaves for the model's name at least, where a model needs them


def short(table):
    """The columns people look at first, as text; each value with its interval where it has one.

    Returns
    -------
    list of dict
        column to (value, interval), either may be empty
    """
    result = []
    for _, row in table.iterrows():
        cells = {}
        for title, (source, form) in SHOWN.items():
            low, high = row.get(f"{source}_low", np.nan), row.get(f"{source}_high", np.nan)
            value = form.format(row[source]) if pd.notna(row[source]) else ""
            cells[title] = (value, f"{_bound(low, form)}-{_bound(high, form)}" if pd.notna(low) else "")
        result.append(cells)
    return result


def _bound(value, form):
    """An end of an interval, in four characters where that is precise enough: `6.41`, `20.8`, `.381`."""
    return f"{value:.1f}" if value >= 10 else form.format(value).removeprefix("0")


def escaped(name):
    """A name as Markdown shows it literally, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", plain(name))


def markdown(table, plan_folder, groups):
    """The short table with its heading and notes, as Markdown."""
    star = best(table)
    head = ["| model | " + " | ".join(SHOWN) + " |", "| --- |" + " ---: |" * len(SHOWN)]
    lines = [escaped(heading(plan_folder)) + ".", "", *head]
    for index, cells in enumerate(short(table)):
        model = escaped(table.at[index, "model"])
        values = [f"{value} ({between})" if between else value for value, between in cells.values()]
        if table.at[index, "state"] != "complete":
            values = [escaped(f"{table.at[index, 'state']}: {table.at[index, 'why']}"), *values[1:]]
        lines.append(f"| {f'**{model}**' if index == star else model} | " + " | ".join(values) + " |")
    return "\n\n".join(["\n".join(lines), *map(escaped, notes(plan_folder, groups))]) + "\n"


def rich_table(table, plan_folder, width):
    """The short table for a terminal: the interval below its value, the best row marked, reasons of failure below.

    Columns at the right are left out where the width, in characters, does not hold them.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    texts = short(table)
    shown = _fitting(table, texts, width)
    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    view.title, view.title_justify, view.title_style = Text(plain(heading(plan_folder))), "left", "bold"
    view.add_column("model", overflow="fold")
    for title in shown:
        view.add_column(title, justify="right", no_wrap=True)
    star, below = best(table), []
    for index, cells in enumerate(texts):
        model, state = plain(table.at[index, "model"]), table.at[index, "state"]
        name = Text(model).append(" *best" if index == star else "", style="bold green")
        if state != "complete":
            name.append(f" {state}", style="red")
            below.append(Text(plain(f"{model} {state}: {table.at[index, 'why']}"), style="red"))
        elif table.at[index, "why"]:
            below.append(Text(plain(f"{model}: {table.at[index, 'why']}"), style="yellow"))
        values = [Text(v + ("\n" if i else "")).append(i, style="dim") for v, i in (cells[t] for t in shown)]
        view.add_row(name, *values, style="bold" if index == star else None)
    if len(shown) < len(SHOWN):
        below.append(Text(f"Left out for want of width: {', '.join(list(SHOWN)[len(shown) :])}.", style="dim"))
    return Group(view, *below)


def _fitting(table, texts, width):
    """Titles of the columns that fit beside the models' names, the first at least."""
    left = width - min(MODEL_WIDTH, max([len(name) + len(" *best") for name in table["model"]], default=0))
    shown = []
    for title in SHOWN:
        left -= 2 + max([len(title), *(len(text) for cells in texts for text in cells[title])])
        if left >= 0 or not shown:
            shown.append(title)
    return shown


def csv(found):
    """Every metric of every run as CSV; the first column says on which plan.

    Parameters
    ----------
    found : list of (PlanFolder, DataFrame)
    """
    tables = []
    for plan_folder, table in found:
        tables.append(table.assign(plan=plan_folder.folder.name)[["plan", *table.columns]])
    table = pd.concat(tables)
    texts = ["plan", "model", "run", "state", "why"]
    return table.assign(**{name: table[name].map(plain) for name in texts}).to_csv(index=False)


def content(table, plan_folder):
    """Everything in the table, for a program: {"plan": ..., "rows": [...]}."""
    return {"plan": plan_folder.about, "rows": table.to_dict("records")}
