"""Prediction intervals of age that hold the true age as often as they say, whatever the model is worth.

Conformal prediction (Vovk, Gammerman & Shafer 2005). How strange an age is for a photograph is read off its age
distribution; the ages no stranger than the true ages of most out-of-fold items make the interval. Plain intervals have
one limit of strangeness. Label-conditional ones (Mondrian; Vovk 2012, "Conditional validity of inductive conformal
predictors") try each candidate age against the limit of its own age group and report the hull of those that pass, so
that the old are covered as often as the young, for which plain intervals give no warrant.

A group has one vote, split among its items (CDF pooling of Dunn, Wasserman & Ramdas 2023, JASA 118), with the vote of
the next photograph counted against us, which makes it hold for any number of groups (Lee, Barber & Willett 2023,
arXiv 2306.06342). Out-of-fold scores come from one cell each, test predictions from the bag of all, so the warrant is
no better than that of cross-conformal prediction (Vovk 2015): near the level in practice, measured on the test part.

MAPIE is the library of the field; none does label-conditional intervals from distributions over ages by groups.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .. import ages
from ..errors import UsageError

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


def calibrate(distribution, y, groups, age_groups, level=0.9, conditional=True):
    """Find the limits on items whose truth is known and that the model did not see.

    Parameters
    ----------
    distribution : (n, A) array
        out-of-fold
    y : (n, 2) int array, years
        a range counts as its least strange age, so an interval is right where it meets the range
    groups : (n,) int array
    groups : ages.Scheme
        of label-conditional intervals; years between two groups go with the one below
    level : float
        share of photographs whose interval is to hold the truth
    conditional : bool
        label-conditional; otherwise one limit for all

    Returns
    -------
    Conformal

    Raises
    ------
    UsageError
        The level is not between 0 and 1.
    DataError
        A labeled range straddles the border of two groups.
    """
    if not 0 < level < 1:
        raise UsageError(f"a level of {100 * level:g} % is not between 0 and 100")
    own = own_scores(distribution, y)
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
