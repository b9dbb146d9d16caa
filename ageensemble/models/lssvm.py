"""Least-squares support vector machines."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from ..errors import UsageError
from .calibrated import OrdinalAgeEstimator
from .distribution import out_of_fold
from .kernels import BLOCK, KernelMachine


class LSSVM(OrdinalAgeEstimator):
    """Least-squares support vector machine: is this face older than 1, than 2, ...? Gaussian kernel, solved in one go.

    Suykens & Vandewalle 1999, "Least squares support vector machine classifiers", Neural Processing Letters 9; the
    questions and what is made of the answers: see `OrdinalAgeEstimator`. Every training item is a support vector, and
    all ages share one factorized system. Its inverse also gives, exactly and without another fit, what the machine
    would have answered for the items of an inner fold had it not seen that fold: An, Liu & Venkatesh 2007, "Fast
    cross-validation algorithms for least squares support vector machine and kernel ridge regression", Pattern
    Recognition 40.

    Parameters
    ----------
    gamma : float
        inverse width of the kernel, the components having a mean squared length of 1
    ridge : float
        penalty, on the scale of the kernel, which is 1 of an item with itself; the C of an SVM is about its inverse
    pca : int
        principal components kept of the standardized features
    random_state : int
        of the randomized principal components
    n_jobs : int
        threads
    """

    _parameter_constraints = OrdinalAgeEstimator._parameter_constraints | {
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "ridge": [Interval(Real, 1e-6, 1e6, closed="both")],
    }

    def __init__(self, *, gamma=0.7, ridge=0.3, pca=512, random_state=0, n_jobs=None):
        self.gamma, self.ridge, self.pca, self.random_state, self.n_jobs = gamma, ridge, pca, random_state, n_jobs

    def _cross_fit(self, Z, target, fold):
        from scipy.linalg import lapack

        older, system = target.older, self._kernel(Z)
        factor = _sound(lapack.dpotrf(system, lower=1, overwrite_a=1, clean=0))
        weights = _sound(lapack.dpotrs(factor, older, lower=1))
        inverse = _sound(lapack.dpotri(factor, lower=1, overwrite_c=1))

        def answers(_, test):
            lower = np.tril(inverse[np.ix_(test, test)])
            block = lower + np.tril(lower, -1).T
            return older[test] - np.linalg.solve(block, weights[test])

        # The kernel has a constant of 1 added, so that an intercept is part of the solution
        machine = {
            "vectors": Z,
            "weights": np.ascontiguousarray(weights, np.float32),  # in the order in which it will be loaded
            "intercept": weights.sum(0),
            "gamma": np.asarray(self.gamma, float),
        }
        return machine, out_of_fold(answers, fold, 10)

    def _kernel(self, Z):
        """The system of equations, `(n, n)` in the order that LAPACK overwrites; its lower triangle counts."""
        system = np.empty((len(Z), len(Z)), order="F")
        squares = (Z.astype(np.float64) ** 2).sum(1)
        for start in range(0, len(Z), BLOCK):
            rows = slice(start, start + BLOCK)
            distance = squares[:, None] + squares[rows] - 2 * (Z @ Z[rows].T).astype(np.float64)
            system[:, rows] = 1 + np.exp(-self.gamma * np.maximum(distance, 0))
        system[np.diag_indices_from(system)] = 2 + self.ridge
        return system

    def _outputs(self, machine, Z):
        return KernelMachine(**machine)(Z)

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: the system of all training items with each other, and the rest."""
        return 8 * n * n + 8 * n * n // 100 + super().fit_bytes(n, d)


def _sound(result):
    """The array of what a routine of LAPACK returned, unless the routine failed."""
    array, trouble = result
    if trouble:
        raise UsageError(f"lssvm: its equations cannot be solved in double precision ({trouble}); give a larger ridge")
    return array
