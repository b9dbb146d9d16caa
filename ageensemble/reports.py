"""What lies beside a run for people to look at: pictures, the per-item table, the worst errors."""

import numpy as np
import pandas as pd

from . import ages, pictures
from .files import forget_unfinished, write_csv

WORST = 40


def write(run, plan_folder, groups, photos, rows):
    """Write the folder `report/` of a complete run.

    Parameters
    ----------
    run : Run
    plan_folder : PlanFolder
    groups : ages.Scheme
    photos, rows : Photos, (n,) int array
        the photographs, and the row of each item in them

    Returns
    -------
    pathlib.Path
    """
    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    forget_unfinished(folder)
    items = _all_items(run, plan_folder, groups)
    draw(run, plan_folder, groups, folder)
    if items["error"].notna().any():
        _worst(folder / "worst.jpg", run, items, photos, rows)
    write_csv(folder / "items.csv", items, float_format="%.4f")  # the last, see `missing`
    return folder


def draw(run, plan_folder, groups, folder, prefix=""):
    """Draw the pictures of a complete run into a folder.

    Returns
    -------
    list of pathlib.Path
    """
    part = run.parts[0]
    title = f"{run.name}, {'out-of-fold' if part == 'oof' else 'test part'}"
    y = plan_folder.y[_rows(plan_folder.plan, part)]
    distribution = run.predictions(part)
    files = [folder / f"{prefix}confusion.png"]
    pictures.save_confusion(files[0], distribution, y, groups, title)
    if np.all(y[:, 0] == y[:, 1]):
        files.append(folder / f"{prefix}true_predicted.png")
        pictures.save_true_predicted(files[1], distribution, y, title)
    histories = [_history(file) for file in sorted(run.folder.glob("cell-*/history.csv"))]
    if histories:
        files.append(folder / f"{prefix}training.png")
        pictures.save_training(files[-1], histories, f"{run.name}, training")
    return files


def _history(file):
    """What a model noted of each epoch, {name: (epochs,) float array}; nan where it did not measure."""
    table = pd.read_csv(file)
    return {name: pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in table}


def missing(run):
    """Whether a run has no report yet, or only half of one; the floor, the same for everybody, needs none."""
    return run.name != "floor" and not (run.folder / "report" / "items.csv").exists()


def _rows(plan, part):
    return plan.test if part == "test" else plan.rest


def _all_items(run, plan_folder, groups):
    """One row for each item: what is true, what was predicted, by which part of the plan."""
    tables = []
    for part in run.parts:
        rows = _rows(plan_folder.plan, part)
        distribution = run.predictions(part)
        answer = groups.probabilities(distribution).argmax(1)
        table = plan_folder.items.iloc[rows][["item_id", "age_min", "age_max", "gender", "ethnicity", "cluster"]].copy()
        table.insert(1, "part", part)
        table["median"] = ages.median(distribution)
        table["mean"] = ages.mean(distribution)
        table["low90"], table["high90"] = ages.quantile(distribution, 0.05), ages.quantile(distribution, 0.95)
        table["group"] = [groups.labels[g] for g in answer]
        table["error"] = np.where(table["age_min"] == table["age_max"], table["median"] - table["age_min"], np.nan)
        tables.append(table)
    return pd.concat(tables).sort_index()


def _worst(file, run, items, photos, rows):
    """The items furthest off; `items` is in the order of the manifest or lacks some of it."""
    worst = items.reindex(items["error"].abs().sort_values(ascending=False, kind="stable").index).head(WORST)
    captions = [f"{t} -> {p}" for t, p in zip(worst["age_min"], worst["median"], strict=True)]
    pictures.save_contact_sheet(
        file, photos, rows[worst.index], captions, f"{run.name}: worst errors, true -> predicted"
    )
