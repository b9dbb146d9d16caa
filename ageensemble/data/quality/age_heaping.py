"""Heaping: ages that somebody rounded or wrote in by habit, seen as peaks of the histogram of exact ages."""

import math

import numpy as np
from scipy.special import bdtrc

from ... import ages
from ..._utils.stats import clustered_proportion

FIRST, LAST = 23, 62  # years, those of Whipple's index: five whole windows to each digit, and no childhood or old age
NEAR = 2  # years to each side that an age is compared with
EVEN = 1 / (2 * NEAR + 1)  # share of its window that an age has where the histogram is straight
LEAST = 100  # items; with fewer nothing is said
PEAK = 1.5  # times as many as the mean of the neighbors
SURE = 0.01  # that any age is called a peak by chance


def heaping(y, groups):
    """How much more frequent round ages are than the ages beside them.

    Each age from 23 to 62 belongs to the multiple of five at most two years away. Where the histogram is about straight
    over five years, one item in five is at the multiple; the index is the share found over that fifth, which is
    Whipple's index (United Nations 1955, Manual II, Methods of Appraisal of Quality of Basic Data) over 100. The same
    for multiples of ten and the ages up to two years from them. Where a set begins or ends, such
    as at 21 or 60, an age lacks neighbors whatever anybody rounded: what has no two ages of the set's range to each
    side is left out.

    Parameters
    ----------
    y : (n, 2) int array, years
        a label that is a range has no part in this
    groups : (n,) int array

    Returns
    -------
    dict
        `fives`, `tens`: `items`, `share`, `index`, `low`, `high` (of the index, 95 %), `p` (that the share is a fifth,
        robust to groups), `at`: for each multiple `age`, `items`, `neighbors` (their mean); None where there are
        fewer than 100 items. `peaks`: `age`, `items`, `neighbors` of every age that stands out, whatever its last
        digit, the most items too many first
    """
    exact = y[:, 0] == y[:, 1]
    age, groups = y[exact, 0], groups[exact]
    return {"fives": _index(age, groups, 5), "tens": _index(age, groups, 10), "peaks": _peaks(age, groups)}


def _index(age, groups, step):
    multiple = np.rint(age / step).astype(int) * step
    inside = (np.abs(age - multiple) <= NEAR) & (age >= FIRST) & (age <= LAST) & _surrounded(multiple, age)
    hit, groups = (age == multiple)[inside], groups[inside]
    if len(hit) < LEAST:
        return None
    found = clustered_proportion(hit, groups)
    at = [_beside(age, m) for m in np.unique(multiple[inside])]
    index = {name: found[end] / EVEN for name, end in (("index", "share"), ("low", "low"), ("high", "high"))}
    return {"items": len(hit), "share": found["share"]} | index | {"p": _p(hit, groups), "at": at}


def _surrounded(years, age):
    """Whether the two ages to each side of these years are within the range of the ages that there are."""
    return (years - NEAR >= age.min(initial=ages.N_AGES)) & (years + NEAR <= age.max(initial=0))


def _p(hit, groups):
    """Two-sided p-value of a share of `EVEN`; items of one group count together."""
    _, group = np.unique(groups, return_inverse=True)
    apart = np.bincount(group, hit - EVEN)
    spread = math.sqrt(2 * (apart**2).sum())
    return math.erfc(abs(apart.sum()) / spread) if spread else 1.0


def _beside(age, year):
    around = np.bincount(age[np.abs(age - year) <= NEAR] - year + NEAR, minlength=2 * NEAR + 1)
    neighbors = float(np.delete(around, NEAR).mean())
    return {"age": int(year), "items": int(around[NEAR]), "neighbors": neighbors}


def _peaks(age, groups):
    """Ages at least `PEAK` times as frequent as their neighbors, by more than chance (Bonferroni over all years).

    For chance, the items of a group that have the same age count as one.
    """
    _, group = np.unique(groups, return_inverse=True)
    independent = np.bincount(np.unique(group * ages.N_AGES + age) % ages.N_AGES, minlength=ages.N_AGES)
    window = np.convolve(independent, np.ones(2 * NEAR + 1, int), "same")
    years = np.flatnonzero(_surrounded(np.arange(ages.N_AGES), age))
    p = bdtrc(independent[years] - 1, window[years], EVEN)
    found = [_beside(age, year) for year in years[(p * len(years) < SURE)]]
    found = [peak for peak in found if peak["items"] >= PEAK * peak["neighbors"]]
    return sorted(found, key=lambda peak: peak["neighbors"] - peak["items"])
