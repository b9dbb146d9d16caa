"""From the outputs of a classifier or regressor to age distributions: targets, out-of-fold outputs, calibration.

A target says what is learned in place of ages (age groups, years, or "older than ...?") and turns inner out-of-fold
outputs into the arrays that `distributions` needs.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .. import ages
from ..errors import DataError

DIRECTIONS = 32  # leading ones kept: the rest of 91 one-vs-one decisions is noise and takes five times the time
CURVATURE = 10.0  # what the penalty weighs against the data in the scale of a direction; steers speed, not the result
MIN_ITEMS = 5  # of a unit of years; rarer ages share one
THRESHOLD_PENALTY = 3.0  # of the softmax over units: best of 1, 3 and 10 from 300 items to 12,000


# --- targets ---------------------------------------------------------------------------------------------------------


@dataclass
class ClassTarget:
    """Ranges of years as classes; their calibrated probabilities are spread over the years of each."""

    label: np.ndarray  # (n,) int, 0..K-1
    spread: np.ndarray  # (K, 121), rows sum to 1
    class_weight: np.ndarray  # (K,)
    penalty: float = 10.0

    @property
    def is_constant(self):
        """Whether there is nothing to tell apart."""
        return len(self.spread) < 2

    @property
    def weight(self):
        """Weight of each item, `(n,)`."""
        return self.class_weight[self.label]

    def take(self, rows):
        """The target of some of the items."""
        return ClassTarget(self.label[rows], self.spread, self.class_weight, self.penalty)

    @property
    def older(self):
        """Whether each item is older than each class but the last, `(n, K - 1)` float32, 0 or 1."""
        return (self.label[:, None] > np.arange(len(self.spread) - 1)).astype(np.float32)

    def calibrate(self, outputs):
        """The arrays for `distributions`, learned from inner out-of-fold outputs, `(n, p)`."""
        calibrator = fit_softmax(outputs, self.label, len(self.spread), self.penalty)
        return {"calibration": vars(calibrator), "classes": {"spread": self.spread}}


@dataclass
class YearTarget:
    """Years as numbers; the residuals of similar predictions make the distribution."""

    age: np.ndarray  # (n,) int
    weight: np.ndarray  # (n,)

    @property
    def is_constant(self):
        """Whether there is nothing to tell apart."""
        return np.ptp(self.age) == 0

    def take(self, rows):
        """The target of some of the items."""
        return YearTarget(self.age[rows], self.weight[rows])

    def calibrate(self, outputs):
        """The arrays for `distributions`, of inner out-of-fold predictions, `(n,)`."""
        return {"residuals": {"inner_predicted": outputs, "inner_age": self.age}}


def class_target(y, *, balanced=False) -> ClassTarget:
    """Age groups as classes, each item or each group counting the same."""
    age_groups, label = age_classes(y)
    weight = balanced_weights(label) if balanced else np.ones(len(age_groups))
    return ClassTarget(label, ages.distribution_from_age_groups(np.eye(len(age_groups)), age_groups, y), weight)


def year_target(y, who, *, balanced=False) -> YearTarget:
    """Exact years; `who` needs them and is named in the error."""
    age = ages.exact(y, who)
    label = age_classes(y)[1]
    return YearTarget(age, balanced_weights(label)[label] if balanced else np.ones(len(age)))


def threshold_target(y) -> ClassTarget:
    """One class for each age that is labeled often enough, for models that ask "older than ...?"."""
    units, label = age_units(y)
    return ClassTarget(label, unit_spread(units, y), np.ones(len(units)), THRESHOLD_PENALTY)


def distributions(outputs, parts, n_neighbors) -> np.ndarray:
    """Age distributions, `(n, 121)`, from the outputs for new items and what `calibrate` learned."""
    if "residuals" in parts:
        return ages.distribution_from_residuals(outputs, **parts["residuals"], k=n_neighbors)
    return SoftmaxCalibrator(**parts["calibration"])(outputs) @ parts["classes"]["spread"]


def age_classes(y):
    """The age groups that occur in the training labels, and the group of each label.

    These are the default age groups where every label lies inside one of them, else the labeled ranges themselves
    (Adience, FairFace).

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    AgeGroups, (n,) int array

    Raises
    ------
    DataError
        Labeled ranges overlap one another, so they are no groups.
    """
    try:
        age_groups = ages.DEFAULT_AGE_GROUPS
        label = age_groups.of(y)
    except DataError:
        age_groups = ages.AgeGroups("labels", tuple((int(low), int(high)) for low, high in np.unique(y, axis=0)))
        for (_, before), (low, high) in pairwise(age_groups.ranges):
            if low <= before:
                raise DataError(f"the labeled range {low}-{high} overlaps the one before it") from None
        label = age_groups.of(y)
    present, label = np.unique(label, return_inverse=True)
    return ages.AgeGroups(age_groups.name, tuple(age_groups.ranges[group] for group in present)), label


def balanced_weights(label):
    """Weight of each class that gives all classes the same total, `(K,)`; the mean over items is 1."""
    count = np.bincount(label)
    return len(label) / (len(count) * count)


def age_units(y):
    """Ranges of years that together are 0..120, one for each age that is labeled often enough to stand alone.

    Ages with fewer than `MIN_ITEMS` items share a range with the next older ones, the oldest with those before; years
    without an item belong to the nearest age with one. Of labels that are ranges themselves, the units are those of
    `age_classes`.

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    AgeGroups, (n,) int array
        the units, and the unit of each label
    """
    if np.any(y[:, 0] != y[:, 1]):
        return age_classes(y)
    count = np.bincount(y[:, 0], minlength=ages.N_AGES)
    found, items = [], MIN_ITEMS  # youngest and oldest age of each unit; the items of the last one
    for age in np.flatnonzero(count):
        if items >= MIN_ITEMS:
            found.append([age, age])
            items = 0
        found[-1][1] = age
        items += count[age]
    if items < MIN_ITEMS and len(found) > 1:
        found.pop()  # the one before goes on to the end
    last = [int(one[1] + other[0]) // 2 for one, other in pairwise(found)]
    units = ages.AgeGroups("units", tuple(zip([0, *(age + 1 for age in last)], [*last, ages.MAX_AGE], strict=True)))
    return units, units.of(y)


def unit_spread(units, y):
    """How a unit's probability is spread over its years, `(units, 121)`: as labeled, smoothed where that is seldom."""
    labeled = units.matrix.T * ages.histogram(y, sigma=0.1) * len(y)  # so narrow that nothing leaves its year
    labeled += MIN_ITEMS * ages.distribution_from_age_groups(np.eye(len(units)), units, y)
    return labeled / labeled.sum(1, keepdims=True)


# --- out-of-fold outputs and their calibration -----------------------------------------------------------------------


def out_of_fold(fit_predict, fold, n_folds):
    """Outputs for every training item from a fit that did not see it, nor anything in its inner fold.

    Parameters
    ----------
    fit_predict : function (train_rows, test_rows) -> (len(test_rows), ...) array
    fold : (n,) int array
        inner fold of each item
    n_folds : int
        the inner folds are merged into that many, or fewer where there are fewer; a fit each

    Returns
    -------
    (n, ...) array

    Raises
    ------
    ValueError
        All items lie in one inner fold.
    """
    present, rank = np.unique(fold, return_inverse=True)
    if len(present) < 2:
        raise ValueError("out-of-fold predictions need at least two inner folds")
    merged = rank % min(n_folds, len(present))
    result = None
    for number in range(merged.max() + 1):
        test = np.flatnonzero(merged == number)
        predicted = np.asarray(fit_predict(np.flatnonzero(merged != number), test))
        if result is None:
            result = np.empty((len(fold), *predicted.shape[1:]), predicted.dtype)
        result[test] = predicted
    return result


@dataclass
class SoftmaxCalibrator:
    """Multinomial logistic regression: probabilities of classes from decision values."""

    weights: np.ndarray  # (p, G)
    intercept: np.ndarray  # (G,)

    def __call__(self, decisions):
        """Probabilities, `(n, G)`, rows sum to 1."""
        logits = decisions @ self.weights + self.intercept
        result = np.exp(logits - logits.max(1, keepdims=True))
        return result / result.sum(1, keepdims=True)


def fit_softmax(decisions, label, n_classes, penalty=10.0) -> SoftmaxCalibrator:
    """Fit on out-of-fold decisions, so that the probabilities hold for items not trained on.

    For one-vs-one decisions this takes the place of Platt scaling (Platt 1999) and pairwise coupling (Wu, Lin & Weng
    2004, JMLR 5): one convex fit instead of a sigmoid per pair and a fixed point per item. Fitted on items as frequent
    as they are, it also takes the weights of a weighted fit back out: its probabilities keep to the training prior
    (Saerens, Latinne & Decaestecker 2002, Neural Computation 14), whatever prior the decisions were learned under.

    Parameters
    ----------
    decisions : (n, p) array
    label : (n,) int array, 0..n_classes-1
    n_classes : int
    penalty : float
        of the squared weights, in items, the decisions counted in units of their own spread

    Returns
    -------
    SoftmaxCalibrator
    """
    from scipy.optimize import minimize

    n, p = decisions.shape
    mean = decisions.mean(0, dtype=np.float64)
    # Descend along the principal directions, each scaled by its curvature: a round bowl takes a tenth of the steps
    variance, directions = np.linalg.eigh(np.cov(decisions.T, ddof=0).reshape(p, p))
    ridge = penalty * max(variance.mean(), 1e-12) / n
    variance, directions = np.maximum(variance[-DIRECTIONS:], 0), directions[:, -DIRECTIONS:]
    stretch = directions / np.sqrt(variance + CURVATURE * ridge)
    cost = (ridge / (variance + CURVATURE * ridge))[:, None]
    z = (decisions - mean) @ stretch
    truth = np.eye(n_classes)[label]

    def loss(flat):
        table = flat.reshape(-1, n_classes)
        probabilities = SoftmaxCalibrator(table[:-1], table[-1])(z)
        error = (probabilities - truth) / n
        surprise = -np.log(np.maximum(probabilities[np.arange(n), label], 1e-300)).mean()
        slope = np.vstack([z.T @ error + cost * table[:-1], error.sum(0)])
        return surprise + 0.5 * (cost * table[:-1] ** 2).sum(), slope.ravel()

    start = np.zeros((z.shape[1] + 1, n_classes))
    start[-1] = np.log(np.bincount(label, minlength=n_classes) / n)
    best = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    table = best.x.reshape(-1, n_classes)
    weights = stretch @ table[:-1]
    return SoftmaxCalibrator(weights, table[-1] - mean @ weights)
