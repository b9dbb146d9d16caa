"""What was predicted as rows, for CSV, for JSON lines and for the screen."""

import csv
import json
import math
import os
from contextlib import contextmanager

import numpy as np

from .._utils.console import counted, plain
from .._utils.io import writing
from ..ages import N_AGES
from ..errors import UsageError

SHOWN = 50  # rows on the screen
COMPLAINTS = 20  # photographs that could not be read, of those that are not among them
BOX = ("x", "y", "width", "height")


class Columns:
    """What the rows say.

    Parameters
    ----------
    scheme : ages.Scheme
        of the groups that get a probability
    level : float
        of the interval
    thresholds : sequence of int
        ages t of which P(age >= t) is given
    given : iterable of str
        columns of the lists, which come first; one that is called as one of ours gets `given_` before its name
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

    def rows(self, block, answers):
        """Rows of the photographs of a block: one for each face, one of a photograph without any.

        Parameters
        ----------
        block : list of pipeline.Looked
        answers : ModelPredictions
            a row for each thing seen in them

        Returns
        -------
        list of dict
            the values of `names`, None where there is none; `remarks` is a list
        """
        said = self._said(answers)
        result = []
        for looked in block:
            first = dict.fromkeys(self.names) | {self.given[name]: text for name, text in looked.photo.given.items()}
            first |= {"file": looked.photo.name, "remarks": [], "problem": looked.problem}
            if not looked.seen:
                result.append(first | {"remarks": [] if looked.problem else ["no face found"]})
            for number, seen in enumerate(looked.seen, 1):
                about = {"face": number if looked.faces else None, "remarks": seen.remarks} | _where(seen.face)
                result.append(first | dict(zip(self.ages, next(said), strict=True)) | about)
        return result

    def _said(self, answers):
        """The values of `ages`, row by row, as Python's numbers."""
        over = [answers.at_least(age).astype(float).round(6).tolist() for age in self.thresholds]
        age_groups = self.age_groups.sums(answers.proba)[1].round(6).T.tolist()
        columns = [answers.median.tolist(), *answers.interval(self.level).T.tolist(), *over, *age_groups]
        return iter(zip(*columns, strict=True))


def _where(face):
    if face is None:
        return {}
    box = dict(zip(BOX, (round(side) for side in face.box), strict=True))
    return box | {"score": None if math.isnan(face.score) else round(face.score, 4)}


# --- files -------------------------------------------------------------------------------------------------------


def refuse(option, file, model, inputs):
    """See, before anything is done, that a file can be written and nothing is lost by that.

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
        It cannot, or it is one of the inputs.
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
    """What tells a file from all others, whatever it is called; None where there is none."""
    try:
        state = os.stat(file)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino


@contextmanager
def csv_file(file, names):
    """A CSV file that is there when all rows are; yields what writes some rows."""
    with writing(file) as new, open(new, "w", encoding="utf-8", errors="surrogateescape", newline="") as out:
        table = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        yield lambda rows: table.writerows(row | {"remarks": "; ".join(row["remarks"])} for row in rows)


@contextmanager
def jsonl_file(file):
    """A file of JSON lines that is there when all rows are; yields what writes some rows."""
    with writing(file) as new, open(new, "w", encoding="ascii") as out:
        yield lambda rows: out.writelines(json.dumps(row) + "\n" for row in rows)


# --- the screen --------------------------------------------------------------------------------------------------


class Screen:
    """The first rows, and what all amount to.

    Parameters
    ----------
    columns : Columns
    """

    def __init__(self, columns):
        self._columns, self._rows, self._complaints = columns, [], []
        self.photographs = self.faces = self.without = self.unreadable = self._more = 0

    def add(self, block, rows):
        """Count the photographs of a block, and keep the first of their rows."""
        self.photographs += len(block)
        self.faces += sum(looked.faces for looked in block)
        self.unreadable += sum(bool(looked.problem) for looked in block)
        self.without += sum(not looked.faces and not looked.problem for looked in block)
        room = SHOWN - len(self._rows)
        self._rows += rows[:room]
        self._more += len(rows[room:])
        bad = [row for row in rows[room:] if row["problem"]]
        self._complaints += bad[: COMPLAINTS - len(self._complaints)]

    def show(self, console):
        """Print the table, and what could not be read of the rows that it does not show."""
        from rich.text import Text

        table = self._table()
        for row in self._rows:
            table.add_row(*(Text(plain(cell)) for cell in self._cells(row)))
        console.out.print(table)
        if self._more:
            console.say(f"and {counted(self._more, 'more row')}; --csv FILE or --jsonl FILE holds all")
        if any(self._apart(row) for row in self._rows):
            console.say("an age is the median of what is likely: it need not lie in the likeliest group")
        for row in self._complaints:
            console.say(f"{row['file']}: {row['problem']}")

    def summary(self):
        """All in one line."""
        parts = [f"{counted(self.photographs, 'photograph')}, {counted(self.faces, 'face')}"]
        parts += [f"{self.without:,} without a face"] if self.without else []
        return "; ".join(parts + ([f"{self.unreadable:,} could not be read"] if self.unreadable else []))

    def _table(self):
        from rich.box import SIMPLE
        from rich.table import Table

        table = Table(box=SIMPLE)
        table.add_column("file", overflow="fold")
        level = f"{100 * self._columns.level:g} %"
        for name in ("face", "age", level, *(f">={age}" for age in self._columns.thresholds)):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("likeliest group", no_wrap=True)
        table.add_column("remarks", overflow="fold")
        return table

    def _cells(self, row):
        remarks = "; ".join(filter(None, [row["problem"], *row["remarks"]]))
        if row["age"] is None:
            return [row["file"], *[""] * (4 + len(self._columns.over)), remarks]
        number = "" if row["face"] is None else str(row["face"])
        likely = self._likeliest(row).removeprefix("group_")
        over = [f"{row[name]:.0%}" for name in self._columns.over]
        return [row["file"], number, str(row["age"]), f"{row['low']}-{row['high']}", *over, likely, remarks]

    def _likeliest(self, row):
        return max(self._columns.group_columns, key=row.get)

    def _apart(self, row):
        """Whether an age lies in another group than the likeliest."""
        if row["age"] is None:
            return False
        group = self._columns.age_groups.lookup[row["age"]]  # -1 is the last, which is what lies in none
        return self._columns.group_columns[group] != self._likeliest(row)
