"""Gradient boosted trees on principal components."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ..errors import UsageError
from .calibrated import RoutedAgeEstimator

OBJECTIVES = {"squared": "reg:squarederror", "absolute": "reg:absoluteerror", "huber": "reg:pseudohubererror"}


class XGBoost(RoutedAgeEstimator):
    """Gradient boosted trees (XGBoost) on the principal components of classical features.

    Chen & Guestrin 2016, "XGBoost: a scalable tree boosting system", KDD.

    Parameters
    ----------
    pca : int
        principal components kept; 0 for the features as they are
    rounds : int
        boosting rounds
    depth : int
        depth of a tree
    eta : float
        shrinkage
    subsample : float, 0..1
        share of the items that a tree sees
    colsample : float, 0..1
        share of the columns that a tree sees
    bins : int
        of the histograms of a column
    route : str
        `age_groups`: classification of age groups, recalibrated on inner out-of-fold margins;
        `years`: regression, its inner out-of-fold residuals making distributions
    loss : str
        `squared`, `absolute` or `huber`, of route `years`
    weighting : str
        `none`, or `group`: every age group counts the same
    folds : int
        inner folds for calibration and residuals
    neighbors : int
        training items whose residuals make up the distribution of a prediction, of route `years`
    random_state : int
        of the principal components and of what a tree sees
    n_jobs : int
        threads
    device : str
        trees grow on the accelerator where it is `cuda`
    """

    version = 1
    _parameter_constraints = RoutedAgeEstimator._parameter_constraints | {
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "depth": [Interval(Integral, 1, 16, closed="both")],
        "eta": [Interval(Real, 0, 1, closed="right")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "colsample": [Interval(Real, 0, 1, closed="right")],
        "bins": [Interval(Integral, 2, 1024, closed="both")],
        "loss": [StrOptions(set(OBJECTIVES))],
        "device": [str],
    }

    def __init__(
        self, *, pca=200, rounds=400, depth=2, eta=0.2, subsample=0.7, colsample=0.1, bins=32, route="age_groups",
        loss="squared", weighting="none", folds=2, neighbors=500, random_state=0, n_jobs=None, device="cpu",
    ):  # fmt: skip
        self.pca, self.rounds, self.depth, self.eta, self.subsample = pca, rounds, depth, eta, subsample
        self.colsample, self.bins, self.route, self.loss, self.weighting = colsample, bins, route, loss, weighting
        self.folds, self.neighbors, self.random_state, self.n_jobs = folds, neighbors, random_state, n_jobs
        self.device = device

    def _library(self):
        return f"xgboost {_xgboost().__version__}"

    def _fit_machine(self, Z, target):
        settings = {
            "tree_method": "hist", "max_depth": self.depth, "eta": self.eta, "subsample": self.subsample,
            "colsample_bytree": self.colsample, "max_bin": self.bins, "seed": self._seed(), "nthread": self._threads(),
            "device": "cuda" if self.device.startswith("cuda") else "cpu",
        }  # fmt: skip
        if self.route == "years":
            wanted, settings["objective"] = target.age, OBJECTIVES[self.loss]
        else:
            wanted = target.label
            settings |= {"objective": "multi:softprob", "num_class": len(target.spread)}
        xgb = _xgboost()
        data = xgb.QuantileDMatrix(Z, wanted, weight=target.weight, max_bin=self.bins, nthread=self._threads())
        return {"booster": xgb.train(settings, data, self.rounds)}

    def _outputs(self, machine, Z):
        if self.route == "years":
            return machine["booster"].inplace_predict(Z)
        return machine["booster"].inplace_predict(Z, predict_type="margin").astype(np.float64)

    def save(self, folder):
        """Write the fitted model into `folder`, its trees in a format of XGBoost's own."""
        super().save(folder)
        if "machine" in self.parts_:
            self.parts_["machine"]["booster"].save_model(folder / "trees.ubj")

    def _arrays(self):
        return {name: arrays for name, arrays in self.parts_.items() if name != "machine"}

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        model = super().load(folder)
        if (folder / "trees.ubj").exists():
            booster = _xgboost().Booster({"nthread": 1}, model_file=folder / "trees.ubj")
            model.parts_["machine"] = {"booster": booster}
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: components and their images, projected rows and their bins."""
        k, components = self._components_bytes(n, d)
        return components + 6 * 4 * n * k + 300_000_000


def _xgboost():
    try:
        import xgboost
    except ImportError:
        raise UsageError("xgboost is not installed; pip install xgboost") from None
    return xgboost
