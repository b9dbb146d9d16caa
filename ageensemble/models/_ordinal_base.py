"""Models that ask of a face, for one age after the other, whether it is older; their answers become age distributions.

The questions: Frank & Hall 2001, "A simple approach to ordinal classification", ECML; Li & Lin 2007, "Ordinal
regression by extended binary classification", NIPS 19; asked of faces: Chang, Chen & Hung 2011, "Ordinal hyperplanes
ranker with cost sensitivities for age estimation", CVPR. There the answers are turned into ages by counting or by
differences. Here a softmax over years, fitted on inner out-of-fold answers, does it: answers that contradict each other
leave no year without probability, and how sure they may be is learned from items that they were not fitted on.
"""

from itertools import pairwise

import numpy as np

from .. import ages
from . import _age_classes, _inner_folds, _serialization

LEAST = 5  # items of a unit of years; rarer ages share one
PENALTY = 3.0  # of the softmax: best of 1, 3 and 10 from 300 items to 12,000


def units_of(y):
    """Ranges of years that together are 0..120, one for each age that is labeled often enough to stand alone.

    Ages with fewer than `LEAST` items share a range with the next older ones, the oldest with those before; years
    without an item belong to the nearest age with one. Of labels that are ranges themselves, the units are those of
    `_groups.training_groups`.

    Parameters
    ----------
    y : (n, 2) int array, years

    Returns
    -------
    Scheme, (n,) int array
        the units, and the unit of each label

    Raises
    ------
    DataError
        Labelled ranges overlap one another.
    """
    if np.any(y[:, 0] != y[:, 1]):
        return _age_classes.training_groups(y)
    count = np.bincount(y[:, 0], minlength=ages.N_AGES)
    found, items = [], LEAST  # youngest and oldest age of each unit; the items of the last one
    for age in np.flatnonzero(count):
        if items >= LEAST:
            found.append([age, age])
            items = 0
        found[-1][1] = age
        items += count[age]
    if items < LEAST and len(found) > 1:
        found.pop()  # the one before goes on to the end
    last = [int(one[1] + other[0]) // 2 for one, other in pairwise(found)]
    units = ages.AgeGroups("units", tuple(zip([0, *(age + 1 for age in last)], [*last, ages.MAX_AGE], strict=True)))
    return units, units.of(y)


def is_older(unit, units):
    """Whether items are older than each unit but the oldest: the true answers, `(n, units - 1)` float32, 0 or 1."""
    return (unit[:, None] > np.arange(units - 1)).astype(np.float32)


def spread_of(units, y):
    """How a unit's probability is spread over its years, `(units, A)`: as labeled, smoothed where that is seldom."""
    labeled = units.matrix.T * ages.histogram(y, sigma=0.1) * len(y)  # so narrow that nothing leaves its year
    labeled += LEAST * ages.from_groups(np.eye(len(units)), units, y)
    return labeled / labeled.sum(1, keepdims=True)


class ThresholdEnsemble:
    """The base of these models, on principal components; it has all but the machine that gives the answers.

    A model derived from it has a parameter `pca` and two methods: `_learn(z, older, inner)`, which puts the arrays
    of its machine into `self.parts["machine"]` and returns inner out-of-fold answers, `(n, p)`, and `_decide(z)`, the
    answers of the machine. `older` is what `is_older` says of the training items.
    """

    features = "hog+lbp"
    version = 1  # raised whenever the predictions change

    def fit(self, x, y, inner, *, seed, threads, device, widths=None):
        """Fit on the training items of a cell.

        Parameters
        ----------
        x : (n, d) float32 array
        y : (n, 2) int array, years
        inner : (n,) int array
            group-safe parts of the training items
        seed, threads : int
        device : str
            not used
        widths : sequence of int, optional
            columns of each feature set in `x`; all sets have the same say in the components

        Raises
        ------
        DataError
            The labels are ranges of years that overlap.
        """
        import scipy.linalg  # before the threads are limited, since only what is loaded can be
        from threadpoolctl import threadpool_limits

        from . import _calibration, _projection

        self.record, self.parts = {"library": f"scipy {scipy.__version__}"}, {}
        units, unit = units_of(y)
        if not _inner_folds.can_hold_out(inner) or len(units) < 2:
            # nothing to tell apart, or no way to be honest about how well that goes
            self.record["fallback"] = "too little to tell apart: the training histogram"
            self.parts["constant"] = {"row": ages.histogram(y)}
            return self
        with threadpool_limits(threads):
            # The components come from all training rows of the cell, held ones too: they know no label
            project = _projection.principal_components(x, self.pca, seed=seed, widths=widths)
            answers = self._learn(project(x), is_older(unit, len(units)), inner)
            calibration = _calibration.fit_softmax(answers, unit, len(units), PENALTY)
        self.parts |= {"project": vars(project), "calibration": vars(calibration)}
        self.parts["units"] = {"spread": spread_of(units, y)}
        return self

    def predict(self, x):
        """Age distributions, `(m, A)`, of `(m, d)` features."""
        from ._calibration import Softmax
        from ._projection import Projection

        parts = self.parts
        if "constant" in parts:
            return np.tile(parts["constant"]["row"], (len(x), 1))
        answers = self._decide(Projection(**parts["project"])(x))
        return Softmax(**parts["calibration"])(answers) @ parts["units"]["spread"]

    def save(self, folder):
        """Write the model into `folder`."""
        _serialization.save(folder, self, self.parts)

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        model, model.parts = _serialization.load(folder, cls)
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: axes, a block of rows, projected rows, answers and their softmax."""
        from . import _projection

        k = min(self.pca + _projection.OVERSAMPLE, n, d)
        return 5 * 4 * d * k + 3 * 8 * _projection.BLOCK * d + 3 * 4 * n * k + 6 * 8 * ages.N_AGES * n + 200_000_000
