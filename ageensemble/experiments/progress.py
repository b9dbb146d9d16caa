"""What is said while a benchmark works, where no console is given: by `logging`, and to a callback."""

import logging
from contextlib import contextmanager

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
