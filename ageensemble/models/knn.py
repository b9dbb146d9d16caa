"""The nearest training photographs."""

import numpy as np

from . import _checks
from ._ordinal_base import ThresholdEnsemble

BLOCK = 256  # rows whose neighbors are looked for at a time


class KNN(ThresholdEnsemble):
    """The ages of the training photographs most like this one, the nearest counting most; on principal components.

    Dudani 1976, "The distance-weighted k-nearest-neighbor rule", IEEE Transactions on Systems, Man, and Cybernetics 6.
    Near are photographs with a small angle between their components, which are partly whitened first, so that the few
    leading ones do not decide alone. The share of the neighbors that is older than each age is calibrated on
    neighbors from other inner parts, which undoes that their mean is drawn to the middle ages; see `_older.py`.

    Parameters
    ----------
    k : int
        neighbors; the weight of one falls with its distance, to nothing at the last
    whiten : float, 0..1
        0 for components as they are, 1 for components of equal variance
    pca : int
        principal components kept of the standardized features
    """

    def __init__(self, *, k=120, whiten=0.75, pca=512):
        self.k, self.whiten, self.pca = k, whiten, pca
        _checks.number(self, "k", 1, whole=True)
        _checks.number(self, "whiten", 0, 1)
        _checks.number(self, "pca", 1, whole=True)
        self.record = {}

    def _learn(self, z, older, inner):
        spread = z.std(0)
        scale = np.where(spread > 1e-6, np.maximum(spread, 1e-6) ** -self.whiten, 0).astype(np.float32)
        points = _directions(z * scale)
        self.parts["machine"] = {"scale": scale, "points": points, "older": older.astype(np.uint8)}
        return np.concatenate([
            self._shares(points[start : start + BLOCK], inner[start : start + BLOCK, None] == inner)
            for start in range(0, len(z), BLOCK)
        ])  # fmt: skip

    def _decide(self, z):
        points = _directions(z * self.parts["machine"]["scale"])
        starts = range(0, max(len(z), 1), BLOCK)
        return np.concatenate([self._shares(points[start : start + BLOCK]) for start in starts])

    def _shares(self, points, barred=None):
        """Weighted share of the neighbors that is older than each unit, `(m, T)`; none is `barred`, `(m, n)` bool."""
        machine = self.parts["machine"]
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


def _directions(z):
    """Rows of length 1; one without length stays as it is."""
    return z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
