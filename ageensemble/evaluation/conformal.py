"""Prediction intervals of age that hold the true age as often as they say, whatever the model is worth.

Conformal prediction (Vovk, Gammerman & Shafer 2005). How strange an age is for a photograph is read off its age
distribution; the ages no stranger than the true ages of most out-of-fold items make the interval. Plain intervals have
one limit of strangeness. Label-conditional ones (Mondrian; Vovk 2012, "Conditional validity of inductive conformal
predictors") try each candidate age against the limit of its own age group and report the hull of those that pass, so
that the old are covered as often as the young, for which plain intervals give no warrant.

A group has one vote, split among its items (CDF pooling of Dunn, Wasserman & Ramdas 2023, JASA 118), with the vote of
the next photograph counted against us, which makes it hold for any number of groups (Lee, Barber & Willett 2023,
arXiv 2306.06342). Out-of-fold scores come from one fold fit each, test predictions from the mean of all, so the warrant
is no better than that of cross-conformal prediction (Vovk 2015): near the level in practice, measured on the test part.

MAPIE is the library of the field; none does label-conditional intervals from distributions over ages by groups.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from .. import ages
from .._utils import stats
from .._utils.render import Column, ShownAsTable, Table
from ..ages import AgeGroups
from ..errors import UsageError
from ..splits.split import PART_PHRASES
from .metrics import parsed
from .predictions import Predictions, folds_of, groups_of

BLOCK = 8192  # items whose scores are held at once
MISSES = 5  # expected beyond the limit in an age group at least; smaller groups are joined to a neighbor
TOP = 0.5  # the highest score there is: a limit that every age passes


@dataclass(frozen=True)
class Conformal:
    """What turns age distributions into intervals; `dataclasses.asdict` of it is JSON, `Conformal(**content)` reads it.

    Attributes
    ----------
    level : float
    classes : list of dict
        each `low` and `high`, its candidate ages, years; `groups`, the names of the age groups in it; `items` and
        `groups` it was calibrated on; `limit`, the score that an accepted age does not exceed
    """

    level: float
    classes: list

    @cached_property
    def limits(self):
        """The limit of each candidate age, `(A,)`."""
        return np.concatenate([np.full(c["high"] - c["low"] + 1, c["limit"]) for c in self.classes])

    def intervals(self, distribution):
        """First and last accepted age, `(n, 2)` int years; the least strange age is always in it.

        Parameters
        ----------
        distribution : (n, A) array
        """
        result = np.empty((len(distribution), 2), np.int64)
        for start in range(0, len(distribution), BLOCK):
            own = scores(distribution[start : start + BLOCK])
            accepted = own <= np.maximum(self.limits, own.min(1, keepdims=True))
            result[start : start + BLOCK, 0] = accepted.argmax(1)
            result[start : start + BLOCK, 1] = ages.MAX_AGE - accepted[:, ::-1].argmax(1)
        return result


def fit_conformal(predictions: Predictions, level=0.9, age_groups="default", conditional=True) -> Conformal:
    """Find the limits on predictions of items that the model did not see.

    Parameters
    ----------
    predictions : Predictions
        out-of-fold, with labels; a labeled range counts as its least strange age, so an interval is right where it
        meets the range. Without groups every item is one
    level : float
        share of images whose interval is to hold the truth
    age_groups : str or AgeGroups
        of label-conditional intervals; years between two age groups go with the one below
    conditional : bool
        label-conditional; otherwise one limit for all

    Raises
    ------
    UsageError
        The level is not between 0 and 1.
    DataError
        A labeled range straddles the border of two age groups.
    """
    if not 0 < level < 1:
        raise UsageError(f"a level of {100 * level:g} % is not between 0 and 100")
    y, groups, age_groups = predictions.age_range, groups_of(predictions), parsed(age_groups)
    own = own_scores(predictions.proba, y)
    age_groups.of(y)
    starts = np.array([0, *(low for low, _ in age_groups.ranges[1:])] if conditional else [0])
    names = age_groups.labels if conditional else ["all"]
    place, parts = _joined(_place(starts, y), groups, len(starts), MISSES / (1 - level))
    classes = []
    for c, part in enumerate(parts):
        inside = place == c
        end = starts[part[-1] + 1] if part[-1] + 1 < len(starts) else ages.N_AGES
        classes.append(
            {
                "low": int(starts[part[0]]),
                "high": int(end) - 1,
                "age_groups": [names[g] for g in part],
                "items": int(inside.sum()),
                "groups": len(np.unique(groups[inside])),
                "limit": min(quantile(own[inside], groups[inside], level), TOP),
            }
        )
    return Conformal(float(level), classes)


def cross_conformal(predictions: Predictions, level=0.9, age_groups="default", conditional=True) -> np.ndarray:
    """Intervals of out-of-fold items, those of each fold calibrated on the other folds, `(n, 2)` int years."""
    fold, result = folds_of(predictions), np.empty((len(predictions), 2), np.int64)
    for k in np.unique(fold):
        known, held_out = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        found = fit_conformal(predictions[known], level, age_groups, conditional)
        result[held_out] = found.intervals(predictions.proba[held_out])
    return result


KINDS = {"conditional": True, "plain": False}


def conformalize(
    predictions: Predictions,
    level: float = 0.9,
    age_groups: str | AgeGroups = "default",
    test: Predictions | None = None,
) -> "Conformalized":
    """Calibrate prediction intervals out-of-fold, and measure how often they hold the truth and how wide they are.

    Parameters
    ----------
    predictions : Predictions
        out-of-fold, with labels
    level : float
        share of images whose interval is to hold the truth
    age_groups : str or AgeGroups
        of label-conditional intervals
    test : Predictions, optional
        of the test part, to measure on; without it the intervals of each fold are calibrated on the other folds and
        measured there

    Raises
    ------
    UsageError
        The level is not between 0 and 1.
    DataError
        A labeled range straddles the border of two age groups.

    Examples
    --------
    >>> found = conformalize(run.predictions("oof"), level=0.9, test=run.predictions("test"))
    >>> found.frame  # coverage and width, for all, each age group and each gender
    >>> found.predict(new)  # (n, 2) years
    """
    age_groups = parsed(age_groups)
    methods = {kind: fit_conformal(predictions, level, age_groups, way) for kind, way in KINDS.items()}
    if test is None:
        ends = {kind: cross_conformal(predictions, level, age_groups, way) for kind, way in KINDS.items()}
    else:
        ends = {kind: method.intervals(test.proba) for kind, method in methods.items()}
    measured = predictions if test is None else test
    groups, subgroups = groups_of(measured), []
    for by, name, rows in _subgroups(measured, age_groups):
        subgroups.append({"by": by, "name": name})
        for kind, found in ends.items():
            subgroups[-1][kind] = _coverage(found[rows], measured.age_range[rows], groups[rows])
    part = "oof" if test is None else "test"
    return Conformalized(measured.name, part, float(level), methods["conditional"], methods["plain"], ends, subgroups)


def interval_items(oof: Predictions, test: Predictions | None = None, level=0.9, age_groups="default") -> pd.DataFrame:
    """Intervals of every item: label-conditional (`low`, `high`) and plain (`plain_low`, `plain_high`), years.

    Test items by what was calibrated on all out-of-fold items, those by what was calibrated on the other folds.

    Returns
    -------
    pandas.DataFrame
        sorted by `item_id`
    """
    tables = []
    for part, predictions in (("oof", oof), ("test", test)):
        if predictions is None:
            continue
        table = {"item_id": predictions.item_id, "part": part, "age_min": predictions.age_range[:, 0]}
        table |= {"age_max": predictions.age_range[:, 1], "gender": predictions.attributes.get("gender")}
        for conditional in KINDS.values():
            if part == "oof":
                found = cross_conformal(oof, level, age_groups, conditional)
            else:
                found = fit_conformal(oof, level, age_groups, conditional).intervals(test.proba)
            prefix = "" if conditional else "plain_"
            table[f"{prefix}low"], table[f"{prefix}high"] = found.T
        tables.append(pd.DataFrame(table))
    return pd.concat(tables).sort_values("item_id", kind="stable", ignore_index=True)


@dataclass(frozen=True, repr=False)
class Conformalized(ShownAsTable):
    """Prediction intervals that were calibrated out-of-fold, and how well they hold.

    Attributes
    ----------
    name : str
        of the model
    part : {"test", "oof"}
        what they were measured on
    level : float
    conditional, plain : Conformal
        what makes the intervals: label-conditional ones hold for each age group, plain ones for all together
    intervals : dict of str to (n, 2) int array
        of the items they were measured on, by kind, years
    subgroups : list of dict
        for all, each age group and each gender: `by`, `name`, and for both kinds `items`, `hits`, `share`, `low`,
        `high` (coverage with its 95 % interval), `mean_width` and `median_width` (last year minus first)
    """

    name: str
    part: str
    level: float
    conditional: Conformal
    plain: Conformal
    intervals: dict
    subgroups: list

    def predict(self, predictions: Predictions, kind: str = "conditional") -> np.ndarray:
        """Intervals of other items, `(n, 2)` int years."""
        return getattr(self, kind).intervals(predictions.proba)

    @property
    def frame(self) -> pd.DataFrame:
        """Coverage and width, one row for each subgroup and kind of interval."""
        rows = [
            {"by": row["by"], "name": row["name"], "kind": kind} | row[kind] for row in self.subgroups for kind in KINDS
        ]
        return pd.DataFrame(rows)

    def to_dict(self) -> dict:
        """Plain numbers and lists; `classes` is what each label-conditional limit was calibrated on."""
        return {
            "model": self.name,
            "part": self.part,
            "level": self.level,
            "classes": self.conditional.classes,
            "subgroups": self.subgroups,
        }

    @property
    def joined(self) -> str:
        """Age groups that were too small for a limit of their own, in words; empty where there are none."""
        found = [" with ".join(c["age_groups"]) for c in self.conditional.classes if len(c["age_groups"]) > 1]
        return f"Too few items for a limit of their own, calibrated together: {'; '.join(found)}." if found else ""

    @property
    def table(self) -> Table:
        """Coverage and width by subgroup, for people."""
        rows = [
            {"name": row["name"], "items": row["plain"]["items"]}
            | {f"{kind}_{what}": row[kind] for kind in KINDS for what in ("coverage", "width")}
            for row in self.subgroups
        ]
        columns = [
            Column("name", "test items" if self.part == "test" else "items"),
            Column("items", "count", "{:,}".format, right=True),
            Column("conditional_coverage", "coverage", stats.proportion_text, right=True),
            Column("conditional_width", "width", _widths, right=True),
            Column("plain_coverage", "plain coverage", stats.proportion_text, right=True),
            Column("plain_width", "plain width", _widths, right=True),
        ]
        note = (
            f"{100 * self.level:g} % prediction intervals, calibrated out-of-fold, measured {PART_PHRASES[self.part]}. "
            "Coverage: share of images whose interval contains the true age, with its 95 % interval. Width: mean and "
            "median, years. The first are label-conditional: they hold for each age group; the plain ones hold overall."
        )
        return Table(columns, rows, list(filter(None, [note, self.joined])), self.name)


def _widths(row):
    return f"{row['mean_width']:.1f}, {row['median_width']:.0f}" if row["items"] else ""


def _subgroups(predictions, age_groups):
    """What coverage is reported of: (by, name, rows); what has no items is left out."""
    yield "all", "all", np.arange(len(predictions))
    label = age_groups.of(predictions.age_range)
    for g, name in enumerate(age_groups.labels):
        if (label == g).any():
            yield "age group", name, np.flatnonzero(label == g)
    gender = pd.Series(predictions.attributes.get("gender", []), dtype=object)
    for name in sorted(gender.dropna().unique()):
        yield "gender", name, np.flatnonzero(gender == name)


def _coverage(ends, y, groups):
    hit = (ends[:, 0] <= y[:, 1]) & (y[:, 0] <= ends[:, 1])
    width = ends[:, 1] - ends[:, 0]
    widths = {"mean_width": float(width.mean()), "median_width": float(np.median(width))} if len(width) else {}
    return stats.clustered_proportion(hit, groups) | widths


def scores(distribution):
    """How strange each age is for each item, `(n, A)`, 0 for the middle of its distribution to 0.5 for the far ends.

    |F(age) - 1/2|, half of the age's own probability counted: distributional conformal prediction (Chernozhukov,
    Wuthrich & Zhu 2021, PNAS 118).
    """
    distribution = np.asarray(distribution, np.float64)
    cumulative = np.cumsum(distribution, axis=1)
    return np.minimum(np.abs((cumulative - distribution / 2) / cumulative[:, -1:] - 0.5), TOP)


def own_scores(distribution, y):
    """The score of each item's true age, of a range that of its least strange age, `(n,)`."""
    result = np.empty(len(y))
    axis = np.arange(ages.N_AGES)
    for start in range(0, len(y), BLOCK):
        low, high = y[start : start + BLOCK].T
        possible = (axis >= low[:, None]) & (axis <= high[:, None])
        result[start : start + BLOCK] = np.where(possible, scores(distribution[start : start + BLOCK]), np.inf).min(1)
    return result


def quantile(values, groups, level):
    """The value that a new group's item does not exceed with probability `level`; infinite where too few are known.

    Without groups of several items it is the ceil((n + 1) * level)-th smallest.

    Parameters
    ----------
    values : (n,) array
    groups : (n,) int array
    level : float
    """
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(1 / size[group[order]]) / (len(size) + 1)
    found = np.flatnonzero(reached >= level - 1e-9)
    return float(values[order[found[0]]]) if len(found) else np.inf


def _place(starts, y):
    """Which age group each label is in, years between two groups going with the one below."""
    return np.searchsorted(starts, y[:, 0], side="right") - 1


def _joined(place, groups, count, least):
    """Join age groups of fewer than `least` groups, the smallest first, to the smaller of their neighbors.

    Returns
    -------
    place : (n,) int array
        class of each item
    parts : list of list of int
        age groups of each class
    """
    parts, size = [[g] for g in range(count)], [len(np.unique(groups[place == g])) for g in range(count)]
    while len(parts) > 1 and min(size) < least:
        small = int(np.argmin(size))
        sides = [s for s in (small - 1, small + 1) if 0 <= s < len(parts)]
        first, second = sorted((small, min(sides, key=lambda s: size[s])))
        parts[first : second + 1] = [parts[first] + parts[second]]
        size[first : second + 1] = [len(np.unique(groups[np.isin(place, parts[first])]))]
    of_group = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return of_group[place], parts
