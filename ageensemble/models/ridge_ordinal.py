"""Ridge regressions of "older than ...?", one for each age."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from .calibrated import OrdinalAgeEstimator


class RidgeOrdinal(OrdinalAgeEstimator):
    """Is this face older than 1, than 2, ...? A ridge regression for each age, on principal components, in seconds.

    Hoerl & Kennard 1970, "Ridge regression", Technometrics 12; the questions and what is made of the answers: see
    `OrdinalAgeEstimator`. All ages share the components and one solved system, so a hundred cost hardly more than one.

    Parameters
    ----------
    pca : int
        principal components kept of the standardized features
    ridge : float
        penalty of the squared weights, in items, the components having a mean squared length of 1
    folds : int
        inner folds for calibration
    random_state : int
        of the randomized principal components
    n_jobs : int
        threads
    """

    _parameter_constraints = OrdinalAgeEstimator._parameter_constraints | {
        "ridge": [Interval(Real, 0, None, closed="neither")],
        "folds": [Interval(Integral, 2, 10, closed="both")],
    }

    def __init__(self, *, pca=512, ridge=0.3, folds=10, random_state=0, n_jobs=None):
        self.pca, self.ridge, self.folds, self.random_state, self.n_jobs = pca, ridge, folds, random_state, n_jobs

    def _fit_machine(self, Z, target):
        """Weights, `(k + 1, T)`; the last row, of a component that is always 1, is the intercept."""
        from scipy.linalg import solve

        Z = _with_one(Z)
        system = (Z.T @ Z).astype(np.float64)
        system[np.diag_indices_from(system)] += self.ridge
        return {"weights": np.ascontiguousarray(solve(system, Z.T @ target.older, assume_a="pos"), np.float32)}

    def _outputs(self, machine, Z):
        return _with_one(Z) @ machine["weights"]


def _with_one(Z):
    return np.hstack([Z, np.ones((len(Z), 1), np.float32)])
