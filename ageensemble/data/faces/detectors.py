"""Which detector finds the faces: by name, by file, or the best at hand."""

import importlib.util
from pathlib import Path

from ..._utils.io import file_hash, locked
from ...errors import AgeEnsembleError, UsageError
from .download import fetch
from .haar_lbp_cascade import Cascade
from .yunet import YuNet, opencv

NAMES = ("auto", "yunet", "cascade")
FILE = "face_detection_yunet_2023mar.onnx"  # 232,589 bytes
ADDRESS = f"https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/face_detection_yunet/{FILE}"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
MOST_BYTES = 1_000_000
INSTEAD = "--detector FILE takes YuNet's .onnx file from your disk, --detector cascade does without"


def detector(which="auto", *, cache, say=lambda text: None, progress=lambda done, total: None):
    """A way to find faces.

    Parameters
    ----------
    which : str or path
        "yunet" fetches YuNet's file once from OpenCV's model zoo and keeps it in the cache; a path is that of YuNet's
        file; "cascade" is what comes with scikit-image; "auto" takes YuNet where OpenCV is installed and the file was
        fetched before, else the cascade, and never uses the network
    cache : pathlib.Path
        folder of the cache
    say : callable
        given one line on what "auto" has become
    progress : callable
        called with (done, total) bytes of what is fetched

    Returns
    -------
    YuNet or Cascade
        Called with an image, `(h, w, 3)` uint8 RGB, upright, of any size, it returns a list of `Face`, best first. Its
        `name` is for people, its `key` for machines: where keys are equal, what is found is too.

    Raises
    ------
    UsageError
        There is no such detector, or OpenCV is missing.
    DataError
        The file is no YuNet, or could not be fetched.
    """
    cache, which = Path(cache), str(which)
    if which == "auto":
        return _at_hand(cache, say)
    if which == "cascade":
        return Cascade()
    if which == "yunet":
        opencv()  # before anything is fetched that could not be used
        return YuNet(_fetched(cache, progress))
    if not Path(which).exists():
        names = ", ".join(NAMES)
        raise UsageError(f"no detector and no file called '{which}'; known: {names}, or YuNet's .onnx file by its path")
    return YuNet(which)


def _at_hand(cache, say):
    if importlib.util.find_spec("cv2") and _sound(cache / "detectors" / FILE):
        try:
            found = YuNet(cache / "detectors" / FILE)
            say("faces are found by YuNet")
            return found
        except AgeEnsembleError:  # OpenCV is there, but broken or too old
            pass
    say("faces are found by scikit-image's cascade; --detector yunet fetches the better YuNet, once (0.2 MB)")
    return Cascade()


def _fetched(cache, progress):
    """YuNet's file in the cache, fetched now unless it is there."""
    file = cache / "detectors" / FILE
    with locked(file.with_name("lock")):
        if not _sound(file):
            fetch(ADDRESS, file, SHA256, MOST_BYTES, progress, INSTEAD)
    return file


def _sound(file):
    try:
        return file_hash(file) == SHA256
    except OSError:
        return False
