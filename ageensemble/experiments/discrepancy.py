"""Out-of-fold / test discrepancies of the runs of an experiment, see `evaluation.leakage`."""

from dataclasses import replace

import numpy as np

from ..ensembles import Pool
from ..evaluation.leakage import SUSPICIOUS, Discrepancy, oof_test_discrepancy, unmeasurable
from .stack import altered


def measured(runs, experiment, age_groups, oof):
    """The discrepancy of every run, at 95 % for all of them together.

    Parameters
    ----------
    runs : list of Run
        complete
    experiment : Experiment
    age_groups : AgeGroups
    oof : dict of str to Predictions
        out-of-fold predictions by the run's folder

    Returns
    -------
    dict of str to dict
        the values of `evaluation.leakage.COLUMNS` by the run's folder
    """
    found, tests = {run.folder.name: Discrepancy(why="no out-of-fold predictions") for run in runs}, {}
    for run in runs:
        name = run.folder.name
        if name not in oof:
            continue
        test = run.predictions("test") if "test" in run.parts else None
        why = unmeasurable(oof[name], test, age_groups)
        singles = [] if why else single_predictions(run, experiment.split.n_folds, runs)
        if singles:
            tests[name] = [replace(test, proba=proba) for proba in singles]
        else:
            found[name] = Discrepancy(why=why or "its members are no longer as they were")
    for name, each in tests.items():
        found[name] = oof_test_discrepancy(oof[name], each, age_groups, len(tests), _from_outside(name, runs))
    titles = {run.folder.name: run.title for run in runs}
    for run in runs:  # an ensemble is as suspicious as its members
        members = run.config["members"] if run.kind == "stack" else {}
        bad = [titles[name] for name in members if name in found and found[name].state == SUSPICIOUS]
        if bad:
            own, why = found[run.folder.name], f"made of suspicious {', '.join(bad)}"
            found[run.folder.name] = replace(own, state=SUSPICIOUS, why=why)
    return {name: one.row() for name, one in found.items()}


def single_predictions(run, folds, runs):
    """Test predictions made as the out-of-fold ones were, by one fold fit or a pool of one fold fit of each member.

    Parameters
    ----------
    run : Run
    folds : int
    runs : list of Run
        complete, an ensemble's members among them

    Returns
    -------
    list of (n, A) arrays
        one for each fold fit; of an import what it brought; none of an ensemble whose members are not as they were
    """
    if run.kind != "stack":
        files = [run.fold_folder(fold) / "test.npy" for fold in run.fold_names(folds)]
        return [np.load(file, allow_pickle=False, mmap_mode="r") for file in files] or [run.proba("test")]
    if altered(run, runs):
        return []
    here = {other.folder.name: other for other in runs}
    pool = Pool.from_json(run.metadata["pool"])
    members = [single_predictions(here[name], folds, runs) for name in run.config["members"]]
    return [pool([member[fold % len(member)] for member in members]) for fold in range(folds)]


def _from_outside(name, runs):
    """Whether a run's test items, or those of a member of it, were answered by who knows how many models."""
    here = {run.folder.name: run for run in runs}
    members = here[name].config["members"] if here[name].kind == "stack" else [name]
    return any(here[member].kind == "import" for member in members if member in here)
