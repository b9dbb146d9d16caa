"""What lies beside a run for people to look at: images, the per-item table, the worst errors."""

import numpy as np
import pandas as pd

from .. import ages
from .._utils.io import forget_unfinished, write_csv
from ..data.quality.audit import label
from ..evaluation.calibration import scaled
from ..evaluation.conformal import conformalize, interval_items
from ..splits.split import JUDGED
from . import plots

WORST = 40
LEVEL = 0.9  # of prediction intervals


def write(run, experiment, age_groups, photos=None, rows=None):
    """Write the folder `report/` of a complete run.

    Parameters
    ----------
    run : Run
    experiment : Experiment
    groups : ages.Scheme
    photos, rows : ImageStore, (n,) int array
        the images, and the row of each item in them; without them there is no sheet of the worst errors

    Returns
    -------
    pathlib.Path
    """
    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    forget_unfinished(folder)
    items = _all_items(run, experiment, age_groups)
    draw(run, experiment, age_groups, folder)
    if photos is not None and items["error"].notna().any():
        _worst(folder / "worst.jpg", run, items, photos, rows)
    write_csv(folder / "items.csv", items, float_format="%.4f")  # the last, see `missing`
    return folder


def draw(run, experiment, age_groups, folder, prefix="", brief=False):
    """Draw the images of a complete run into a folder.

    Parameters
    ----------
    run : Run
    experiment : Experiment
    groups : ages.Scheme
    folder : pathlib.Path
    prefix : str
        of the files' names
    brief : bool
        no more than it takes to see what the run does

    Returns
    -------
    list of pathlib.Path
    """
    files = []
    for name in _fitting(run, experiment, brief):
        files.append(folder / f"{prefix}{name}.png")
        DRAW[name](files[-1], run, experiment, age_groups)
    return files


def _fitting(run, experiment, brief):
    """Names of the images that there is something to draw for, in the order in which one looks at them."""
    exact = bool(np.all(experiment.y[:, 0] == experiment.y[:, 1]))
    trained = any(run.fold_files("history.csv"))
    if not run.parts:
        return ["training"] if trained else []
    has = {
        "true_predicted": exact,
        "confusion": not (brief and exact),
        "weights": run.kind == "stack" and bool(run.metadata.get("members")),
        "age_error": exact and not brief,
        "reliability": not brief,
        "coverage": not brief and "oof" in run.parts,
        "training": trained,
    }
    return [name for name, drawn in has.items() if drawn]


def _shown(run, experiment):
    """The part of the split that images show, out-of-fold where there is one: predictions, rows, title."""
    part = run.parts[0]
    title = f"{run.title}, {'out-of-fold' if part == 'oof' else 'test part'}"
    return run.proba(part), experiment.split.rows(part), title


def _true_predicted(file, run, experiment, age_groups):
    distribution, rows, title = _shown(run, experiment)
    plots.save_true_predicted(file, distribution, experiment.y[rows], title)


def _confusion(file, run, experiment, age_groups):
    distribution, rows, title = _shown(run, experiment)
    plots.save_confusion(file, distribution, experiment.y[rows], age_groups, title)


def _age_error(file, run, experiment, age_groups):
    distribution, rows, title = _shown(run, experiment)
    groups = experiment.items["group"].to_numpy()[rows]
    plots.save_age_error(file, distribution, experiment.y[rows], groups, title)


def _reliability(file, run, experiment, age_groups):
    part = experiment.split.evaluated_part
    plots.save_reliability(file, *scaled(*run.oof_and_test), age_groups, f"{run.title}, {JUDGED[part]}")


def _coverage(file, run, experiment, age_groups):
    oof, test = run.oof_and_test
    found = conformalize(oof, LEVEL, age_groups, test)
    plots.save_coverage(file, found, f"{run.title}, {100 * LEVEL:g} % prediction intervals, {JUDGED[found.part]}")


def _weights(file, run, experiment, age_groups):
    plots.save_weights(file, run.metadata["members"], run.title)


def _training(file, run, experiment, age_groups):
    histories = [_history(file) for file in sorted(run.fold_files("history.csv"))]
    plots.save_training(file, histories, f"{run.title}, training")


DRAW = {
    "true_predicted": _true_predicted,
    "confusion": _confusion,
    "weights": _weights,
    "age_error": _age_error,
    "reliability": _reliability,
    "coverage": _coverage,
    "training": _training,
}


def _history(file):
    """What a model noted of each epoch, {name: (epochs,) float array}; nan where it did not measure."""
    table = pd.read_csv(file)
    return {name: pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in table}


def missing(run):
    """Whether a run has no report yet, or only half of one; the floor, the same for everybody, needs none.

    Nor does a run without predictions, a refit where there is no test part.
    """
    return run.name != "prior" and bool(run.parts) and not (run.folder / "report" / "items.csv").exists()


def write_missing(runs, experiment, age_groups, dataset, say):
    """Write the reports that complete runs have not got yet; `say` is told of each."""
    for run in runs:
        if missing(run):
            say(f"{run.name}: writing the report")
            write(run, experiment, age_groups, dataset.photos, dataset.items["photo"].to_numpy())


def _all_items(run, experiment, age_groups):
    """One row for each item: what is true, what was predicted, by which part of the split."""
    tables = []
    for part in run.parts:
        rows = experiment.split.rows(part)
        distribution = run.proba(part)
        answer = age_groups.probabilities(distribution).argmax(1)
        table = experiment.items.iloc[rows][["item_id", "age_min", "age_max", "gender", "ethnicity", "group"]].copy()
        table.insert(1, "part", part)
        table["median"] = ages.median(distribution)
        table["mean"] = ages.mean(distribution)
        table["group"] = [age_groups.labels[g] for g in answer]
        table["error"] = np.where(table["age_min"] == table["age_max"], table["median"] - table["age_min"], np.nan)
        tables.append(table)
    table = pd.concat(tables).sort_index()
    if "oof" in run.parts:
        found = interval_items(*run.oof_and_test, LEVEL, age_groups).set_index("item_id").loc[table["item_id"]]
        table["low90"], table["high90"] = found["low"].to_numpy(), found["high"].to_numpy()
    return table


def _worst(file, run, items, photos, rows):
    """The items furthest off; `items` is in the order of the dataset or lacks some of it."""
    off = np.maximum(
        items["age_min"] - items["median"], items["median"] - items["age_max"]
    )  # from a range's nearer end
    worst = items.reindex(off.sort_values(ascending=False, kind="stable").index).head(WORST)
    ends = zip(worst["age_min"], worst["age_max"], worst["median"], strict=True)
    captions = [f"{label(low, high)} -> {median}" for low, high, median in ends]
    plots.save_contact_sheet(file, photos, rows[worst.index], captions, f"{run.name}: worst errors, true -> predicted")
