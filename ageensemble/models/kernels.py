"""Support vector machines with a Gaussian kernel, as plain arrays: fitted by a library, predicted here."""

from dataclasses import dataclass
from importlib.metadata import version
from itertools import combinations

import numpy as np

BLOCK = 1024  # rows whose kernel with all support vectors is in memory at a time
CACHE_MB = 1000


@dataclass
class KernelMachine:
    """Outputs f(x) = sum_s weights[s] exp(-gamma |x - vectors[s]|^2) + intercept."""

    vectors: np.ndarray  # (s, k)
    weights: np.ndarray  # (s, outputs)
    intercept: np.ndarray  # (outputs,)
    gamma: np.ndarray  # ()

    def __call__(self, x):
        """Outputs for `(n, k)` rows, `(n, outputs)`."""
        x = np.asarray(x, self.vectors.dtype)
        squares = (self.vectors**2).sum(1)
        result = np.empty((len(x), len(self.intercept)))
        for start in range(0, len(x), BLOCK):
            rows = x[start : start + BLOCK]
            distance = rows @ self.vectors.T
            distance *= -2
            distance += (rows**2).sum(1)[:, None]
            distance += squares
            np.maximum(distance, 0, out=distance)
            distance *= -float(self.gamma)
            result[start : start + BLOCK] = np.exp(distance, out=distance) @ self.weights + self.intercept
        return result


def solver():
    """Name and version of what fits the machines: the accelerated library where it can be imported."""
    for name, package in (("scikit-learn-intelex", "sklearnex"), ("scikit-learn", "sklearn")):
        try:
            __import__(f"{package}.svm")
        except ImportError:
            continue
        return f"{name} {version(name)}"
    raise ImportError("neither scikit-learn-intelex nor scikit-learn can be imported")


def _estimator(kind, threads, **settings):
    """`SVR` or `SVC` of the library in use, named rather than patched in, so that results say where they are from."""
    try:
        from sklearnex import svm

        settings["n_jobs"] = threads
    except ImportError:
        from sklearn import svm  # one thread, whatever is asked
    return getattr(svm, kind)(kernel="rbf", cache_size=CACHE_MB, **settings)


def fit_regression(x, target, weight, *, C, gamma, epsilon, threads):
    """Support vector regression (Drucker et al. 1997, NIPS 9).

    Parameters
    ----------
    x : (n, k) array
    target : (n,) array
    weight : (n,) array
        of each item, multiplying its C
    C, gamma, epsilon : float
        penalty, inverse kernel width, half-width of the tube without loss
    threads : int

    Returns
    -------
    KernelMachine of one output
    """
    low, high = target.min(), target.max()
    if high - low <= 2 * epsilon:  # the tube holds them all: flat is the solution, and the library returns no intercept
        return KernelMachine(x[:0], np.zeros((0, 1), x.dtype), np.array([(low + high) / 2]), np.asarray(gamma, float))
    machine = _estimator("SVR", threads, C=C, gamma=gamma, epsilon=epsilon)
    machine.fit(x, target.astype(x.dtype), sample_weight=weight)
    return KernelMachine(
        np.asarray(machine.support_vectors_, x.dtype),
        np.asarray(machine.dual_coef_, x.dtype).reshape(1, -1).T,
        np.asarray(machine.intercept_, float).reshape(1),
        np.asarray(gamma, float),
    )


def fit_pairs(x, label, n_groups, weight, *, C, gamma, threads):
    """A support vector classifier for every pair of age groups, `n_groups (n_groups - 1) / 2` outputs in lexical order.

    Positive means the first of the pair (the second where only one pair exists, as scikit-learn has it). An output is 0
    everywhere for a pair of which a group has no item.

    Parameters
    ----------
    x : (n, k) array
    label : (n,) int array, 0..n_groups-1
    n_groups : int
    weight : (n_groups,) array
        multiplying the C of each group
    C, gamma : float
    threads : int

    Returns
    -------
    KernelMachine
    """
    column = {pair: index for index, pair in enumerate(combinations(range(n_groups), 2))}
    present = np.unique(label)
    if len(present) < 2:
        nothing = np.zeros((0, len(column)), x.dtype)
        return KernelMachine(x[:0], nothing, np.zeros(len(column)), np.asarray(gamma, float))
    machine = _estimator(
        "SVC", threads, C=C, gamma=gamma, class_weight={group: weight[group] for group in present},
        decision_function_shape="ovo",
    )  # fmt: skip
    machine.fit(x, label)
    weights, intercept = np.zeros((len(machine.support_vectors_), len(column)), x.dtype), np.zeros(len(column))
    coefficients, offsets = np.asarray(machine.dual_coef_), np.asarray(machine.intercept_).ravel()
    group_of_vector = np.searchsorted(present, label[np.asarray(machine.support_, int)])
    for number, (i, j) in enumerate(combinations(range(len(present)), 2)):
        # libsvm keeps one coefficient per vector and rival group, its own group left out
        index = column[present[i], present[j]]
        first, second = group_of_vector == i, group_of_vector == j
        weights[first, index] = coefficients[j - 1, first]
        weights[second, index] = coefficients[i, second]
        intercept[index] = offsets[number]
    return KernelMachine(np.asarray(machine.support_vectors_, x.dtype), weights, intercept, np.asarray(gamma, float))
