"""Labels that a run is sure are wrong, on the page."""

from ..._utils.console import counted
from ...data.quality.audit import label
from ...errors import DataError
from ...experiments.experiment import Experiment
from ..label_issues import find
from .html import section, tag

SHOWN = 48


class Doubts:
    """A run and the labels that it contradicts.

    Parameters
    ----------
    out : path
        folder of runs
    name : str
        of the run

    Raises
    ------
    UsageError, DiskError
        There is no such run, or it is not complete.
    """

    def __init__(self, out, name):
        self._plan_folder = Experiment.find(out, name)
        run = self._plan_folder.run(name)
        self.title, self._table = run.title, find(self._plan_folder, run, 2 * SHOWN).frame

    def among(self, dataset):
        """The suspects that the dataset has, as the very files that the run was made on.

        Raises
        ------
        DataError
            It has none of the run's images.
        """
        known = self._plan_folder.items.set_index("item_id")["sha256"]
        same = dataset.items.set_index("item_id")["sha256"].reindex(known.index) == known
        if not same.any():
            raise DataError(f"the run {self.title} was made on other images than those of {dataset.name}")
        return self._table[same.loc[self._table["item_id"]].to_numpy()].head(SHOWN)


def suspect_section(doubts, dataset, pictures):
    """The labels least likely by a run's predictions for images that it did not train on, the worst first.

    Parameters
    ----------
    doubts : Doubts
    dataset : Dataset
    images : images.Images
    """
    table = doubts.among(dataset)
    shown = [pictures(row.item_id, _caption(row), named=True) for row in table.itertuples()]
    text = (
        f"{counted(len(shown), 'label')} that {doubts.title} contradicts most, by what it predicts of images that "
        "it did not train on: below each its label and, after the arrow, the median and the central 90 % of the "
        "prediction. A suspect may be a wrong label or a face that looks another age: look, and decide. Nothing was "
        "left out for it."
    )
    return section("suspects", "Suspect labels", tag("p", text), tag("div", *shown, class_="photos"))


def _caption(row):
    return f"{label(row.age_min, row.age_max)} → {row.median} ({row.low}-{row.high})"
