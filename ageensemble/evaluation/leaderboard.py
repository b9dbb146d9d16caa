"""Everything a table says of the runs on one split, in numbers: metrics, intervals, differences to the best, gaps."""

import numpy as np
import pandas as pd

from .. import ages
from ..errors import UnequalError
from ..experiments.run import PARTS
from ..experiments.stack import altered
from . import bootstrap, leakage, metrics

COSTS = ["fit_seconds", "images_per_second", "peak_gb", "size_mb"]


def states(experiment):
    """Every run of a split, its state and what there is to say of it.

    Returns
    -------
    list of (Run, str, str)

    Raises
    ------
    UnequalError
        A run was made on another dataset or split than this folder's.
    """
    result = []
    for run in experiment.runs:
        for what, expected in experiment.hashes.items():
            if not run.trouble and run.config.get(what) != expected:
                raise UnequalError(
                    f"{run.folder.name} was made on another {what} than {experiment.folder.name}; "
                    "unequal runs do not share a table, move it out of this folder"
                )
        result.append((run, *run.state(experiment.split.n_folds)))
    return result


def table(experiment, age_groups):
    """One row for each run, in the order of their folders.

    Parameters
    ----------
    experiment : Experiment
    groups : ages.Scheme

    Returns
    -------
    pandas.DataFrame
        see `tables.rows`

    Raises
    ------
    UnequalError
        See `states`.
    """
    found, folds = states(experiment), experiment.split.n_folds
    complete = [run for run, state, _ in found if state == "complete"]
    parts = {part: Part(part, complete, experiment, age_groups) for part in PARTS}
    gap = leakage.measured(complete, experiment, age_groups, parts["oof"].answers)
    rows = []
    for run, state, why in found:
        name = run.folder.name
        row = {"model": run.title, "run": name, "state": state, "why": why}
        if state == "complete":
            row |= {"why": _remark(run, complete, age_groups, folds)} | run.costs(folds) | gap[name]
            for part in run.parts:
                row |= parts[part].row(name)
        rows.append(row)
    star = best(pd.DataFrame(rows, columns=_columns()))
    for row in rows if star is not None else []:
        for part in parts.values():
            row |= part.against(row["run"], rows[star]["run"])
    return pd.DataFrame(rows, columns=_columns())


class Part:
    """Scores of the complete runs on the out-of-fold or the test items.

    Attributes
    ----------
    answers : dict of str to compare.Answers
        by the run's folder
    """

    def __init__(self, part, runs, experiment, age_groups):
        rows = experiment.split.rows(part)
        y, groups = experiment.y[rows], experiment.items["group"].to_numpy()[rows]
        self._part, self._values, self.answers = part, {}, {}
        for run in runs:
            if part in run.parts:
                distribution = run.proba(part)
                self._values[run.folder.name] = metrics.score(distribution, y, age_groups)
                self.answers[run.folder.name] = bootstrap.answers(distribution, age_groups)
        estimates = bootstrap.headline(list(self.answers.values()), y, groups, age_groups)
        self._estimates = dict(zip(self.answers, estimates, strict=True))

    def row(self, name):
        """Every metric of a run, the headline ones with their intervals."""
        result = {f"{self._part}_{metric}": value for metric, value in self._values[name].items()}
        return result | self._bars("", self._estimates[name])

    def against(self, name, other):
        """Differences of a run's headline metrics to another's, with intervals; nothing where one has no such part."""
        if not {name, other} <= set(self._estimates):
            return {}
        pair = self._estimates[name], self._estimates[other]
        difference = {metric: pair[0][metric] - pair[1][metric] for metric in pair[0]}
        values = {f"{self._part}_{metric}_vs_best": estimate.value for metric, estimate in difference.items()}
        return values | self._bars("_vs_best", difference)

    def _bars(self, what, estimates):
        result = {}
        for metric, estimate in estimates.items():
            low, high = estimate.interval()
            result |= {f"{self._part}_{metric}{what}_low": low, f"{self._part}_{metric}{what}_high": high}
        return result


def _columns():
    names = ["model", "run", "state", "why"]
    for part in PARTS:
        for name in metrics.NAMES:
            bars = ("", "_low", "_high", "_vs_best", "_vs_best_low", "_vs_best_high")
            names += [f"{part}_{name}{bar}" for bar in (bars if name in bootstrap.HEADLINE else bars[:1])]
    return [*names, *leakage.COLUMNS, *COSTS]


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


def best(table):
    """Place of the row with the lowest out-of-fold MAE (without exact ages: the highest weighted F1), or None.

    One that is suspicious is not chosen: what leaked would look better than what is honest.
    """
    scores = table[chosen_by(table)] * (1 if chosen_by(table) == "oof_mae" else -1)
    scores = scores[(table["state"] == "complete") & (table["gap_state"] != leakage.SUSPICIOUS)].dropna()
    alone = len(scores) == 1 and len(table) > 1 and table["model"][scores.index[0]] == "prior"
    return scores.idxmin() if len(scores) and not alone else None  # a floor with nothing above it is not the best


def chosen_by(table):
    """The column by which the best is chosen."""
    return "oof_mae" if table["oof_mae"].notna().any() else "oof_f1_weighted"


def tied(table):
    """Which rows cannot be told from the best, by the interval of the difference that the best is chosen by.

    Returns
    -------
    (rows,) bool array
        False of the best itself
    """
    column = f"{chosen_by(table)}_vs_best"
    result = (table[f"{column}_low"] <= 0) & (table[f"{column}_high"] >= 0)
    return (result & (table.index != best(table))).to_numpy(bool)
