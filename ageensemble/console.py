"""What people see while they wait: plain lines and progress bars, on the error stream."""

import re
import sys
from contextlib import contextmanager


class Console:
    """Lines and progress on the error stream, so that the output stream holds results alone.

    Parameters
    ----------
    verbose : bool
        also show details, and tracebacks of failed cells
    """

    def __init__(self, verbose=False):
        from rich.console import Console as Rich

        self.verbose = verbose
        self.err = Rich(stderr=True, highlight=False)
        self.out = Rich(highlight=False)
        if not self.out.is_terminal and self.out.width < 130:
            self.out = Rich(highlight=False, width=130)  # a file has no width; keep rows whole

    def say(self, text):
        """One line."""
        self.err.print(plain(text), markup=False, soft_wrap=True)

    def detail(self, text):
        """One line, with `--verbose` only."""
        if self.verbose:
            self.err.print(plain(text), markup=False, style="dim", soft_wrap=True)

    @contextmanager
    def progress(self, unit="photos"):
        """A group of bars; yields `bar(name)`, which returns a callable told (done, total)."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit)]
        columns += [TextColumn("{task.fields[note]}"), TimeElapsedColumn(), TimeRemainingColumn()]
        with Progress(*columns, console=self.err) as progress:

            def bar(name):
                task = None

                def update(done, total, note=""):
                    nonlocal task
                    if task is None:
                        task = progress.add_task(plain(name), total=total, note="")
                    progress.update(task, completed=done, total=total, note=plain(note))

                return update

            yield bar


def plain(text):
    """Text without control characters: a file's name must not steer a terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "?", str(text))


def fail(error, code):
    """Print one line to the error stream and leave with an exit code."""
    lines = str(error).splitlines() or [type(error).__name__]
    print(f"error: {plain(' '.join(lines))}", file=sys.stderr)
    raise SystemExit(code)
