"""Label issues of a run beside it: a list, and a contact sheet where the images are at hand."""

from dataclasses import replace

import numpy as np

from .._utils.console import plain
from .._utils.io import write_csv
from ..errors import DataError, UsageError
from ..evaluation.label_issues import find_label_issues, issue_texts
from . import plots

SHOWN = 200  # images in a contact sheet, at most


def find(experiment, run, count=100):
    """The label issues of a run, each with the path of its image.

    Returns
    -------
    LabelIssues

    Raises
    ------
    UsageError
        The run is not complete, or has no out-of-fold predictions.
    """
    state, why = run.state(experiment.split.n_folds)
    if state != "complete":
        raise UsageError(f"{run.title} is {state}, and label issues need a complete run: {why}")
    if "oof" not in run.parts:
        raise UsageError(f"{run.title} has no out-of-fold predictions, by which label issues are found")
    found = find_label_issues(run.predictions("oof"), count)
    paths = experiment.items.set_index("item_id")["path"].loc[found.frame["item_id"]]
    frame = found.frame.copy()
    frame.insert(3, "path", paths.to_numpy())
    return replace(found, frame=frame)


def save(experiment, run, frame, dataset=None):
    """Write `label_issues.csv` into the report of a run, and `label_issues.jpg` where the images are at hand.

    In the sheet no image comes twice.

    Parameters
    ----------
    experiment : Experiment
    run : Run
    frame : pandas.DataFrame
        of `find`
    dataset : Dataset, optional
        with the images that the run was made on; it may hold more

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    DataError
        The dataset lacks one of the images that are to be shown, or has another one of that name.
    """
    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    files = [folder / "label_issues.csv"]
    write_csv(files[0], frame, float_format="%.4f")
    if dataset is not None:
        files.append(folder / "label_issues.jpg")
        shown = frame.head(SHOWN)
        _sheet(files[1], run, shown, dataset.image_store, _rows(shown, experiment.items, dataset))
    return files


def _rows(frame, known, dataset):
    """Rows in the dataset's images of the items in a table, which must be the very files of the split."""
    there = dataset.items.set_index("item_id")[["image", "sha256"]].reindex(frame["item_id"])
    same = there["sha256"].to_numpy() == known.set_index("item_id")["sha256"].loc[frame["item_id"]].to_numpy()
    if not same.all():
        first = plain(frame["item_id"].iloc[int(np.argmin(same))])
        what = "another" if first in there.dropna().index else "no usable"
        raise DataError(f"{dataset.name} has {what} image {first}; give the data that the run was made on")
    return there["image"].astype(int).to_numpy()


def _sheet(file, run, frame, images, rows):
    """Images with rank, label, prediction and name; of those of equal pixels the first alone."""
    _, first = np.unique(images.pixels[rows], axis=0, return_index=True)
    first = np.sort(first)
    frame, rows = frame.iloc[first], rows[first]
    named = zip(frame["rank"], issue_texts(frame), frame["path"], strict=True)
    captions = [f"{rank}: {label} -> {said}\n{plain(path.rpartition('/')[2])}" for rank, (label, said), path in named]
    title = f"{run.title}: labels it contradicts most; rank: labeled -> predicted (central 90 %)"
    plots.save_contact_sheet(file, images, rows, captions, plain(title), columns=8, side=120)
