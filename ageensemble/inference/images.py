"""Pictures of faces, from wherever, as models are handed them: upright RGB, at most `LONG_SIDE` pixels a side."""

import numpy as np

from .._utils.io import key_of
from ..data.image_array import InMemoryImages, resized, side
from ..features.base import BATCH


class Pictures:
    """What models are handed: the faces, preprocessed, at each size, and as features, made once for all that ask.

    Parameters
    ----------
    crops : list of (h, w, 3) uint8 array
    clock : machine.Clock
        told how long features take
    """

    def __init__(self, crops, clock):
        self.crops, self.clock, self._squares, self._features = crops, clock, {}, {}

    def __len__(self):
        return len(self.crops)

    def squares(self, size, preprocess):
        """`(n, size, size, 3)` uint8."""
        if (size, preprocess) not in self._squares:
            self._squares[size, preprocess] = resized(self.crops, range(len(self)), size, preprocess)
        return self._squares[size, preprocess]

    def features(self, extractor, preprocess, device, pool):
        """Rows of a feature set, `(n, d)` float32, from batches as large as in training."""
        key = key_of(extractor.name, extractor.get_params(), preprocess)
        if key not in self._features:
            squares = self.squares(extractor.size, preprocess)
            batches = [squares[start : start + BATCH] for start in range(0, len(squares), BATCH)]
            rows = pool.map(lambda batch: self._extracted(extractor, batch, device), batches)
            self._features[key] = np.concatenate(list(rows))
        return self._features[key]

    def _extracted(self, extractor, batch, device):
        with self.clock(f"{extractor.name} features"):
            return extractor.extract_array(batch, device)

    def photographs(self, size, preprocess):
        """What a model that looks at photographs is handed, at its `size`, in place of `pixels.Photographs`."""
        return InMemoryImages(self.squares(side(size), preprocess) if side(size) else self.crops)
