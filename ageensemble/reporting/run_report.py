"""What lies beside a run for people to look at: plots, the per-item table, the worst errors."""

import numpy as np
import pandas as pd

from .. import ages
from .._utils.io import locked, remove_stale_temp_files, write_csv
from ..ages import range_text
from ..evaluation.conformal import interval_items
from . import plots

WORST = 40
LEVEL = 0.9  # of prediction intervals


def write(run, experiment, age_groups, photos=None, rows=None):
    """Write the folder `report/` of a complete run.

    Parameters
    ----------
    run : Run
    experiment : Experiment
    age_groups : AgeGroups
    photos, rows : ImageStore, (n,) int array
        the images, and the row of each item in them; without them there is no sheet of the worst errors

    Returns
    -------
    pathlib.Path
    """
    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    remove_stale_temp_files(folder)
    items = _all_items(run, experiment, age_groups)
    draw(run, age_groups, folder)
    if photos is not None and items["error"].notna().any():
        _worst(folder / "worst.jpg", run, items, photos, rows)
    write_csv(folder / "items.csv", items, float_format="%.4f")  # the last, see `missing`
    return folder


def draw(run, age_groups, folder, prefix="", brief=False):
    """Draw the plots of a complete run into a folder.

    Parameters
    ----------
    run : Run
    age_groups : AgeGroups
    folder : pathlib.Path
    prefix : str
        of the files' names
    brief : bool
        only what is essential to see what the run does

    Returns
    -------
    dict of pathlib.Path to str
        files, and what they show
    """
    data, known, files = plot_data(run, age_groups), plots.plots(), {}
    for name in _applicable(data, brief):
        file = folder / f"{prefix}{name}.png"
        known[name].save(data, file)
        files[file] = known[name].title
    return files


def plot_data(run, age_groups) -> plots.PlotData:
    """What plots of a complete run are drawn from."""
    oof, test = run.oof_and_test
    members = run.metadata.get("members", ()) if run.kind == "stack" else ()
    histories = [_history(file) for file in sorted(run.fold_files("history.csv"))]
    return plots.PlotData(run.title, age_groups, oof, test, members, histories, LEVEL)


def _applicable(data, brief):
    """Names of the plots that there is something to draw for, in their order."""
    return [name for name, plot in plots.plots().items() if plot.applies(data) and (plot.essential(data) or not brief)]


def _history(file):
    """What a model noted of each epoch, {name: (epochs,) float array}; nan where it did not measure."""
    table = pd.read_csv(file)
    return {name: pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in table}


def missing(run):
    """Whether a run has no report yet, or only half of one; the prior baseline, the same for everybody, needs none.

    Nor does a run without predictions, a refit where there is no test part.
    """
    return run.name != "prior" and bool(run.parts) and not (run.folder / "report" / "items.csv").exists()


def write_missing(runs, experiment, age_groups, dataset, say):
    """Write the reports that complete runs have not got yet; `say` is told of each."""
    for run in runs:
        if missing(run):
            with locked(run.folder / ".report.lock"):  # another process may be at it
                if missing(run):
                    say(f"{run.name}: writing the report")
                    write(run, experiment, age_groups, dataset.image_store, dataset.items["image"].to_numpy())


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
        table["age_group"] = [age_groups.labels[g] for g in answer]
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
    captions = [f"{range_text(low, high)} -> {median}" for low, high, median in ends]
    plots.save_contact_sheet(file, photos, rows[worst.index], captions, f"{run.name}: worst errors, true -> predicted")
