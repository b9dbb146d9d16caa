"""Prediction intervals of a run: how often they hold the truth on the test part, how wide they are, one by one.

Where a split has no test part, those of each fold, calibrated on the other folds, are held against the truth.
"""

import numpy as np

from .._utils import stats
from .._utils.console import plain
from ..errors import UsageError
from ..splits.split import WHERE
from . import conformal

KINDS = {"conditional": True, "plain": False}


def fitted(run, experiment, age_groups, level, conditional=True):
    """Calibrate on all out-of-fold predictions of a run, for test items and new photographs.

    Returns
    -------
    conformal.Conformal

    Raises
    ------
    UsageError
        The run has no out-of-fold predictions.
    """
    rest = experiment.split.development
    groups = experiment.items["group"].to_numpy()[rest]
    return conformal.calibrate(_oof(run), experiment.y[rest], groups, age_groups, level, conditional)


def cross_fitted(run, experiment, age_groups, level, conditional=True):
    """Intervals of the out-of-fold items, those of each fold calibrated on the other folds.

    Returns
    -------
    (n, 2) int array, years
        in the order of `split.development`
    """
    split, oof = experiment.split, _oof(run)
    y, groups = experiment.y[split.development], experiment.items["group"].to_numpy()[split.development]
    fold, result = split.fold[split.development], np.empty((len(oof), 2), np.int64)
    for k in range(split.n_folds):
        known, held_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        found = conformal.calibrate(oof[known], y[known], groups[known], age_groups, level, conditional)
        result[held_out] = found.intervals(oof[held_out])
    return result


def _oof(run):
    if "oof" not in run.parts:
        raise UsageError(f"{run.title} has no out-of-fold predictions, on which intervals are calibrated")
    return run.proba("oof")


def items(run, experiment, age_groups, level):
    """Intervals of every item: label-conditional (`low`, `high`) and plain (`plain_low`, `plain_high`), years.

    Test items by what was calibrated on all out-of-fold items, those by what was calibrated on the other folds.

    Returns
    -------
    pandas.DataFrame
        in the order of the dataset
    """
    split = experiment.split
    table = experiment.items[["item_id", "age_min", "age_max", "gender"]].copy()
    table.insert(1, "part", np.where(np.isin(np.arange(len(table)), split.test), "test", "oof"))
    for conditional in KINDS.values():
        found = np.empty((len(table), 2), np.int64)
        found[split.development] = cross_fitted(run, experiment, age_groups, level, conditional)
        if len(split.test):
            method = fitted(run, experiment, age_groups, level, conditional)
            found[split.test] = method.intervals(run.proba("test"))
        prefix = "" if conditional else "plain_"
        table[f"{prefix}low"], table[f"{prefix}high"] = found.T
    return table


def report(run, experiment, age_groups, level=0.9):
    """Coverage and width of a run's intervals on the part that is judged, none calibrated on the truth it is held to.

    Returns
    -------
    dict
        `run`, `model`, `part` (see `Split.evaluated_part`), `level`; `classes`, what each label-conditional limit was
        calibrated on; `slices`, for all items of the part, each age group and each gender: `by`, `name`, and for both
        kinds of
        interval `items`, `hits`, `share`, `low`, `high` (coverage with its 95 % interval), `mean_width`, `median_width`
        (last year minus first)

    Raises
    ------
    UsageError
        The run has no out-of-fold predictions; the level is not between 0 and 1.
    DataError
        A labeled range straddles the border of two groups.
    """
    part = experiment.split.evaluated_part
    rows = experiment.split.rows(part)
    y, table = experiment.y[rows], experiment.items.iloc[rows]
    methods = {kind: fitted(run, experiment, age_groups, level, way) for kind, way in KINDS.items()}
    if part == "test":
        found = {kind: method.intervals(run.proba("test")) for kind, method in methods.items()}
    else:
        found = {kind: cross_fitted(run, experiment, age_groups, level, way) for kind, way in KINDS.items()}
    slices = []
    for by, name, rows in _slices(y, table["gender"], age_groups):
        slices.append({"by": by, "name": name})
        for kind, ends in found.items():
            slices[-1][kind] = _row(ends[rows], y[rows], table["group"].to_numpy()[rows])
    return {
        "run": run.folder.name,
        "model": run.title,
        "part": part,
        "level": level,
        "classes": methods["conditional"].classes,
        "slices": slices,
    }


def _slices(y, gender, age_groups):
    """What coverage is reported of: (by, name, rows); what has no items is left out."""
    yield "all", "all", np.arange(len(y))
    label = age_groups.of(y)
    for g, name in enumerate(age_groups.labels):
        if (label == g).any():
            yield "age group", name, np.flatnonzero(label == g)
    for name in sorted(gender.dropna().unique()):
        yield "gender", name, np.flatnonzero(gender == name)


def _row(ends, y, groups):
    hit = (ends[:, 0] <= y[:, 1]) & (y[:, 0] <= ends[:, 1])
    width = ends[:, 1] - ends[:, 0]
    widths = {"mean_width": float(width.mean()), "median_width": float(np.median(width))} if len(width) else {}
    return stats.share(hit, groups) | widths


def joined(content):
    """Age groups that were too small for a limit of their own, in words; empty where there are none."""
    found = [" with ".join(c["age_groups"]) for c in content["classes"] if len(c["age_groups"]) > 1]
    return f"Too few items for a limit of their own, calibrated together: {'; '.join(found)}." if found else ""


def view(content):
    """A report for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.title, table.title_justify, table.title_style = Text(plain(content["model"])), "left", "bold"
    table.add_column("test items" if content["part"] == "test" else "items", overflow="fold")
    for title in ("count", "coverage", "width", "plain coverage", "plain width"):
        table.add_column(title, justify="right", no_wrap=True)
    for before, row in zip([None, *content["slices"]], content["slices"], strict=False):
        if before and before["by"] != row["by"]:
            table.add_section()
        cells = [plain(row["name"]), f"{row['plain']['items']:,}"]
        for kind in KINDS:
            widths = f"{row[kind]['mean_width']:.1f}, {row[kind]['median_width']:.0f}" if row[kind]["items"] else ""
            cells += [stats.in_words(row[kind]), widths]
        table.add_row(*cells)
    notes = [
        f"{100 * content['level']:g} % prediction intervals, calibrated out-of-fold, measured "
        f"{WHERE[content['part']]}. Coverage: share of photographs whose interval holds the true age, with its 95 % "
        "interval. Width: years, mean and median. The first are label-conditional: they hold for each age group; the "
        "plain ones for all together.",
        joined(content),
    ]
    return Group(table, *(Text(note, style="dim") for note in notes if note))
