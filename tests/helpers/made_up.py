"""Splits and runs without photographs or models: errors are made up, so that every number can be known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from ageensemble import ages
from ageensemble._utils.io import file_hash, write_json, write_rows
from ageensemble.data.dataset import COLUMNS, Dataset
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.run import Run
from ageensemble.splits.split import make_split

COSTS = {"fit_seconds": 1.0, "images_per_second": 2.0, "peak_gb": 0.5, "size_mb": 3.0}


def certain(years):
    """Age distributions that are sure of whole years."""
    return np.eye(ages.N_AGES, dtype=np.float32)[np.clip(years, 0, ages.MAX_AGE)]


def experiment(out, y, groups=None, gender=None, ethnicity=None, folds=3):
    """The folder of a split of items with these labels, an `(n,)` or `(n, 2)` array of years, without runs."""
    y = np.asarray(y)
    y = np.stack([y, y], 1) if y.ndim == 1 else y
    n = len(y)
    items = pd.DataFrame(index=range(n), columns=COLUMNS, dtype=object)
    items["item_id"] = items["path"] = [f"{i:06}.jpg" for i in range(n)]
    items["age_min"], items["age_max"] = y.T
    items["gender"], items["ethnicity"], items["dataset"] = gender, ethnicity, "made up"
    items["group"], items["image"] = np.arange(n) if groups is None else groups, np.arange(n)
    excluded = pd.DataFrame(columns=["item_id", "path", "reason"])
    photos = SimpleNamespace(pixels=np.zeros((n, 32), np.uint8))
    dataset = Dataset("made up", out, items, excluded, {}, photos)
    return Experiment.create(out, dataset, make_split(dataset, folds, 0), {"leaks": 0, "limited": 0})


def put(experiment, name, years, parts=("oof", "test"), kind="import", **config):
    """A run without cells that answers `years`, `(n,)`, for the items of the dataset."""
    rows = {"oof": experiment.split.development, "test": experiment.split.test}
    predictions = {part: certain(np.asarray(years)[rows[part]]) for part in parts}
    config = {"kind": kind, "parts": list(parts)} | config
    return experiment.put(name, name, config, predictions, {"costs": COSTS})


def put_cells(experiment, name, years):
    """A run of one cell for each fold; `years` is `(folds, n)`: what each answers for the items of the dataset."""
    split, folder = experiment.split, experiment.folder / name
    folder.mkdir()
    config = {"kind": "folds", "seed": 0} | experiment.hashes
    write_json(folder / "run.json", {"name": name, "config": config, "threads": 1, "ageensemble": "0"})
    for fold, answers in enumerate(years):
        cell = folder / f"fold-{fold}"
        cell.mkdir()
        for file, rows in (("held_out", split.held_out(fold)), ("test", split.test)):
            write_rows(cell / f"{file}.npy", (len(rows), ages.N_AGES), [certain(np.asarray(answers)[rows])])
        record = {"fit_seconds": 1, "predict_seconds": 1, "predicted_items": 1, "peak_bytes": 1, "model": {}}
        record |= {"machine": "none", "device": "cpu", "threads": 1, "versions": {}}
        hashes = {f"{file}.npy": file_hash(cell / f"{file}.npy") for file in ("held_out", "test")}
        write_json(cell / "record.json", record | {"files": hashes})
    Run(folder).finish(split)
    return Run(folder)
