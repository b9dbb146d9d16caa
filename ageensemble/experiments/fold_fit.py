"""Fitting cells: which are missing, each in a worker process of its own threads, each leaving a record."""

import csv
import inspect
import math
import os
import platform
import shutil
import sys
import time
import traceback
from contextlib import closing
from importlib.metadata import version

import numpy as np

from .. import features, models
from .._utils import workers
from .._utils.hardware import peak_memory
from .._utils.io import disk_trouble, file_hash, forget_unfinished, locked, write_json, write_rows, writing
from ..ages import N_AGES, finish, histogram
from ..errors import AgeEnsembleError
from ..splits.split import inner_folds
from .run import KEEP, REFIT

BATCH = 2048  # items predicted at once


def tasks(run, spec, dataset, split, feature_files, photographs=None):
    """What each missing cell of a run needs to be fitted anywhere that sees the same disk.

    Parameters
    ----------
    run : Run
    spec : Spec
    dataset, split : Dataset, Split
    feature_files : list of path
    photographs : ImageArray, optional
        of all items, for a model that wants them

    Returns
    -------
    list of dict
    """
    result = []
    for number, cell in enumerate(run.cells(split.folds)):
        if run.sound(cell):
            continue
        rows = split.rest if cell == REFIT else split.training(int(cell))
        seed = run.config["seed"]
        result.append(
            {
                "run": run,
                "cell": cell,
                "model": spec.model,
                "params": spec.params,
                "features": [str(file) for file in feature_files],
                "photographs": photographs,
                "y": dataset.y[rows],
                "rows": rows,
                "inner": inner_folds(dataset.strata, dataset.groups, rows, [seed, number]),
                "held_out": np.empty(0, int) if cell == REFIT else split.held_out(int(cell)),
                "test": split.test,
                "seed": seed * 1000 + number,
                "threads": run.threads,
                "device": run.config["device"],
            }
        )
    return result


def fit_all(missing, jobs, done=lambda run, cell, seconds, error: None, heard=lambda task, progress: None):
    """Fit cells in parallel worker processes; a cell that fails leaves a record that says why.

    Parameters
    ----------
    missing : list of dict
        from `tasks`
    jobs : int
        processes at once
    done : callable
        told of every cell that ended: run, cell, seconds, error or None
    heard : callable
        told a task and what its model says of its progress, a dict of numbers; from several threads
    """
    with closing(workers.run(fit, missing, jobs, lambda task: task["threads"], heard)) as results:
        for task, ended in results:
            seconds, error = (0.0, _buried(task, ended)) if isinstance(ended, workers.ProcessDied) else ended
            done(task["run"], task["cell"], seconds, error)


def _buried(task, died):
    """Write the record of a cell whose process could not, unless it was fitted elsewhere meanwhile; the reason."""
    hint = ", perhaps for want of memory; try fewer --jobs" if "SIGKILL" in str(died) else ""
    with locked(task["run"].cell_folder(task["cell"]) / ".lock"):
        if task["run"].sound(task["cell"]):
            return None
        reason = f"its process died: {died}{hint}"
        _write_record(task, {"error": reason})
    return reason


def fit(task):
    """Fit one cell, predict what it did not see, save all that, and write the record last.

    Returns
    -------
    tuple
        seconds, error or None
    """
    started = time.perf_counter()
    folder = task["run"].cell_folder(task["cell"])
    with locked(folder / ".lock"):
        if task["run"].sound(task["cell"]):  # another process was faster
            return 0.0, None
        _empty(folder)
        try:
            record = _fit(task, folder)
        except (Exception, SystemExit) as error:
            trouble = disk_trouble(error, folder)
            if trouble:  # not the model's fault
                raise trouble from None
            reason = str(error) if isinstance(error, AgeEnsembleError) else f"{type(error).__name__}: {error}"
            record = {"error": reason.strip().partition("\n")[0].rstrip(": "), "traceback": traceback.format_exc()}
        _write_record(task, record)
        shutil.rmtree(folder / KEEP, ignore_errors=True)
    return time.perf_counter() - started, record.get("error")


def _empty(folder):
    """Remove what an earlier, unfinished or damaged fit of the cell left, other than what its model keeps to go on."""
    forget_unfinished(folder)
    for name in ("record.json", "held_out.npy", "test.npy", "history.csv"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "model", ignore_errors=True)


def _fit(task, folder):
    model = models.load(task["model"])(**task["params"])
    _use_threads(task["threads"])
    x = _inputs(task, task["rows"])
    more = _more(model, task, folder)
    start = time.perf_counter()
    model.fit(x, task["y"], task["inner"], seed=task["seed"], threads=task["threads"], device=task["device"], **more)
    fitted = time.perf_counter()
    del x
    held_out, test = (_predict(model, task, rows) for rows in (task["held_out"], task["test"]))
    predicted = time.perf_counter()
    for name, rows in (("held_out", held_out), ("test", test)):
        write_rows(folder / f"{name}.npy", rows.shape, [rows])
    (folder / "model").mkdir()
    model.save(folder / "model")
    history = getattr(model, "history", None) or []
    if history:
        _write_history(folder / "history.csv", history)
    trained = sum(epoch.get("seconds") or 0 for epoch in history)  # before a kill, too
    return {
        "fit_seconds": round(max(fitted - start, trained), 3),
        "predict_seconds": round(predicted - fitted, 3),
        "train_items": len(task["rows"]),
        "predicted_items": len(held_out) + len(test),
        "peak_bytes": peak_memory(),
        "seed": task["seed"],
        "threads": task["threads"],
        "device": task["device"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": _versions(),
        "model": getattr(model, "record", {}),
        "files": {f.relative_to(folder).as_posix(): file_hash(f) for f in sorted(_products(folder))},
    }


def _more(model, task, folder):
    """What `fit` is handed beside the usual: of a model that trains on photographs, and of one that asks for widths."""
    if task["photographs"] is not None:
        (folder / KEEP).mkdir(exist_ok=True)
        return {"keep": folder / KEEP, "tell": _tell}
    if "widths" in inspect.signature(model.fit).parameters:
        return {"widths": features.widths(task["features"])}
    return {}


def _products(folder):
    files = [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(".")]
    return [f for f in files if f.relative_to(folder).parts[0] != KEEP]


def _tell(progress):
    """Pass on what a model says of its progress, in plain numbers; what is none is not known."""
    numbers = {name: float("nan" if value is None else value) for name, value in progress.items()}
    workers.tell({name: number if math.isfinite(number) else None for name, number in numbers.items()})


def _write_history(file, history):
    """Write one row for each epoch; what was not measured is left blank."""
    with writing(file) as temporary, open(temporary, "w", newline="") as out:
        table = csv.DictWriter(out, list(history[0]))
        table.writeheader()
        table.writerows(history)


def _predict(model, task, rows):
    """Age distributions of these rows, mixed with the training histogram, `(len(rows), A)` float32."""
    result, prior = [], histogram(task["y"])
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        distribution = finish(model.predict(_inputs(task, batch)), prior)
        if len(distribution) != len(batch):
            raise ValueError(f"the model returned {len(distribution)} rows for {len(batch)} items")
        result.append(distribution)
    return np.concatenate(result) if result else np.empty((0, N_AGES), np.float32)


def _inputs(task, rows):
    """Photographs of these rows or their features, `(len(rows), d)`; a model that wants none is given none, d = 0."""
    if task["photographs"] is not None:
        return task["photographs"].take(rows)
    return features.read(task["features"], rows) if task["features"] else np.empty((len(rows), 0), np.float32)


def _write_record(task, record):
    folder = task["run"].cell_folder(task["cell"])
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "record.json", record)


def _use_threads(threads):
    """Hold torch to its threads; one that is imported later reads them from the environment of the process."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _versions():
    packages = ("ageensemble", "numpy", "scikit-learn", "xgboost", "torch")
    loaded = [name for name in ("torchvision", "timm", "onnxruntime") if name in sys.modules]
    versions = {name: version(name) for name in packages} | {name: sys.modules[name].__version__ for name in loaded}
    return {"python": sys.version.split()[0]} | versions
