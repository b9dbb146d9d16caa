"""What all charts share: the figure, its title, the file."""

import textwrap

from ..._utils.console import plain
from ..._utils.io import atomic_write

INK, QUIET, WARM, COOL = "black", "gray", "crimson", "steelblue"


def figure_of(width, height, columns=1, rows=1, **more):
    """A figure of so many inches, and its axes."""
    from matplotlib.figure import Figure  # no pyplot: nothing global, no display

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return figure, figure.subplots(rows, columns, **more)


def head(axis, title, width):
    """A title on as many lines as the width, in inches, asks for; a model's name is no formula."""
    axis.set_title(wrapped(title, width), fontsize=11, parse_math=False)


def head_all(figure, title, width):
    """The same above several axes."""
    figure.suptitle(wrapped(title, width), fontsize=11, parse_math=False)


def wrapped(text, width):
    """Text in lines that so many inches hold."""
    lines = [textwrap.fill(plain(line), int(8 * width), break_on_hyphens=False) for line in text.splitlines()]
    return "\n".join(lines)


def save(figure, file):
    """Write a PNG, atomically, of the same bytes with every version of the library."""
    with atomic_write(file) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
