"""Members: which runs a stack is made of."""

from .._utils.io import file_hash
from ..errors import UnequalError, UsageError


def choose(experiment, chosen, say):
    """The runs to be combined, by folder name.

    Parameters
    ----------
    experiment : Experiment
    chosen : list of Run, or None
        None takes every complete run that may be a member, but for floors
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
            raise UnequalError(f"{run.folder.name} was made on another dataset or split; a stack needs the same items")
    if len(members) < 2:
        found = f"only {members[0].name}" if members else "none"
        raise UsageError(
            f"a stack needs two members, complete runs with out-of-fold predictions; here: {found}. "
            "'ageensemble benchmark' makes some"
        )
    return sorted(members, key=lambda run: run.folder.name)


def eligible(experiment, say=lambda text: None):
    """Every complete run that may be a member, but for floors; `say` is told of those that are not complete."""
    members = []
    for run in experiment.runs:
        if _fit(run) and not run.trouble and run.config.get("model") != "prior":
            state = run.state(experiment.split.folds)[0]
            if state == "complete":
                members.append(run)
            else:
                say(f"left out of the stack: {run.folder.name} is {state}")
    return members


def altered(stack, runs):
    """Folders of the members of a stack that are gone from the complete `runs`, or are no longer as they were."""
    here = {run.folder.name: run for run in runs}
    made = stack.config["members"]
    return [name for name in made if name not in here or file_hash(here[name].folder / "done.json") != made[name]]


def _fit(run):
    """Whether what a run is may be a member."""
    return run.kind in ("folds", "import") and "oof" in run.parts


def _refuse(run, experiment):
    """Say why a run asked for by name may not be a member."""
    state, why = run.state(experiment.split.folds)
    name = run.folder.name
    if run.kind == "stack":
        raise UsageError(f"{name} is a stack, and a stack is no member of a stack; name its members")
    if run.kind == "refit":
        raise UsageError(f"{name} is a refit without out-of-fold predictions to be weighed by; name the run on folds")
    if not _fit(run):
        raise UsageError(
            f"{name} was imported without out-of-fold predictions, so nothing says what it is worth; if it never saw "
            "these photographs in training, import it again with --out-of-fold"
        )
    if state != "complete":
        raise UsageError(f"{name} is {state}, and a member must be complete: {why}")
