"""What people see while they wait: plain lines and progress bars, on the error stream."""

import json
import math
import os
import re
import sys
import time
from contextlib import contextmanager

PAUSE = 30  # seconds between the lines of a bar in a log


class Console:
    """Lines and progress on the error stream, so that the output stream holds results alone.

    Parameters
    ----------
    verbose : bool
        also show details, such as the tracebacks of failed fold fits
    """

    def __init__(self, verbose=False):
        from rich.console import Console as Rich

        self.verbose = verbose
        self.err = Rich(stderr=True, highlight=False)
        self.out = Rich(highlight=False)
        if not self.out.is_terminal and "COLUMNS" not in os.environ:
            self.out = Rich(highlight=False, width=130)  # a file has no width; keep rows whole

    def say(self, text):
        """One line."""
        self.err.print(plain(text), markup=False, soft_wrap=True)

    def detail(self, text):
        """One line, with `--verbose` only."""
        if self.verbose:
            self.err.print(plain(text), markup=False, style="dim", soft_wrap=True)

    def show(self, *tables):
        """Print `render.Table`s with their notes, as wide as the terminal."""
        for table in tables:
            self.out.print(table.rich(self.out.width))

    @contextmanager
    def progress(self, unit="images"):
        """A group of bars; yields `bar(name)`, which returns a `Bar`."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.table import Column

        def cut(most):
            return Column(no_wrap=True, overflow="ellipsis", max_width=most)

        columns = [TextColumn("{task.description}", markup=False, table_column=cut(self.room))]
        columns += [BarColumn(5 if self.narrow else 10), TextColumn("{task.fields[count]}", table_column=cut(None))]
        columns += [TextColumn("{task.fields[note]}", markup=False, table_column=cut(24 if self.narrow else 38))]
        columns += [TimeElapsedColumn(), TimeRemainingColumn()]
        with Progress(*columns, console=self.err) as progress:
            yield lambda name: Bar(progress, name, unit, self.say)

    @property
    def narrow(self):
        """Whether words must be spared."""
        return self.err.width < 100

    @property
    def room(self):
        """Characters for the name of a bar: what the rest of its line leaves."""
        return max(12, self.err.width - (58 if self.narrow else 77))

    def shortened(self, name, end):
        """A name and its end, such as the fold, the name cut where there is no room."""
        end, room = f" {end}", self.room
        name = plain(name)
        return (name if len(name + end) <= room else name[: room - len(end) - 1] + "\N{HORIZONTAL ELLIPSIS}") + end


class Bar:
    """A progress bar, shown from its first call on; in a log, a line now and then."""

    def __init__(self, progress, name, unit, say):
        self._progress, self._name, self._unit, self._task = progress, plain(name), unit, None
        self._say, self._said = say, time.monotonic()

    def __call__(self, done, total, note="", count=None):
        """Show progress; with a `count` of its own the caller decides what to `note`."""
        shown = {"completed": done, "total": total, "note": plain(note)}
        shown["count"] = count or f"{done:,.0f}/{total:,.0f} {self._unit}"
        if self._task is None:
            self._task = self._progress.add_task(self._name, **shown)
        self._progress.update(self._task, **shown)
        if count is None:
            self.note(f"{self._name}: {shown['count']} {shown['note']}".rstrip())

    def note(self, text):
        """One line where there is no terminal to show the bar, unless there was one less than `PAUSE` ago."""
        now = time.monotonic()
        if not self._progress.console.is_terminal and now - self._said >= PAUSE:
            self._said = now
            self._say(text)

    def end(self):
        """Take the bar away."""
        if self._task is not None:
            self._progress.remove_task(self._task)


def counted(number, what, several=""):
    """A number with its noun: `1 row`, `1,000 rows`; `several` where that is no matter of an s."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def plain(text):
    """Text without control characters and bidirectional overrides: a file's name must not steer a terminal."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "?", str(text))


def as_json(content):
    """JSON text for standard output, in plain ASCII; what is not a number is null."""
    return json.dumps(_without_nan(content), indent=1)


def _without_nan(content):
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def fail(error, code):
    """Print one line to the error stream and leave with an exit code."""
    line = " ".join(str(error).split()) or type(error).__name__
    print(f"error: {plain(line)}", file=sys.stderr)
    raise SystemExit(code)
