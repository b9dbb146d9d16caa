"""What protocols derive from."""

from abc import ABC, abstractmethod

from ...data.dataset import Dataset
from ..split import Split


class Protocol(ABC):
    """The way in which results on a dataset are published; the first line of the docstring describes it.

    The header of every table says the protocol's name, since numbers by two protocols are not comparable.
    """

    @abstractmethod
    def apply(self, dataset: Dataset, seed: int = 0, n_folds: int = 5) -> tuple[Split, Dataset]:
        """Split a dataset.

        Parameters
        ----------
        dataset : Dataset
        seed, n_folds : int
            of what the protocol leaves open

        Returns
        -------
        Split
        Dataset
            the items that take part; the others it lists as excluded

        Raises
        ------
        DataError
            The dataset cannot be split so.
        """
