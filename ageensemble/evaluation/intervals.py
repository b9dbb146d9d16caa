"""Prediction intervals of a run: how often they hold the truth on the test part, how wide they are, one by one.

Where a plan has no test part, those of each fold, calibrated on the other folds, are held against the truth.
"""

import numpy as np

from .._utils import stats
from .._utils.console import plain
from ..errors import UsageError
from ..splits.split import WHERE
from . import conformal

KINDS = {"conditional": True, "plain": False}


def fitted(run, plan_folder, groups, level, conditional=True):
    """Calibrate on all out-of-fold predictions of a run, for test items and new photographs.

    Returns
    -------
    conformal.Conformal

    Raises
    ------
    UsageError
        The run has no out-of-fold predictions.
    """
    rest = plan_folder.plan.rest
    clusters = plan_folder.items["cluster"].to_numpy()[rest]
    return conformal.calibrate(_oof(run), plan_folder.y[rest], clusters, groups, level, conditional)


def cross_fitted(run, plan_folder, groups, level, conditional=True):
    """Intervals of the out-of-fold items, those of each fold calibrated on the other folds.

    Returns
    -------
    (n, 2) int array, years
        in the order of `plan.rest`
    """
    plan, oof = plan_folder.plan, _oof(run)
    y, clusters = plan_folder.y[plan.rest], plan_folder.items["cluster"].to_numpy()[plan.rest]
    fold, result = plan.part[plan.rest], np.empty((len(oof), 2), np.int64)
    for k in range(plan.folds):
        known, held_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        found = conformal.calibrate(oof[known], y[known], clusters[known], groups, level, conditional)
        result[held_out] = found.intervals(oof[held_out])
    return result


def _oof(run):
    if "oof" not in run.parts:
        raise UsageError(f"{run.title} has no out-of-fold predictions, on which intervals are calibrated")
    return run.predictions("oof")


def items(run, plan_folder, groups, level):
    """Intervals of every item: label-conditional (`low`, `high`) and plain (`plain_low`, `plain_high`), years.

    Test items by what was calibrated on all out-of-fold items, those by what was calibrated on the other folds.

    Returns
    -------
    pandas.DataFrame
        in the order of the manifest
    """
    plan = plan_folder.plan
    table = plan_folder.items[["item_id", "age_min", "age_max", "gender"]].copy()
    table.insert(1, "part", np.where(np.isin(np.arange(len(table)), plan.test), "test", "oof"))
    for conditional in KINDS.values():
        found = np.empty((len(table), 2), np.int64)
        found[plan.rest] = cross_fitted(run, plan_folder, groups, level, conditional)
        if len(plan.test):
            method = fitted(run, plan_folder, groups, level, conditional)
            found[plan.test] = method.intervals(run.predictions("test"))
        prefix = "" if conditional else "plain_"
        table[f"{prefix}low"], table[f"{prefix}high"] = found.T
    return table


def report(run, plan_folder, groups, level=0.9):
    """Coverage and width of a run's intervals on the part that is judged, none calibrated on the truth it is held to.

    Returns
    -------
    dict
        `run`, `model`, `part` (see `Plan.judged`), `level`; `classes`, what each label-conditional limit was calibrated
        on; `slices`, for all items of the part, each age group and each gender: `by`, `name`, and for both kinds of
        interval `items`, `hits`, `share`, `low`, `high` (coverage with its 95 % interval), `mean_width`, `median_width`
        (last year minus first)

    Raises
    ------
    UsageError
        The run has no out-of-fold predictions; the level is not between 0 and 1.
    DataError
        A labelled range straddles the border of two groups.
    """
    part = plan_folder.plan.judged
    rows = plan_folder.plan.rows(part)
    y, table = plan_folder.y[rows], plan_folder.items.iloc[rows]
    methods = {kind: fitted(run, plan_folder, groups, level, way) for kind, way in KINDS.items()}
    if part == "test":
        found = {kind: method.intervals(run.predictions("test")) for kind, method in methods.items()}
    else:
        found = {kind: cross_fitted(run, plan_folder, groups, level, way) for kind, way in KINDS.items()}
    slices = []
    for by, name, rows in _slices(y, table["gender"], groups):
        slices.append({"by": by, "name": name})
        for kind, ends in found.items():
            slices[-1][kind] = _row(ends[rows], y[rows], table["cluster"].to_numpy()[rows])
    return {
        "run": run.folder.name,
        "model": run.title,
        "part": part,
        "level": level,
        "classes": methods["conditional"].classes,
        "slices": slices,
    }


def _slices(y, gender, groups):
    """What coverage is reported of: (by, name, rows); what has no items is left out."""
    yield "all", "all", np.arange(len(y))
    label = groups.of(y)
    for g, name in enumerate(groups.labels):
        if (label == g).any():
            yield "age group", name, np.flatnonzero(label == g)
    for name in sorted(gender.dropna().unique()):
        yield "gender", name, np.flatnonzero(gender == name)


def _row(ends, y, clusters):
    hit = (ends[:, 0] <= y[:, 1]) & (y[:, 0] <= ends[:, 1])
    width = ends[:, 1] - ends[:, 0]
    widths = {"mean_width": float(width.mean()), "median_width": float(np.median(width))} if len(width) else {}
    return stats.share(hit, clusters) | widths


def joined(content):
    """Age groups that were too small for a limit of their own, in words; empty where there are none."""
    found = [" with ".join(c["groups"]) for c in content["classes"] if len(c["groups"]) > 1]
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
