"""The prior baseline: what every other model must beat."""

import numpy as np

from .. import ages
from .base import AgeEstimator


class PriorBaseline(AgeEstimator):
    """The same for everybody: the smoothed histogram of the training ages (the floor of every table)."""

    features = ""
    version = 1

    def _fit(self, X, y, fold, feature_widths):
        self.parts_ = {"prior": {"constant": ages.histogram(y)}}

    def predict_proba(self, X) -> np.ndarray:
        """The histogram, `(n, 121)`, once for each of the n rows of `X`."""
        X = self._check_features(X)
        return np.tile(self.parts_["prior"]["constant"], (len(X), 1))
