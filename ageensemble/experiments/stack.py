"""The main job of a stack: members in, complete runs out."""

import numpy as np
from threadpoolctl import threadpool_limits

from .. import ensembles
from .._utils import registry
from .._utils.io import file_hash, key_of, slug
from ..ages import DEFAULT_AGE_GROUPS, N_AGES, uncut
from ..ensembles import cross_fit, sample
from . import stack_records
from .run import PARTS, Run
from .stack_members import choose


def combine(experiment, chosen, wanted, seed, console):
    """Combine runs by each of the methods, where that is not done already.

    What is made of all runs lies in a folder named like the method, and gives way to a new one when the runs change;
    what is made of chosen ones has a folder of its own.

    Parameters
    ----------
    experiment : Experiment
    chosen : list of Run, or None
        None takes every run that may be a member
    wanted : list of str
        names of methods, or paths of files of them, which are shown by their last part
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
        No such method; fewer than two members, or a run that cannot be one.
    UnequalError
        A member was made on another dataset or split.
    """
    modules = {ensembles.label(name): ensembles.load(name) for name in dict.fromkeys(wanted)}
    members = choose(experiment, chosen, console.say)
    runs, missing = [], {}
    for name, module in modules.items():
        config = _config(name, module, members, seed, experiment.split)
        title, place = name, slug(name)
        if chosen is not None:
            title, place = f"{name} of {', '.join(run.name for run in members)}", f"{place}-{key_of(config)[:8]}"
        runs.append(Run(experiment.folder / place))
        if not _done(runs[-1], config | experiment.hashes, experiment):
            missing[name] = place, title, config
    if missing:
        console.say(f"combining {len(members)} runs: {', '.join(run.name for run in members)}")
        with threadpool_limits(1):  # on any number of threads the last digits would differ
            _make(missing, modules, members, experiment, seed, console)
    return [Run(run.folder) for run in runs]


def _config(name, module, members, seed, split):
    """All that decides the predictions of a stack, and what it predicts where that is not the usual."""
    return ({} if split.parts == PARTS else {"parts": list(split.parts)}) | {
        "kind": "stack",
        "method": name,
        "members": {run.folder.name: file_hash(run.folder / "done.json") for run in members},
        "seed": seed,
        "version": registry.version(module),
    }


def _done(run, config, experiment):
    return not run.trouble and run.config == config and run.state(experiment.split.folds)[0] == "complete"


def _make(missing, modules, members, experiment, seed, console):
    split = experiment.split
    y, groups = experiment.y[split.rest], experiment.items["group"].to_numpy()[split.rest]
    fold, age_groups = split.part[split.rest], uncut(y)
    given = {part: [run.proba(part) for run in members] for part in split.parts}
    oof = given["oof"]
    drawn = sample.read(oof, y, groups, fold, seed)
    if len(drawn.y) < len(y):
        console.detail(f"weighed by {len(drawn.y):,} of {len(y):,} items, whole groups drawn at random")
    with console.progress("fits") as bar:
        update, ended, steps = bar("weighing members"), 0, split.folds + 1

        def told():
            nonlocal ended
            ended += 1
            update(ended, steps)

        update(0, steps)
        used = {name: modules[name] for name in missing}
        found = cross_fit.fit(drawn, used, split.folds, age_groups or DEFAULT_AGE_GROUPS, seed, told)
    for name, (place, title, config) in missing.items():
        record = stack_records.about(found[name], drawn, members, split, age_groups) | {
            "items": len(y),
            "sample": len(drawn.y),
        }
        predictions = {"oof": _crossed(found[name].by_fold, oof, fold)}
        predictions |= {part: found[name].pool(given[part]) for part in split.parts if part != "oof"}
        experiment.put(place, title, config, predictions, record)


def _crossed(pools, members, fold):
    """Out-of-fold predictions, each by the pool that was fitted without the item's fold."""
    result = np.empty((len(fold), N_AGES), np.float32)
    for number, pool in enumerate(pools):
        rows = np.flatnonzero(fold == number)
        result[rows] = pool(members, rows)
    return result
