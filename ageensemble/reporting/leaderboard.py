"""The results table: a pure function of the runs on one split, for the terminal, CSV, Markdown and JSON."""

import numpy as np
import pandas as pd

from .. import ages
from .._utils.console import counted, plain
from .._utils.render import Column, Table, escaped
from ..data import concat
from ..evaluation import bootstrap, leakage
from ..evaluation import leaderboard as scores
from ..evaluation.leaderboard import BEST, TIED
from ..experiments.leaderboard import best, rows

__all__ = ["asked", "best", "content", "csv", "escaped", "heading", "marked", "rows", "view"]

SUSPECT = "!gap"
STYLES = {BEST: "bold", SUSPECT: "red"}


def _number(form):
    return lambda value: "" if value is None or np.isnan(value) else form.format(value)


COSTS = (  # of what `Run.costs` measures
    Column("fit_seconds", "seconds", _number("{:,.0f}"), right=True),
    Column("images_per_second", "img/s", _number("{:,.0f}"), right=True),
    Column("peak_gb", "GB", _number("{:.1f}"), right=True),
    Column("size_mb", "MB", _number("{:,.1f}"), right=True),
)


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
        "OOF: out-of-fold, use for model selection. Test: the mean of the fold models on the test part, reported only. "
        f"Intervals: 95 %, {bootstrap.REPLICATES:,} bootstrap resamples of groups; they do not include the variance of "
        f"retraining. F1: weighted, over the age groups '{age_groups.name}'. CS@5: share of images within 5 years. "
        "Seconds: training, all folds. img/s: prediction, by all fold models. GB: peak memory of one fold fit. "
        "MB: the saved models.",
        f"{BEST}: best out-of-fold, of those without suspected leakage. {TIED}: not significantly different from the "
        "best: the 95 % interval of the paired difference in the score that decides contains zero. Whether the "
        "intervals shown overlap says little. Differences are not corrected for the number of rows, and retraining may "
        "still change the order.",
    ]
    if experiment.split.evaluated_part == "test":
        lines.append(
            "Out-of-fold / test discrepancy: the test score minus the out-of-fold score, both of single fold models. "
            f"{SUSPECT}: its interval, at 95 % for all rows together, excludes zero: suggests data leakage."
        )
    ranged = int((experiment.y[:, 0] != experiment.y[:, 1]).sum())
    if ranged:
        lines.append(f"Labeled by ranges: {counted(ranged, 'item')}; metrics in years are blank where they take part.")
    count, years = ages.count_outside(age_groups, experiment.y)
    if count:
        shown = ", ".join(map(str, years[:12])) + (" ..." if len(years) > 12 else "")
        lines.append(f"In no age group, left out of the metrics by group: {counted(count, 'item')} aged {shown}.")
    return lines


def marked(table):
    """The name of each row and its mark: `BEST`, `SUSPECT`, `TIED` or none."""
    star = best(table)
    tied, suspect = scores.tied(table, star), table["gap_state"] == leakage.SUSPICIOUS
    marks = np.select([table.index == star, suspect, tied], [BEST, SUSPECT, TIED], "").tolist()
    return list(zip(map(plain, table["model"]), marks, strict=True))


def view(table, experiment, age_groups) -> Table:
    """The columns people look at first, with what is to be said of each row."""
    records, names = table.to_dict("records"), marked(table)
    styles, warnings = {}, []
    for place, (row, (model, mark)) in enumerate(zip(records, names, strict=True)):
        complete = row["state"] == "complete"
        row["name"] = " ".join(filter(None, [model, mark, "" if complete else row["state"]]))
        styles |= {place: STYLES[mark]} if mark in STYLES else {}
        if row["why"]:
            warnings.append(f"{model}: {row['why']}" if complete else f"{model} {row['state']}: {row['why']}")
    columns = [Column("name", "model", fold=24), *scores.metric_columns(), *COSTS]
    suspicious, counts = _discrepancies(table, experiment.split)
    notes_ = [counts, *notes(experiment, age_groups)]
    return Table(columns, records, notes_, heading(experiment), styles, [*warnings, *suspicious])


def _discrepancies(table, split):
    """What is to be said of the discrepancies between test and out-of-fold: a line for each suspicious run, and one."""
    if split.evaluated_part != "test":
        return [], "No test part, so no out-of-fold / test discrepancy is measured."
    lines = []
    for row in table[table["gap_state"] == leakage.SUSPICIOUS].itertuples():
        between = "" if np.isnan(row.gap) else f" {row.gap:+.2f} ({row.gap_low:+.2f} to {row.gap_high:+.2f})"
        lines.append(f"{row.model}: suspicious out-of-fold / test discrepancy{between}, {row.gap_why}")
    states = (leakage.CLEAN, leakage.SUSPICIOUS, leakage.NOT_MEASURED)
    count = ", ".join(f"{(table['gap_state'] == state).sum()} {state}" for state in states)
    return lines, f"Out-of-fold / test discrepancy: {count}."


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
