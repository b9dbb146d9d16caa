"""Finding faces with YuNet, a small network that OpenCV runs: boxes, scores and five landmarks.

Source: W. Wu, H. Peng and S. Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20
(2023); the file is that of OpenCV's model zoo, under the MIT license.
"""

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ...errors import DataError, UsageError
from .crop import crop, placed
from .face import Face, non_max_suppression, scaled

SCORE = 0.7  # a face that the network is less sure of is none
NEAR = (128, 192)  # pixels of the longer side: faces that fill a image, which is brought between these sizes
FAR = 640  # pixels of the longer side: small faces; the network sees those of about 10 to 300 pixels
LARGE, CROWD = 2000, 1600  # a image this large is also looked at this large: it may show a crowd
LOOKS = 2  # more at each face, upright and at one size: its landmarks depend on both
VIEW = SimpleNamespace(  # a template of such a look: the eyes 40 of 160 pixels apart, the face in the middle
    shape=(160, 160),
    box=np.array([0.25, 0.2, 0.5, 0.6]),
    landmarks=np.array([(60, 62), (100, 62), (80, 85), (64, 105), (96, 105)]) / 160,
)
MOST_BYTES = 10_000_000  # of a file; YuNet's has 0.2 million
_QUIET = threading.Lock()


class YuNet:
    """A detector; called with `(h, w, 3)` uint8, upright, of any size, it returns a list of `Face`, the best first.

    May be used by several threads at once: each has a network of its own.

    Parameters
    ----------
    file : path
        YuNet's .onnx file

    Raises
    ------
    UsageError
        OpenCV is missing.
    DataError
        The file cannot be read, or is no YuNet.
    """

    name = "YuNet"
    sample = 300  # images that a template is measured on

    def __init__(self, file):
        opencv()
        self._content = _read(Path(file))
        self.key = f"yunet-3-{hashlib.sha256(self._content).hexdigest()[:16]}"  # raise the 3 when what is found changes
        self._own = threading.local()
        try:
            self._found(np.zeros((64, 64, 3), np.uint8))
        except Exception as error:  # OpenCV's parser and networks of another kind raise anything
            raise DataError(f"{file} is damaged or not the face detector YuNet") from error

    def __call__(self, image):
        """Faces in a image."""
        side = max(image.shape[:2])
        near = min(max(side, NEAR[0]), NEAR[1])
        sizes = [near] if side <= 1.5 * near else [near, min(2 * side, FAR)]
        sizes += [CROWD] if side >= LARGE else []
        found = [face for size in sizes for face in self._faces_at(image, size)]
        return [self._closer(image, face) for face in non_max_suppression(sorted(found, key=lambda face: -face.score))]

    def _faces_at(self, image, side):
        """Faces in the image at this size, in the image's own pixels."""
        picture, factors = scaled(image, side)
        rows = self._found(picture).astype(float)
        corners, sizes = rows[:, :2] / factors, rows[:, 2:4] / factors
        landmarks = rows[:, 4:14].reshape(-1, 5, 2) / factors
        parts = zip(corners.tolist(), sizes.tolist(), rows[:, 14].tolist(), landmarks, strict=True)
        return [Face((*corner, *size), min(score, 1.0), points) for corner, size, score, points in parts]

    def _closer(self, image, face):
        """The same face, its landmarks from looks at it alone, which halves how far they are off."""
        for _ in range(LOOKS):
            rows = self._found(crop(image, face, VIEW, quick=True)).astype(float)
            if not len(rows):
                break
            away = np.abs(rows[:, :2] + rows[:, 2:4] / 2 - VIEW.shape[0] / 2).sum(1)
            step, corner = placed(face, VIEW)
            there = corner + step * (rows[away.argmin(), 4:14].reshape(5, 2) @ [1, 1j])
            face = replace(face, landmarks=np.stack([there.real, there.imag], 1))
        return face

    def _found(self, picture):
        """What the network says of a picture, `(n, 15)`: box, landmarks, score."""
        if not hasattr(self._own, "net"):
            self._own.net = _network(self._content)
        self._own.net.setInputSize((picture.shape[1], picture.shape[0]))
        found = self._own.net.detect(np.ascontiguousarray(picture[:, :, ::-1]))[1]  # it wants blue first
        found = np.zeros((0, 15), np.float32) if found is None else found
        # Nothing in the network keeps its numbers finite, or near the picture; a crop takes memory by them
        return found[(np.abs(found) <= 4 * max(picture.shape)).all(1)]


def opencv():
    """OpenCV's module.

    Raises
    ------
    UsageError
        It is missing, or too old to run YuNet.
    """
    try:
        import cv2

        cv2.FaceDetectorYN  # noqa: B018
    except (ImportError, AttributeError) as error:
        text = "YuNet needs OpenCV: pip install 'ageensemble[faces]'; --detector cascade does without it"
        raise UsageError(text) from error
    return cv2


def _read(file):
    try:
        with open(file, "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from error
    if len(content) > MOST_BYTES:
        raise DataError(f"{file} is not the face detector YuNet: it has more than {MOST_BYTES:,} bytes")
    return content


def _network(content):
    with _silent() as cv2:
        nothing = np.zeros(0, np.uint8)
        return cv2.FaceDetectorYN.create("onnx", np.frombuffer(content, np.uint8), nothing, (64, 64), SCORE)


@contextmanager
def _silent():
    """OpenCV without its remarks on the error stream while it reads a network; what goes wrong is raised anyway."""
    cv2 = opencv()
    with _QUIET:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            yield cv2
        finally:
            cv2.utils.logging.setLogLevel(level)
