"""Frame by frame: look, draw, show, write, until the end, a key or Ctrl-C."""

import time
from dataclasses import dataclass
from itertools import islice

from . import drawing


@dataclass(frozen=True)
class Summary:
    """What was watched.

    Attributes
    ----------
    frames : int
    seconds : float
        that it took
    faces : list of watching.Shown
        all that were followed, the most seen first, with their last ages
    to_the_end : bool
        whether the source ended by itself
    """

    frames: int
    seconds: float
    faces: list
    to_the_end: bool


def run(source, watcher, write=None, window=None, most=None, told=lambda done, total: None):
    """Watch a source.

    Parameters
    ----------
    source : video.Source
    watcher : watching.Watcher
    write : callable, optional
        given each frame with what was drawn on it
    window : window.Window, optional
    most : int, optional
        frames after which to end
    told : callable
        told (done, total) frames

    Returns
    -------
    Summary
    """
    total = min(filter(None, (most, source.frames)), default=None)
    started, done, kept, to_the_end = time.perf_counter(), 0, 0, False
    try:
        for frame in islice(source, most):
            held = window.held if window else 0  # a pause is no part of what a camera saw
            at = time.perf_counter() - started - held if source.camera else done / source.rate
            drawing.faces(frame, watcher(frame[..., ::-1].copy(), at))
            done += 1
            # A camera in the dark gives fewer frames than it says: each is kept as long as it was there
            due = int(at * source.rate) + 1 if source.camera else done
            for _ in range(kept, due) if write else ():
                write(frame)
            kept = due
            told(done, total)
            if window and not window.show(frame):
                break
        else:
            to_the_end = done != most
    except KeyboardInterrupt:
        pass
    took = time.perf_counter() - started
    return Summary(done, took, watcher.close(), to_the_end)
