"""Which face is which from frame to frame, and its age by now."""

import math

import numpy as np

from ...data.faces.face import iou

MIN_OVERLAP = 0.25  # intersection over union of boxes of one face
CONFIRMED = 3  # frames in a row in which a face must be found before it is shown; false alarms seldom are
MAX_MISSED = 6  # frames in which a face may be missed before it is given up
SMOOTHING = 0.5  # share of the earlier box, against trembling
TIME_CONSTANT = 1.5  # seconds after which a prediction weighs a third of what it did


class Track:
    """A face that is tracked.

    Attributes
    ----------
    number : int
        from 1
    box : (4,) float array
        x, y, width, height in pixels, smoothed
    frames, missed : int
        frames in which it was found, and how many since
    confirmed : bool
        whether it is shown: found often enough, or there from the beginning
    proba : (121,) float array or None
        its age distribution: mean of the predictions, the weights falling with time; None before the first one
    """

    def __init__(self, number, box, confirmed):
        self.number, self.box, self.confirmed = number, np.array(box, float), confirmed
        self.frames, self.missed, self._in_a_row = 1, 0, 1
        self.proba, self._predictions, self._at = None, 0, 0.0

    def update_box(self, box):
        """It was found again."""
        self.box = SMOOTHING * self.box + (1 - SMOOTHING) * np.array(box)
        self._in_a_row = 1 if self.missed else self._in_a_row + 1
        self.frames, self.missed = self.frames + 1, 0
        self.confirmed = self.confirmed or self._in_a_row >= CONFIRMED

    def update_age(self, proba, at):
        """The model predicted this, `(121,)`, from the frame at so many seconds."""
        self._predictions += 1
        share = max(1 / self._predictions, 1 - math.exp(-(at - self._at) / TIME_CONSTANT))
        before = 0 if self.proba is None else self.proba
        self.proba, self._at = before + share * (proba - before), at


class Tracker:
    """All faces that are tracked.

    Attributes
    ----------
    now : list of Track
    past : list of Track
        those that were shown and are gone
    """

    def __init__(self):
        self.now, self.past, self._count, self._frames = [], [], 0, 0

    def update(self, boxes):
        """Take in the boxes found in a frame; the track of each.

        Box and track that overlap most are one face, then the next of those left over, and so on.
        """
        pairs = [(iou(track.box, box), t, b) for t, track in enumerate(self.now) for b, box in enumerate(boxes)]
        known = {}
        for share, t, b in sorted(pairs, key=lambda pair: -pair[0]):
            if share >= MIN_OVERLAP and t not in known.values() and b not in known:
                known[b] = t
        for t, track in enumerate(self.now):
            track.missed += t not in known.values()
        result = []
        for b, box in enumerate(boxes):
            if b in known:
                self.now[known[b]].update_box(box)
            result.append(self.now[known[b]] if b in known else self._new(box))
        self._frames += 1
        gone = [track for track in self.now if track.missed > MAX_MISSED]
        self.past += [track for track in gone if track.confirmed]
        self.now = [track for track in self.now if track not in gone] + [t for t in result if t not in self.now]
        return result

    def _new(self, box):
        self._count += 1
        return Track(self._count, box, confirmed=self._frames == 0)

    @property
    def shown(self):
        """The confirmed ones."""
        return [track for track in self.now if track.confirmed]
