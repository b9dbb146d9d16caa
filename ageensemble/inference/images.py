"""Faces as models take them, resized and as features, each made once for all members of an ensemble."""

import numpy as np

from .._utils.io import content_key
from ..data.image_array import InMemoryImages, resized, side
from ..features.base import BATCH


class FaceBatch:
    """Cropped faces, with their resized images and features cached.

    Parameters
    ----------
    crops : list of (h, w, 3) uint8 array
    timer : Clock
        records how long features take
    """

    def __init__(self, crops, timer):
        self.crops, self.timer, self._resized, self._features = crops, timer, {}, {}

    def __len__(self):
        return len(self.crops)

    def resized(self, size, preprocess) -> np.ndarray:
        """`(n, size, size, 3)` uint8."""
        if (size, preprocess) not in self._resized:
            self._resized[size, preprocess] = resized(self.crops, range(len(self)), size, preprocess)
        return self._resized[size, preprocess]

    def images(self, size, preprocess) -> InMemoryImages:
        """Images for a network: resized, or as they are where `size` is "native"."""
        return InMemoryImages(self.resized(side(size), preprocess) if side(size) else self.crops)

    def features(self, extractor, preprocess, device, pool) -> np.ndarray:
        """Features `(n, d)` float32, from batches as large as in training, which the pool shares."""
        key = content_key(extractor.name, extractor.get_params(), preprocess)
        if key not in self._features:
            images = self.resized(extractor.size, preprocess)
            batches = [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
            rows = pool.map(lambda batch: self._extract(extractor, batch, device), batches)
            self._features[key] = np.concatenate(list(rows))
        return self._features[key]

    def _extract(self, extractor, batch, device):
        with self.timer(f"{extractor.name} features"):
            return extractor.extract_array(batch, device)
