"""A window that shows frames and takes keys."""

import os
import sys
import time

from ...errors import UsageError
from . import drawing
from .video import opencv

TITLE = "ageensemble"
QUIT, PAUSE = (ord("q"), ord("Q"), 27), ord(" ")


class Window:
    """A window on the screen.

    Parameters
    ----------
    rate : float
        frames a second, at most; 0 for as many as come

    Attributes
    ----------
    held : float
        seconds that the image was held by a pause

    Raises
    ------
    UsageError
        No window can be had here.
    """

    def __init__(self, rate=0.0):
        self._cv2, self._period, self._due = opencv(), 1 / rate if rate else 0.0, 0.0
        self._speed, self._last, self.held = 0.0, time.perf_counter(), 0.0
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise UsageError("no window: there is no screen here; --out VIDEO writes a video instead")
        try:
            kind = self._cv2.WINDOW_NORMAL | self._cv2.WINDOW_KEEPRATIO | self._cv2.WINDOW_GUI_NORMAL
            self._cv2.namedWindow(TITLE, kind)
        except self._cv2.error:
            how = "pip uninstall opencv-python-headless; pip install opencv-python"
            raise UsageError(f"no window: this OpenCV was built without ({how}); --out VIDEO does without") from None
        self._open = False

    def show(self, frame):
        """Show a frame when it is due; whether to go on. Space holds the image, q or closing the window ends."""
        if not self._open:  # as large as the frame, unless the screen is smaller
            self._cv2.resizeWindow(TITLE, *(min(a, b) for a, b in zip(frame.shape[1::-1], (1280, 720), strict=True)))
            self._open = True
        key = self._shown(frame, False, max(1, round(1000 * (self._due - time.perf_counter()))))
        began = time.perf_counter()
        while key == PAUSE:
            key = self._paused(frame)
        now = time.perf_counter()
        self.held += now - began
        self._due = max(now, self._due) + self._period
        self._speed += 0.1 * (1 / max(now - self._last, 1e-3) - self._speed)
        self._last = now
        return key not in QUIT and self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) >= 1

    def _paused(self, frame):
        """Wait for a key or the end of the window; the pause is over with another press of its key."""
        while True:
            key = self._shown(frame, True, 50)
            if key in QUIT or self._cv2.getWindowProperty(TITLE, self._cv2.WND_PROP_VISIBLE) < 1:
                return QUIT[0]
            if key == PAUSE:
                return None

    def _shown(self, frame, paused, milliseconds):
        frame = frame.copy()
        drawing.hint(frame, self._speed, paused)
        self._cv2.imshow(TITLE, frame)
        return self._cv2.waitKey(milliseconds) & 0xFF

    def close(self):
        """Close it."""
        self._cv2.destroyAllWindows()
