"""Support vector machines on principal components."""

import numpy as np

from .. import ages
from . import _age_classes, _checks, _inner_folds, _serialization


class SVM:
    """Gaussian-kernel support vector machine, classifying age groups or regressing years, on principal components.

    Parameters
    ----------
    C, gamma : float
        penalty; inverse width of the kernel, the components having a mean squared length of 1
    epsilon : float
        half-width of the tube without loss, of route `years`, on its scale of 6 sqrt(age + 1)
    pca : int
        principal components kept of the standardized features
    route : str
        `groups`: one-vs-one classification of age groups, calibrated on inner out-of-fold decisions;
        `years`: regression (Drucker et al. 1997, NIPS 9), its inner out-of-fold residuals making distributions
    weighting : str
        `none`, or `group`: every age group counts the same
    folds : int
        inner folds for calibration and residuals
    neighbors : int
        training items whose residuals make up the distribution of a prediction, of route `years`
    """

    features = "hog+lbp"
    version = 1  # raised whenever the predictions change
    accelerators = ("sklearnex",)

    def __init__(
        self, *, C=10.0, gamma=0.7, epsilon=1.0, pca=512, route="age_groups", weighting="none", folds=2, neighbors=500
    ):  # fmt: skip
        self.C, self.gamma, self.epsilon, self.pca = C, gamma, epsilon, pca
        self.route, self.weighting, self.folds, self.neighbors = route, weighting, folds, neighbors
        _checks.number(self, "C", 0, above=True)
        _checks.number(self, "gamma", 0, above=True)
        _checks.number(self, "epsilon", 0)
        _checks.number(self, "pca", 1, whole=True)
        _checks.one_of(self, "route", "age_groups", "years")
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
            not used
        widths : sequence of int, optional
            columns of each feature set in `x`; all sets have the same say in the components

        Raises
        ------
        DataError
            The labels are ranges of years and the route is `years`.
        """
        from threadpoolctl import threadpool_limits

        from . import _kernels, _projection

        self.record = {"library": _kernels.solver()}
        age = ages.exact(y, "svm route=years") if self.route == "years" else None
        age_groups, label = _age_classes.training_groups(y)
        self.parts = {}
        if not _inner_folds.can_hold_out(inner) or (len(age_groups) < 2 if age is None else np.ptp(age) == 0):
            # nothing to tell apart, or no way to be honest about how well that goes
            self.record["fallback"] = "too little to tell apart: the training histogram"
            self.parts["constant"] = {"row": ages.histogram(y)}
            return self
        weight = _age_classes.balance(label) if self.weighting == "group" else np.ones(len(age_groups))
        with threadpool_limits(threads):
            project = _projection.principal_components(x, self.pca, seed=seed, widths=widths)
            self.parts["project"] = vars(project)
            z = project(x)
            if age is None:
                self._fit_groups(z, label, weight, inner, threads)
                self.parts["age_groups"] = {"spread": ages.from_groups(np.eye(len(age_groups)), age_groups, y)}
            else:
                self._fit_years(z, age, weight[label], inner, threads)
        return self

    def _fit_groups(self, z, label, weight, inner, threads):
        from ._calibration import fit_softmax
        from ._kernels import fit_pairs

        def fit(rows):
            return fit_pairs(z[rows], label[rows], len(weight), weight, C=self.C, gamma=self.gamma, threads=threads)

        # The components come from all training rows of the cell, held ones too: they know no label
        decisions = _inner_folds.out_of_fold(lambda train, held: fit(train)(z[held]), inner, self.folds)
        self.parts["calibration"] = vars(fit_softmax(decisions, label, len(weight)))
        self.parts["machine"] = vars(fit(slice(None)))

    def _fit_years(self, z, age, weight, inner, threads):
        from ._kernels import fit_regression

        def fit(rows):
            settings = {"C": self.C, "gamma": self.gamma, "epsilon": self.epsilon, "threads": threads}
            return fit_regression(z[rows], _to_scale(age[rows]), weight[rows], **settings)

        held = _inner_folds.out_of_fold(lambda train, held: _to_years(fit(train)(z[held])), inner, self.folds)
        self.parts["residuals"] = {"inner_predicted": held, "inner_age": age}
        self.parts["machine"] = vars(fit(slice(None)))

    def predict(self, x):
        """Age distributions, `(m, A)`, of `(m, d)` features."""
        from ._calibration import Softmax
        from ._kernels import KernelMachine
        from ._projection import Projection

        parts = self.parts
        if "constant" in parts:
            return np.tile(parts["constant"]["row"], (len(x), 1))
        output = KernelMachine(**parts["machine"])(Projection(**parts["project"])(x))
        if "residuals" in parts:
            return ages.from_numbers(_to_years(output), **parts["residuals"], k=self.neighbors)
        return Softmax(**parts["calibration"])(output) @ parts["age_groups"]["spread"]

    def save(self, folder):
        """Write the model into `folder`."""
        _serialization.save(folder, self, self.parts)

    @classmethod
    def load(cls, folder):
        """Read what `save` wrote."""
        model, model.parts = _serialization.load(folder, cls)
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: axes, a block of rows, projected rows, machines, the solver's cache."""
        from . import _kernels, _projection

        k = min(self.pca + _projection.OVERSAMPLE, n, d)
        machines = 2 * n * 8 * 91 + 4 * n * 4 * k
        return 5 * 4 * d * k + 3 * 8 * _projection.BLOCK * d + machines + _kernels.CACHE_MB * 2**20 + 300_000_000


def _to_scale(age):
    """Years on the scale the regression works on: errors grow with age, about as its square root does."""
    return 6 * np.sqrt(age + 1.0)


def _to_years(output):
    return (np.maximum(output[:, 0], 0) / 6) ** 2 - 1
