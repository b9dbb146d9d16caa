"""Ridge regressions of "older than ...?", one for each age."""

import numpy as np

from . import _checks, _inner_folds
from ._ordinal_base import ThresholdEnsemble


class Ordinal(ThresholdEnsemble):
    """Is this face older than 1, than 2, ...? A ridge regression for each age, on principal components, in seconds.

    Hoerl & Kennard 1970, "Ridge regression", Technometrics 12; the questions and what is made of the answers: see
    `_older.py`. All ages share the components and one solved system, so a hundred cost hardly more than one.

    Parameters
    ----------
    pca : int
        principal components kept of the standardized features
    ridge : float
        penalty of the squared weights, in items, the components having a mean squared length of 1
    folds : int
        inner folds for calibration
    """

    def __init__(self, *, pca=512, ridge=0.3, folds=10):
        self.pca, self.ridge, self.folds = pca, ridge, folds
        _checks.number(self, "pca", 1, whole=True)
        _checks.number(self, "ridge", 0, above=True)
        _checks.number(self, "folds", 2, 10, whole=True)
        self.record = {}

    def _learn(self, z, older, inner):
        z = _with_one(z)
        self.parts["machine"] = {"weights": self._solve(z, older)}
        return _inner_folds.out_of_fold(
            lambda train, held: z[held] @ self._solve(z[train], older[train]), inner, self.folds
        )

    def _solve(self, z, older):
        """Weights, `(k + 1, T)`; the last row, of a component that is always 1, is the intercept."""
        from scipy.linalg import solve

        system = (z.T @ z).astype(np.float64)
        system[np.diag_indices_from(system)] += self.ridge
        return np.ascontiguousarray(solve(system, z.T @ older, assume_a="pos"), np.float32)

    def _decide(self, z):
        return _with_one(z) @ self.parts["machine"]["weights"]


def _with_one(z):
    return np.hstack([z, np.ones((len(z), 1), np.float32)])
