"""Tables of what was found, for a terminal or a document."""

from dataclasses import replace

import numpy as np

from ..ensembles.base import DIFFERENCES, difference_text, member_table
from ..errors import UsageError
from ..evaluation import comparison, subgroups
from ..evaluation.metrics import select


def ensemble_table(run):
    """Weight, temperature and importance of the members of an ensemble, and how much its fit flatters."""
    note = "Weights are exponents and need not sum to 1; temperature: above 1, the member is overconfident."
    return member_table(run.metadata["members"], run.title, [note, optimism(run) + "."])


def optimism(run):
    """One line: how much better an ensemble looks on what it was fitted on than by nested cross-fitting."""
    about = run.metadata
    name = next((name for name in DIFFERENCES if name in about["optimism"]), None)
    if name is None:
        return f"{run.title}: no scores, as the labels suit no age groups"
    what = {"mae": "MAE, years", "f1_weighted": "weighted F1"}[name]
    fitted, crossed = (f"{about[key][name]:.3f}" for key in ("apparent", "cross_fitted"))
    return (
        f"{run.title}: {what}, {fitted} on what it was fitted on, {crossed} from nested cross-fitting; "
        f"optimism {difference_text(about['optimism'][name], DIFFERENCES[name][1])}"
    )


PARTS = {"oof": "out-of-fold", "test": "test part"}


def compare_runs(experiment, a, b, age_groups, rope=comparison.ROPE):
    """Two complete runs against each other, on each part that both predict: dict of str to Comparison.

    Raises
    ------
    UsageError
        The same run twice, one that is not complete, or runs without a part in common.
    UnequalError
        See `Experiment.states`.
    """
    if a.folder.name == b.folder.name:
        raise UsageError(f"{a.title} compared with itself; name two runs")
    states = {run.folder.name: (state, why) for run, state, why in experiment.states()}
    for run in (a, b):
        state, why = states[run.folder.name]
        if state != "complete":
            raise UsageError(f"{run.title} is {state} and cannot be compared: {why}")
    parts = [part for part in PARTS if part in a.parts and part in b.parts]
    if not parts:
        raise UsageError(f"{a.title} and {b.title} have no predictions of the same items to be compared")
    given = {part: (a.predictions(part), b.predictions(part)) for part in parts}
    return {part: comparison.compare(*pair, age_groups=age_groups, rope=rope) for part, pair in given.items()}


def comparison_content(experiment, a, b, age_groups, found):
    """What `compare_runs` found, for a program."""
    names = {letter: {"run": run.folder.name, "model": run.title} for letter, run in (("a", a), ("b", b))}
    shared = {"split": experiment.metadata, "age_groups": age_groups.name, "rope": next(iter(found.values())).rope}
    own = ("a", "b", "rope")
    parts = {part: {k: v for k, v in one.to_dict().items() if k not in own} for part, one in found.items()}
    return {**shared, **names, "parts": parts}


def comparison_tables(found):
    """Tables of what `compare_runs` found, for people."""
    tables = []
    for part, one in found.items():
        tables.append(one.table(f"{PARTS[part]}, {one.items:,} items in {one.groups:,} groups"))
    first, one = next(iter(found.items()))
    last = one.where_table(PARTS[first])
    notes = (
        "Intervals: 95 % each, of the difference on the same resamples of groups. P: share of those resamples. Neither "
        "includes the variance of retraining: another seed may change the result.",
        "*: significant at 5 % for all of these subgroups together (Holm).",
    )
    return [*tables, replace(last, notes=notes)]


def evaluate_runs(experiment, age_groups, by, metric=None):
    """Every complete run by subgroup, the best first: dict of str, the part, to (runs, Evaluation).

    Parameters
    ----------
    experiment : Experiment
    age_groups : AgeGroups
    by : str
        "age_group", or an attribute of the items such as "gender"
    metric : str or Metric, optional
        MAE unless given, or accuracy where a label is a range

    Raises
    ------
    UsageError
        No such attribute.
    DataError
        It is not known of any item.
    UnequalError
        See `Experiment.states`.
    """
    exact = (experiment.y[:, 0] == experiment.y[:, 1]).all()
    [metric] = select([metric or ("mae" if exact else "accuracy")])
    complete = [run for run, state, _ in experiment.states() if state == "complete"]
    result = {}
    for part in PARTS:
        runs = [run for run in complete if part in run.parts]
        if runs:
            found = subgroups.evaluate([run.predictions(part) for run in runs], [metric], by, age_groups)
            if metric.name in found.estimates[0]:
                sign = 1 if metric.lower_is_better else -1
                order = np.argsort([sign * one[metric.name][0].value for one in found.estimates], kind="stable")
                result[part] = [runs[i] for i in order], found.take(order)
    return result


def subgroup_content(experiment, by, found):
    """What `evaluate_runs` found, for a program."""
    parts = {part: {"subgroups": [], "runs": []} for part in PARTS}
    metric = None
    for part, (runs, one) in found.items():
        [metric] = [metric.name for metric in one.metrics]
        values = [[subgroups.interval_of(estimate) for estimate in each[metric]] for each in one.estimates]
        rows = [
            {"run": run.folder.name, "model": run.title, "values": row} for run, row in zip(runs, values, strict=True)
        ]
        parts[part] = {"subgroups": one.subgroups, "runs": rows}
    about = {"split": experiment.metadata, "by": by, "metric": metric}
    return {**about, "parts": parts, "left_out": not_complete(experiment)}


def not_complete(experiment):
    """The runs that no table can show: `model` and `state`."""
    return [{"model": run.title, "state": state} for run, state, _ in experiment.states() if state != "complete"]


def subgroup_tables(experiment, found):
    """Tables of what `evaluate_runs` found, for people."""
    left_out = ", ".join(f"{row['model']} ({row['state']})" for row in not_complete(experiment))
    tables = []
    for part, (_, one) in found.items():
        [metric] = one.metrics
        title = f"{experiment.metadata['data']}: {metric.title} by {subgroups.label_of(one.by)}, {PARTS[part]}"
        tables.append(one.table(title))
    if left_out and tables:
        tables[-1] = replace(tables[-1], notes=[*tables[-1].notes, f"Not complete: {left_out}."])
    return tables
