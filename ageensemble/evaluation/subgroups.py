"""Slices: how well each run does by gender, ethnicity or age group, and where there is too little to say anything."""

import numpy as np

from .._utils.console import counted, plain
from ..errors import DataError, UsageError
from ..experiments.run import PARTS
from ..reporting.leaderboard import escaped
from . import bootstrap, leaderboard

BY = {"gender": "gender", "ethnicity": "ethnicity", "group": "age group"}
UNKNOWN = "not known"
LEAST_ITEMS = 50
LEAST_CLUSTERS = (
    30  # with 30, a 95 % interval of a skewed error holds the truth in 91 % of simulations, with 10 in 86 %
)
FEW = f"fewer than {LEAST_ITEMS} items or {LEAST_CLUSTERS} groups"
NAMES = {"mae": ("MAE, years", "{:.2f}"), "accuracy": ("accuracy", "{:.3f}")}


def cut(items, y, age_groups, by):
    """Cut items into slices.

    Parameters
    ----------
    items : pandas.DataFrame
        columns gender, ethnicity
    y : (n, 2) int array, years
    groups : ages.Scheme
    by : {"gender", "ethnicity", "group"}

    Returns
    -------
    list of str, (n,) int array
        names of the slices that hold an item, and the slice of each item
    """
    if by == "group":
        label = age_groups.of(y)
        text = np.array([*age_groups.labels, "in no group"], dtype=object)[label]
        order = [*age_groups.labels, "in no group"]
    else:
        text = items[by].astype(object).where(items[by].notna(), UNKNOWN).to_numpy()
        order = [*sorted(set(text) - {UNKNOWN}), UNKNOWN]
    names = [name for name in order if name in set(text)]
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place[name] for name in text], int)


def sizes(slice_, groups, width):
    """Items and groups in each slice, and whether that is enough to say anything: a dict for each."""
    result = []
    for index in range(width):
        inside = slice_ == index
        items, independent = int(inside.sum()), len(np.unique(groups[inside]))
        enough = items >= LEAST_ITEMS and independent >= LEAST_CLUSTERS
        result.append({"items": items, "groups": independent, "enough": enough})
    return result


def check(by):
    """Raise UsageError where there is no such attribute."""
    if by not in BY:
        raise UsageError(f"--by {by} is not known; one of: {', '.join(BY)}")


def in_words(size):
    """How many items and groups a slice has."""
    return f"{counted(size['items'], 'item')}, {counted(size['groups'], 'group')}"


def report(experiment, age_groups, by):
    """Scores of every complete run by slice: MAE, or accuracy where a label is a range.

    Parameters
    ----------
    experiment : Experiment
    groups : ages.Scheme
    by : {"gender", "ethnicity", "group"}

    Returns
    -------
    dict
        `split`, `by`, `metric`; `parts`: "oof" and "test", each with `slices` (`name`, `items`, `groups`, `enough`;
        the first is all items) and `runs`, the best first (`run`, `model`, `values`: for each slice `value`, `low`,
        `high`); `left_out`: runs that are not complete

    Raises
    ------
    UsageError
        No such attribute.
    DataError
        No item says it.
    UnequalError
        See `scores.states`.
    """
    check(by)
    if by != "group" and experiment.items[by].isna().all():
        raise DataError(f"no photograph of {experiment.metadata['data']} says its {by}; --by group needs ages alone")
    found = leaderboard.states(experiment)
    runs = [run for run, state, _ in found if state == "complete"]
    return {
        "split": experiment.metadata,
        "by": by,
        "metric": bootstrap.item_metric(experiment.y),
        "parts": {part: _part(part, runs, experiment, age_groups, by) for part in PARTS},
        "left_out": [{"model": run.title, "state": state} for run, state, _ in found if state != "complete"],
    }


def _part(part, runs, experiment, age_groups, by):
    rows, metric = experiment.split.rows(part), bootstrap.item_metric(experiment.y)
    scored = np.ones(len(rows), bool) if metric == "mae" else age_groups.of(experiment.y[rows]) >= 0
    items, y = experiment.items.iloc[rows[scored]], experiment.y[rows[scored]]
    runs = [run for run in runs if part in run.parts]
    if not runs or not len(y):
        return {"slices": [], "runs": []}
    names, slice_ = cut(items, y, age_groups, by)
    groups = items["group"].to_numpy()
    values = [
        bootstrap.item_scores(metric, bootstrap.answers(run.proba(part)[scored], age_groups), y, age_groups)
        for run in runs
    ]
    columns = np.stack(values, 1)
    whole = bootstrap.means(columns, np.zeros_like(slice_), groups, 1)
    by_slice = bootstrap.means(columns, slice_, groups, len(names))
    about = sizes(np.zeros_like(slice_), groups, 1) + sizes(slice_, groups, len(names))
    found = [
        {"run": run.folder.name, "model": run.title, "values": [_value(estimate) for estimate in all_ + parts]}
        for run, all_, parts in zip(runs, whole, by_slice, strict=True)
    ]
    sign = 1 if metric in bootstrap.LOWER_IS_BETTER else -1
    return {
        "slices": [{"name": name} | size for name, size in zip(["all", *names], about, strict=True)],
        "runs": sorted(found, key=lambda row: sign * row["values"][0]["value"]),
    }


def _value(estimate):
    low, high = estimate.interval()
    return {"value": estimate.value, "low": low, "high": high}


# --- for people -------------------------------------------------------------------------------------------------

TITLES = {"oof": "out-of-fold", "test": "test part"}


def view(content, width):
    """The report for a terminal, a table for each part; runs at the right are left out where the width ends."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    result = []
    for part, found in _shown(content):
        shown = found["runs"][: max(1, (width - 24) // 14)]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.add_column(BY[content["by"]], overflow="fold")
        table.add_column("items", justify="right", no_wrap=True)
        for row in shown:
            table.add_column(Text(plain(row["model"])), justify="right", overflow="fold", max_width=12)
        for index, slice_ in enumerate(found["slices"]):
            cells = [_cell(row["values"][index], slice_, content["metric"]) for row in shown]
            texts = [Text(f"{value}\n").append(between, style="dim") for value, between in cells]
            table.add_row(plain(slice_["name"]), f"{slice_['items']:,}", *texts, style="" if index else "bold")
        result += [Text(plain(_title(content, part)), style="bold"), table]
        left = [row["model"] for row in found["runs"][len(shown) :]]
        if left:
            result.append(Text(plain(f"Left out for want of width: {', '.join(left)}."), style="dim"))
        result += [Text(plain(note), style="yellow") for note in _warnings(found)]
    return Group(*result, *(Text(plain(note), style="dim") for note in _notes(content)))


def markdown(content):
    """The report as Markdown."""
    blocks = []
    for part, found in _shown(content):
        head = ["", "items", *(escaped(row["model"]) for row in found["runs"])]
        head[0] = BY[content["by"]]
        lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
        for index, slice_ in enumerate(found["slices"]):
            cells = [_cell(row["values"][index], slice_, content["metric"]) for row in found["runs"]]
            texts = [escaped(slice_["name"]), f"{slice_['items']:,}", *(f"{v} ({i})" for v, i in cells)]
            lines.append("| " + " | ".join(texts) + " |")
        blocks += [f"{escaped(_title(content, part))}.", "\n".join(lines), *map(escaped, _warnings(found))]
    return "\n\n".join([*blocks, *map(escaped, _notes(content))]) + "\n"


def _shown(content):
    return [(part, found) for part, found in content["parts"].items() if found["runs"]]


def _title(content, part):
    return f"{content['split']['data']}: {NAMES[content['metric']][0]} by {BY[content['by']]}, {TITLES[part]}"


def _cell(value, slice_, metric):
    """A value and its interval as text; in place of the interval "few" where the slice is too small."""
    form = NAMES[metric][1]
    between = f"{form.format(value['low'])}-{form.format(value['high'])}" if slice_["enough"] else "few"
    return form.format(value["value"]), between


def _warnings(found):
    few = [f"{s['name']} ({in_words(s)})" for s in found["slices"] if not s["enough"]]
    return [f"Too few to say anything, {FEW}: {', '.join(few)}."] if few else []


def _notes(content):
    notes = [
        f"Intervals: 95 % each, {bootstrap.REPLICATES:,} bootstrap resamples of groups; the variance of retraining is "
        "not in them. Models on the same items are paired, so their differences are surer than the intervals look: "
        "ageensemble compare A B."
    ]
    if content["left_out"]:
        notes.append(
            "Not complete: " + ", ".join(f"{row['model']} ({row['state']})" for row in content["left_out"]) + "."
        )
    return notes
