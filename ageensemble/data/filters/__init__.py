"""Cleaning: what to leave out of a data set before anything is fitted; one file for each step, found by the listing.

A step looks at labels and photographs, never at predictions. Its module has a first docstring line that describes it;
`EXAMPLE`, the text that asks for it; `value(text)`, which reads what stands behind the `=` or raises ValueError;
`left_out(dataset, value, *, seed, progress)`, a bool for each item, True where it goes; `reason(value)`, the words for
the list of what was left out. It may have `DEFAULT`, the text of the value where none is given; `COLUMN`, the column of
the items that it goes by: where that says nothing, the item stays; `PHOTOGRAPHS = True`, to be refused where nobody has
opened them.
"""

from dataclasses import dataclass

import numpy as np

from ..._utils import registry
from ..._utils.console import counted, plain
from ...errors import DataError, UsageError
from ..quality.grouping import group_counts, grouping

REGISTRY = registry.Registry(
    "filter",
    __name__,
    hyphens=True,
    aliases={
        "ages": "age-range",
        "balance-gender": "gender-balance",
        "conflicts": "conflicting-labels",
        "deviation": "label-deviation",
        "min-size": "min-image-size",
    },
)


@dataclass(frozen=True)
class Step:
    """One thing to leave out.

    Attributes
    ----------
    name : str
    value : object
        as the step's module reads it
    text : str
        what asks for it, with the default filled in: "min-size=100"
    """

    name: str
    value: object
    text: str


def names():
    """Names of the steps, as people type them."""
    return REGISTRY.names()


def module(name):
    """The module of the step called `name`.

    Raises
    ------
    UsageError
        No such step (with the nearest ones).
    """
    return REGISTRY.module(name)


def parse(texts):
    """The steps that `--filter` asks for, in their order.

    Parameters
    ----------
    texts : list of str or None
        each NAME or NAME=VALUE

    Returns
    -------
    tuple of Step

    Raises
    ------
    UsageError
        No such step, one given twice, or a value that it lacks or cannot read.
    """
    steps = tuple(_step(text) for text in texts or ())
    names = [step.name for step in steps]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        given = " and ".join(step.text for step in steps if step.name == twice)
        raise UsageError(f"--filter {twice} is given more than once ({given}); give it once")
    return steps


def _step(text):
    name, given, value = (part.strip() for part in text.partition("="))
    name = REGISTRY.resolve(name)
    found = module(name)
    value = value if given else getattr(found, "DEFAULT", None)
    if value is None:
        raise UsageError(f"--filter {name} needs a value, such as {found.EXAMPLE}")
    try:
        return Step(name, found.value(value), f"{name}={value}" if value else name)
    except ValueError as error:
        raise UsageError(f"--filter {text}: {error}, such as {found.EXAMPLE}") from None


def apply(dataset, steps, seed=0, progress=lambda what: lambda done, total: None):
    """Leave out what the steps say, one after the other; what goes is listed as excluded, with the reason.

    Parameters
    ----------
    dataset : Dataset
    steps : sequence of Step
    seed : int
        of the steps that choose by chance
    progress : callable
        given the name of what takes a while, returns a callable that is told (done, total)

    Returns
    -------
    Dataset
    list of dict
        for each step `name`, `value` (text, empty where it takes none), `reason`, `removed`, `unknown` (items that stay
        since they do not say what the step goes by), `known` (items that stay and say it; None where the step goes by
        no column), `before` and `after`: items in each age group, see `grouping`

    Raises
    ------
    DataError
        A step goes by something that no item says, or that only opened photographs show; or it leaves nothing.
    """
    report, age_groups = [], grouping(dataset.y)[0]
    for step in steps:
        found, before = module(step.name), group_counts(dataset.y, age_groups)
        _require(found, step, dataset)
        out = found.left_out(dataset, step.value, seed=seed, progress=progress)
        if out.all():
            raise DataError(f"--filter {step.text} would leave out every one of {counted(len(out), 'item')}")
        reason, column = found.reason(step.value), getattr(found, "COLUMN", None)
        unknown = int((dataset.items[column].isna() & ~out).sum()) if column else 0
        known = int((~out).sum()) - unknown if column else None
        dataset = dataset.take(np.flatnonzero(~out), f"cleaned by {step.text}: {reason}")
        row = {"name": step.name, "value": step.text.partition("=")[2], "reason": reason}
        row |= {"removed": int(out.sum()), "unknown": unknown, "known": known}
        report.append(row | {"before": before, "after": group_counts(dataset.y, age_groups)})
    return dataset, report


def _require(found, step, dataset):
    """Refuse a step that has nothing to go by."""
    if getattr(found, "PHOTOGRAPHS", False) and not dataset.looked_at:
        raise DataError(f"--filter {step.text} goes by the photographs, and these were not opened")
    column = getattr(found, "COLUMN", None)
    if column and (column not in dataset.items or dataset.items[column].isna().all()):
        raise DataError(f"--filter {step.text} goes by the column {column}, which no item of {dataset.name} has")


def lines(report):
    """What cleaning left out and how the ages changed, as lines of text; none where there was nothing to do."""
    if not report:
        return
    before, after = report[0]["before"], report[-1]["after"]
    n, left = sum(before.values()), sum(after.values())
    yield f"cleaning left out {n - left:,} of {counted(n, 'item')}; {left:,} stay"
    for row in report:
        asked = f"{row['name']}={row['value']}" if row["value"] else row["name"]
        stay = f"; {row['unknown']:,} stay that do not say it" if row["unknown"] else ""
        yield plain(f"  {asked:<16}{row['removed']:>8,}  {row['reason']}{stay}")
        yield from warnings(row)
    if left == n:
        return
    wide = max(7, *map(len, before))
    yield f"  {'age':>{wide}}  {'before':>15}  {'after':>15}"
    for group, count in before.items():
        if count:
            yield f"  {group:>{wide}}  {_share(count, n)}  {_share(after[group], left)}"


def warnings(row):
    """A sentence where a step of the report left nothing that says what it goes by."""
    if row["known"] == 0:
        what = module(row["name"]).COLUMN.replace("_", " ")
        stay = counted(row["unknown"], "item that stays does", "items that stay do")
        yield f"warning: {row['name']} removed every item of known {what}; the {stay} not say it"


def _share(count, n):
    return f"{count:>7,} {100 * count / n:>5.1f} %"
