"""Label issues on the page: labels that the predictions of a run contradict."""

from ..._utils.console import counted
from ...ages import range_text
from ...errors import DataError
from ...experiments.experiment import Experiment
from ..label_issues import find
from .html import section, tag

SHOWN = 48


class RunLabelIssues:
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
        self._experiment = Experiment.find(out, name)
        run = self._experiment.run(name)
        self.title, self._table = run.title, find(self._experiment, run, 2 * SHOWN).frame

    def among(self, dataset):
        """The label issues among the items of a dataset, where its files are those of the run.

        Raises
        ------
        DataError
            It has none of the run's images.
        """
        known = self._experiment.items.set_index("item_id")["sha256"]
        same = dataset.items.set_index("item_id")["sha256"].reindex(known.index) == known
        if not same.any():
            raise DataError(f"the run {self.title} was made on other images than those of {dataset.name}")
        return self._table[same.loc[self._table["item_id"]].to_numpy()].head(SHOWN)


def label_issue_section(issues, dataset, thumbnails):
    """The labels least likely by a run's predictions for images that it was not trained on, the worst first.

    Parameters
    ----------
    issues : RunLabelIssues
    dataset : Dataset
    thumbnails : images.Thumbnails
    """
    table = issues.among(dataset)
    shown = [thumbnails(row.item_id, _caption(row), named=True) for row in table.itertuples()]
    text = (
        f"{counted(len(shown), 'label')} that {issues.title} contradicts most, by its predictions for images that "
        "it was not trained on: below each its label and, after the arrow, the median and the central 90 % of the "
        "prediction. Each may be a wrong label or a face that looks another age: check it. Nothing was left out."
    )
    return section("label-issues", "Label issues", tag("p", text), tag("div", *shown, class_="photos"))


def _caption(row):
    return f"{range_text(row.age_min, row.age_max)} → {row.median} ({row.low}-{row.high})"
