"""Ages: the axis of whole years, groups of ages, and what can be read off an age distribution.

An age distribution is a row of `A` = 121 probabilities, P(age = 0) .. P(age = 120). It is the one currency of the
package: every model ends in such rows and everything else is read off them. A label is a range `age_min..age_max`
in whole years, the two equal where the age is exact; labels travel as an `(n, 2)` integer array.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .errors import DataError, UsageError

N_AGES = 121
MAX_AGE = N_AGES - 1
FLOOR_MIX = 1e-4  # share of the training histogram in every prediction, so that no true age has probability zero


@dataclass(frozen=True)
class AgeGroups:
    """A named tuple of age groups, each an inclusive range of whole years, in rising order without overlap."""

    name: str
    ranges: tuple[tuple[int, int], ...]

    def __len__(self):
        return len(self.ranges)

    @cached_property
    def labels(self):
        """Names of the groups: `18-22`, `81+` for one that is open to the top, `26` for a single year."""
        return [_label(low, high) for low, high in self.ranges]

    @cached_property
    def lookup(self):
        """Group of each year, `(A,)` int; -1 for a year in no group."""
        table = np.full(N_AGES, -1)
        for index, (low, high) in enumerate(self.ranges):
            table[low : high + 1] = index
        return table

    @cached_property
    def matrix(self):
        """Membership of years in groups, `(A, G)` float64."""
        return (self.lookup[:, None] == np.arange(len(self))).astype(float)

    def of(self, y):
        """Group of each label, -1 where it lies in no group.

        Parameters
        ----------
        y : (n, 2) int array, years

        Raises
        ------
        DataError
            A labeled range straddles the border of a group, so nobody can say which group is true.
        """
        low, high = self.lookup[y[:, 0]], self.lookup[y[:, 1]]
        cut = np.flatnonzero(low != high)
        if len(cut):
            whole = first_compatible(y)
            better = (
                f"give --age-groups {whole.name}" if whole else "mend that label, or give --age-groups of whole ranges"
            )
            range_ = _label(*y[cut[0]])
            text = f"the groups '{self.name}' cut the labeled range {range_} in two (labels: {len(cut)}); {better}"
            raise DataError(text)
        return low

    def probabilities(self, distribution):
        """Probability of each group, `(n, G)`, given that the age lies in one of them."""
        mass = distribution @ self.matrix
        total = mass.sum(1, keepdims=True)
        return np.divide(mass, total, out=np.full_like(mass, 1 / len(self)), where=total > 0)

    def sums(self, distribution):
        """Names of the groups with their probabilities, `(n, G)`, and of `other` where years lie in none of them."""
        mass, rest = distribution @ self.matrix, distribution[:, self.lookup < 0].sum(1)
        if (self.lookup >= 0).all():
            return self.labels, mass
        return [*self.labels, "other"], np.column_stack([mass, rest])


def range_text(low, high):
    """An age range as text: `26`, or `25-32` where the ends differ."""
    return str(low) if low == high else f"{low}-{high}"


def _label(low, high):
    return f"{low}+" if high == MAX_AGE else range_text(low, high)


def _from_starts(name, starts):
    ends = [*(s - 1 for s in starts[1:]), MAX_AGE]
    return AgeGroups(name, tuple(zip(starts, ends, strict=True)))


AGE_GROUPS = {
    age_groups.name: age_groups
    for age_groups in (
        _from_starts("default", [0, 3, 6, 11, 15, 18, 23, 28, 34, 41, 51, 61, 71, 81]),
        _from_starts("decades", list(range(0, 101, 10))),
        AgeGroups(
            "adience", ((0, 2), (4, 6), (8, 13), (15, 20), (25, 32), (38, 43), (48, 53), (60, MAX_AGE))
        ),  # Eidinger, Enbar & Hassner 2014: the gaps are the authors'
        _from_starts("fairface", [0, 3, *range(10, 71, 10)]),  # Karkkainen & Joo 2021
        _from_starts("coarse", [1, 16, 26, 41, 61]),
        _from_starts("years", list(range(N_AGES))),
    )
}
DEFAULT_AGE_GROUPS = AGE_GROUPS["default"]


def parse_age_groups(text):
    """The scheme called `text`, or the one spelled out in it (`0-12,13-19,20-64,65+`).

    Raises
    ------
    UsageError
        Neither a known name nor a readable list; a group that is empty, overlaps the one before or leaves 0..120.
    """
    if text in AGE_GROUPS:
        return AGE_GROUPS[text]
    if not text or not text[0].isdigit():
        raise UsageError(
            f"no age groups called '{text}'; known: {', '.join(AGE_GROUPS)}, or ranges like 0-12,13-19,20+"
        )
    age_groups = [_parse_group(part.strip(), text) for part in text.split(",")]
    for (low, high), (_, before) in zip(age_groups, [(0, -1), *age_groups], strict=False):
        if low > high or high > MAX_AGE:
            raise UsageError(f"age group {low}-{high} is not a range of years within 0..{MAX_AGE}")
        if low <= before:
            raise UsageError(
                f"age group {_label(low, high)} overlaps the one before it, or is out of order, in '{text}'"
            )
    return AgeGroups(text, tuple(age_groups))


def _parse_group(part, text):
    low, dash, high = part.partition("-")
    if part.endswith("+"):
        low, dash, high = part[:-1], "-", str(MAX_AGE)
    try:
        return int(low), int(high if dash else low)
    except ValueError:
        raise UsageError(f"'{part}' in '{text}' is not a range of years; write 13-19, 65+ or 40") from None


def count_outside(age_groups, y):
    """How many labels lie in no group, and which years those are (for a message)."""
    missing = y[age_groups.of(y) < 0]
    return len(missing), sorted({int(age) for age in missing.ravel()})


def exact(y, who):
    """The ages of exactly labeled items, `(n,)` int; `who` needs them and is named in the error.

    Raises
    ------
    DataError
        Some label is a range of years.
    """
    if np.any(y[:, 0] != y[:, 1]):
        raise DataError(f"{who} needs exact ages, but these labels are ranges of years; use a route by groups")
    return y[:, 0]


def first_compatible(y):
    """The first of the schemes whose groups cut no labeled range in two, or None.

    Parameters
    ----------
    y : (n, 2) int array, years
    """
    for age_groups in AGE_GROUPS.values():
        low, high = age_groups.lookup[y[:, 0]], age_groups.lookup[y[:, 1]]
        if (low == high).all():
            return age_groups
    return None


# --- reading a distribution -------------------------------------------------------------------------------------


def quantile(distribution, q):
    """Smallest year whose cumulative probability reaches `q`, `(n,)` int."""
    cumulative = np.cumsum(distribution, axis=1, dtype=np.float64)
    return np.minimum((cumulative < q * cumulative[:, -1:] - 1e-9).sum(1), MAX_AGE)


def median(distribution):
    """The decoding that minimizes the expected absolute error, `(n,)` int years."""
    return quantile(distribution, 0.5)


def mean(distribution):
    """The decoding that minimizes the expected squared error, `(n,)` float years."""
    return distribution @ np.arange(N_AGES, dtype=np.float64)


def mode(distribution):
    """The most probable year, `(n,)` int."""
    return distribution.argmax(1)


def at_least(distribution, age):
    """P(age >= `age`), `(n,)`."""
    return distribution[:, max(age, 0) :].sum(1)


# --- making a distribution --------------------------------------------------------------------------------------


def histogram(y, sigma=2.0):
    """Smoothed histogram of labels, `(A,)`, positive everywhere, sums to 1.

    A ranged label spreads evenly over its years. One item's worth of uniform mass keeps every year possible.
    """
    counts = np.zeros(N_AGES + 1)
    share = 1 / (y[:, 1] - y[:, 0] + 1)
    np.add.at(counts, y[:, 0], share)
    np.add.at(counts, y[:, 1] + 1, -share)
    smooth = np.cumsum(counts)[:N_AGES] @ _blur(sigma) + 1 / N_AGES
    return smooth / smooth.sum()


def _blur(sigma):
    """Gaussian smoothing of the axis as an `(A, A)` matrix; what would leave at an end is folded back inside."""
    years = np.arange(N_AGES)

    def bell(target):
        return np.exp(-0.5 * ((years[:, None] - target) / sigma) ** 2)

    kernel = bell(years) + bell(-1 - years) + bell(2 * N_AGES - 1 - years)
    return kernel / kernel.sum(1, keepdims=True)


def distribution_from_age_groups(probabilities, age_groups, y):
    """Spread group probabilities over years, each group by its own training items.

    Parameters
    ----------
    probabilities : (n, G) array
    age_groups : AgeGroups
        the G groups
    y : (m, 2) int array, years
        the training labels whose smoothed histogram gives the shape inside each group

    Returns
    -------
    (n, A) float64 array
    """
    inside = age_groups.matrix.T * histogram(y)
    return probabilities @ (inside / inside.sum(1, keepdims=True))


def distribution_from_residuals(predicted, inner_predicted, inner_age, k=500, sigma=1.0):
    """Turn predicted years into distributions by what was true where the model said the like.

    Each prediction is given the residuals of the `k` training items whose own inner out-of-fold prediction lies
    nearest to it: a local, model-free error distribution that may be wide, skewed or two-humped.

    Parameters
    ----------
    predicted : (n,) array, years
    inner_predicted, inner_age : (m,) array, years
        inner out-of-fold predictions of the training items, and their true ages
    k : int
        neighbors; all `m` where there are fewer; where more are equally near, some that stand for them all
    sigma : float, years
        smoothing of the counted ages

    Returns
    -------
    (n, A) float64 array
    """
    order = _in_order(inner_predicted, inner_age)
    near, residual = inner_predicted[order], (inner_age - inner_predicted)[order]
    k = min(k, len(near))
    result = np.empty((len(predicted), N_AGES))
    for start in range(0, len(predicted), 4096):
        center = predicted[start : start + 4096]
        window = _nearest_window(center, near, k)[:, None] + np.arange(k)
        years = np.clip(np.rint(center[:, None] + residual[window]), 0, MAX_AGE).astype(np.int64)
        rows = np.arange(len(center))[:, None] * N_AGES
        counts = np.bincount((rows + years).ravel(), minlength=len(center) * N_AGES)
        result[start : start + 4096] = counts.reshape(-1, N_AGES) / k
    return result @ _blur(sigma)


def _in_order(predicted, age):
    """Order by predictions in which any stretch of equal ones has ages as all of these have, `(m,)` int.

    The order of the items, which may be that of their ages, has no say. Multiples of the golden ratio modulo 1 are
    spread evenly (Weyl 1916): whichever interval of them a stretch is, it takes ranks by age from all over.
    """
    order = np.lexsort((age, predicted))
    spread = np.arange(len(order)) * ((np.sqrt(5) - 1) / 2) % 1
    return order[np.lexsort((spread, predicted[order]))]


def _nearest_window(center, sorted_values, k):
    """Start of the run of `k` sorted values nearest to each center, found by bisection over all centers at once."""
    low = np.zeros(len(center), np.int64)
    high = np.full(len(center), len(sorted_values) - k)
    while np.any(low < high):
        middle = (low + high) // 2
        last = np.minimum(middle + k, len(sorted_values) - 1)
        right = (low < high) & (center - sorted_values[middle] > sorted_values[last] - center)
        high = np.where((low < high) & ~right, middle, high)
        low = np.where(right, middle + 1, low)
    return low


def smooth_with_prior(distribution, prior):
    """What every model's output goes through: checked, normalized, mixed with the training histogram.

    Parameters
    ----------
    distribution : (n, A) array
    prior : (A,) array
        `histogram` of the labels the model was trained on

    Returns
    -------
    (n, A) float32 array
        rows sum to 1

    Raises
    ------
    ValueError
        Wrong shape, a number that is not finite, or a row without mass: the model is broken.
    """
    distribution = np.asarray(distribution, np.float64)
    if distribution.ndim != 2 or distribution.shape[1] != N_AGES:
        raise ValueError(f"a model must return (n, {N_AGES}) age distributions, not {distribution.shape}")
    if not np.isfinite(distribution).all():
        raise ValueError("the model returned probabilities that are not finite")
    distribution = np.clip(distribution, 0, None)
    total = distribution.sum(1, keepdims=True)
    if np.any(total <= 0):
        raise ValueError("the model returned a row without any probability")
    mixed = (1 - FLOOR_MIX) * distribution / total + FLOOR_MIX * prior
    return mixed.astype(np.float32)
