"""What a plot of a run is, and what it is drawn from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...ages import AgeGroups
from ...evaluation.predictions import Predictions
from ...splits.split import PART_NAMES
from .figure import save


@dataclass(frozen=True)
class PlotData:
    """What is known of a run; `None` or empty where it is not.

    Attributes
    ----------
    name : str
        what titles call the model
    age_groups : AgeGroups
    oof, test : Predictions or None
    members : sequence of dict
        of an ensemble: `model`, `weight`, and where it was measured `loss_without`
    histories : sequence of dict of str to (epochs,) float array
        of each fold fit that was trained in epochs
    level : float
        of prediction intervals
    """

    name: str
    age_groups: AgeGroups
    oof: Predictions | None = None
    test: Predictions | None = None
    members: Sequence[dict] = ()
    histories: Sequence[dict] = ()
    level: float = 0.9

    @property
    def predictions(self) -> Predictions | None:
        """Out-of-fold, else of the test part."""
        return self.test if self.oof is None else self.oof

    @property
    def title(self) -> str:
        """Of a plot of `predictions`."""
        return f"{self.name}, {'test part' if self.oof is None else 'out-of-fold'}"

    @property
    def evaluated_title(self) -> str:
        """Of a plot of the test part; where there is none, of the out-of-fold predictions."""
        return f"{self.name}, {PART_NAMES['oof' if self.test is None else 'test']}"


class Plot(ABC):
    """A plot of a run: one class in a file of its own. Every plot appears in the report of each run it applies to.

    Attributes
    ----------
    title : str
        what the plot shows, in a few words
    order : int
        place in a report, lowest first

    Examples
    --------
    >>> class Ages(Plot):
    ...     title = "predicted ages"
    ...
    ...     def applies(self, data):
    ...         return data.predictions is not None
    ...
    ...     def draw(self, data):
    ...         figure = Figure()
    ...         figure.subplots().hist(data.predictions.median)
    ...         return figure
    """

    title: ClassVar[str]
    order: ClassVar[int] = 100

    def applies(self, data: PlotData) -> bool:
        """Whether there is something to draw."""
        return True

    def essential(self, data: PlotData) -> bool:
        """Whether it is drawn in a brief report, too."""
        return False

    @abstractmethod
    def draw(self, data: PlotData):
        """The plot as a `matplotlib.figure.Figure`; a notebook shows it."""

    def save(self, data: PlotData, file: Path):
        """Draw it into a PNG file."""
        save(self.draw(data), file)
