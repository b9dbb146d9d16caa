"""What people see while they wait: plain lines and progress bars, on the error stream."""

import json
import math
import os
import re
import sys
from contextlib import contextmanager


class Console:
    """Lines and progress on the error stream, so that the output stream holds results alone.

    Parameters
    ----------
    verbose : bool
        also show details, such as the tracebacks of failed cells
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
