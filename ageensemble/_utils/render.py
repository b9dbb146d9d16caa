"""One table for every place it is shown: the terminal, Markdown, CSV, HTML, JSON.

A table is columns with formats, rows of values and notes. What a value looks like is decided once, by its column.
"""

import csv
import html
import io
import math
import re
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
    detail : callable, optional
        a second text from the row, such as an interval: below the value in a terminal, else in parentheses
    fold : int
        characters beyond which texts may be broken into lines where a terminal is narrow; 0 for never
    """

    key: str
    label: str = ""
    format: Callable[[Any], str] = _text
    right: bool = False
    unit: str = ""
    detail: Callable[[dict], str] | None = None
    fold: int = 0

    def texts(self, row: dict) -> tuple[str, str]:
        """The value of a row and its detail."""
        return self.format(row.get(self.key)), self.detail(row) if self.detail else ""

    @property
    def heading(self) -> str:
        """What stands above the column."""
        name = (self.label or self.key).strip()
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
    warnings : sequence of str
        what a reader must not miss, above the notes
    """

    columns: Sequence[Column]
    rows: Sequence[dict]
    notes: Sequence[str] = ()
    title: str = ""
    styles: dict = field(default_factory=dict)
    warnings: Sequence[str] = ()

    def cells(self) -> list[list[str]]:
        """The texts of all rows."""
        found = [[column.texts(row) for column in self.columns] for row in self.rows]
        return [[f"{text} ({detail})" if detail else text for text, detail in row] for row in found]

    def rich(self, width: int | None = None):
        """For a terminal: the table, warnings and notes; whatever is in a cell, it cannot steer the terminal.

        Parameters
        ----------
        width : int, optional
            characters; columns at the right that do not fit are left out and named
        """
        from rich import box
        from rich.console import Group
        from rich.table import Table as RichTable
        from rich.text import Text

        from .console import plain

        shown = self.columns if width is None else self._fitting(width)
        table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for column in shown:
            where = "right" if column.right else "left"
            table.add_column(Text(plain(column.heading)), justify=where, overflow="fold", no_wrap=not column.fold)
        for number, row in enumerate(self.rows):
            texts = [tuple(map(plain, column.texts(row))) for column in shown]
            cells = [Text(text + ("\n" if detail else "")).append(detail, style="dim") for text, detail in texts]
            table.add_row(*cells, style=self.styles.get(number))
        blocks = [Text(plain(self.title), style="bold")] if self.title else []
        blocks += [table, *(Text(plain(text), style="yellow") for text in self.warnings)]
        if len(shown) < len(self.columns):
            names = ", ".join(column.heading for column in self.columns[len(shown) :])
            blocks.append(Text(plain(f"Left out as the terminal is narrow: {names}."), style="dim"))
        return Group(*blocks, *(Text(plain(note), style="dim") for note in self.notes))

    def _fitting(self, width):
        """The columns that fit beside each other, the first two at least; one that folds in few characters."""
        shown = []
        for column in self.columns:
            texts = [text for row in self.rows for text in column.texts(row)]
            widest = max(map(len, [column.heading, *texts]))
            width -= (min(column.fold, widest) if column.fold else widest) + 2
            if width >= -2 or len(shown) < 2:
                shown.append(column)
            else:
                break
        return shown

    def text(self, width: int = 120) -> str:
        """As on a terminal of this width, without colors."""
        from rich.console import Console

        console = Console(file=io.StringIO(), width=width, color_system=None)
        console.print(self.rich(width))
        return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())

    def markdown(self) -> str:
        """A table of GitHub's Markdown with the notes below; bars and line ends in a cell are escaped."""
        lines = [f"**{escaped(self.title)}**", ""] if self.title else []
        lines += [_bars([column.heading for column in self.columns])]
        lines += [_bars(["---:" if column.right else "---" for column in self.columns], escape=False)]
        lines += [_bars(cells) for cells in self.cells()]
        for text in (*self.warnings, *self.notes):
            lines += ["", escaped(text)]
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
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in (*self.warnings, *self.notes))
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


def escaped(text):
    """A text as Markdown shows it literally, on one line."""
    from .console import plain

    return " ".join(re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", plain(text)).split())


def _bars(cells, escape=True):
    return "| " + " | ".join(escaped(cell) if escape else cell for cell in cells) + " |"


class ShownAsTable:
    """A result that shows itself as tables: as text where it is printed, as HTML in a notebook."""

    def _tables(self) -> list[Table]:
        table = self.table  # type: ignore[attr-defined]
        return [table() if callable(table) else table]

    def __repr__(self) -> str:
        return "\n\n".join(table.text() for table in self._tables())

    def _repr_html_(self) -> str:
        return "".join(table.html() for table in self._tables())
