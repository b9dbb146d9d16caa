"""Support vector machines on principal components."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from . import kernels
from .calibrated import RoutedAgeEstimator


class SVM(RoutedAgeEstimator):
    """Gaussian-kernel support vector machine, classifying age groups or regressing years, on principal components.

    Parameters
    ----------
    C : float
        penalty
    gamma : float
        inverse width of the kernel, the components having a mean squared length of 1
    epsilon : float
        half-width of the tube without loss, of route `years`, on its scale of 6 sqrt(age + 1)
    pca : int
        principal components kept of the standardized features; 0 for the features as they are
    route : str
        `age_groups`: one-vs-one classification of age groups, calibrated on inner out-of-fold decisions;
        `years`: regression (Drucker et al. 1997, NIPS 9), its inner out-of-fold residuals making distributions
    weighting : str
        `none`, or `group`: every age group counts the same
    folds : int
        inner folds for calibration and residuals
    neighbors : int
        training items whose residuals make up the distribution of a prediction, of route `years`
    random_state : int
        of the randomized principal components
    n_jobs : int
        threads
    """

    version = 1
    accelerators = ("sklearnex",)
    _parameter_constraints = RoutedAgeEstimator._parameter_constraints | {
        "C": [Interval(Real, 0, None, closed="neither")],
        "gamma": [Interval(Real, 0, None, closed="neither")],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "pca": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, *, C=10.0, gamma=0.7, epsilon=1.0, pca=512, route="age_groups", weighting="none", folds=2, neighbors=500,
        random_state=0, n_jobs=None,
    ):  # fmt: skip
        self.C, self.gamma, self.epsilon, self.pca, self.route = C, gamma, epsilon, pca, route
        self.weighting, self.folds, self.neighbors, self.random_state = weighting, folds, neighbors, random_state
        self.n_jobs = n_jobs

    def _library(self):
        return kernels.solver()

    def _fit_machine(self, Z, target):
        settings = {"C": self.C, "gamma": self.gamma, "threads": self._threads()}
        if self.route == "years":
            scaled = 6 * np.sqrt(target.age + 1.0)  # errors grow with age, about as its square root does
            return vars(kernels.fit_regression(Z, scaled, target.weight, epsilon=self.epsilon, **settings))
        return vars(kernels.fit_pairs(Z, target.label, len(target.spread), target.class_weight, **settings))

    def _outputs(self, machine, Z):
        outputs = kernels.KernelMachine(**machine)(Z)
        return (np.maximum(outputs[:, 0], 0) / 6) ** 2 - 1 if self.route == "years" else outputs

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: components, projected rows, machines, the solver's cache."""
        k, components = self._components_bytes(n, d)
        return components + 2 * n * 8 * 91 + 4 * n * 4 * k + kernels.CACHE_MB * 2**20 + 300_000_000
