"""Filters: what to leave out of a dataset before anything is fitted.

A filter is a class derived from `Filter`, in a file of this package, a file of one's own (`--filter ./mine.py=VALUE`),
or an installed package with an entry point in the group `ageensemble.filters`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..._utils.console import counted, plain
from ..._utils.registry import Registry, guarded
from ...errors import DataError, UsageError
from ..quality.grouping import group_counts, grouping
from .base import Filter

if TYPE_CHECKING:
    from ..dataset import Dataset

__all__ = ["FILTERS", "Filter", "apply_filters", "parse_filters", "report_lines", "warnings"]

FILTERS = Registry(
    "filter",
    __name__,
    base=Filter,
    hyphens=True,
    aliases={
        "ages": "age-range",
        "balance-gender": "gender-balance",
        "conflicts": "conflicting-labels",
        "deviation": "label-deviation",
        "min-size": "min-image-size",
    },
)
REQUEST = re.compile(r"(.*?\.py|[^=]*)(?:=(.*))?", re.DOTALL)  # NAME, NAME=VALUE, PATH.py or PATH.py=VALUE


def parse_filters(texts: Iterable[str] | None) -> tuple[Filter, ...]:
    """The filters that `--filter` asks for, in their order.

    Parameters
    ----------
    texts : list of str or None
        each NAME or NAME=VALUE; instead of a name also the path of a file with a filter

    Returns
    -------
    tuple of Filter

    Raises
    ------
    UsageError
        No such filter, one given twice, or a value that it lacks or cannot read.
    """
    filters = tuple(_parse(text) for text in texts or ())
    names = [one.name for one in filters]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        given = " and ".join(one.text for one in filters if one.name == twice)
        raise UsageError(f"--filter {twice} is given more than once ({given}); give it once")
    return filters


def _parse(text):
    name, value = REQUEST.fullmatch(text).groups()
    found, name = FILTERS.load(name.strip()), FILTERS.resolve(name.strip())
    value = found.default if value is None else value.strip()
    if value is None:
        raise UsageError(f"--filter {name} needs a value, such as {found.example}")
    try:
        return found(found.parse(value), f"{name}={value}" if value else name)
    except ValueError as error:
        raise UsageError(f"--filter {text}: {error}, such as {found.example}") from None


def apply_filters(
    dataset: "Dataset",
    filters: Iterable[Filter],
    random_state: int = 0,
    progress: Callable = lambda what: lambda done, total: None,
) -> tuple["Dataset", list[dict]]:
    """Leave out items, one filter after the other; what goes is listed as excluded, with the reason.

    Parameters
    ----------
    dataset : Dataset
    filters : sequence of Filter
    random_state : int
        seed of the filters that choose by chance
    progress : callable
        given the name of what takes a while, returns a function called with (done, total)

    Returns
    -------
    Dataset
    list of dict
        for each filter `name`, `value` (text, empty where it takes none), `reason`, `column`, `removed`, `unknown`
        (items that stay since they do not say what it goes by), `known` (items that stay and say it; None where it
        goes by no column), `before` and `after`: items in each age group, see `grouping`

    Raises
    ------
    DataError
        A filter goes by something that no item says, or that only opened images show; or it leaves nothing.
    """
    report, age_groups = [], grouping(dataset.age_range)[0]
    for one in filters:
        before = group_counts(dataset.age_range, age_groups)
        _require(one, dataset)
        with guarded(one, f"the filter {one.name}"):
            out, reason = np.asarray(one.mask(dataset, random_state, progress)), one.reason()
        if out.shape != (len(dataset),) or out.dtype != bool:
            raise DataError(f"the filter {one.name} must return a bool for each of {len(dataset)} items")
        if out.all():
            raise DataError(f"--filter {one.text} would leave out every one of {counted(len(out), 'item')}")
        unknown = int((dataset.items[one.column].isna() & ~out).sum()) if one.column else 0
        known = int((~out).sum()) - unknown if one.column else None
        dataset = dataset.take(np.flatnonzero(~out), f"cleaned by {one.text}: {reason}")
        row = {"name": one.name, "value": one.text.partition("=")[2], "reason": reason, "column": one.column}
        row |= {"removed": int(out.sum()), "unknown": unknown, "known": known}
        report.append(row | {"before": before, "after": group_counts(dataset.age_range, age_groups)})
    return dataset, report


def _require(one, dataset):
    """Refuse a filter that has nothing to go by."""
    if one.needs_images and not dataset.has_images:
        raise DataError(f"--filter {one.text} needs the images, and these were not opened")
    if one.column and (one.column not in dataset.items or dataset.items[one.column].isna().all()):
        raise DataError(f"--filter {one.text} goes by the column {one.column}, which no item of {dataset.name} has")


def report_lines(report: list[dict]) -> Iterator[str]:
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


def warnings(row: dict) -> Iterator[str]:
    """A sentence where a filter of the report left nothing that says what it goes by."""
    if row["known"] == 0:
        what = row["column"].replace("_", " ")
        stay = counted(row["unknown"], "item that stays does", "items that stay do")
        yield f"warning: {row['name']} removed every item of known {what}; the {stay} not say it"


def _share(count, n):
    return f"{count:>7,} {100 * count / n:>5.1f} %"
