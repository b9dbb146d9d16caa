"""Ensembles of predictions: one file each with a class derived from `Ensemble`.

Arrays in, weights out: members are `Predictions` of the same items, made out-of-fold, and an ensemble of them is
`Predictions` again.
"""

from .._utils.registry import Registry
from .base import Ensemble
from .greedy import Greedy
from .mean import Mean
from .pooling import Pool
from .stacking import Stacking

__all__ = ["REGISTRY", "Ensemble", "Greedy", "Mean", "Pool", "Stacking"]

REGISTRY = Registry(
    "ensemble",
    __name__,
    base=Ensemble,
    internal=("pooling", "cross_fit", "stacking"),
    nested={"stack": "ageensemble.ensembles.stacking"},
)
