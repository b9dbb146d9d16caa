"""Gradient boosted trees on principal components."""

import numpy as np

from .. import ages
from ..errors import UsageError
from . import _age_classes, _checks, _inner_folds, _serialization

OBJECTIVES = {"squared": "reg:squarederror", "absolute": "reg:absoluteerror", "huber": "reg:pseudohubererror"}


class XGBoost:
    """Gradient boosted trees (XGBoost) on the principal components of classical features.

    Chen & Guestrin 2016, "XGBoost: a scalable tree boosting system", KDD.

    Parameters
    ----------
    pca : int
        principal components kept; 0 for the features as they are
    rounds, depth, eta : int, int, float
        boosting rounds, depth of a tree, shrinkage
    subsample, colsample : float, 0..1
        share of the items, and of the columns, that a tree sees
    bins : int
        of the histograms of a column
    route : str
        `groups`: classification of age groups, recalibrated on inner out-of-fold margins;
        `years`: regression, its inner out-of-fold residuals making distributions
    loss : str
        `squared`, `absolute` or `huber`, of route `years`
    weighting : str
        `none`, or `group`: every age group counts the same
    folds : int
        inner folds for calibration and residuals
    neighbors : int
        training items whose residuals make up the distribution of a prediction, of route `years`
    """

    features = "hog+lbp"
    version = 1  # raised whenever the predictions change

    def __init__(
        self, *, pca=200, rounds=400, depth=2, eta=0.2, subsample=0.7, colsample=0.1, bins=32, route="age_groups",
        loss="squared", weighting="none", folds=2, neighbors=500,
    ):  # fmt: skip
        self.pca, self.rounds, self.depth, self.eta = pca, rounds, depth, eta
        self.subsample, self.colsample, self.bins = subsample, colsample, bins
        self.route, self.loss, self.weighting, self.folds, self.neighbors = route, loss, weighting, folds, neighbors
        _checks.number(self, "pca", 0, whole=True)
        _checks.number(self, "rounds", 1, whole=True)
        _checks.number(self, "depth", 1, 16, whole=True)
        _checks.number(self, "eta", 0, 1, above=True)
        _checks.number(self, "subsample", 0, 1, above=True)
        _checks.number(self, "colsample", 0, 1, above=True)
        _checks.number(self, "bins", 2, 1024, whole=True)
        _checks.one_of(self, "route", "age_groups", "years")
        _checks.one_of(self, "loss", *OBJECTIVES)
        _checks.one_of(self, "weighting", "none", "group")
        _checks.number(self, "folds", 2, 10, whole=True)
        _checks.number(self, "neighbors", 1, whole=True)
        self.record = {}

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
            trees grow on the accelerator where it is `cuda`
        widths : sequence of int, optional
            columns of each feature set in `x`; all sets have the same say in the components

        Raises
        ------
        DataError
            The labels are ranges of years and the route is `years`.
        UsageError
            XGBoost is not installed.
        """
        from threadpoolctl import threadpool_limits

        xgb = _library()
        self.record = {"library": f"xgboost {xgb.__version__}"}
        age = ages.exact(y, "xgboost route=years") if self.route == "years" else None
        age_groups, label = _age_classes.training_groups(y)
        self.parts, self.booster = {}, None
        if not _inner_folds.can_hold_out(inner) or (len(age_groups) < 2 if age is None else np.ptp(age) == 0):
            # nothing to tell apart, or no way to be honest about how well that goes
            self.record["fallback"] = "too little to tell apart: the training histogram"
            self.parts["constant"] = {"row": ages.histogram(y)}
            return self
        weight = _age_classes.balance(label) if self.weighting == "group" else np.ones(len(age_groups))
        common = {
            "tree_method": "hist", "max_depth": self.depth, "eta": self.eta, "subsample": self.subsample,
            "colsample_bytree": self.colsample, "max_bin": self.bins, "seed": seed, "nthread": threads,
            "device": "cuda" if device.startswith("cuda") else "cpu",
        }  # fmt: skip
        with threadpool_limits(threads):
            z = self._components(x, seed, widths)
            if age is None:
                self._fit_groups(z, label, weight, inner, common)
                self.parts["age_groups"] = {"spread": ages.from_groups(np.eye(len(age_groups)), age_groups, y)}
            else:
                self._fit_years(z, age, weight[label], inner, common)
        return self

    def _components(self, x, seed, widths):
        if self.pca == 0:
            return np.asarray(x)
        from ._projection import principal_components

        project = principal_components(x, self.pca, seed=seed, widths=widths)
        self.parts["project"] = vars(project)
        return project(x)

    def _fit_groups(self, z, label, weight, inner, common):
        from ._calibration import fit_softmax

        settings = common | {"objective": "multi:softprob", "num_class": len(weight)}

        def fit(rows):
            return self._grow(settings, z[rows], label[rows], weight[label[rows]])

        # The components come from all training rows of the cell, held ones too: they know no label
        margins = _inner_folds.out_of_fold(lambda train, held: _margins(fit(train), z[held]), inner, self.folds)
        self.parts["calibration"] = vars(fit_softmax(margins, label, len(weight)))
        self.booster = fit(slice(None))

    def _fit_years(self, z, age, weight, inner, common):
        settings = common | {"objective": OBJECTIVES[self.loss]}

        def fit(rows):
            return self._grow(settings, z[rows], age[rows], weight[rows])

        held = _inner_folds.out_of_fold(lambda train, held: fit(train).inplace_predict(z[held]), inner, self.folds)
        self.parts["residuals"] = {"inner_predicted": held, "inner_age": age}
        self.booster = fit(slice(None))

    def _grow(self, settings, z, target, weight):
        xgb = _library()
        data = xgb.QuantileDMatrix(z, target, weight=weight, max_bin=self.bins, nthread=settings["nthread"])
        return xgb.train(settings, data, self.rounds)

    def predict(self, x):
        """Age distributions, `(m, A)`, of `(m, d)` features."""
        from ._calibration import Softmax
        from ._projection import Projection

        parts = self.parts
        if "constant" in parts:
            return np.tile(parts["constant"]["row"], (len(x), 1))
        if not len(x):  # which the library will not predict
            return np.empty((0, ages.N_AGES))
        z = Projection(**parts["project"])(x) if "project" in parts else np.asarray(x)
        if "residuals" in parts:
            return ages.from_numbers(self.booster.inplace_predict(z), **parts["residuals"], k=self.neighbors)
        return Softmax(**parts["calibration"])(_margins(self.booster, z)) @ parts["age_groups"]["spread"]

    def save(self, folder):
        """Write the model into `folder`."""
        _serialization.save(folder, self, self.parts)
        if self.booster is not None:
            self.booster.save_model(folder / "trees.ubj")

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        model, model.parts = _serialization.load(folder, cls)
        model.booster = None
        if (folder / "trees.ubj").exists():
            model.booster = _library().Booster({"nthread": 1}, model_file=folder / "trees.ubj")
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: components and their images, projected rows and their bins."""
        from ._projection import BLOCK, OVERSAMPLE

        k = min(self.pca + OVERSAMPLE if self.pca else d, n, d)
        return 5 * 4 * d * k + 3 * 8 * BLOCK * d + 6 * 4 * n * k + 300_000_000


def _margins(booster, z):
    """Scores of the groups before the softmax, `(n, G)`."""
    return booster.inplace_predict(z, predict_type="margin").astype(np.float64)


def _library():
    try:
        import xgboost
    except ImportError:
        raise UsageError("xgboost is not installed; pip install xgboost") from None
    return xgboost
