"""Runs to be combined: of members that err by so many years, so that every number can be known."""

import numpy as np
from helpers.predicted import bells

from ageensemble._utils.console import Console
from ageensemble.evaluation import metrics
from ageensemble.experiments import stack
from ageensemble.experiments.experiment import Experiment
from ageensemble.splits.split import make_split

ALL = ["mean", "greedy", "stack"]


def good_and_poor(dataset, out):
    """A split of three folds with the runs `good` and `poor`."""
    about = {"leaks": 0, "limited": 0}
    experiment = Experiment.create(out, dataset, make_split(dataset, 3, 0), about)
    add(experiment, "good", 4)
    add(experiment, "poor", 9)
    return experiment


def add(experiment, name, error, kind="import", parts=("oof", "test"), **config):
    """A complete run of a model that errs by so many years."""
    rng = np.random.default_rng(len(name) + error)
    rows = bells(experiment.y[:, 0] + rng.normal(0, error, len(experiment.y)), error)
    predictions = {"oof": rows[experiment.split.development], "test": rows[experiment.split.test]}
    costs = {"fit_seconds": 10.0 * error, "images_per_second": 100.0, "peak_gb": 50.0 + error, "size_mb": error}
    config = {"kind": kind, "parts": list(parts)} | config
    return experiment.put(name, name, config, {part: predictions[part] for part in parts}, {"costs": costs})


def combine(experiment, wanted=("mean",), chosen=None, seed=0):
    return stack.combine(experiment, chosen, list(wanted), seed, Console())


def again(experiment):
    """The same folder read anew."""
    return Experiment(experiment.folder)


def members_of(run):
    return [member["run"] for member in run.metadata["members"]]


def mae(run, experiment, part="oof"):
    return metrics.score(run.predictions(part), ["mae"])["mae"]
