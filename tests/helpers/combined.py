"""Runs to be combined: of members that err by so many years, so that every number can be known."""

import numpy as np
from helpers.predicted import bells

from ageensemble._utils.console import Console
from ageensemble.ages import FOURTEEN
from ageensemble.evaluation import metrics
from ageensemble.experiments import stack
from ageensemble.experiments.experiment import PlanFolder
from ageensemble.splits import split

ALL = ["mean", "greedy", "stack"]


def good_and_poor(manifest, out):
    """A plan of three folds with the runs `good` and `poor`."""
    about = {"leaks": 0, "limited": 0}
    plan_folder = PlanFolder.create(out, manifest, split.make(manifest, 0, 3), about)
    add(plan_folder, "good", 4)
    add(plan_folder, "poor", 9)
    return plan_folder


def add(plan_folder, name, error, kind="import", parts=("oof", "test"), **config):
    """A complete run of a model that errs by so many years."""
    rng = np.random.default_rng(len(name) + error)
    rows = bells(plan_folder.y[:, 0] + rng.normal(0, error, len(plan_folder.y)), error)
    predictions = {"oof": rows[plan_folder.plan.rest], "test": rows[plan_folder.plan.test]}
    costs = {"fit_seconds": 10.0 * error, "images_per_second": 100.0, "peak_gb": 50.0 + error, "size_mb": error}
    config = {"kind": kind, "parts": list(parts)} | config
    return plan_folder.put(name, name, config, {part: predictions[part] for part in parts}, {"costs": costs})


def combine(plan_folder, wanted=("mean",), chosen=None, seed=0):
    return stack.combine(plan_folder, chosen, list(wanted), seed, Console())


def again(plan_folder):
    """The same folder read anew."""
    return PlanFolder(plan_folder.folder)


def members_of(run):
    return [member["run"] for member in run.about()["members"]]


def mae(run, plan_folder, part="oof"):
    rows = plan_folder.plan.rest if part == "oof" else plan_folder.plan.test
    return metrics.score(run.predictions(part), plan_folder.y[rows], FOURTEEN)["mae"]
