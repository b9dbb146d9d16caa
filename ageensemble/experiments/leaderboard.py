"""The results of an experiment in one table: every run with its metrics, intervals, state and costs."""

import numpy as np
import pandas as pd

from .. import ages
from ..evaluation import leaderboard as scores
from ..evaluation import leakage
from ..evaluation.metrics import select
from . import discrepancy
from .stack import altered

COSTS = ("fit_seconds", "images_per_second", "peak_gb", "size_mb")


def rows(experiment, age_groups):
    """One row for each run: prior baseline first, then by out-of-fold MAE, refits and what is not complete last.

    Parameters
    ----------
    experiment : Experiment
    age_groups : AgeGroups

    Returns
    -------
    pandas.DataFrame
        columns model, run, state, why; those of `evaluation.leaderboard`; the out-of-fold / test discrepancy, see
        `discrepancy.measured`; the costs

    Raises
    ------
    UnequalError
        A run was made on another dataset or split than this folder's.
    """
    found, folds = experiment.states(), experiment.split.n_folds
    complete = [run for run, state, _ in found if state == "complete"]
    predictions = {run.folder.name: [] for run, _, _ in found}
    predictions |= {run.folder.name: [run.predictions(part) for part in run.parts] for run in complete}
    oof = {key: one for key, parts in predictions.items() for one in parts if one.part == "oof"}
    gap = discrepancy.measured(complete, experiment, age_groups, oof)
    suspicious = [name for name, row in gap.items() if row["gap_state"] == leakage.SUSPICIOUS]
    frame = scores.leaderboard(predictions, None, age_groups, suspicious).frame.to_dict("index")
    table = {}
    for run, state, why in found:
        key = run.folder.name
        table[key] = frame[key] | {"model": run.title, "run": key, "state": state, "why": why}
        if state == "complete":
            table[key] |= {"why": _remark(run, complete, age_groups, folds)} | run.costs(folds) | gap[key]
    first = ["model", "run", "state", "why"]
    columns = [*first, *scores.columns(select())[1:], *leakage.COLUMNS, *COSTS]
    ordered = sorted((table[key] for key in frame), key=lambda row: row["state"] != "complete")
    return pd.DataFrame(ordered, columns=columns)


def best(table):
    """Label of the best row, or None; see `evaluation.leaderboard.best`."""
    return scores.best(table, (table["state"] != "complete") | (table["gap_state"] == leakage.SUSPICIOUS))


def _remark(run, complete, age_groups, folds):
    """What is worth knowing of a complete run."""
    if run.kind == "stack":
        names = {member["run"]: member["model"] for member in run.metadata.get("members", [])}
        changed = [names.get(name, name) for name in altered(run, complete)]
        what = f"removed or made again since it was combined: {', '.join(changed)}; 'ageensemble stack' makes a new one"
        return what if changed else ""
    if run.kind == "import":
        about = run.metadata
        return "; ".join(filter(None, [about.get("note"), _regrouped(about, age_groups)]))
    unscored = "" if run.parts else "fitted on every item, so there is nothing to score it on"
    fallbacks = (record["model"].get("fallback") for record in run.records(folds))
    return next(filter(None, fallbacks), unscored)


def _regrouped(about, age_groups):
    """A warning where the groups shown are not those in which an import's answers hold, empty where they do."""
    kind, name = about.get("answers"), about.get("age_groups")
    if kind in ("group", "group probabilities") and _cut(ages.parse_age_groups(name), age_groups):
        return f"answered in the groups '{name}', which those shown cut: its groups here are guesses by known ages"
    if kind == "age" and "errors" in about["spread"] and age_groups.name not in (name, *ages.AGE_GROUPS):
        again = f"imported again with --age-groups {age_groups.name}, on its ages"
        return f"its age groups rest on its out-of-fold errors; {again}"
    return ""


def _cut(given, shown):
    """Whether some group that was given lies in more than one of those shown, or partly in none."""
    return any(len(np.unique(shown.lookup[low : high + 1])) > 1 for low, high in given.ranges)
