"""Ensembles of the runs of an experiment: members in, complete runs out."""

import math
from pathlib import Path

import numpy as np

from .. import ensembles
from .._utils import registry
from .._utils.hardware import peak_memory
from .._utils.io import content_key, file_hash, slug
from ..errors import UnequalError, UsageError
from .run import PARTS, Run


def combine(experiment, chosen, wanted, seed, console):
    """Build ensembles of runs, one by each method, where that is not done already.

    What is made of all runs lies in a folder named like the method, and gives way to a new one when the runs change;
    what is made of chosen ones has a folder of its own.

    Parameters
    ----------
    experiment : Experiment
    chosen : list of Run, or None
        None takes every run that may be a member
    wanted : list of str
        names of ensembles, or paths of files with one, which are shown by their last part
    seed : int
        of the sample of items and the parts that the shrinkage is chosen by
    console : Console

    Returns
    -------
    list of Run
        one for each method; out-of-fold they are cross-fitted

    Raises
    ------
    UsageError
        No such ensemble; fewer than two members, or a run that cannot be one.
    UnequalError
        A member was made on another dataset or split.
    """
    # where a file lies is nobody's business
    methods = {Path(n).name if n.endswith(".py") else n: ensembles.REGISTRY.load(n) for n in dict.fromkeys(wanted)}
    members = choose(experiment, chosen, console.say)
    runs, missing = [], {}
    for name, cls in methods.items():
        config = _config(name, cls, members, seed, experiment.split)
        title, place = name, slug(name)
        if chosen is not None:
            title, place = f"{name} of {', '.join(run.name for run in members)}", f"{place}-{content_key(config)[:8]}"
        runs.append(Run(experiment.folder / place))
        if not _done(runs[-1], config | experiment.hashes, experiment):
            missing[place] = title, config, cls(random_state=seed)
    if missing:
        console.say(f"building ensembles from {len(members)} runs: {', '.join(run.name for run in members)}")
        _make(missing, members, experiment, console)
    return [Run(run.folder) for run in runs]


def _config(name, cls, members, seed, split):
    """All that decides the predictions of an ensemble, and what it predicts where that is not the usual."""
    return ({} if split.parts == PARTS else {"parts": list(split.parts)}) | {
        "kind": "stack",
        "method": name,
        "members": {run.folder.name: file_hash(run.folder / "done.json") for run in members},
        "seed": seed,
        "version": registry.version(cls),
    }


def _done(run, config, experiment):
    return not run.trouble and run.config == config and run.state(experiment.split.n_folds)[0] == "complete"


def _make(missing, members, experiment, console):
    given = {part: [run.predictions(part) for run in members] for part in experiment.split.parts}
    items = len(given["oof"][0])
    with console.progress("fits") as bar:
        update = bar("fitting weights")
        for number, (place, (title, config, ensemble)) in enumerate(missing.items()):
            ensemble.fit(given["oof"], lambda done, total, n=number: update(n * total + done, len(missing) * total))
            predictions = {"oof": ensemble.predictions_.proba}
            predictions |= {part: ensemble.predict(given[part]).proba for part in given if part != "oof"}
            record = {"items": items} | _record(ensemble, members, experiment.split.n_folds)
            experiment.put(place, title, config, predictions, record)
    if ensemble.n_samples_ < items:
        console.detail(f"weights fitted on {ensemble.n_samples_:,} of {items:,} items, whole groups drawn at random")


def _record(ensemble, members, folds):
    """The record of an ensemble: what each member weighs and is worth, how much fitting flatters, what it all cost.

    Returns
    -------
    dict
        `pool`; `shrinkage` and `biases` of it; `members`, see `Ensemble.members_`, with the folder of each `run`;
        `apparent`, `cross_fitted` and `optimism`, see `Ensemble.scores_`; `age_groups`, of the metrics by age group;
        `sample`, the items it was fitted on; `costs`
    """
    pool = ensemble.pool_
    return ensemble.scores_ | {
        "pool": pool.to_json(),
        "shrinkage": pool.shrinkage,
        "biases": None if pool.biases is None else pool.biases.tolist(),
        "members": [
            {"run": run.folder.name} | about | {"model": run.name}
            for run, about in zip(members, ensemble.members_, strict=True)
        ],
        "age_groups": ensemble.age_groups_ and ensemble.age_groups_.name,
        "sample": ensemble.n_samples_,
        "costs": _costs(ensemble, members, folds),
    }


def _costs(ensemble, members, folds):
    """As `Run.costs`: fitting all members and the ensemble; predicting by the members that have weight."""
    each = [run.costs(folds) for run in members]
    used = [cost for cost, weight in zip(each, ensemble.weights_, strict=True) if weight > 0]
    costs = {
        "fit_seconds": sum(cost["fit_seconds"] for cost in each) + ensemble.fit_seconds_,
        "images_per_second": 1 / sum(1 / cost["images_per_second"] for cost in used) if used else math.nan,
        "peak_gb": float(np.max([peak_memory() / 1e9, *(cost["peak_gb"] for cost in each)])),
        "size_mb": sum(cost["size_mb"] for cost in used),
    }
    return {name: value if math.isfinite(value) else None for name, value in costs.items()}


# --- members ----------------------------------------------------------------------------------------------------


def choose(experiment, chosen, say):
    """The members of an ensemble, by folder name.

    Parameters
    ----------
    experiment : Experiment
    chosen : list of Run, or None
        None takes every complete run that may be a member, but for the prior baseline
    say : callable
        told which runs are left out for want of completeness

    Raises
    ------
    UsageError
        A chosen run may not be a member; fewer than two members.
    UnequalError
        A run was made on another dataset or split.
    """
    if chosen is None:
        members = eligible(experiment, say)
    else:
        members = list({run.folder: run for run in chosen}.values())
        for run in members:
            _refuse(run, experiment)
    for run in members:
        if any(run.config.get(name) != value for name, value in experiment.hashes.items()):
            raise UnequalError(
                f"{run.folder.name} was made on another dataset or split; an ensemble needs the same items"
            )
    if len(members) < 2:
        found = f"only {members[0].name}" if members else "none"
        raise UsageError(
            f"an ensemble needs two members, complete runs with out-of-fold predictions; here: {found}. "
            "'ageensemble benchmark' makes some"
        )
    return sorted(members, key=lambda run: run.folder.name)


def eligible(experiment, say=lambda text: None):
    """Every complete run that may be a member, but for the prior baseline; `say` is told of incomplete ones."""
    members = []
    for run in experiment.runs:
        if _may_be_member(run) and not run.trouble and run.config.get("model") != "prior":
            state = run.state(experiment.split.n_folds)[0]
            if state == "complete":
                members.append(run)
            else:
                say(f"left out of the ensembles: {run.folder.name} is {state}")
    return members


def altered(stack, runs):
    """Folders of the members of an ensemble that are gone from the complete `runs`, or are no longer as they were."""
    here = {run.folder.name: run for run in runs}
    made = stack.config["members"]
    return [name for name in made if name not in here or file_hash(here[name].folder / "done.json") != made[name]]


def _may_be_member(run):
    """Whether what a run is may be a member."""
    return run.kind in ("folds", "import") and "oof" in run.parts


def _refuse(run, experiment):
    """Say why a run asked for by name may not be a member."""
    state, why = run.state(experiment.split.n_folds)
    name = run.folder.name
    if run.kind == "stack":
        raise UsageError(f"{name} is an ensemble, which cannot be a member of another; name its members")
    if run.kind == "refit":
        raise UsageError(f"{name} is a refit without out-of-fold predictions to fit weights on; name the run on folds")
    if not _may_be_member(run):
        raise UsageError(
            f"{name} was imported without out-of-fold predictions, so its weight cannot be fitted; if it never saw "
            "these images in training, import it again with --out-of-fold"
        )
    if state != "complete":
        raise UsageError(f"{name} is {state}, and a member must be complete: {why}")
