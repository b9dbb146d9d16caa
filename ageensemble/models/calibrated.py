"""Models that turn inner out-of-fold outputs of a machine into age distributions."""

from numbers import Integral

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from threadpoolctl import threadpool_limits

from .. import ages
from .base import AgeEstimator
from .distribution import class_target, distributions, out_of_fold, threshold_target, year_target
from .projection import BLOCK, OVERSAMPLE, Projection, principal_components


class CalibratedAgeEstimator(AgeEstimator):
    """A machine with outputs, fitted once more for each inner fold, and what these outputs mean in years.

    A subclass says what is learned (`_target`), fits (`_fit_machine`) and computes outputs (`_outputs`); one that knows
    a shorter way to out-of-fold outputs than further fits overrides `_cross_fit`.
    """

    _parameter_constraints = AgeEstimator._parameter_constraints | {"pca": [Interval(Integral, 0, None, closed="left")]}
    pca = 0
    neighbors = 500

    def _target(self, y):
        """What is learned in place of ages."""
        raise NotImplementedError

    def _fit_machine(self, Z, target):
        """Fit on all rows given; a dict of arrays."""
        raise NotImplementedError

    def _outputs(self, machine, Z):
        """Outputs of a machine for these rows, `(n, p)`, or of a regression years, `(n,)`."""
        raise NotImplementedError

    def _library(self):
        """Name and version of what does the fitting."""
        return ""

    def _cross_fit(self, Z, target, fold):
        """A machine fitted on all rows, and out-of-fold outputs of others."""

        def fit_predict(train, test):
            return self._outputs(self._fit_machine(Z[train], target.take(train)), Z[test])

        outputs = out_of_fold(fit_predict, fold, self.folds)
        return self._fit_machine(Z, target), outputs

    def _fit(self, X, y, fold, feature_widths):
        self.fit_info_ = {"library": self._library()}  # imports it, too: only what is loaded can be limited below
        self.parts_, target = {}, self._target(y)
        if np.all(fold == fold[0]) or target.is_constant:
            # nothing to tell apart, or no way to be honest about how well that goes
            self.fit_info_["fallback"] = "too little to tell apart: the training histogram"
            self.parts_["constant"] = {"row": ages.histogram(y)}
            return
        with threadpool_limits(self._threads()):
            if self.pca:
                # The components come from all training rows, those of every inner fold too: they know no label
                project = principal_components(X, self.pca, seed=self._seed(), widths=feature_widths)
                self.parts_["project"] = vars(project)
                X = project(X)
            self.parts_["machine"], outputs = self._cross_fit(X, target, fold)
            self.parts_ |= target.calibrate(outputs)

    def predict_proba(self, X) -> np.ndarray:
        """Age distributions, `(n, 121)`, of `(n, d)` features."""
        X, parts = self._check_features(X), self.parts_
        if "constant" in parts:
            return np.tile(parts["constant"]["row"], (len(X), 1))
        if not len(X):
            return np.empty((0, ages.N_AGES))
        if "project" in parts:
            X = Projection(**parts["project"])(X)
        return distributions(self._outputs(parts["machine"], X), parts, self.neighbors)

    def _components_bytes(self, n, d):
        """Number of components, and rough peak memory of finding them, bytes: axes and a block of rows."""
        k = min(self.pca + OVERSAMPLE if self.pca else d, n, d)
        return k, 5 * 4 * d * k + 3 * 8 * BLOCK * d


class RoutedAgeEstimator(CalibratedAgeEstimator):
    """Base of models with parameters `route`, by age groups or by years, and `weighting`."""

    _parameter_constraints = CalibratedAgeEstimator._parameter_constraints | {
        "route": [StrOptions({"age_groups", "years"})],
        "weighting": [StrOptions({"none", "group"})],
        "folds": [Interval(Integral, 2, 10, closed="both")],
        "neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def _target(self, y):
        balanced = self.weighting == "group"
        if self.route == "years":
            return year_target(y, f"{type(self).__name__.lower()} route=years", balanced=balanced)
        return class_target(y, balanced=balanced)


class OrdinalAgeEstimator(CalibratedAgeEstimator):
    """Base of models that ask, for one age after the other, whether a face is older.

    The questions: Frank & Hall 2001, "A simple approach to ordinal classification", ECML; Li & Lin 2007, "Ordinal
    regression by extended binary classification", NIPS 19; asked of faces: Chang, Chen & Hung 2011, "Ordinal
    hyperplanes ranker with cost sensitivities for age estimation", CVPR. There the answers are turned into ages by
    counting or by differences. Here a softmax over years, fitted on inner out-of-fold answers, does it: answers that
    contradict each other leave no year without probability, and how sure they may be is learned from items that they
    were not fitted on.
    """

    version = 1
    _parameter_constraints = CalibratedAgeEstimator._parameter_constraints | {
        "pca": [Interval(Integral, 1, None, closed="left")]
    }

    def _target(self, y):
        return threshold_target(y)

    def _library(self):
        import scipy.linalg

        return f"scipy {scipy.__version__}"

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes: components, projected rows, answers and their softmax."""
        k, components = self._components_bytes(n, d)
        return components + 3 * 4 * n * k + 6 * 8 * ages.N_AGES * n + 200_000_000
