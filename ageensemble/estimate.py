"""What a benchmark would do and cost, from what is known before it starts: `--dry-run`."""

import shutil
from pathlib import Path

from . import features
from .ages import A
from .benchmark import available_memory, fit_memory
from .errors import DiskError
from .runs import PlanFolder, plan_folders


def estimate(manifest, plan, wanted, kind, here):
    """One row for each model: cells left to fit, seconds, memory of a cell.

    Seconds come from earlier runs of the same model and parameters below the same `--out`, scaled to the number of
    training items; they are None where there is no such run.

    Returns
    -------
    dict
        rows, disk_bytes, free_disk_bytes, memory_bytes, free_memory_bytes
    """
    cells = 1 if kind == "refit" else plan.folds
    n = len(plan.rest) * (1 if kind == "refit" else (plan.folds - 1) / plan.folds)
    history = _history(here.out)
    rows = []
    for spec in wanted:
        per_item = history.get(_kind_of(spec.config))
        rows.append(
            {
                "model": spec.name,
                "cells": cells,
                "seconds": None if per_item is None else round(per_item * n * cells, 1),
                "memory_bytes": int(fit_memory(spec, int(n))),
            }
        )
    memory = max(row["memory_bytes"] for row in rows) * min(here.jobs, cells)
    free = shutil.disk_usage(_existing(here.out)).free
    return {
        "rows": rows,
        "disk_bytes": int(_disk(manifest, plan, wanted, cells, here)),
        "free_disk_bytes": free,
        "memory_bytes": memory,
        "free_memory_bytes": available_memory(),
    }


def _kind_of(config):
    return str((config["model"], config["params"], [list(f) for f in config["features"]]))


def _history(out):
    """Seconds of fitting for each training item, by model and parameters, from complete runs."""
    result = {}
    try:
        folders: list[PlanFolder] = plan_folders(out)
    except DiskError:
        return result
    for folder in folders:
        folds = folder.about["folds"]
        for run in folder.runs:
            if run.state(folds)[0] == "complete":
                records = run.records(folds)
                seconds = sum(r["fit_seconds"] for r in records) / sum(r["train_items"] for r in records)
                result.setdefault(_kind_of(run.config), seconds)
    return result


def _disk(manifest, plan, wanted, cells, here):
    """Bytes still to be written: feature matrices and predictions (models themselves are not known beforehand)."""
    sets = {str(feature): feature for spec in wanted for feature in spec.features}
    matrices = sum(features.dimension(name, params) * 4 * len(manifest) for name, params in sets.values())
    predictions = len(wanted) * 4 * A * (2 * len(plan.rest) + (cells + 1) * len(plan.test))
    return matrices + predictions


def _existing(folder):
    folder = Path(folder).resolve()
    return folder if folder.exists() else _existing(folder.parent)


def rich_table(result):
    """The estimate for a terminal."""
    from rich.table import Table

    view = Table(title="would fit", title_justify="left")
    for title in ("model", "cells", "seconds", "GB a cell"):
        view.add_column(title, justify="left" if title == "model" else "right")
    for row in result["rows"]:
        seconds = "not known yet" if row["seconds"] is None else f"{row['seconds']:,.0f}"
        view.add_row(row["model"], str(row["cells"]), seconds, f"{row['memory_bytes'] / 1e9:.1f}")
    gigabytes = {key: value / 1e9 for key, value in result.items() if key != "rows"}
    view.caption = (
        "disk for features and predictions: at most {disk_bytes:.2f} GB of {free_disk_bytes:.0f} GB free; "
        "memory, all cells at once: {memory_bytes:.1f} GB of {free_memory_bytes:.1f} GB free"
    ).format(**gigabytes)
    return view
