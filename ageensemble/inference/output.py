"""Predictions as rows, for CSV, for JSON lines and for the screen."""

import csv
import json
import math
import os
from contextlib import contextmanager

import numpy as np

from .._utils.console import counted
from .._utils.io import atomic_write
from .._utils.render import Column, Table
from ..ages import N_AGES
from ..errors import UsageError

SHOWN = 50  # rows on the screen
COMPLAINTS = 20  # images that could not be read, of those that are not among them
BOX = ("x", "y", "width", "height")


class Columns:
    """The columns of the rows.

    Parameters
    ----------
    age_groups : AgeGroups
        each gets a probability
    level : float
        of the interval
    thresholds : sequence of int
        ages t of which P(age >= t) is given
    given : iterable of str
        columns of the lists, which come first; one with the name of one of ours gets the prefix `given_`
    """

    def __init__(self, age_groups, level, thresholds, given=()):
        self.age_groups, self.level, self.thresholds = age_groups, level, list(dict.fromkeys(thresholds))
        self.over = [f"at_least_{age}" for age in self.thresholds]
        labels, _ = age_groups.sums(np.zeros((0, N_AGES)))
        self.group_columns = [f"group_{label}" for label in labels]
        self.ages = ["age", "low", "high", *self.over, *self.group_columns]
        ours = ["file", "face", *self.ages, *BOX, "score", "remarks", "problem"]
        self.given = {name: f"given_{name}" if name in ours else str(name) for name in given}
        self.names = [*self.given.values(), *ours]

    def chosen(self, text):
        """Some of the names, `id,age`, in that order.

        Raises
        ------
        UsageError
            One of them is no column.
        """
        wanted = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in wanted if name not in self.names]
        if unknown or not wanted:
            raise UsageError(f"--columns: no column '{(unknown or [text])[0]}'; there are: {', '.join(self.names)}")
        return wanted

    def rows(self, block, predictions):
        """Rows of a block of images: one for each face, one for an image without any.

        Parameters
        ----------
        block : list of pipeline.ImageResult
        predictions : ModelPredictions
            a row for each face in them

        Returns
        -------
        list of dict
            the values of `names`, None where there is none; `remarks` is a list
        """
        values, rows = self._values(predictions), []
        for result in block:
            first = dict.fromkeys(self.names) | {self.given[name]: text for name, text in result.image.given.items()}
            first |= {"file": result.image.name, "remarks": [], "problem": result.problem}
            if not result.faces:
                rows.append(first | {"remarks": [] if result.problem else ["no face found"]})
            for number, one in enumerate(result.faces, 1):
                own = {"face": number if result.n_faces else None, "remarks": one.remarks} | _where(one.face)
                rows.append(first | dict(zip(self.ages, next(values), strict=True)) | own)
        return rows

    def _values(self, predictions):
        """The values of `ages`, row by row, as Python's numbers."""
        over = [predictions.at_least(age).astype(float).round(6).tolist() for age in self.thresholds]
        age_groups = self.age_groups.sums(predictions.proba)[1].round(6).T.tolist()
        columns = [predictions.median.tolist(), *predictions.interval(self.level).T.tolist(), *over, *age_groups]
        return iter(zip(*columns, strict=True))


def _where(face):
    if face is None:
        return {}
    box = dict(zip(BOX, (round(side) for side in face.box), strict=True))
    return box | {"score": None if math.isnan(face.score) else round(face.score, 4)}


# --- files -------------------------------------------------------------------------------------------------------


def refuse(option, file, model, inputs):
    """Refuse, before anything is done, a file that cannot be written or would replace what is read.

    Parameters
    ----------
    option : str
        that named it
    file : path
    model : path
        the model folder
    inputs : callable
        returns what is read: a set of `identity`

    Raises
    ------
    UsageError
        It cannot be written, or it is one of the inputs.
    """
    folder = os.path.dirname(os.path.abspath(file))
    if not os.path.isdir(folder):
        raise UsageError(f"{option} {file}: there is no folder {folder}")
    if os.path.realpath(file).startswith(os.path.realpath(model) + os.sep):
        raise UsageError(f"{option} {file} lies in the model folder; give another place")
    if os.path.lexists(file):
        if not os.path.isfile(file):
            raise UsageError(f"{option} {file} is not a file that could be replaced")
        if identity(file) in inputs():
            raise UsageError(f"{option} {file} is one of the files to be read; give another name")


def identity(file):
    """Device and inode of a file, the same whatever it is called; None where there is no file."""
    try:
        state = os.stat(file)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino


@contextmanager
def csv_file(file, names):
    """A CSV file that is there when all rows are; yields what writes some rows."""
    with atomic_write(file) as new, open(new, "w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        table = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        yield lambda rows: table.writerows(row | {"remarks": "; ".join(row["remarks"])} for row in rows)


@contextmanager
def jsonl_file(file):
    """A file of JSON lines that is there when all rows are; yields what writes some rows."""
    with atomic_write(file) as new, open(new, "w", encoding="ascii") as out:
        yield lambda rows: out.writelines(json.dumps(row) + "\n" for row in rows)


# --- the screen --------------------------------------------------------------------------------------------------


class Screen:
    """The first rows, and a summary of all.

    Parameters
    ----------
    columns : Columns
    """

    def __init__(self, columns):
        self._columns, self._rows, self._complaints = columns, [], []
        self.images = self.faces = self.without = self.unreadable = self._more = 0

    def add(self, block, rows):
        """Count the images of a block, and keep the first of their rows."""
        self.images += len(block)
        self.faces += sum(result.n_faces for result in block)
        self.unreadable += sum(bool(result.problem) for result in block)
        self.without += sum(not result.n_faces and not result.problem for result in block)
        room = SHOWN - len(self._rows)
        self._rows += rows[:room]
        self._more += len(rows[room:])
        bad = [row for row in rows[room:] if row["problem"]]
        self._complaints += bad[: COMPLAINTS - len(self._complaints)]

    def show(self, console):
        """Print the table, and what could not be read of the rows that it does not show."""
        console.out.print(self._table().rich())
        if self._more:
            console.say(f"and {counted(self._more, 'more row')}; --csv FILE or --jsonl FILE holds all")
        if any(self._apart(row) for row in self._rows):
            console.say("Age is the median of the predicted distribution and may fall outside the most likely group.")
        for row in self._complaints:
            console.say(f"{row['file']}: {row['problem']}")

    def summary(self):
        """All in one line."""
        parts = [f"{counted(self.images, 'image')}, {counted(self.faces, 'face')}"]
        parts += [f"{self.without:,} without a face"] if self.without else []
        return "; ".join(parts + ([f"{self.unreadable:,} could not be read"] if self.unreadable else []))

    def _table(self):
        level = f"{100 * self._columns.level:g} %"
        thresholds = [f">={age}" for age in self._columns.thresholds]
        columns = [Column("file"), *(Column(name, right=True) for name in ("face", "age", level, *thresholds))]
        columns += [Column("most likely group"), Column("remarks")]
        keys = [column.key for column in columns]
        return Table(columns, [dict(zip(keys, self._cells(row), strict=True)) for row in self._rows])

    def _cells(self, row):
        remarks = "; ".join(filter(None, [row["problem"], *row["remarks"]]))
        if row["age"] is None:
            return [row["file"], *[""] * (4 + len(self._columns.over)), remarks]
        group = self._most_likely(row).removeprefix("group_")
        over = [f"{row[name]:.0%}" for name in self._columns.over]
        return [row["file"], row["face"], row["age"], f"{row['low']}-{row['high']}", *over, group, remarks]

    def _most_likely(self, row):
        return max(self._columns.group_columns, key=row.get)

    def _apart(self, row):
        """Whether an age lies in another group than the most likely one."""
        if row["age"] is None:
            return False
        group = self._columns.age_groups.lookup[row["age"]]  # -1 is the last, which is what lies in none
        return self._columns.group_columns[group] != self._most_likely(row)
