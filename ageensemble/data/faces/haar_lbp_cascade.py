"""Finding faces with the cascade of local binary patterns that comes with scikit-image: nothing to fetch or install.

It finds upright faces seen from the front, gives no landmarks and misses more than YuNet, see benchmarks/crops.py. Of
60 crops of UTKFace its first box was right in 58, of 60 drawn faces in 59; without the repeated edges, which give a
tight crop the surroundings that the cascade was trained with, it found a face in 8 and 43.

Source: S. Liao and others, "Learning Multi-scale Block Local Binary Patterns for Face Recognition", ICB 2007.
"""

import numpy as np

from .face import Face, non_max_suppression, scaled

WINDOW = 24  # pixels; the cascade's own, and the smallest face it finds
NEAR, EDGE = 72, 18  # pixels of the longer side in which a large face is looked for, and repeated beyond each edge
FAR = 320  # pixels of the longer side, at most, in which smaller faces are looked for
SMALL = 256  # in a image no larger, small faces are looked for only where there is no large one


class Cascade:
    """A detector; called with `(h, w, 3)` uint8, upright, of any size, it returns a list of `Face`, the largest first.

    The cascade does not say how sure it is, so the score of its faces is NaN. May be used by several threads at once.
    """

    name = "scikit-image's cascade"
    weakness = "scikit-image's cascade finds upright faces only; --detector yunet finds more"
    key = "cascade-1"  # raise the number when what is found changes
    sample = 100  # images that a template is measured on; so many take some seconds

    def __init__(self):
        self._cascade = None

    def __call__(self, image):
        """Faces in a image."""
        found = self._faces_at(image, NEAR, EDGE, 1.1, 1.0, NEAR + 2 * EDGE)
        side = max(image.shape[:2])
        if side > SMALL or not found:
            side = min(side, FAR)
            found += self._faces_at(image, side, 0, 1.2, 1.5, side * WINDOW // NEAR)
        return non_max_suppression(sorted(found, key=lambda face: -face.box[2] * face.box[3]), most=0.2)

    def _faces_at(self, image, side, edge, growth, step, largest):
        """Faces of `WINDOW` to `largest` pixels in the image at this size."""
        picture, factors = scaled(image, side)
        picture = np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
        if min(picture.shape[:2]) <= WINDOW:
            return []
        boxes = self._loaded().detect_multi_scale(
            picture, growth, step, (WINDOW, WINDOW), (largest, largest), min_neighbor_number=2
        )
        found = [(box["c"] - edge, box["r"] - edge, box["width"], box["height"]) for box in boxes]
        found = np.array(found, float).reshape(-1, 4) / np.tile(factors, 2)
        return [Face(tuple(box), float("nan")) for box in found.tolist()]

    def _loaded(self):
        """The cascade, read when it is first needed: scikit-image takes a while to import."""
        if self._cascade is None:
            from skimage import data
            from skimage.feature import Cascade as Reader

            self._cascade = Reader(data.lbp_frontal_face_cascade_filename())
        return self._cascade
