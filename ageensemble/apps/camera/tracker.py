"""Which face is which from frame to frame, and what is known of its age by now."""

import math

import numpy as np

from ...data.faces.face import overlap

SAME = 0.25  # share by which boxes must overlap to be one face
SURE = 3  # looks on end in which a face must be found before it is shown; false alarms seldom are
GONE = 6  # looks in which a face may be missed before it is given up
STEADY = 0.5  # share of the box that was known, against trembling
MEMORY = 1.5  # seconds after which an answer weighs a third of what it did


class Track:
    """A face that is followed.

    Attributes
    ----------
    number : int
        from 1
    box : (4,) float array
        x, y, width, height in pixels, smoothed
    seen, missed : int
        looks in which it was found, and how many since
    sure : bool
        whether it is shown: found often enough, or there from the beginning
    distribution : (A,) float array or None
        age, the mean of what was predicted, the weights falling with time; None before the first answer
    """

    def __init__(self, number, box, sure):
        self.number, self.box, self.sure = number, np.array(box, float), sure
        self.seen, self.missed, self._running = 1, 0, 1
        self.distribution, self._answers, self._at = None, 0, 0.0

    def found(self, box):
        """It was found again."""
        self.box = STEADY * self.box + (1 - STEADY) * np.array(box)
        self._running = 1 if self.missed else self._running + 1
        self.seen, self.missed, self.sure = self.seen + 1, 0, self.sure or self._running >= SURE

    def said(self, distribution, at):
        """The model predicted this, `(A,)`, from the frame at so many seconds."""
        self._answers += 1
        share = max(1 / self._answers, 1 - math.exp(-(at - self._at) / MEMORY))
        before = 0 if self.distribution is None else self.distribution
        self.distribution, self._at = before + share * (distribution - before), at


class Tracks:
    """All faces that are followed.

    Attributes
    ----------
    now : list of Track
    past : list of Track
        those that were shown and are gone
    """

    def __init__(self):
        self.now, self.past, self._count, self._looks = [], [], 0, 0

    def see(self, boxes):
        """Take in the boxes found in a frame; the track of each.

        Box and track that overlap most are one face, then the next of those left over, and so on.
        """
        pairs = [(overlap(track.box, box), t, b) for t, track in enumerate(self.now) for b, box in enumerate(boxes)]
        known = {}
        for share, t, b in sorted(pairs, key=lambda pair: -pair[0]):
            if share >= SAME and t not in known.values() and b not in known:
                known[b] = t
        for t, track in enumerate(self.now):
            track.missed += t not in known.values()
        result = []
        for b, box in enumerate(boxes):
            if b in known:
                self.now[known[b]].found(box)
            result.append(self.now[known[b]] if b in known else self._new(box))
        self._looks += 1
        gone = [track for track in self.now if track.missed > GONE]
        self.past += [track for track in gone if track.sure]
        self.now = [track for track in self.now if track not in gone] + [t for t in result if t not in self.now]
        return result

    def _new(self, box):
        self._count += 1
        return Track(self._count, box, sure=self._looks == 0)

    @property
    def shown(self):
        """Those that are shown."""
        return [track for track in self.now if track.sure]
