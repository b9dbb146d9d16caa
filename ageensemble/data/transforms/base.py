"""What transforms derive from."""

from abc import ABC, abstractmethod

import numpy as np


class Transform(ABC):
    """Changes an image before models see it; the first line of the docstring describes it.

    It comes before resizing, sees one image at a time and has nothing fitted, so its results are computed once for a
    dataset and kept, and the same is done to new images.

    Attributes
    ----------
    version : int
        raised whenever the numbers change; a file of one's own needs none
    """

    version: int

    @abstractmethod
    def apply(self, image: np.ndarray) -> np.ndarray:
        """Transform one image.

        Parameters
        ----------
        image : (h, w, 3) uint8 array
            upright RGB, as stored; not to be written into

        Returns
        -------
        (h, w, 3) uint8 array
        """
