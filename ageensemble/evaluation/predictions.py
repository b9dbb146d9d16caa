"""What a model says of some faces."""

from dataclasses import dataclass, field

import numpy as np

from .. import ages
from ..errors import UsageError


@dataclass(frozen=True)
class Predictions:
    """The answers of a model, a row for each face.

    Attributes
    ----------
    distribution : (n, 121) float32 array
        P(age = 0), ..., P(age = 120); rows sum to 1
    members : dict of str to (n, 121) float32 array
        what each member of a stack said alone; empty for a single model
    calibrated : dict of float to conformal.Conformal
        calibrations of `interval`, by level; empty for a model without out-of-fold predictions
    """

    distribution: np.ndarray
    members: dict = field(default_factory=dict)
    calibrated: dict = field(default_factory=dict, repr=False)

    def __len__(self):
        return len(self.distribution)

    def __repr__(self):
        shown = ", ".join(map(str, self.median[:10])) + (", ..." if len(self) > 10 else "")
        return f"<Predictions of {len(self)}, medians {shown}>"

    def __getitem__(self, rows):
        """The answers for some of the faces; `rows` is a slice or an array."""
        members = {name: distribution[rows] for name, distribution in self.members.items()}
        return Predictions(self.distribution[rows], members, self.calibrated)

    @property
    def median(self):
        """Ages, `(n,)` int years: what has the smallest expected absolute error."""
        return ages.median(self.distribution)

    def interval(self, level=0.9):
        """First and last year of an interval that holds the true age with this probability, `(n, 2)` int.

        Conformal and label-conditional where the model was calibrated out-of-fold, see `ageensemble.conformal`; else
        the quantiles of the distribution, which promise no more than the model itself.

        Raises
        ------
        UsageError
            The model was calibrated, but not at this level.
        """
        if not 0 < level < 1:
            raise UsageError(f"a level of {level:g} will not do, give one between 0 and 1, such as 0.9")
        if not self.calibrated:
            ends = [ages.quantile(self.distribution, q) for q in ((1 - level) / 2, (1 + level) / 2)]
            return np.stack(ends, axis=1).reshape(-1, 2)
        if level not in self.calibrated:
            known = ", ".join(f"{100 * other:g}" for other in sorted(self.calibrated))
            raise UsageError(f"this model has intervals of {known} %, not of {100 * level:g} %")
        return self.calibrated[level].intervals(self.distribution)

    def age_groups(self, age_groups="default"):
        """Probabilities of age groups.

        Parameters
        ----------
        scheme : str
            a name, or `0-12,13-19,20-64,65+`

        Returns
        -------
        list of str, (n, G) array
            the groups and their probabilities; the last is `other` where they leave years out
        """
        return ages.parse_age_groups(age_groups).sums(self.distribution)

    def at_least(self, age):
        """P(age >= `age`), `(n,)`."""
        return ages.at_least(self.distribution, age)
