"""Least-squares support vector machines."""

import numpy as np

from ..errors import UsageError
from . import _checks, _inner_folds
from ._ordinal_base import ThresholdEnsemble


class LSSVM(ThresholdEnsemble):
    """Least-squares support vector machine: is this face older than 1, than 2, ...? Gaussian kernel, solved in one go.

    Suykens & Vandewalle 1999, "Least squares support vector machine classifiers", Neural Processing Letters 9; the
    questions and what is made of the answers: see `_older.py`. Every training item is a support vector, and all ages
    share one factorised system. Its inverse also gives, exactly and without another fit, what the machine would have
    answered for the items of an inner part had it not seen that part: An, Liu & Venkatesh 2007, "Fast cross-validation
    algorithms for least squares support vector machine and kernel ridge regression", Pattern Recognition 40.

    Parameters
    ----------
    gamma : float
        inverse width of the kernel, the components having a mean squared length of 1
    ridge : float
        penalty, on the scale of the kernel, which is 1 of an item with itself; the C of an SVM is about its inverse
    pca : int
        principal components kept of the standardized features
    """

    def __init__(self, *, gamma=0.7, ridge=0.3, pca=512):
        self.gamma, self.ridge, self.pca = gamma, ridge, pca
        _checks.number(self, "gamma", 0, above=True)
        _checks.number(self, "ridge", 1e-6, 1e6)
        _checks.number(self, "pca", 1, whole=True)
        self.record = {}

    def _learn(self, z, older, inner):
        from scipy.linalg import lapack

        system = self._kernel(z)
        factor = _sound(lapack.dpotrf(system, lower=1, overwrite_a=1, clean=0))
        weights = _sound(lapack.dpotrs(factor, older, lower=1))
        inverse = _sound(lapack.dpotri(factor, lower=1, overwrite_c=1))

        def answers(_, held):
            lower = np.tril(inverse[np.ix_(held, held)])
            block = lower + np.tril(lower, -1).T
            return older[held] - np.linalg.solve(block, weights[held])

        # The kernel has a constant of 1 added, so that an intercept is part of the solution
        self.parts["machine"] = {
            "vectors": z,
            "weights": np.ascontiguousarray(weights, np.float32),  # in the order in which it will be loaded
            "intercept": weights.sum(0),
            "gamma": np.asarray(self.gamma, float),
        }
        return _inner_folds.out_of_fold(answers, inner, 10)

    def _kernel(self, z):
        """The system of equations, `(n, n)` in the order that LAPACK overwrites; its lower triangle counts."""
        from ._kernels import BLOCK

        system = np.empty((len(z), len(z)), order="F")
        squares = (z.astype(np.float64) ** 2).sum(1)
        for start in range(0, len(z), BLOCK):
            rows = slice(start, start + BLOCK)
            distance = squares[:, None] + squares[rows] - 2 * (z @ z[rows].T).astype(np.float64)
            system[:, rows] = 1 + np.exp(-self.gamma * np.maximum(distance, 0))
        system[np.diag_indices_from(system)] = 2 + self.ridge
        return system

    def _decide(self, z):
        from ._kernels import KernelMachine

        return KernelMachine(**self.parts["machine"])(z)

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: the system of all training items with each other, and the rest."""
        return 8 * n * n + 8 * n * n // 100 + super().fit_bytes(n, d)


def _sound(result):
    """The array of what a routine of LAPACK returned, unless the routine failed."""
    array, trouble = result
    if trouble:
        raise UsageError(f"lssvm: its equations cannot be solved in double precision ({trouble}); give a larger ridge")
    return array
