"""The leaderboard: every metric of every model, with intervals and paired differences to the best."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from .._utils.render import Column, ShownAsTable, Table
from ..errors import UsageError
from . import bootstrap
from .metrics import Metric, parsed, score, select
from .predictions import Predictions

PARTS = ("oof", "test")
TITLES = {"oof": "OOF", "test": "test"}
BARS = ("", "_low", "_high", "_vs_best", "_vs_best_low", "_vs_best_high")
PRIOR = "prior"  # a baseline with nothing to compare it with is not called the best
BEST, TIED = "*best", "=best"


@dataclass(frozen=True, repr=False)
class Leaderboard(ShownAsTable):
    """Models on the same items, the best first.

    Attributes
    ----------
    frame : DataFrame
        a row for each model: `model`, and for each part, "oof" or "test", and metric a column `oof_mae`; those of
        headline metrics also with `_low`, `_high`, and the paired difference to the best row: `_vs_best`,
        `_vs_best_low`, `_vs_best_high`
    best : str or None
        the row that is best out-of-fold
    """

    frame: pd.DataFrame
    best: str | None

    @property
    def tied(self) -> list[str]:
        """The models that are not significantly different from the best."""
        return self.frame.index[tied(self.frame, self.best)].tolist()

    def table(self, title: str = "") -> Table:
        """The columns people look at first."""
        marks = {self.best: BEST} | dict.fromkeys(self.tied, TIED)
        rows = [
            row | {"name": f"{row['model']} {marks.get(key, '')}".strip()}
            for key, row in self.frame.to_dict("index").items()
        ]
        known = [
            column for column in metric_columns() if column.key in self.frame and self.frame[column.key].notna().any()
        ]
        columns = [Column("name", "model", fold=24), *known]
        note = f"{BEST}: best out-of-fold score; {TIED}: not significantly different from the best."
        return Table(columns, rows, [note], title)


def leaderboard(
    predictions: Sequence[Predictions] | Mapping[str, Predictions | Sequence[Predictions]],
    metrics: Sequence[str | Metric] | None = None,
    age_groups="default",
    not_best: Collection[str] = (),
) -> Leaderboard:
    """Compare many models.

    Parameters
    ----------
    predictions : list of Predictions, or dict of str to Predictions or list of Predictions
        by model: out-of-fold and test predictions, told apart by their `part`; those without one count as out-of-fold
    metrics : list of str or Metric, optional
        all unless given
    age_groups : str or AgeGroups
    not_best : collection of str
        models that do not compete for the best, such as those that are suspected of leakage

    Returns
    -------
    Leaderboard

    Raises
    ------
    UsageError
        Predictions of other items, or two of one model and part.

    Examples
    --------
    >>> age = np.arange(20, 60)
    >>> def model(name, error): return Predictions(np.eye(121)[age + error], age, name=name)
    >>> leaderboard([model("cnn", 2), model("svm", 1)]).best
    'svm'
    """
    metrics, age_groups = select(metrics), parsed(age_groups)
    if not isinstance(predictions, Mapping):
        given = [(one.name, one) for one in predictions]
    else:
        several = {key: [one] if isinstance(one, Predictions) else one for key, one in predictions.items()}
        given = [(key, one) for key, ones in several.items() for one in ones]
    parts, names = {}, dict.fromkeys(predictions if isinstance(predictions, Mapping) else ())
    for key, one in given:
        names[key] = one.name or key
        here = parts.setdefault(one.part or "oof", {})
        if key in here:
            raise UsageError(f"two predictions of {key} for the same items; give each model a name of its own")
        here[key] = one
    shown = [metric for metric in metrics if metric.headline]
    rows = {key: {"model": name or key} for key, name in names.items()}
    estimates = {}
    for part, here in parts.items():
        bootstrap.check_same_items(list(here.values()))
        found = bootstrap.estimates(list(here.values()), shown, age_groups)
        estimates[part] = dict(zip(here, found, strict=True))
        for key, one in here.items():
            values = score(one, metrics, age_groups)
            rows[key] |= {f"{part}_{name}": value for name, value in values.items()}
            rows[key] |= _bars(part, "", estimates[part][key])
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns(metrics))
    star = best(frame, frame.index.isin(list(not_best)))
    for part, found in estimates.items():
        for key in found if star in found else ():
            difference = {name: found[key][name] - found[star][name] for name in found[key]}
            rows[key] |= {f"{part}_{name}_vs_best": estimate.value for name, estimate in difference.items()}
            rows[key] |= _bars(part, "_vs_best", difference)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns(metrics))
    return Leaderboard(frame.iloc[order(frame)], star)


def columns(metrics: Sequence[Metric]) -> list[str]:
    """Names of the columns of a leaderboard."""
    names = ["model"]
    for part in PARTS:
        for metric in metrics:
            names += [f"{part}_{metric.name}{bar}" for bar in (BARS if metric.headline else BARS[:1])]
    return names


def _bars(part, what, estimates):
    result = {}
    for metric, estimate in estimates.items():
        low, high = estimate.interval()
        result |= {f"{part}_{metric}{what}_low": low, f"{part}_{metric}{what}_high": high}
    return result


def order(frame: pd.DataFrame) -> np.ndarray:
    """Places of the rows from the best to the worst: the prior baseline first, without out-of-fold scores last."""
    mae, f1 = (_column(frame, name) for name in ("oof_mae", "oof_f1_weighted"))
    none, first = mae.isna() & f1.isna(), frame["model"] != PRIOR
    return np.lexsort((-f1.fillna(0), mae.fillna(np.inf), first, none))


def best(frame: pd.DataFrame, not_best=False):
    """Label of the row with the lowest out-of-fold MAE (without exact ages: the highest weighted F1), or None.

    Parameters
    ----------
    frame : DataFrame
    not_best : bool array
        rows that do not compete
    """
    column = chosen_by(frame)
    scores = _column(frame, column) * (1 if column == "oof_mae" else -1)
    scores = scores[~(np.zeros(len(frame), bool) | not_best)].dropna()
    alone = len(scores) == 1 and len(frame) > 1 and frame["model"][scores.index[0]] == PRIOR
    return scores.idxmin() if len(scores) and not alone else None


def chosen_by(frame: pd.DataFrame) -> str:
    """The column by which the best is chosen."""
    return "oof_mae" if _column(frame, "oof_mae").notna().any() else "oof_f1_weighted"


def tied(frame: pd.DataFrame, best) -> np.ndarray:
    """Which rows are not significantly different from the best in what it is chosen by, `(rows,)` bool."""
    column = f"{chosen_by(frame)}_vs_best"
    result = (_column(frame, f"{column}_low") <= 0) & (_column(frame, f"{column}_high") >= 0)
    return (result & (frame.index != best)).to_numpy(bool)


def _column(frame, name):
    return frame[name] if name in frame else pd.Series(np.nan, frame.index)


def metric_columns(metrics: Sequence[Metric] | None = None) -> list[Column]:
    """Columns of the short table: the metrics that are shown for each part, with their intervals."""
    return [
        replace(
            metric.column(f"{part}_{metric.name}", f"{TITLES[part]} {metric.short or metric.label}"),
            detail=partial(_interval, f"{part}_{metric.name}", metric.format),
        )
        for part in PARTS
        for metric in select(metrics)
        if part in metric.parts
    ]


def _interval(key, form, row):
    ends = row.get(f"{key}_low"), row.get(f"{key}_high")
    return "" if any(end is None or np.isnan(end) for end in ends) else "-".join(_bound(end, form) for end in ends)


def _bound(value, form):
    """An end of an interval, in four characters where that is precise enough: `6.41`, `20.8`, `.381`."""
    return f"{value:.1f}" if value >= 10 else form.format(value).removeprefix("0")
