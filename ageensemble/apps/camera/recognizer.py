"""Detecting faces in frames and predicting their ages."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ...inference import ModelPredictions
from ...inference.faces import crop_template, detect_faces
from .tracker import Tracker

LEVEL = 0.9  # of the intervals


@dataclass(frozen=True)
class ShownFace:
    """A face as it is shown.

    Attributes
    ----------
    number : int
        from 1, the same as long as it is tracked
    box : tuple of 4 float
        x, y, width, height, pixels
    age : int or None
        median, years; None before the first prediction
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


class FaceRecognizer:
    """Tracks the faces in frames and their ages.

    Parameters
    ----------
    model : Model
    detector : callable
        see `faces.detector`
    live : bool
        do not let frames wait: detect faces in the newest one whenever the last detection is over, and likewise for
        the model; else every frame is detected and predicted, so that the same video gives the same ages
    """

    def __init__(self, model, detector, live):
        self._model, self._detector, self._template = model, detector, crop_template(model, detector)
        self._tracker, self._calibrated, self._faces = Tracker(), {}, []
        self._pool = ThreadPoolExecutor(2) if live else None
        self._detecting = self._predicting = None
        self._predicted = []

    def __call__(self, frame, at):
        """Take in a frame, `(h, w, 3)` uint8, red first, of so many seconds after the beginning; the faces to show."""
        if self._pool:
            self._detect_in_background(frame, at)
            self._predict_in_background()
        else:
            self._track(self._detect(frame), at)
            self._update_ages(self._faces, self._predict(self._faces))
        return self._shown(self._tracker.shown)

    def _detect_in_background(self, frame, at):
        """Take what the last detection found, if it is over, and begin another."""
        if self._detecting and not self._detecting[0].done():
            return
        if self._detecting:
            future, before = self._detecting
            self._track(future.result(), before)
        self._detecting = self._pool.submit(self._detect, frame), at

    def _predict_in_background(self):
        """Take the last predictions, if they are there, and predict the faces found since."""
        if self._predicting and not self._predicting.done():
            return
        if self._predicting:
            self._update_ages(self._predicted, self._predicting.result())
        self._predicted, self._faces = self._faces, []
        self._predicting = self._pool.submit(self._predict, self._predicted)

    def _detect(self, frame):
        return detect_faces(frame, self._detector, self._template)

    def _predict(self, faces):
        return self._model.predict([crop for _, crop, _ in faces]) if faces else None

    def _track(self, found, at):
        tracks = self._tracker.update([one.face.box for one in found])
        self._faces = [(track, one.crop, at) for track, one in zip(tracks, found, strict=True)]

    def _update_ages(self, faces, predictions):
        if predictions is not None:
            self._calibrated = predictions.calibrated
            for (track, _, at), proba in zip(faces, predictions.proba, strict=True):
                track.update_age(proba, at)

    def _shown(self, tracks):
        known = [track for track in tracks if track.proba is not None]
        ages = {}
        if known:
            predictions = ModelPredictions(np.stack([track.proba for track in known]), calibrated=self._calibrated)
            values = zip(known, predictions.median.tolist(), predictions.interval(LEVEL).tolist(), strict=True)
            ages = {track.number: (age, tuple(interval)) for track, age, interval in values}
        return [
            ShownFace(track.number, tuple(track.box.tolist()), *ages.get(track.number, (None, None)), track.frames)
            for track in tracks
        ]

    def close(self):
        """Wait for what is still at work; all faces that were ever shown, the most seen first."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        return sorted(self._shown(self._tracker.past + self._tracker.shown), key=lambda face: -face.frames)
