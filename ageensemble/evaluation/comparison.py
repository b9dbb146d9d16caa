"""Two models on the same items: how much they differ, how sure that is, and where they differ most."""

import numpy as np

from .._utils.console import plain
from ..errors import DataError, UsageError
from ..experiments.run import PARTS
from . import bootstrap as c
from . import leaderboard, metrics, subgroups

ROPE = 0.1  # years, a choice: labels are whole years, nobody could check a tenth of one on a person


def compare(a, b, y, groups, items, age_groups, rope=ROPE):
    """Paired differences of two models.

    Shares of the resamples are read as probabilities (the bootstrap as a posterior, Rubin 1981). The region of
    practical equality is that of Kruschke 2018 (Advances in Methods and Practices in Psychological Science 1) and
    Benavoli, Corani, Demsar & Zaffalon 2017 (JMLR 18).

    Parameters
    ----------
    a, b : (n, A) array
        their age distributions
    y : (n, 2) int array, years
    groups : (n,) int array
    items : pandas.DataFrame
        of the same n items, columns gender, ethnicity
    groups : ages.Scheme
    rope : float, years
        differences in MAE up to this count as none in practice

    Returns
    -------
    dict
        `items`, `groups`; `metrics`: for each headline metric `a`, `b`, `difference` (a minus b), `low`, `high`
        (95 %), `p_a_better`; `practical`: the probabilities `a_better`, `equal`, `b_better` by the rope, None where
        there is no MAE; `where_metric`; `where`: for each slice `by`, `name`, `items`, `groups`, `difference`, `low`,
        `high`, `p`, and `holds`, whether it is not 0 at 5 % for all slices together (Holm), the largest difference
        first; `too_small`: the slices that are left out
    """
    answered = [c.answers(each, age_groups) for each in (a, b)]
    first, second = c.headline(answered, y, groups, age_groups)
    metric = c.item_metric(y)
    difference = np.subtract(*(c.item_scores(metric, each, y, age_groups) for each in answered))
    where, too_small = _where(difference, y, groups, items, age_groups)
    return {
        "items": len(y),
        "groups": len(np.unique(groups)),
        "metrics": {name: _metric(name, first[name], second[name]) for name in first},
        "practical": _practical(first["mae"] - second["mae"], rope) if "mae" in first else None,
        "where_metric": metric,
        "where": where,
        "too_small": too_small,
    }


def _metric(name, a, b):
    difference = a - b
    low, high = difference.interval()
    above = difference.share_above(0)
    better = 1 - above if name in c.LOWER_IS_BETTER else above
    return {"a": a.value, "b": b.value, "difference": difference.value, "low": low, "high": high, "p_a_better": better}


def _practical(difference, rope):
    b_better, a_better = difference.share_above(rope), 1 - difference.share_above(-rope)
    return {"a_better": a_better, "equal": 1 - a_better - b_better, "b_better": b_better}


def _where(difference, y, groups, items, age_groups):
    """Differences by age group, gender and ethnicity: those of large enough slices, and the names of the others."""
    found, too_small = [], []
    known = np.isfinite(difference)
    difference, y, groups, items = difference[known], y[known], groups[known], items[known]
    for by in ("group", "gender", "ethnicity"):
        names, slice_ = subgroups.cut(items, y, age_groups, by)
        if names == [subgroups.UNKNOWN]:
            continue
        [estimates] = c.means(difference[:, None], slice_, groups, len(names))
        about = subgroups.sizes(slice_, groups, len(names))
        for index, (name, estimate, size) in enumerate(zip(names, estimates, about, strict=True)):
            row = {"by": by, "name": name, "items": size["items"], "groups": size["groups"]}
            if not size["enough"]:
                too_small.append(row)
                continue
            inside = slice_ == index
            error = c.standard_error(difference[inside], groups[inside])
            low, high = estimate.interval()
            row |= {"difference": estimate.value, "low": low, "high": high}
            found.append(row | {"p": c.p_value(estimate.value, error, size["groups"])})
    for row, holds in zip(found, c.holm([row["p"] for row in found]), strict=True):
        row["holds"] = bool(holds)
    return sorted(found, key=lambda row: -abs(row["difference"])), too_small


def report(experiment, a, b, age_groups, rope=ROPE):
    """Two complete runs of a split against each other.

    Parameters
    ----------
    experiment : Experiment
    a, b : Run
    groups : ages.Scheme
    rope : float, years

    Returns
    -------
    dict
        `split`, `groups`, `rope`; `a`, `b`: `run` and `model`; `parts`: "oof" and "test" as far as both have them, see
        `compare`

    Raises
    ------
    UsageError
        The same run twice, one that is not complete, a rope that is no length.
    UnequalError
        See `scores.states`.
    """
    if not 0 <= rope < np.inf:
        raise UsageError(f"--rope {rope:g} is not a number of years; 0.1 would be a tenth of a year")
    if a.folder.name == b.folder.name:
        raise UsageError(f"{a.title} compared with itself; name two runs")
    states = {run.folder.name: (state, why) for run, state, why in leaderboard.states(experiment)}
    for run in (a, b):
        state, why = states[run.folder.name]
        if state != "complete":
            raise UsageError(f"{run.title} is {state} and cannot be compared: {why}")
    parts = {}
    for part in PARTS:
        if part in a.parts and part in b.parts:
            rows = experiment.split.rows(part)
            items = experiment.items.iloc[rows]
            if c.item_metric(experiment.y) == "accuracy" and (age_groups.of(experiment.y[rows]) < 0).all():
                raise DataError(f"no item lies in one of the groups '{age_groups.name}', so nothing can be compared")
            given = (run.proba(part) for run in (a, b))
            parts[part] = compare(*given, experiment.y[rows], items["group"].to_numpy(), items, age_groups, rope)
    if not parts:
        raise UsageError(f"{a.title} and {b.title} have no predictions of the same items to be compared")
    names = {name: {"run": run.folder.name, "model": run.title} for name, run in (("a", a), ("b", b))}
    return {"split": experiment.metadata, "age_groups": age_groups.name, "rope": rope, **names, "parts": parts}


# --- for people -------------------------------------------------------------------------------------------------


def view(content):
    """The report for a terminal."""
    from rich.console import Group
    from rich.text import Text

    blocks = [Text(plain(f"{letter.upper()}: {content[letter]['model']}"), style="bold") for letter in "ab"]
    for part, found in content["parts"].items():
        title = f"{subgroups.TITLES[part]}, {found['items']:,} items in {found['groups']:,} groups"
        table = _table(("", "A", "B", "A - B", "95 % interval", "P(A better)"))
        for name, row in found["metrics"].items():
            form = FORMS[name]
            values = [form.format(row["a"]), form.format(row["b"]), _signed(form, row["difference"])]
            table.add_row(metrics.NAMES[name], *values, _between(form, row), f"{row['p_a_better']:.3f}")
        blocks += ["", Text(title, style="bold"), table, Text(_verdict(found, content["rope"]))]
    first = next(iter(content["parts"]))
    blocks += ["", *_places(content["parts"][first], first)]
    return Group(*blocks, *(Text(note, style="dim") for note in NOTES))


FORMS = {"mae": "{:.2f}", "cs5": "{:.3f}", "accuracy": "{:.3f}", "f1_weighted": "{:.3f}"}
NOTES = (
    "Intervals: 95 % each, of the difference on the same resamples of groups. P: share of those resamples. The "
    "variance of retraining is in neither: another seed may bring another answer.",
    "*: not 0 at 5 % for all of these slices together (Holm).",
)


def _table(heads):
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column(heads[0], overflow="fold")
    for head in heads[1:]:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _verdict(found, rope):
    """One line: whether the two are told apart, and what that is worth."""
    name = "mae" if "mae" in found["metrics"] else "f1_weighted"
    row = found["metrics"][name]
    what = "MAE" if name == "mae" else "weighted F1"
    better = "A" if (row["difference"] < 0) == (name in c.LOWER_IS_BETTER) else "B"
    told = f"{better} is better in {what}" if row["low"] > 0 or row["high"] < 0 else f"Not told apart in {what}"
    if not found["practical"]:
        return f"{told}."
    chances = found["practical"]
    return (
        f"{told}. Better by more than {rope:g} years: A with P = {chances['a_better']:.3f}, B with P = "
        f"{chances['b_better']:.3f}; practically equal with P = {chances['equal']:.3f}."
    )


def _places(found, part):
    from rich.text import Text

    metric = found["where_metric"]
    form = FORMS[metric]
    title = f"Where they differ most, {subgroups.TITLES[part]}: A - B in {subgroups.NAMES[metric][0]}"
    table = _table(("", "items", "A - B", "95 % interval", ""))
    for row in found["where"]:
        name = f"{subgroups.BY[row['by']]} {plain(row['name'])}"
        mark = "*" if row["holds"] else ""
        table.add_row(name, f"{row['items']:,}", _signed(form, row["difference"]), _between(form, row), mark)
    few = [f"{row['name']} ({subgroups.in_words(row)})" for row in found["too_small"]]
    left_out = f"Left out, {subgroups.FEW}: {', '.join(few)}."
    return [Text(title, style="bold"), table, *([Text(plain(left_out), style="yellow")] if few else [])]


def _signed(form, value):
    return form.replace(":", ":+").format(value)


def _between(form, row):
    return f"{_signed(form, row['low'])} to {_signed(form, row['high'])}"
