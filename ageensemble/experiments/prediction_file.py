"""Answers of another system, read from a table: items by id or file name, and an age, a group or a distribution each.

    file,age                    item_id,p0,p1,...,p120           path;0-2;3-5;...;81+
    photos/a.jpg,26.4           a.jpg,0.001,0.002,...            a.jpg;0,01;0,02;...

Every row finds its item or is counted as unknown, and an item without a row, or with a blank one, has no answer.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._utils.console import counted
from ..ages import MAX_AGE
from ..data.readers.table import COLUMN_NAMES, MISSING, by_name, read_table
from ..errors import DataError

PREDICTED = [
    *("prediction", "predicted", "pred", "estimate", "answer"),
    *("age_prediction", "age_predicted", "predicted_age", "age_pred", "pred_age", "estimated_age", "age_estimate"),
    *("predicted_group", "group_predicted", "pred_group", "group_pred", "predicted_age_group"),
]
PLAIN = ["age", "age_years", "years", "group", "age_group", "age_range"]  # as likely the truth where others are there
ROUNDING = 1e-3  # by which a row of probabilities may miss the sum of 1 without a word
SCALABLE = 0.1  # and by which it is no longer taken for rounding


@dataclass(frozen=True)
class ExternalPredictions:
    """What another system predicted for the items of a split.

    Attributes
    ----------
    kind : {"age", "group", "group probabilities", "distribution"}
    values : (n,) float array of years, (n, G) of groups (1 for the one named), or (n, A) of years
        in the order of the dataset; NaN where there is no answer
    metadata : dict
        column: where it was found; rows: of the file; unknown: rows of no item of this split; example: the first of
        those; scaled: rows of probabilities that did not sum to 1
    """

    kind: str
    values: np.ndarray
    metadata: dict

    @property
    def given(self):
        """Whether there is an answer, `(n,)` bool."""
        return ~np.isnan(self.values.reshape(len(self.values), -1)).any(1)


def read_predictions(file, items, age_groups) -> ExternalPredictions:
    """Read the predictions of another system for these items.

    Parameters
    ----------
    file : path
        CSV (separated by comma, semicolon or tab) or Parquet
    items : pandas.DataFrame
        with item_id and path
    age_groups : ages.AgeGroups
        whose labels the file may use

    Returns
    -------
    ExternalPredictions

    Raises
    ------
    DataError
        Not such a table; no column for the item or the answer; an item twice, or none that is known; a file name that
        several items bear; something that is no age of 0..120, no group of the scheme or no probability.
    """
    file = Path(file)
    table = _table(file)
    columns = by_name(table.columns)
    named = next((columns[name] for name in (*COLUMN_NAMES["item_id"], *COLUMN_NAMES["path"]) if name in columns), None)
    seen = ", ".join(map(str, table.columns))[:200]
    if named is None:
        raise DataError(f"{file.name} has no column for the item; call it item_id or file (columns seen: {seen})")
    if table.empty:
        raise DataError(f"{file.name} has a header but no rows")
    names = [str(name).strip() for name in table[named]]
    row = _match(names, items, file.name)
    known = np.flatnonzero(row >= 0)
    rows = _Rows(file.name, table.iloc[known], [names[i] for i in known])
    kind, used, values, scaled = _values(rows, columns, age_groups)
    result = np.full((len(items), *values.shape[1:]), np.nan)
    result[row[known]] = values
    strange = [name for name, place in zip(names, row, strict=True) if place < 0]
    metadata = {"column": used, "rows": len(table), "unknown": len(strange), "example": strange[0] if strange else ""}
    return ExternalPredictions(kind, result, metadata | {"scaled": scaled})


def _table(file):
    """The file as a table of text."""
    if file.suffix.lower() != ".parquet" and file.is_file():
        with open(file, "rb") as stream:
            start = stream.read(4096)
        if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):  # which begin UTF-16
            raise DataError(f"{file} is no table of text; a CSV or Parquet file is needed")
    return read_table(file)


# --- which item a row is of -------------------------------------------------------------------------------------


def _match(names, items, where):
    """Row of the dataset that each name stands for, `(m,)` int; -1 where none does."""
    paths = items["path"].tolist()
    exact = {name: place for column in ("path", "item_id") for place, name in enumerate(items[column])}
    same_base = defaultdict(list)
    for place, path in enumerate(paths):
        same_base[_base(path)].append(place)
    shared = Counter(_base(name) for name in set(names))
    if "" in names:
        raise DataError(f"{where}: line {names.index('') + 2} names no item ({names.count('')} such lines)")
    row = np.full(len(names), -1)
    for i, name in enumerate(names):
        if name in exact:
            row[i] = exact[name]
            continue
        found = same_base.get(_base(name), [])
        if len(found) > 1 or shared[_base(name)] > 1:  # the folders have to tell
            found = [place for place in found if _ends_alike(name, paths[place])]
        if len(found) > 1:
            raise DataError(f"{where}: '{name}' may be {paths[found[0]]} or {paths[found[1]]}; give the item_id")
        row[i] = found[0] if found else -1
    _refuse_repeats(names, row, where)
    if np.all(row < 0):
        raise DataError(
            f"{where}: not one row of its {len(names):,} is of an item of this split; "
            f"it says '{names[0]}' where the split has '{items['item_id'].iloc[0]}'"
        )
    return row


def _base(name):
    return name.replace("\\", "/").rpartition("/")[2]


def _ends_alike(one, other):
    """Whether one path is the end of the other, folder by folder."""
    one, other = ("/" + path.replace("\\", "/").removeprefix("./").lstrip("/") for path in (one, other))
    return one.endswith(other) or other.endswith(one)


def _refuse_repeats(names, row, where):
    first = {}
    for i, place in enumerate(row):
        if place >= 0 and first.setdefault(place, i) != i:
            lines = f"lines {first[place] + 2} and {i + 2}"
            raise DataError(f"{where}: '{names[i]}' is answered twice, in {lines}; leave one")


# --- what a row answers -----------------------------------------------------------------------------------------


class _Rows:
    """The rows of known items; `names` are what the file calls them, `where` is what the file is called."""

    def __init__(self, where, table, names):
        self.where, self.table, self.names = where, table, names

    def refuse(self, wrong, what):
        """An error about the first of the rows in a mask, if there is one; `what` says of a row what is wrong."""
        if wrong.any():
            first, others = int(np.argmax(wrong)), int(wrong.sum()) - 1
            more = f"; and in {counted(others, 'more row')}" if others else ""
            raise DataError(f"{self.where}: the answer for '{self.names[first]}' {what(first)}{more}")

    def texts(self, column):
        """The stripped texts of a column, empty where there is no answer."""
        stripped = (str(value).strip() for value in self.table[column])
        return np.array(["" if text.lower() in {"na", *MISSING} else text for text in stripped], dtype=object)

    def numbers(self, column, wanted):
        """A column as numbers, a decimal comma is one too; NaN where there is no answer."""
        import pandas as pd

        texts = self.texts(column)
        points = pd.Series([text.replace(",", ".") for text in texts], dtype=object)
        numbers = pd.to_numeric(points, errors="coerce").to_numpy(float)
        self.refuse(np.isnan(numbers) & (texts != ""), lambda i: f"is '{texts[i][:40]}', which is {wanted}")
        return numbers


def _values(rows, columns, age_groups):
    """Kind, where it was found, values and how many rows were scaled, of the richest answers there are."""
    bare = {re.sub(r"^p_?(?=\d)", "", name): column for name, column in columns.items()}
    years = {int(name): column for name, column in bare.items() if re.fullmatch(r"\d{1,3}", name)}
    labeled = [label for label in age_groups.labels if label in bare]
    if labeled == age_groups.labels and not all(label.isdecimal() for label in labeled):
        values, scaled = _probabilities(rows, [bare[label] for label in labeled])
        return "group probabilities", f"{labeled[0]} to {labeled[-1]}", values, scaled
    if len(years) > 1:
        first, last = _ends(years, rows.where)
        values, scaled = _probabilities(rows, [years[year] for year in range(first, last + 1)])
        beyond = (first, MAX_AGE - last)  # such as of the many systems that end at 100
        return "distribution", f"{first} to {last}", np.pad(values, ((0, 0), beyond)), scaled
    if len(labeled) > 1:
        absent = ", ".join(label for label in age_groups.labels if label not in bare)
        raise DataError(f"{rows.where} lacks columns of the groups '{age_groups.name}': {absent}")
    name = _answer_column(rows, columns)
    texts = [_spelled(text) for text in rows.texts(columns[name])]
    if "group" in name or "range" in name or any(text in age_groups.labels and not text.isdecimal() for text in texts):
        return "group", name, _chosen(rows, texts, age_groups), 0
    return "age", name, _ages(rows, columns[name], age_groups), 0


def _ends(years, where):
    """First and last year that has a column; an error where one between them has none."""
    first, last = min(years), max(years)
    if len(years) != last - first + 1 or last > MAX_AGE:
        raise DataError(
            f"{where} has columns for {len(years)} years between {first} and {last}; a distribution needs every year "
            f"from its first to its last, within 0..{MAX_AGE}"
        )
    return first, last


def _answer_column(rows, columns):
    """The one column that holds ages or groups; one that says it is predicted goes before one that may be the truth."""
    found = [name for name in PREDICTED if name in columns] or [name for name in PLAIN if name in columns]
    if not found:
        seen = ", ".join(map(str, rows.table.columns))[:200]
        raise DataError(
            f"{rows.where} has no column of answers; call it prediction, or give a distribution as p0 to p{MAX_AGE}, "
            f"or a column for each group of --age-groups (columns seen: {seen})"
        )
    if len(found) > 1:
        raise DataError(f"{rows.where}: either '{found[0]}' or '{found[1]}' may be the answer; leave out one")
    return found[0]


def _spelled(text):
    """A group as our labels spell it: `18-22` for `(18, 22)` too."""
    return re.sub(r"^\((\d+)\s*,\s*(\d+)\)$", r"\1-\2", text).replace("–", "-").replace(" ", "")


def _chosen(rows, texts, age_groups):
    """One-hot rows, `(m, G)`; NaN where there is no answer."""
    place = {label: index for index, label in enumerate(age_groups.labels)}
    place |= {f"{low}-{high}": index for index, (low, high) in enumerate(age_groups.ranges)}
    known = f"none of the groups '{age_groups.name}' ({', '.join(age_groups.labels)[:120]}); --age-groups names others"
    rows.refuse(np.array([bool(t) and t not in place for t in texts]), lambda i: f"is '{texts[i][:40]}', {known}")
    rows_of = np.vstack([np.eye(len(age_groups)), np.full(len(age_groups), np.nan)])
    return rows_of[[place[text] if text else len(age_groups) for text in texts]]


def _ages(rows, column, age_groups):
    """Years, `(m,)`; NaN where there is no answer."""
    years = rows.numbers(column, f"neither an age in years nor one of the groups '{age_groups.name}'")
    impossible = ~np.isnan(years) & ~((years >= -0.5) & (years <= MAX_AGE + 0.5))  # what is left rounds into the axis
    blank = "leave the cell empty where there is no answer"
    rows.refuse(impossible, lambda i: f"is {years[i]:g}, no age of 0 to {MAX_AGE} years; {blank}")
    return years


def _probabilities(rows, columns):
    """Rows that sum to 1, `(m, len(columns))`, NaN where there is no answer; and how many had to be scaled."""
    values = np.column_stack([rows.numbers(column, "no probability") for column in columns])
    blank = np.isnan(values)
    rows.refuse(blank.any(1) & ~blank.all(1), lambda i: f"lacks {blank[i].sum()} of its {len(columns)} probabilities")
    rows.refuse((values < -1e-6).any(1), lambda i: f"has the negative probability {np.nanmin(values[i]):g}")
    total = values.sum(1, keepdims=True)
    off = np.abs(total[:, 0] - 1)
    rows.refuse(off > SCALABLE, lambda i: f"has probabilities that sum to {total[i, 0]:.4g}, not 1")
    return np.clip(values, 0, None) / np.clip(values, 0, None).sum(1, keepdims=True), int((off > ROUNDING).sum())
