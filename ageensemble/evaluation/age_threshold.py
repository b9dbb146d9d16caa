"""Is this person at least 18? How often a run's answer is wrong, either way, on the test part.

Where a split has no test part: out-of-fold, the cutoff of each fold chosen on the other folds.
"""

import numpy as np

from .. import ages
from .._utils import stats
from .._utils.console import counted, plain
from ..errors import UsageError
from ..splits.split import JUDGED
from . import conformal

FALSE_ADULTS = 0.01  # the rate that the stricter rule is to keep
SIDES = {"false_adult": "false\nadults", "false_minor": "false\nminors"}


def check(age):
    """Raise UsageError where the age is outside 1..120."""
    if not 1 <= age <= ages.MAX_AGE:
        raise UsageError(f"--threshold {age} is not an age from 1 to {ages.MAX_AGE}")


def report(run, experiment, age):
    """False-adult and false-minor rates of a complete run at an age.

    Two rules: adult where P(at least that age) exceeds one half, and adult where it exceeds a cutoff under which
    1 % of the minors pass, chosen out-of-fold by groups with the finite-sample correction of conformal prediction
    (Neyman-Pearson classification; Tong, Feng & Li 2018, Science Advances 4).

    Parameters
    ----------
    run : Run
    experiment : Experiment
    age : int, years

    Returns
    -------
    dict
        `run`, `model`, `age`, `part` (see `Split.evaluated_part`), `left_out` (items of it whose range straddles
        the age), and `rules`: for each its
        `name`, `cutoff` (None where it cannot be chosen, and `why`), and `slices`: for all and each gender `name` and
        `false_adult` (of the minors), `false_minor` (of the adults): `items`, `hits`, `share`, `low`, `high` (95 %)

    Raises
    ------
    UsageError
        The age is outside 1..120.
    """
    check(age)
    part = experiment.split.evaluated_part
    rows = experiment.split.rows(part)
    y, table = experiment.y[rows], experiment.items.iloc[rows]
    sides = minors, adults = y[:, 1] < age, y[:, 0] >= age
    adult = ages.at_least(run.proba(part), age)
    cutoff, own, why = _strict(run, experiment, age)
    rules = [
        {"name": "even", "cutoff": 0.5, "why": "", "slices": _slices(adult > 0.5, sides, table)},
        {"name": "strict", "cutoff": cutoff, "why": why, "slices": [] if why else _slices(adult > own, sides, table)},
    ]
    about = {"run": run.folder.name, "model": run.title, "age": age, "part": part}
    return about | {"left_out": int((~minors & ~adults).sum()), "rules": rules}


def _strict(run, experiment, age):
    """The cutoff that 1 % of the minors exceed, that of each judged item, and "", or (None, None, why)."""
    if "oof" not in run.parts:
        return None, None, "no out-of-fold predictions to choose a cutoff on"
    split = experiment.split
    minor, fold = experiment.y[split.development][:, 1] < age, split.fold[split.development]
    groups = experiment.items["group"].to_numpy()[split.development]
    adult = ages.at_least(run.proba("oof"), age)
    cutoff, why = _chosen(adult[minor], groups[minor])
    own = np.full(len(fold), cutoff, float)
    for k in range(split.n_folds) if split.evaluated_part == "oof" and not why else ():
        known = minor & (fold != k)
        own[fold == k], why = _chosen(adult[known], groups[known])
        if why:
            break
    if why:
        return None, None, why
    return cutoff, own if split.evaluated_part == "oof" else cutoff, ""


def _chosen(adult, groups):
    """The cutoff by these minors, (NaN, why) where they are too few."""
    cutoff = conformal.quantile(adult, groups, 1 - FALSE_ADULTS)
    if np.isfinite(cutoff):
        return cutoff, ""
    needed = int(1 / FALSE_ADULTS) - 1
    few = len(np.unique(groups))
    return np.nan, f"{few} independent minors are too few to choose a cutoff on; {needed} are needed"


def _slices(taken, sides, table):
    minors, adults = sides
    groups, gender = table["group"].to_numpy(), table["gender"]
    result = []
    for name in ["all", *sorted(gender.dropna().unique())]:
        here = np.ones(len(table), bool) if name == "all" else (gender == name).to_numpy()
        false_adult = stats.share(taken[minors & here], groups[minors & here])
        false_minor = stats.share(~taken[adults & here], groups[adults & here])
        result.append({"name": name, "false_adult": false_adult, "false_minor": false_minor})
    return result


def view(contents):
    """Reports of several runs on one split at one age, for a terminal; each rate with its interval below.

    Parameters
    ----------
    contents : list of dict
        from `report`
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    age = contents[0]["age"]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    title = f"At least {age} years old? {JUDGED[contents[0]['part']].capitalize()}"
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    table.add_column("\n\n\nmodel", overflow="fold", min_width=12)
    table.add_column("\n\nadult\nwhere", no_wrap=True)
    for title in _titles(contents[0]["rules"][0]["slices"]):
        table.add_column(title, justify="right", no_wrap=True)
    below = []
    for content in contents:
        name = plain(content["model"])
        for rule in content["rules"]:
            if rule["slices"]:
                rates = [row[side] for side in SIDES for row in rule["slices"]]
                table.add_row(name, f"P>{rule['cutoff']:.3g}", *map(_cell, rates))
                name = ""
            else:
                below.append(Text(plain(f"{content['model']}: {rule['why']}"), style="yellow"))
    left_out = contents[0]["left_out"]
    notes = [
        f"P: probability of {age} or more. False adults: share of those under {age}, counted above, taken for older; "
        f"false minors: of those {age} or older. Below each: its 95 % interval. The second cutoff: chosen out-of-fold "
        f"so that {100 * FALSE_ADULTS:g} % of those under {age} pass."
        + ("" if contents[0]["part"] == "test" else " The rates of each fold are by a cutoff from the other folds."),
        f"Left out: {counted(left_out, 'item')} whose labeled range straddles {age}." if left_out else "",
    ]
    return Group(table, *below, *(Text(note, style="dim") for note in notes if note))


def _titles(slices):
    """Of the columns, narrow: false adults, all, 677; female, 352; ..."""
    for side, word in SIDES.items():
        for row in slices:
            yield f"{word if row['name'] == 'all' else chr(10)}\n{plain(row['name'])}\n{row[side]['items']:,}"


def _cell(found):
    from rich.text import Text

    if not found["items"]:
        return Text("")
    between = "-".join(f"{100 * end:.{0 if end >= 0.1 else 1}f}" for end in (found["low"], found["high"]))
    return Text(f"{100 * found['share']:.1f} %\n").append(between, style="dim")
