"""What filters derive from, and reading their values."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..dataset import Dataset


class Filter(ABC):
    """Leaves items out of a dataset before anything is fitted, by labels and images, never by predictions.

    The first line of the docstring describes it.

    Parameters
    ----------
    value : object, optional
        what `parse` makes of the text behind the `=`
    text : str
        what asked for the filter, with the default filled in, such as "min-image-size=100"

    Attributes
    ----------
    example : str
        text that asks for it
    default : str or None
        text of the value where none is given; None where one must be given
    column : str
        column of the items that it goes by, "" for none: where that is missing, the item stays
    needs_images : bool
        whether the images must have been opened
    """

    example: str
    default: str | None = None
    column: str = ""
    needs_images: bool = False

    def __init__(self, value: Any = None, text: str = ""):
        self.value, self.text = value, text

    @property
    def name(self) -> str:
        """Name of the filter, as in `text`."""
        return self.text.partition("=")[0]

    @classmethod
    def parse(cls, text: str) -> Any:
        """The value that a text says.

        Raises
        ------
        ValueError
            It says none; the message names what should be there.
        """
        if text:
            raise ValueError("it takes no value")

    @abstractmethod
    def mask(
        self,
        dataset: "Dataset",
        random_state: int = 0,
        progress: Callable = lambda what: lambda done, total: None,
    ) -> np.ndarray:
        """Which items to leave out.

        Parameters
        ----------
        dataset : Dataset
        random_state : int
            seed, where it chooses by chance
        progress : callable
            given the name of what takes a while, returns a function called with (done, total)

        Returns
        -------
        (n,) bool array
            True where an item is left out
        """

    @abstractmethod
    def reason(self) -> str:
        """What the items that are left out have in common, without a colon."""


def number(text: str, what: str, low: float = 0.0, high: float = math.inf) -> float:
    """The number that a text says.

    Raises
    ------
    ValueError
        It says none, or one that is not from `low` to `high`; `what` names in the message what should be there.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"'{text}' is not {what}")
    return value


def whole_number(text: str, what: str, low: int = 0, high: float = math.inf) -> int:
    """The same for a whole number."""
    value = number(text, what, low, high)
    if value != int(value):
        raise ValueError(f"'{text}' is not {what}")
    return int(value)
