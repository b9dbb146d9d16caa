"""How the training images show a face: what a face in a new image is cut out like."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..._utils.io import content_key, read_json, write_json
from ...errors import DataError, DiskError

VERSION = 1  # raise it when code here comes to measure otherwise
FEWEST = 20  # faces; with fewer, or fewer than in half of the images, nothing is known
MOST_PIXELS = 1024  # a side of a template may have; images are kept at 256 at most
KEYS = {"shape", "box", "landmarks", "detector", "looked_at", "found"}


@dataclass(frozen=True, eq=False)
class Template:
    """Where the face is in the typical training image: medians over a sample.

    Attributes
    ----------
    shape : (int, int)
        height and width, pixels
    box : (4,) float array
        x, y, width, height as fractions of width and height
    landmarks : (5, 2) float array or None
        as `Face.landmarks`, as fractions; None where the detector finds none
    detector : dict
        `name` and `key` of the detector; its boxes are of its own kind
    n_images, found : int
        images in the sample, and in how many of them a face was found
    """

    shape: tuple
    box: np.ndarray
    landmarks: np.ndarray | None
    detector: dict
    n_images: int
    found: int

    def to_json(self):
        """The template as a dict for JSON."""
        points = None if self.landmarks is None else self.landmarks.tolist()
        shape, box = list(self.shape), self.box.tolist()
        counts = {"looked_at": self.n_images, "found": self.found}
        return {"shape": shape, "box": box, "landmarks": points, "detector": dict(self.detector)} | counts

    @classmethod
    def from_json(cls, content):
        """The template that `to_json` gave.

        Raises
        ------
        DataError
            It is not what `to_json` gives.
        """
        try:
            return cls._checked(content)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise DataError(f"this is no template of a face: {error}") from error

    @classmethod
    def _checked(cls, content):
        if not isinstance(content, dict) or content.keys() != KEYS:
            raise ValueError(f"it must have exactly {', '.join(sorted(KEYS))}")
        height, width = (_whole(side, 1, MOST_PIXELS) for side in content["shape"])
        box = _numbers(content["box"], (4,))
        landmarks = None if content["landmarks"] is None else _numbers(content["landmarks"], (5, 2))
        if min(box[2:]) < 0.01 or (landmarks is not None and np.ptp(landmarks, axis=0).min() < 0.01):
            raise ValueError("the face has no size")
        name, key = (str(content["detector"][part])[:100] for part in ("name", "key"))
        n_images = _whole(content["looked_at"], 1, 1 << 40)
        found = _whole(content["found"], 1, n_images)
        return cls((height, width), box, landmarks, {"name": name, "key": key}, n_images, found)


def _whole(number, least, most):
    if type(number) is not int or not least <= number <= most:
        raise ValueError(f"{str(number)[:40]!r} is no whole number from {least} to {most}")
    return number


def _numbers(content, shape):
    """Fractions, which may lie a little beyond the image, as an array of this shape."""
    numbers = np.array(content, float)
    if numbers.shape != shape or not (np.abs(numbers) <= 3).all():  # which NaN is not either
        raise ValueError(f"where the face is must be {' x '.join(map(str, shape))} numbers from -3 to 3")
    return numbers


def measure(images, rows, detector, *, cache=None, jobs=1, progress=lambda done, total: None):
    """Measure how images show a face, on a sample of them spread evenly over all.

    Parameters
    ----------
    images : ImageStore
    rows : (n,) int array
        which of them
    detector : callable
        from `detectors.detector`
    cache : pathlib.Path, optional
        where the result is kept, and found again for the same pixels and detector
    jobs : int
        threads
    progress : callable
        called with (done, total) images

    Returns
    -------
    Template or None
        None where fewer than half of the images, or fewer than `FEWEST`, show a face
    """
    rows = np.asarray(rows)
    file = cache and cache / "templates" / f"{content_key(images.pixels[rows], detector.key, VERSION)}.json"
    if file:
        try:
            known = read_json(file)["template"]
            return known and Template.from_json(known)
        except (DiskError, DataError, KeyError):  # not there, or damaged
            file.parent.mkdir(parents=True, exist_ok=True)
    result = _measured(images, _spread(rows, detector.sample), detector, jobs, progress)
    if file:
        write_json(file, {"template": result and result.to_json()})
    return result


def _spread(rows, most):
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int))]


def _measured(images, rows, detector, jobs, progress):
    largest = []
    with ThreadPoolExecutor(jobs) as pool:
        for done, faces in enumerate(pool.map(lambda row: detector(images[row]), rows), 1):
            largest.append(max(faces, key=lambda face: face.box[2] * face.box[3], default=None))
            progress(done, len(rows))
    shown = [(face, images.shape[row]) for face, row in zip(largest, rows, strict=True) if face]
    if len(shown) < max(FEWEST, len(rows) / 2):
        return None
    shapes = np.array([shape for _, shape in shown])
    size = shapes[:, ::-1]  # width, height
    boxes = np.array([face.box for face, _ in shown]) / np.tile(size, 2)
    landmarks = None
    if all(face.landmarks is not None for face, _ in shown):
        landmarks = _median(np.array([face.landmarks for face, _ in shown]) / size[:, None])
    height, width = np.median(shapes, axis=0).round().astype(int).tolist()
    named = {"name": detector.name, "key": detector.key}
    return Template((height, width), _median(boxes), landmarks, named, len(rows), len(shown))


def _median(values):
    return np.median(values, axis=0).round(5)
