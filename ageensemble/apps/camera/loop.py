"""Frame by frame: recognize, draw, show, write, until the end, a key or Ctrl-C."""

import time
from dataclasses import dataclass
from itertools import islice

from . import drawing


@dataclass(frozen=True)
class Summary:
    """What was seen in a source.

    Attributes
    ----------
    frames : int
    seconds : float
        elapsed
    faces : list of recognizer.ShownFace
        all that were tracked, the most seen first, with their last ages
    to_the_end : bool
        whether the source ended by itself
    """

    frames: int
    seconds: float
    faces: list
    to_the_end: bool


def run(source, recognizer, write=None, window=None, max_frames=None, on_progress=lambda done, total: None):
    """Recognize the faces of a source.

    Parameters
    ----------
    source : video.Source
    recognizer : FaceRecognizer
    write : callable, optional
        given each frame with what was drawn on it
    window : window.Window, optional
    max_frames : int, optional
        frames after which to end
    on_progress : callable
        called with (done, total) frames

    Returns
    -------
    Summary
    """
    total = min(filter(None, (max_frames, source.frames)), default=None)
    started, done, written, to_the_end = time.perf_counter(), 0, 0, False
    try:
        for frame in islice(source, max_frames):
            held = window.held if window else 0  # a pause is no part of what a camera saw
            at = time.perf_counter() - started - held if source.camera else done / source.rate
            drawing.faces(frame, recognizer(frame[..., ::-1].copy(), at))
            done += 1
            # A camera in the dark gives fewer frames than it says: each is kept as long as it was there
            due = int(at * source.rate) + 1 if source.camera else done
            for _ in range(written, due) if write else ():
                write(frame)
            written = due
            on_progress(done, total)
            if window and not window.show(frame):
                break
        else:
            to_the_end = done != max_frames
    except KeyboardInterrupt:
        pass
    took = time.perf_counter() - started
    return Summary(done, took, recognizer.close(), to_the_end)
