"""Finding faces in frames and asking the model for their ages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...inference import ModelPredictions
from ...inference.faces import look, template_of
from .tracker import Tracks

LEVEL = 0.9  # of the intervals


@dataclass(frozen=True)
class Shown:
    """A face as it is shown.

    Attributes
    ----------
    number : int
        from 1, the same as long as it is followed
    box : tuple of 4 float
        x, y, width, height, pixels
    age : int or None
        median, years; None before the first answer
    interval : tuple of 2 int or None
        years, of 90 %
    frames : int
        in which it was found
    """

    number: int
    box: tuple
    age: int | None
    interval: tuple | None
    frames: int


class Watcher:
    """Follows the faces in frames.

    Parameters
    ----------
    model : saved.Model
    detector : callable
        see `faces.detector`
    live : bool
        do not let frames wait: look for faces in the newest one whenever the last look is over, and likewise ask the
        model; else every frame is looked at and waits for its answer, so that the same video gives the same ages
    """

    def __init__(self, model, detector, live):
        self._model, self._detector, self._template = model, detector, template_of(model, detector)
        self._tracks, self._calibrated, self._faces = Tracks(), {}, []
        self._pool = ThreadPoolExecutor(2) if live else None
        self._looking = self._asking = None
        self._asked = []

    def __call__(self, frame, at):
        """Take in a frame, `(h, w, 3)` uint8, red first, of so many seconds after the beginning; the faces to show."""
        if self._pool:
            self._look_beside(frame, at)
            self._ask_beside()
        else:
            self._seen(self._look(frame), at)
            self._heard(self._faces, self._ask(self._faces))
        return self._as_shown(self._tracks.shown)

    def _look_beside(self, frame, at):
        """Take what the last look found, if it is over, and begin another."""
        if self._looking and not self._looking[0].done():
            return
        if self._looking:
            future, before = self._looking
            self._seen(future.result(), before)
        self._looking = self._pool.submit(self._look, frame), at

    def _ask_beside(self):
        """Take the last answer, if it is there, and ask for the faces seen since."""
        if self._asking and not self._asking.done():
            return
        if self._asking:
            self._heard(self._asked, self._asking.result())
        self._asked, self._faces = self._faces, []
        self._asking = self._pool.submit(self._ask, self._asked)

    def _look(self, frame):
        return look(frame, self._detector, self._template)

    def _ask(self, faces):
        return self._model.predict([crop for _, crop, _ in faces]) if faces else None

    def _seen(self, found, at):
        tracks = self._tracks.see([one.face.box for one in found])
        self._faces = [(track, one.crop, at) for track, one in zip(tracks, found, strict=True)]

    def _heard(self, faces, said):
        if said is not None:
            self._calibrated = said.calibrated
            for (track, _, at), distribution in zip(faces, said.proba, strict=True):
                track.said(distribution, at)

    def _as_shown(self, tracks):
        known = [track for track in tracks if track.distribution is not None]
        ages = {}
        if known:
            rows = ModelPredictions(np.stack([track.distribution for track in known]), calibrated=self._calibrated)
            values = zip(known, rows.median.tolist(), rows.interval(LEVEL).tolist(), strict=True)
            ages = {track.number: (age, tuple(interval)) for track, age, interval in values}
        return [
            Shown(track.number, tuple(track.box.tolist()), *ages.get(track.number, (None, None)), track.seen)
            for track in tracks
        ]

    def close(self):
        """Wait for what is still at work; all faces that were ever shown, the most seen first."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        return sorted(self._as_shown(self._tracks.past + self._tracks.shown), key=lambda face: -face.frames)
