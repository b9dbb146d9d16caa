"""The results table: a pure function of the runs on one split, for the terminal, CSV, Markdown and JSON."""

import re

import numpy as np
import pandas as pd

from .. import ages
from .._utils.console import counted, plain
from ..data import concat
from ..evaluation import bootstrap, leaderboard, leakage

BEST, TIED, SUSPECT = "*best", "=best", "!gap"
STYLES = {BEST: "bold green", TIED: "green", SUSPECT: "bold red", "": ""}


def rows(experiment, age_groups):
    """One row for each run: floor first, then by out-of-fold MAE, refits and what is not complete last.

    Parameters
    ----------
    experiment : Experiment
    groups : ages.Scheme

    Returns
    -------
    pandas.DataFrame
        columns model, run, state, why; `oof_` and `test_` before each name of `metrics.NAMES`, the headline ones also
        with `_low`, `_high` and the difference to the row that is best out-of-fold: `_vs_best`, `_vs_best_low`,
        `_vs_best_high`; the gap between test and out-of-fold, see `gaps.measured`; the costs

    Raises
    ------
    UnequalError
        A run was made on another dataset or split than this folder's.
    """
    table = leaderboard.table(experiment, age_groups)
    rank = np.select(
        [table["state"] != "complete", table["oof_mae"].isna() & table["oof_f1_weighted"].isna()], [2, 1], 0
    )
    first = table["model"] != "prior"
    order = np.lexsort((-table["oof_f1_weighted"].fillna(0), table["oof_mae"].fillna(np.inf), first, rank))
    return table.iloc[order].reset_index(drop=True)


def heading(experiment):
    """What all rows share, in one line."""
    about = experiment.metadata
    split = experiment.split
    name = concat.heading(about["sets"], about.get("test_sets", ())) if "sets" in about else about["data"]
    parts = [
        f"{name}: {counted(about['items'], 'item')}",
        f"protocol {about['protocol']}" if "protocol" in about else "",
        f"tested on {' and '.join(about['test_sets'])}" if "test_sets" in about else "",
        f"cleaned: {', '.join(map(_step, about['cleaned']))}" if "cleaned" in about else "",
        "a part of a larger set" if about["limited"] else "",
        f"{about['excluded']:,} excluded" if about["excluded"] else "",
        f"{about['folds']} folds, {counted(len(split.test), 'test item') if len(split.test) else 'no test part'}",
        f"split {about['split'][:8]} ({about['source']})",
        f"LEAKS: {counted(about['leaks'], 'item')} with some of the group in another part" if about["leaks"] else "",
    ]
    return "; ".join(part for part in parts if part)


def _step(cleaned):
    """A cleaning step, and how much it left out."""
    return f"{asked(cleaned)} ({cleaned['removed']:,} left out)"


def asked(cleaned):
    """What asks for a cleaning step on the command line."""
    return "=".join(filter(None, (cleaned["name"], cleaned["value"])))


def notes(experiment, age_groups):
    """What a reader must know to read the table right."""
    lines = [
        f"OOF: out-of-fold, what to choose by. Test: the mean of the folds' models on the test part, for the record. "
        f"Intervals: 95 %, {bootstrap.REPLICATES:,} bootstrap resamples of groups; "
        "the variance of retraining is not in them. "
        f"F1: weighted, over the age groups '{age_groups.name}'. "
        "CS@5: share of images within 5 years. Seconds: fitting, all folds. img/s: predicting, by "
        "all folds. GB: peak memory of a fold fit. MB: the saved models.",
        f"{BEST}: best out-of-fold, of those that are not suspicious. {TIED}: not told from it; the 95 % interval of "
        "their difference in the score that chooses, on the same resamples, holds 0. Whether the intervals shown "
        "overlap says little. Each difference stands for itself, not widened for the number of rows, and training "
        "again may still change the order.",
    ]
    if experiment.split.evaluated_part == "test":
        lines.append(
            f"Gap: the test score minus the out-of-fold score, both by single folds. {SUSPECT}: suspicious, since its "
            "interval, at 95 % for all rows together, leaves out 0: a sign that something was seen that should not "
            "have been."
        )
    ranged = int((experiment.y[:, 0] != experiment.y[:, 1]).sum())
    if ranged:
        lines.append(f"Labelled by ranges: {counted(ranged, 'item')}; metrics in years are blank where they take part.")
    count, years = ages.outside(age_groups, experiment.y)
    if count:
        shown = ", ".join(map(str, years[:12])) + (" ..." if len(years) > 12 else "")
        lines.append(f"In no group, left out of the metrics by group: {counted(count, 'item')} aged {shown}.")
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


def marked(table):
    """The name of each row and its mark: `BEST`, `SUSPECT`, `TIED` or none."""
    star, tied, suspect = leaderboard.best(table), leaderboard.tied(table), table["gap_state"] == leakage.SUSPICIOUS
    marks = np.select([table.index == star, suspect, tied], [BEST, SUSPECT, TIED], "").tolist()
    return list(zip(map(plain, table["model"]), marks, strict=True))


def gap_lines(table, split):
    """What is to be said of the gaps between test and out-of-fold: (text, whether it is a warning) for each line."""
    if split.evaluated_part != "test":
        return [("No test part, so no gap between test and out-of-fold is measured.", False)]
    lines = []
    for row in table[table["gap_state"] == leakage.SUSPICIOUS].itertuples():
        between = "" if np.isnan(row.gap) else f", gap {row.gap:+.2f} ({row.gap_low:+.2f} to {row.gap_high:+.2f})"
        lines.append((f"{row.model}: suspicious{between}, {row.gap_why}", True))
    count = [
        f"{(table['gap_state'] == s).sum()} {s}" for s in (leakage.CLEAN, leakage.SUSPICIOUS, leakage.NOT_MEASURED)
    ]
    return [*lines, (f"Gap between test and out-of-fold: {', '.join(count)}.", False)]


def escaped(name):
    """A name as Markdown shows it literally, on one line."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", plain(name))


def markdown(table, experiment, age_groups):
    """The short table with its heading and notes, as Markdown."""
    names = marked(table)
    head = ["| model | " + " | ".join(SHOWN) + " |", "| --- |" + " ---: |" * len(SHOWN)]
    lines = [escaped(heading(experiment)) + ".", "", *head]
    for index, cells in enumerate(short(table)):
        model, mark = escaped(names[index][0]), names[index][1]
        values = [f"{value} ({between})" if between else value for value, between in cells.values()]
        if table.at[index, "state"] != "complete":
            values = [escaped(f"{table.at[index, 'state']}: {table.at[index, 'why']}"), *values[1:]]
        model = f"**{model}**" if mark == BEST else f"{model} {mark}".rstrip()
        lines.append(f"| {model} | " + " | ".join(values) + " |")
    said = table[(table["state"] == "complete") & (table["why"] != "")]
    below = [f"{model}: {why}" for model, why in zip(said["model"], said["why"], strict=True)]
    below += [text for text, _ in gap_lines(table, experiment.split)] + notes(experiment, age_groups)
    return "\n\n".join(["\n".join(lines), *map(escaped, below)]) + "\n"


def rich_table(table, experiment, width):
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
    view.title, view.title_justify, view.title_style = Text(plain(heading(experiment))), "left", "bold"
    view.add_column("model", overflow="fold")
    for title in shown:
        view.add_column(title, justify="right", no_wrap=True)
    names, below = marked(table), []
    for index, cells in enumerate(texts):
        (model, mark), state = names[index], table.at[index, "state"]
        name = Text(model).append(f" {mark}" if mark else "", style=STYLES[mark])
        if state != "complete":
            name.append(f" {state}", style="red")
            below.append(Text(plain(f"{model} {state}: {table.at[index, 'why']}"), style="red"))
        elif table.at[index, "why"]:
            below.append(Text(plain(f"{model}: {table.at[index, 'why']}"), style="yellow"))
        values = [Text(v + ("\n" if i else "")).append(i, style="dim") for v, i in (cells[t] for t in shown)]
        view.add_row(name, *values, style="bold" if mark == BEST else None)
    said = gap_lines(table, experiment.split)
    below += [Text(plain(text), style="bold red" if warning else "dim") for text, warning in said]
    if len(shown) < len(SHOWN):
        below.append(Text(f"Left out for want of width: {', '.join(list(SHOWN)[len(shown) :])}.", style="dim"))
    return Group(view, *below)


def _fitting(table, texts, width):
    """Titles of the columns that fit beside the models' names, the first at least."""
    left = width - min(MODEL_WIDTH, max([len(name) + 1 + len(BEST) for name in table["model"]], default=0))
    shown = []
    for title in SHOWN:
        left -= 2 + max([len(title), *(len(text) for cells in texts for text in cells[title])])
        if left >= 0 or not shown:
            shown.append(title)
    return shown


def csv(found):
    """Every metric of every run as CSV; the first column says on which split.

    Parameters
    ----------
    found : list of (Experiment, DataFrame)
    """
    tables = []
    for experiment, table in found:
        tables.append(table.assign(split=experiment.folder.name)[["split", *table.columns]])
    table = pd.concat(tables)
    texts = ["split", "model", "run", "state", "why", "gap_state", "gap_why"]
    return table.assign(**{name: table[name].map(plain) for name in texts}).to_csv(index=False)


def content(table, experiment):
    """Everything in the table, for a program: {"split": ..., "rows": [...]}."""
    return {"split": experiment.metadata, "rows": table.to_dict("records")}
