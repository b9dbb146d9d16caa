"""Predictions of a loaded model, with calibrated intervals and what each member of an ensemble predicted."""

from dataclasses import dataclass, field

import numpy as np

from ..errors import UsageError
from ..evaluation.predictions import Predictions


@dataclass(frozen=True, eq=False, repr=False)
class ModelPredictions(Predictions):
    """Predictions of a loaded model, a row for each face.

    Attributes
    ----------
    members : dict of str to (n, 121) float32 array
        predictions of each member of an ensemble; empty for a single model
    calibrated : dict of float to conformal.Conformal
        calibrations of `interval`, by level; empty for a model without out-of-fold predictions
    """

    members: dict = field(default_factory=dict)
    calibrated: dict = field(default_factory=dict)

    def interval(self, level: float = 0.9) -> np.ndarray:
        """First and last year of an interval that holds the true age with this probability, `(n, 2)` int.

        Conformal and label-conditional where the model was calibrated out-of-fold; else the quantiles of the
        distribution, which promise no more than the model itself.

        Raises
        ------
        UsageError
            The model was calibrated, but not at this level.
        """
        if not self.calibrated or not 0 < level < 1:
            return super().interval(level)
        if level not in self.calibrated:
            known = ", ".join(f"{100 * other:g}" for other in sorted(self.calibrated))
            raise UsageError(f"this model has intervals of {known} %, not of {100 * level:g} %")
        return self.calibrated[level].intervals(self.proba)
