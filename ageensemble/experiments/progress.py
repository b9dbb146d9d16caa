"""What is said while a benchmark works: how far a training is, and what goes to `logging` where there is no console."""

import logging
from contextlib import contextmanager, suppress

logger = logging.getLogger("ageensemble")


class LogConsole:
    """Stands in for `Console` in notebooks and scripts: text goes to the logger "ageensemble", bars to a callback.

    Parameters
    ----------
    on_progress : callable, optional
        told what is being done, how much of it is, and of how much: (str, float, float)
    """

    verbose = narrow = False

    def __init__(self, on_progress=None):
        self._on_progress = on_progress or (lambda what, done, total: None)

    def say(self, text):
        """What people should know."""
        logger.info(text)

    def detail(self, text):
        """What they may want to know."""
        logger.debug(text)

    @contextmanager
    def progress(self, unit="photos"):
        """A group of bars, as of `Console.progress`."""
        yield lambda name: _Bar(name, self._on_progress)

    def shortened(self, name, end):
        """A name and its end."""
        return f"{name} {end}"


class _Bar:
    def __init__(self, name, on_progress):
        self._name, self._on_progress = name, on_progress

    def __call__(self, done, total, note="", count=None):
        self._on_progress(self._name, done, total)

    def note(self, text):
        logger.info(text)

    def end(self):
        pass


class TrainingProgress:
    """What is seen of a fold fit while its model trains: a bar, in a log a line for an epoch that ended, not too often.

    With `--verbose` there is one for each epoch.

    Parameters
    ----------
    bar : Bar
    name : str
        of the fold fit
    console : Console
    """

    def __init__(self, bar, name, console):
        self._bar, self._name, self._console, self._last = bar, name, console, {}

    def __call__(self, progress):
        """The model says how far it is: numbers by name, of which any may be missing."""
        if progress.get("epoch") != self._last.get("epoch"):
            self._epoch_over(progress.get("validation_mae"))
        self._last = progress
        speed = "{images_per_second:,.0f}/s" if self._console.narrow else "{images_per_second:,.0f} images/s"
        error = "MAE {validation_mae:.2f}" if self._console.narrow else "val MAE {validation_mae:.2f}"
        note = " ".join(_given(progress, speed, "loss {loss:.2f}", error))
        count = " ".join(_given(progress, "epoch {epoch:.0f}/{epochs:.0f}"))
        self._bar(progress.get("done") or 0, progress.get("total") or None, note, count or " ")

    def end(self):
        """The fold fit has ended."""
        self._epoch_over()
        self._bar.end()

    def _epoch_over(self, validation_mae=None):
        numbers = self._last | {"validation_mae": validation_mae}  # which is measured when the epoch is over
        texts = _given(numbers, "epoch {epoch:.0f}/{epochs:.0f}", "loss {loss:.4g}", "val MAE {validation_mae:.2f}")
        if texts:
            tell = self._console.detail if self._console.verbose else self._bar.note
            tell(f"{self._name}: {', '.join(texts)}")


def _given(numbers, *texts):
    """The texts with their numbers, as far as these are known."""
    known = {name: number for name, number in numbers.items() if number is not None}
    result = []
    for text in texts:
        with suppress(KeyError):
            result.append(text.format(**known))
    return result
