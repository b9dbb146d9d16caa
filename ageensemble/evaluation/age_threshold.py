"""Is this person at least 18? How often the answer is wrong, either way.

On the test part; without one out-of-fold, the cutoff of each fold chosen on the other folds.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import ages
from .._utils import stats
from .._utils.console import counted
from .._utils.render import Column, ShownAsTable, Table
from ..errors import UsageError
from ..splits.split import PART_NAMES
from . import conformal
from .predictions import Predictions, folds_of, groups_of

FALSE_ADULTS = 0.01  # the rate that the stricter rule is to keep
SIDES = {"false_adult": "false adults", "false_minor": "false minors"}


@dataclass(frozen=True, repr=False)
class ThresholdErrors(ShownAsTable):
    """False-adult and false-minor rates at an age.

    Attributes
    ----------
    name : str
        of the model
    part : {"test", "oof"}
        what they were measured on
    age : int
        years
    left_out : int
        items whose labeled range straddles the age
    rules : list of dict
        for each its `name`, `cutoff` (None where it cannot be chosen, and `why`), and `subgroups`: for all and each
        gender `name` and `false_adult` (of the minors), `false_minor` (of the adults): `items`, `hits`, `share`, `low`,
        `high` (95 %)
    """

    name: str
    part: str
    age: int
    left_out: int
    rules: list

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each rule, subgroup and side."""
        return pd.DataFrame(
            {"rule": rule["name"], "cutoff": rule["cutoff"], "subgroup": row["name"], "error": side} | row[side]
            for rule in self.rules
            for row in rule["subgroups"]
            for side in SIDES
        )

    def to_dict(self) -> dict:
        """Plain numbers and lists."""
        names = ("age", "part", "left_out", "rules")
        return {"model": self.name} | {name: getattr(self, name) for name in names}

    @property
    def table(self) -> Table:
        """The same for people."""
        return threshold_table([self])


def check_age(age):
    """Raise UsageError where the age is outside 1..120."""
    if not 1 <= age <= ages.MAX_AGE:
        raise UsageError(f"--threshold {age} is not an age from 1 to {ages.MAX_AGE}")


def threshold_errors(oof: Predictions | None, test: Predictions | None = None, *, age: int = 18) -> ThresholdErrors:
    """Measure how often minors are taken for adults and adults for minors.

    Two rules: adult where P(at least that age) exceeds one half, and adult where it exceeds a cutoff under which
    1 % of the minors pass, chosen out-of-fold by groups with the finite-sample correction of conformal prediction
    (Neyman-Pearson classification; Tong, Feng & Li 2018, Science Advances 4).

    Parameters
    ----------
    oof, test : Predictions
        either may be None; measured on the test part, without it on the out-of-fold predictions
    age : int
        years

    Raises
    ------
    UsageError
        The age is outside 1..120.

    Examples
    --------
    >>> threshold_errors(run.predictions("oof"), run.predictions("test"), age=18).frame
    """
    check_age(age)
    measured = oof if test is None else test
    y = measured.age_range
    sides = minors, adults = y[:, 1] < age, y[:, 0] >= age
    adult = measured.at_least(age)
    cutoff, own, why = _strict(oof, test, age)
    strict = [] if why else _subgroups(adult > own, sides, measured)
    rules = [
        {"name": "even", "cutoff": 0.5, "why": "", "subgroups": _subgroups(adult > 0.5, sides, measured)},
        {"name": "strict", "cutoff": cutoff, "why": why, "subgroups": strict},
    ]
    part, left_out = "oof" if test is None else "test", int((~minors & ~adults).sum())
    return ThresholdErrors(measured.name, part, age, left_out, rules)


def _strict(oof, test, age):
    """The cutoff that 1 % of the minors exceed, that of each measured item, and "", or (None, None, why)."""
    if oof is None:
        return None, None, "no out-of-fold predictions to choose a cutoff on"
    minor, groups, adult = oof.age_range[:, 1] < age, groups_of(oof), oof.at_least(age)
    cutoff, why = _cutoff(adult[minor], groups[minor])
    if test is not None or why:
        return (None, None, why) if why else (cutoff, cutoff, "")
    fold, own = folds_of(oof), np.empty(len(oof))
    for k in np.unique(fold):
        known = minor & (fold != k)
        own[fold == k], why = _cutoff(adult[known], groups[known])
        if why:
            return None, None, why
    return cutoff, own, ""


def _cutoff(adult, groups):
    """The cutoff by these minors, (NaN, why) where they are too few."""
    cutoff = conformal.quantile(adult, groups, 1 - FALSE_ADULTS)
    if np.isfinite(cutoff):
        return cutoff, ""
    needed = int(1 / FALSE_ADULTS) - 1
    few = len(np.unique(groups))
    return np.nan, f"{few} independent minors are too few to choose a cutoff on; {needed} are needed"


def _subgroups(taken, sides, predictions):
    minors, adults = sides
    groups, gender = groups_of(predictions), pd.Series(predictions.attributes.get("gender", []), dtype=object)
    result = []
    for name in ["all", *sorted(gender.dropna().unique())]:
        here = np.ones(len(predictions), bool) if name == "all" else (gender == name).to_numpy()
        false_adult = stats.clustered_proportion(taken[minors & here], groups[minors & here])
        false_minor = stats.clustered_proportion(~taken[adults & here], groups[adults & here])
        result.append({"name": name, "false_adult": false_adult, "false_minor": false_minor})
    return result


def threshold_table(found: list[ThresholdErrors]) -> Table:
    """Several models on the same items in one table, each rate with its interval."""
    first = found[0]
    columns, rows, below = [Column("model"), Column("cutoff", "adult where")], [], []
    for side, label in SIDES.items():
        for row in first.rules[0]["subgroups"]:
            count = f"{label}, {row['name']}, {row[side]['items']:,}"
            columns.append(Column(f"{side} {row['name']}", count, _rate, right=True))
    for one in found:
        for rule in one.rules:
            if rule["subgroups"]:
                rates = {f"{side} {row['name']}": row[side] for side in SIDES for row in rule["subgroups"]}
                rows.append({"model": one.name, "cutoff": f"P>{rule['cutoff']:.3g}"} | rates)
            else:
                below.append(f"{one.name}: {rule['why']}")
    age = first.age
    below.append(
        f"P: probability of {age} or more. False adults: share of those under {age}, counted above, taken for older; "
        f"false minors: of those {age} or older; with 95 % intervals. The second cutoff: chosen out-of-fold "
        f"so that {100 * FALSE_ADULTS:g} % of those under {age} pass."
        + ("" if first.part == "test" else " The rates of each fold are by a cutoff from the other folds.")
    )
    if first.left_out:
        below.append(f"Left out: {counted(first.left_out, 'item')} whose labeled range straddles {age}.")
    return Table(columns, rows, below, f"At least {age} years old? {PART_NAMES[first.part].capitalize()}")


def _rate(found):
    if not found or not found["items"]:
        return ""
    between = "-".join(f"{100 * end:.{0 if end >= 0.1 else 1}f}" for end in (found["low"], found["high"]))
    return f"{100 * found['share']:.1f} % ({between})"
