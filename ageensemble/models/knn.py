"""The nearest training images."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from .calibrated import OrdinalAgeEstimator

BLOCK = 256  # rows whose neighbors are looked for at a time


class KNN(OrdinalAgeEstimator):
    """The ages of the training images most like this one, the nearest counting most; on principal components.

    Dudani 1976, "The distance-weighted k-nearest-neighbor rule", IEEE Transactions on Systems, Man, and Cybernetics 6.
    Near are images with a small angle between their components, which are partly whitened first, so that the few
    leading ones do not decide alone. The share of the neighbors that is older than each age is calibrated on
    neighbors from other inner folds, which undoes that their mean is drawn to the middle ages; see
    `OrdinalAgeEstimator`.

    Parameters
    ----------
    k : int
        neighbors; the weight of one falls with its distance, to nothing at the last
    whiten : float, 0..1
        0 for components as they are, 1 for components of equal variance
    pca : int
        principal components kept of the standardized features
    random_state : int
        of the randomized principal components
    n_jobs : int
        threads
    """

    _parameter_constraints = OrdinalAgeEstimator._parameter_constraints | {
        "k": [Interval(Integral, 1, None, closed="left")],
        "whiten": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, *, k=120, whiten=0.75, pca=512, random_state=0, n_jobs=None):
        self.k, self.whiten, self.pca, self.random_state, self.n_jobs = k, whiten, pca, random_state, n_jobs

    def _cross_fit(self, Z, target, fold):
        spread = Z.std(0)
        scale = np.where(spread > 1e-6, np.maximum(spread, 1e-6) ** -self.whiten, 0).astype(np.float32)
        points = _directions(Z * scale)
        machine = {"scale": scale, "points": points, "older": target.older.astype(np.uint8)}
        outputs = np.concatenate([
            self._shares(machine, points[start : start + BLOCK], fold[start : start + BLOCK, None] == fold)
            for start in range(0, len(Z), BLOCK)
        ])  # fmt: skip
        return machine, outputs

    def _outputs(self, machine, Z):
        points = _directions(Z * machine["scale"])
        return np.concatenate([
            self._shares(machine, points[start : start + BLOCK]) for start in range(0, len(Z), BLOCK)
        ])  # fmt: skip

    def _shares(self, machine, points, barred=None):
        """Weighted share of the neighbors that is older than each unit, `(m, T)`; none is `barred`, `(m, n)` bool."""
        distance = 1 - points @ machine["points"].T
        k = distance.shape[1]
        if barred is not None:
            distance[barred] = np.inf
            k -= barred.sum(1).max(initial=0)
        k = min(self.k, k)
        near = np.argpartition(distance, k - 1, axis=1)[:, :k]
        distance = np.maximum(np.take_along_axis(distance, near, 1), 0)
        weight = np.maximum(1 - distance / np.maximum(distance.max(1, keepdims=True), 1e-6), 1e-3)
        weight /= weight.sum(1, keepdims=True)
        return (weight[:, None] @ machine["older"][near].astype(np.float32))[:, 0]

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: a block's distances and its neighbors' ages, and the rest."""
        return 16 * BLOCK * n + 5 * 121 * BLOCK * min(self.k, n) + super().fit_bytes(n, d)


def _directions(Z):
    """Rows of length 1; one without length stays as it is."""
    return Z / np.maximum(np.linalg.norm(Z, axis=1, keepdims=True), 1e-12)
