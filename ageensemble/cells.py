"""Fitting cells: which are missing, each in a worker process of its own threads, each leaving a record."""

import os
import platform
import shutil
import sys
import time
import traceback
from importlib.metadata import version
from pathlib import Path

import numpy as np

from . import features, models
from .ages import finish
from .caches import file_hash, locked, write_json, writing
from .errors import AgeEnsembleError
from .runs import REFIT
from .splits import inner

BATCH = 2048  # items predicted at once


def tasks(run, spec, manifest, plan, feature_files):
    """What each missing cell of a run needs to be fitted anywhere that sees the same disk.

    Returns
    -------
    list of dict
    """
    result = []
    for number, cell in enumerate(run.cells(plan.folds)):
        if run.sound(cell):
            continue
        rows = plan.rest if cell == REFIT else plan.training(int(cell))
        seed = run.config["seed"]
        result.append(
            {
                "run": run,
                "cell": cell,
                "name": run.name,
                "model": spec.model,
                "params": spec.params,
                "features": [str(file) for file in feature_files],
                "y": manifest.y[rows],
                "rows": rows,
                "inner": inner(manifest.strata, manifest.clusters, rows, [seed, number]),
                "held_out": np.empty(0, int) if cell == REFIT else plan.held_out(int(cell)),
                "test": plan.test,
                "seed": seed * 1000 + number,
                "threads": run.threads,
                "device": run.config["device"],
            }
        )
    return result


def fit_all(missing, jobs, done=lambda name, cell, seconds, error: None):
    """Fit cells in parallel worker processes; a cell that fails leaves a record that says why.

    Parameters
    ----------
    missing : list of dict
        from `tasks`
    jobs : int
        processes at once
    done : callable
        told of every cell that ended: name, cell, seconds, error or None
    """
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    if not missing:
        return
    threads = max(task["threads"] for task in missing)
    try:
        with parallel_config(backend="loky", inner_max_num_threads=threads):
            for ended in Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(fit)(task) for task in missing):
                done(*ended)
    except TerminatedWorkerError:
        for task in missing:  # somebody's worker was killed: one by one, the culprit is found and the others are saved
            if not task["run"].sound(task["cell"]):
                done(*_fit_alone(task))


def _fit_alone(task):
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        return get_reusable_executor(max_workers=1).submit(fit, task).result()
    except TerminatedWorkerError:
        reason = "the process was killed from outside, most likely for want of memory; try fewer --jobs"
        _write_record(task, {"error": reason})
        return task["name"], task["cell"], 0.0, reason


def fit(task):
    """Fit one cell, predict what it did not see, save all that, and write the record last.

    Returns
    -------
    tuple
        name, cell, seconds, error or None
    """
    started = time.perf_counter()
    folder = task["run"].cell_folder(task["cell"])
    with locked(folder / ".lock"):
        if task["run"].sound(task["cell"]):  # another process was faster
            return task["name"], task["cell"], 0.0, None
        for old in (folder / "record.json", folder / "held_out.npy", folder / "test.npy"):
            old.unlink(missing_ok=True)
        shutil.rmtree(folder / "model", ignore_errors=True)
        try:
            record = _fit(task, folder)
        except OSError:
            raise  # the disk's trouble, not the model's
        except Exception as error:
            reason = str(error) if isinstance(error, AgeEnsembleError) else f"{type(error).__name__}: {error}"
            record = {"error": reason.splitlines()[0], "traceback": traceback.format_exc()}
        _write_record(task, record)
    return task["name"], task["cell"], time.perf_counter() - started, record.get("error")


def _fit(task, folder):
    _use_threads(task["threads"])
    before = _reset_peak()
    model = models.load(task["model"])(**task["params"])
    x = (
        features.read(task["features"], task["rows"])
        if task["features"]
        else np.empty((len(task["rows"]), 0), np.float32)
    )
    start = time.perf_counter()
    model.fit(x, task["y"], task["inner"], seed=task["seed"], threads=task["threads"], device=task["device"])
    fitted = time.perf_counter()
    del x
    held_out, test = (_predict(model, task, rows) for rows in (task["held_out"], task["test"]))
    predicted = time.perf_counter()
    for name, rows in (("held_out", held_out), ("test", test)):
        with writing(folder / f"{name}.npy") as temporary, open(temporary, "wb") as out:
            np.save(out, rows)
    (folder / "model").mkdir()
    model.save(folder / "model")
    return {
        "fit_seconds": round(fitted - start, 3),
        "predict_seconds": round(predicted - fitted, 3),
        "train_items": len(task["rows"]),
        "predicted_items": len(held_out) + len(test),
        "peak_bytes": _peak(),
        "bytes_before": before,
        "seed": task["seed"],
        "threads": task["threads"],
        "device": task["device"],
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": _versions(),
        "model": getattr(model, "record", {}),
        "files": {f.relative_to(folder).as_posix(): file_hash(f) for f in sorted(_products(folder))},
    }


def _products(folder):
    return [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(".")]


def _predict(model, task, rows):
    """Age distributions of these rows, mixed with the training histogram, `(len(rows), A)` float32."""
    result = []
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        x = features.read(task["features"], batch) if task["features"] else np.empty((len(batch), 0), np.float32)
        result.append(finish(model.predict(x), task["y"]))
    return np.concatenate(result) if result else np.empty((0, 121), np.float32)


def _write_record(task, record):
    folder = task["run"].cell_folder(task["cell"])
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "record.json", record)


def _use_threads(threads):
    import torch

    torch.set_num_threads(threads)


def _versions():
    packages = ("ageensemble", "numpy", "scikit-learn", "xgboost", "torch")
    return {"python": sys.version.split()[0]} | {name: version(name) for name in packages}


def _reset_peak():
    """Forget the peak so far, where the system allows it (Linux); the resident bytes now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return _peak()


def _peak():
    """Highest resident size of this process since the last reset, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
