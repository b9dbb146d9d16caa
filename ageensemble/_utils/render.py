"""One table for every place it is shown: the terminal, Markdown, CSV, HTML, JSON.

A table is columns with formats, rows of values and notes. What a value looks like is decided once, by its column.
"""

import csv
import html
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


def _text(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    key : str
        of the value in a row, and the heading in CSV and JSON
    label : str
        heading for people
    format : callable
        a value as text
    right : bool
        numbers stand to the right
    unit : str
        shown beside the label, such as "years"
    """

    key: str
    label: str = ""
    format: Callable[[Any], str] = _text
    right: bool = False
    unit: str = ""

    @property
    def heading(self) -> str:
        """What stands above the column."""
        name = self.label or self.key
        return f"{name}, {self.unit}" if self.unit else name


@dataclass(frozen=True)
class Table:
    """Rows of values with the columns they are shown in.

    Attributes
    ----------
    columns : sequence of Column
    rows : sequence of dict
        values by key; `csv` and `json` give them as they are, the others as text
    notes : sequence of str
        below the table
    title : str
    styles : dict of int to str
        rich style of a row, by its number, for the terminal
    """

    columns: Sequence[Column]
    rows: Sequence[dict]
    notes: Sequence[str] = ()
    title: str = ""
    styles: dict = field(default_factory=dict)

    def cells(self) -> list[list[str]]:
        """The texts of all rows."""
        return [[column.format(row.get(column.key)) for column in self.columns] for row in self.rows]

    def rich(self):
        """A `rich.table.Table`; whatever is in a cell, it cannot steer the terminal."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        from .console import plain

        table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1), title=self.title or None, title_justify="left")
        for column in self.columns:
            # Numbers stay whole; a long name goes on in the next line
            kind = {"justify": "right", "no_wrap": True} if column.right else {"overflow": "fold"}
            table.add_column(Text(column.heading), **kind)
        for number, cells in enumerate(self.cells()):
            table.add_row(*(Text(plain(cell)) for cell in cells), style=self.styles.get(number))
        return table

    def markdown(self) -> str:
        """A table of GitHub's Markdown with the notes below; bars and line ends in a cell are escaped."""
        lines = [f"**{_escaped(self.title)}**", ""] if self.title else []
        lines += [_bars([column.heading for column in self.columns])]
        lines += [_bars(["---:" if column.right else "---" for column in self.columns], escape=False)]
        lines += [_bars(cells) for cells in self.cells()]
        lines += ["", *self.notes] if self.notes else []
        return "\n".join(lines)

    def csv(self) -> str:
        """The values as they are, headings by key; a number that is not known is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([column.key for column in self.columns])
        writer.writerows([_text(row.get(column.key)) for column in self.columns] for row in self.rows)
        return out.getvalue()

    def html(self) -> str:
        """A `<table>` with every text escaped, the notes as paragraphs below."""
        head = "".join(f"<th>{html.escape(column.heading)}</th>" for column in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>" for cells in self.cells()
        )
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{notes}"

    def json(self) -> list[dict]:
        """The rows with the values of the columns, what is not a finite number as None."""
        return [{column.key: _plain_value(row.get(column.key)) for column in self.columns} for row in self.rows]

    def _repr_html_(self) -> str:
        return self.html()


def _plain_value(value):
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _escaped(text):
    return " ".join(text.replace("|", "\\|").split())


def _bars(cells, escape=True):
    return "| " + " | ".join(_escaped(cell) if escape else cell for cell in cells) + " |"
