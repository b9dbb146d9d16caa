"""The floor: what every other model must beat."""

import numpy as np

from .. import ages
from . import _serialization


class PriorBaseline:
    """The same for everybody: the smoothed histogram of the training ages (the floor of every table)."""

    features = ""
    version = 1  # raised whenever the predictions change

    def __init__(self):
        self.record = {}

    def fit(self, x, y, inner, *, seed, threads, device):
        """Remember the ages of the training items.

        Parameters
        ----------
        x, inner, seed, threads, device
            not looked at
        y : (n, 2) int array, years
        """
        self.constant = ages.histogram(y)
        return self

    def predict(self, x):
        """The histogram, `(m, A)`, once for each of the m rows of `x`."""
        return np.tile(self.constant, (len(x), 1))

    def save(self, folder):
        """Write the model into `folder`."""
        _serialization.save(folder, self, {"prior": {"constant": self.constant}})

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        model, parts = _serialization.load(folder, cls)
        model.constant = parts["prior"]["constant"]
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes."""
        return 0
