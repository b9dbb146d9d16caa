"""Two models on the same items: how much they differ, how sure that is, and where they differ most."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from .._utils import stats
from .._utils.render import Column, ShownAsTable, Table
from ..errors import DataError, UsageError
from . import bootstrap
from .metrics import METRICS, Metric, headline, parsed, primary, select
from .predictions import Predictions, groups_of
from .subgroups import UNKNOWN, cut, label_of, size_text, sizes, too_few

ROPE = 0.1  # years, a choice: labels are whole years, nobody could check a tenth of one on a person


@dataclass(frozen=True, repr=False)
class Comparison(ShownAsTable):
    """Paired differences of two models, `a` minus `b`.

    Attributes
    ----------
    a, b : str
        names of the models
    items, groups : int
    metrics : dict of str to dict
        for each metric `a`, `b`, `difference`, `low`, `high` (95 %), `p_a_better`
    practical : dict or None
        probabilities that the difference in MAE is beyond the region of practical equality or in it: `a_better`,
        `equal`, `b_better`; None where there is no MAE
    rope : float
        half the width of that region, years
    where_metric : str
    where : list of dict
        for each subgroup `by`, `name`, `items`, `groups`, `difference`, `low`, `high`, `p`, and `holds`, whether the
        difference is significant at 5 % for all subgroups together (Holm), the largest difference first
    too_small : list of dict
        the subgroups that are left out
    """

    a: str
    b: str
    items: int
    groups: int
    metrics: dict
    practical: dict | None
    rope: float
    where_metric: str
    where: list = field(repr=False)
    too_small: list = field(repr=False)

    def to_dict(self) -> dict:
        """Everything, as plain data."""
        return asdict(self)

    @property
    def frame(self):
        """A row for each metric, as a DataFrame."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.metrics, orient="index")

    def table(self, title: str = "") -> Table:
        """A row for each metric, with the verdict."""
        rows = []
        for name, row in self.metrics.items():
            metric = METRICS.load(name)
            values = {"metric": metric.title, "a": metric.text(row["a"]), "b": metric.text(row["b"])}
            rows.append(values | _difference(metric, row) | {"p": f"{row['p_a_better']:.3f}"})
        columns = [Column("metric", " ", fold=24), Column("a", "A", right=True), Column("b", "B", right=True)]
        columns += [*_DIFFERENCE, Column("p", "P(A better)", right=True)]
        return Table(columns, rows, [self.verdict()], title or f"{self.items:,} items in {self.groups:,} groups")

    def where_table(self, title: str = "") -> Table:
        """A row for each subgroup that is large enough."""
        metric = METRICS.load(self.where_metric)
        columns = [Column("name", " ", fold=24), Column("items", right=True, format="{:,}".format), *_DIFFERENCE]
        rows = [
            {"name": f"{label_of(row['by'])} {row['name']}", "items": row["items"], "mark": "*" if row["holds"] else ""}
            | _difference(metric, row)
            for row in self.where
        ]
        title = f"Where they differ most{f', {title}' if title else ''}: A - B in {metric.title}"
        few = [f"{row['name']} ({size_text(row)})" for row in self.too_small]
        warnings = [f"Left out, {too_few()}: {', '.join(few)}."] if few else []
        return Table([*columns, Column("mark", " ")], rows, title=title, warnings=warnings)

    def verdict(self) -> str:
        """One line: whether the difference is significant, and what it is worth."""
        name = "mae" if "mae" in self.metrics else "f1_weighted"
        if name not in self.metrics:
            name = next(iter(self.metrics))
        row, metric = self.metrics[name], METRICS.load(name)
        better = "A" if (row["difference"] < 0) == metric.lower_is_better else "B"
        significant = row["low"] > 0 or row["high"] < 0
        result = (
            f"{better} is better in {metric.label}." if significant else f"No significant difference in {metric.label}."
        )
        if not self.practical:
            return result
        a, b, equal = (self.practical[key] for key in ("a_better", "b_better", "equal"))
        more = f"Better by more than {self.rope:g} years: A with P = {a:.3f}, B with P = {b:.3f}"
        return f"{result} {more}; practically equal with P = {equal:.3f}."

    def _tables(self):
        return [self.table(f"A: {self.a}, B: {self.b}"), self.where_table()]


_DIFFERENCE = (Column("difference", "A - B", right=True), Column("interval", "95 % interval", right=True))


def _difference(metric, row):
    between = f"{metric.signed(row['low'])} to {metric.signed(row['high'])}"
    return {"difference": metric.signed(row["difference"]), "interval": between}


def compare(
    a: Predictions,
    b: Predictions,
    metrics: Sequence[str | Metric] | None = None,
    by: Sequence[str] = ("age_group", "gender", "ethnicity"),
    age_groups="default",
    rope: float = ROPE,
) -> Comparison:
    """Paired differences of two models on the same items.

    Shares of the resamples are read as probabilities (the bootstrap as a posterior, Rubin 1981). The region of
    practical equality is that of Kruschke 2018 (Advances in Methods and Practices in Psychological Science 1) and
    Benavoli, Corani, Demsar & Zaffalon 2017 (JMLR 18).

    Parameters
    ----------
    a, b : Predictions
        with `age_range`
    metrics : list of str or Metric, optional
        those of the results table unless given
    by : sequence of str
        attributes whose subgroups are compared, where they are known
    age_groups : str or AgeGroups
    rope : float
        differences in MAE up to this many years count as none in practice

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        Predictions of other items, or a `rope` that is no number of years.
    DataError
        No metric is defined for these labels.

    Examples
    --------
    >>> import numpy as np
    >>> age = np.arange(20, 60)
    >>> def model(error): return Predictions(np.eye(121)[age + error], age)
    >>> compare(model(1), model(3)).metrics["mae"]["difference"]
    -2.0
    """
    if not 0 <= rope < np.inf:
        raise UsageError(f"{rope:g} is not a number of years; 0.1 would be a tenth of a year")
    bootstrap.check_same_items([a, b])
    age_groups = parsed(age_groups)
    chosen = headline() if metrics is None else select(metrics)
    first, second = bootstrap.estimates([a, b], chosen, age_groups)
    if not first:
        raise DataError(f"no item lies in one of the groups '{age_groups.name}', so nothing can be compared")
    known, metric = {metric.name: metric for metric in chosen}, primary(a)
    where, too_small = _where(metric.values(a, age_groups) - metric.values(b, age_groups), a, age_groups, by)
    return Comparison(
        a=a.name or "A",
        b=b.name or "B",
        items=len(a),
        groups=len(np.unique(groups_of(a))),
        metrics={name: _metric(known[name], first[name], second[name]) for name in first},
        practical=_practical(first["mae"] - second["mae"], rope) if "mae" in first else None,
        rope=rope,
        where_metric=metric.name,
        where=where,
        too_small=too_small,
    )


def _metric(metric, a, b):
    difference = a - b
    low, high = difference.interval()
    above = difference.share_above(0)
    better = 1 - above if metric.lower_is_better else above
    return {"a": a.value, "b": b.value, "difference": difference.value, "low": low, "high": high, "p_a_better": better}


def _practical(difference, rope):
    b_better, a_better = difference.share_above(rope), 1 - difference.share_above(-rope)
    return {"a_better": a_better, "equal": 1 - a_better - b_better, "b_better": b_better}


def _where(difference, predictions, age_groups, attributes):
    """Differences by attribute: those of large enough subgroups, and the sizes of the others."""
    found, too_small = [], []
    known = np.isfinite(difference)
    difference, predictions = difference[known], predictions[known]
    groups = groups_of(predictions)
    for by in attributes:
        if by != "age_group" and by not in predictions.attributes:
            continue
        names, place = cut(predictions, by, age_groups)
        if names == [UNKNOWN]:
            continue
        means = bootstrap.means(difference, place, groups, len(names))
        for index, (name, estimate, size) in enumerate(
            zip(names, means, sizes(place, groups, len(names)), strict=True)
        ):
            row = {"by": by, "name": name, "items": size["items"], "groups": size["groups"]}
            if not size["enough"]:
                too_small.append(row)
                continue
            inside = place == index
            error = stats.standard_error(difference[inside], groups[inside])
            low, high = estimate.interval()
            row |= {"difference": estimate.value, "low": low, "high": high}
            found.append(row | {"p": stats.p_value(estimate.value, error, size["groups"])})
    for row, holds in zip(found, stats.holm([row["p"] for row in found]), strict=True):
        row["holds"] = bool(holds)
    return sorted(found, key=lambda row: -abs(row["difference"])), too_small
