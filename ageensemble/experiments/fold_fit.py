"""Fold fits, one model on one fold each: which are missing, how one is run, and the record that it leaves."""

import csv
import math
import os
import platform
import shutil
import sys
import time
import traceback
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from .. import models
from .._utils import workers
from .._utils.hardware import peak_memory
from .._utils.io import atomic_write, disk_trouble, file_hash, locked, remove_stale_temp_files, write_json, write_rows
from ..ages import N_AGES, histogram, smooth_with_prior
from ..errors import AgeEnsembleError
from ..features import feature_widths, read_features
from ..splits.split import strata_of
from ..splits.stratified_groups import inner_folds
from .run import CHECKPOINTS, REFIT, Run, fold_label

BATCH = 2048  # items predicted at once


@dataclass(frozen=True)
class FoldFit:
    """One model to be fitted on one fold: all that a process needs which sees the same disk.

    Attributes
    ----------
    run : Run
    fold : str
        "0".."K-1", or `REFIT`
    model : str
        name in the registry, or path of a file
    params : dict
    feature_files : list of str
    images : ImageArray or None
        of all items, for a model that takes images
    y : (m, 2) int array
        labels of the training items
    rows, held_out, test : int array
        rows of the dataset to train on, and those to predict
    inner_folds : (m,) int array
        parts of the training items, groups whole: all that a model may tune or calibrate by
    seed, n_threads : int
    device : str
    """

    run: Run
    fold: str
    model: str
    params: dict
    feature_files: list
    images: object
    y: np.ndarray
    rows: np.ndarray
    inner_folds: np.ndarray
    held_out: np.ndarray
    test: np.ndarray
    seed: int
    n_threads: int
    device: str

    @property
    def folder(self):
        """Where its record, predictions and model lie."""
        return self.run.fold_folder(self.fold)

    @property
    def name(self):
        """What people are told: the model and the fold."""
        return f"{self.run.name} {fold_label(self.fold)}"

    def write_record(self, record):
        """Write the record, which says that the fit has ended."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / "record.json", record)


def missing_fits(run, spec, dataset, split, feature_files, images=None):
    """The fold fits of a run that have not ended well yet, list of FoldFit.

    Parameters
    ----------
    run : Run
    spec : Spec
    dataset, split : Dataset, Split
    feature_files : list of path
    images : ImageArray, optional
        of all items, for a model that takes images
    """
    seed, result = run.config["seed"], []
    for number, fold in enumerate(run.fold_names(split.n_folds)):
        if run.sound(fold):
            continue
        rows = split.development if fold == REFIT else split.training(int(fold))
        fit = FoldFit(
            run=run,
            fold=fold,
            model=spec.model,
            params=spec.params,
            feature_files=[str(file) for file in feature_files],
            images=images,
            y=dataset.age_range[rows],
            rows=rows,
            inner_folds=inner_folds(strata_of(dataset), dataset.groups, rows, [seed, number]),
            held_out=np.empty(0, int) if fold == REFIT else split.held_out(int(fold)),
            test=split.test,
            seed=seed * 1000 + number,
            n_threads=run.threads,
            device=run.config["device"],
        )
        result.append(fit)
    return result


def fit_all(fits, jobs, on_end=lambda fit, seconds, error: None, on_progress=lambda fit, progress: None):
    """Run fold fits in parallel worker processes; one that fails leaves a record that says why.

    Parameters
    ----------
    fits : list of FoldFit
    jobs : int
        processes at once
    on_end : callable
        told of every one that ended: the fit, seconds, error or None
    on_progress : callable
        told a fit and what its model says of its progress, a dict of numbers; from several threads
    """
    with closing(workers.run(fit_fold, fits, jobs, lambda fit: fit.n_threads, on_progress)) as results:
        for fit, ended in results:
            on_end(fit, *((0.0, _record_crash(fit, ended)) if isinstance(ended, workers.ProcessDied) else ended))


def _record_crash(fit, died):
    """Write the record that a killed process could not, unless another one fitted the same meanwhile; the reason."""
    hint = ", perhaps for want of memory; try fewer --jobs" if "SIGKILL" in str(died) else ""
    with locked(fit.folder / ".lock"):
        if fit.run.sound(fit.fold):
            return None
        reason = f"its process died: {died}{hint}"
        fit.write_record({"error": reason})
    return reason


def fit_fold(fit):
    """Fit, predict what was not seen, save all that, and write the record last.

    Parameters
    ----------
    fit : FoldFit

    Returns
    -------
    tuple
        seconds, error or None
    """
    started, folder = time.perf_counter(), fit.folder
    with locked(folder / ".lock"):
        if fit.run.sound(fit.fold):  # another process was faster
            return 0.0, None
        _clear(folder)
        try:
            record = _fit(fit)
        except (Exception, SystemExit) as error:
            trouble = disk_trouble(error, folder)
            if trouble:  # not the model's fault
                raise trouble from None
            reason = str(error) if isinstance(error, AgeEnsembleError) else f"{type(error).__name__}: {error}"
            record = {"error": reason.strip().partition("\n")[0].rstrip(": "), "traceback": traceback.format_exc()}
        fit.write_record(record)
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return time.perf_counter() - started, record.get("error")


def _clear(folder):
    """Remove what an earlier, unfinished or damaged fit left, other than the checkpoints to go on from."""
    remove_stale_temp_files(folder)
    for name in ("record.json", "held_out.npy", "test.npy", "history.csv"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "model", ignore_errors=True)


def _fit(fit):
    folder = fit.folder
    model = models.load(fit.model)(**fit.params)
    model.set_run_parameters(random_state=fit.seed, n_jobs=fit.n_threads, device=fit.device)
    _use_threads(fit.n_threads)
    x = _inputs(fit, fit.rows)
    keywords = _keywords(model, fit)
    start = time.perf_counter()
    model.fit(x, fit.y, **keywords)
    fitted = time.perf_counter()
    del x
    held_out, test = (_predict(model, fit, rows) for rows in (fit.held_out, fit.test))
    predicted = time.perf_counter()
    for name, rows in (("held_out", held_out), ("test", test)):
        write_rows(folder / f"{name}.npy", rows.shape, [rows])
    if model.savable:
        (folder / "model").mkdir()
        model.save(folder / "model")
    history = getattr(model, "history_", [])
    if history:
        _write_history(folder / "history.csv", history)
    trained = sum(epoch.get("seconds") or 0 for epoch in history)  # before a kill, too
    return {
        "fit_seconds": round(max(fitted - start, trained), 3),
        "predict_seconds": round(predicted - fitted, 3),
        "train_items": len(fit.rows),
        "predicted_items": len(held_out) + len(test),
        "peak_bytes": peak_memory(),
        "seed": fit.seed,
        "threads": fit.n_threads,
        "device": fit.device,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": _versions(),
        "model": getattr(model, "fit_info_", {}),
        "files": {f.relative_to(folder).as_posix(): file_hash(f) for f in sorted(_products(folder))},
    }


def _keywords(model, fit):
    """What the model's `fit` takes of inner folds, checkpoints and progress, or columns of each feature set."""
    from ..models.base import accepted

    if fit.images is not None:
        (fit.folder / CHECKPOINTS).mkdir(exist_ok=True)
        on = {"checkpoint_dir": fit.folder / CHECKPOINTS, "on_progress": _report_progress}
        return accepted(model.fit, cv=fit.inner_folds, **on)
    return accepted(model.fit, cv=fit.inner_folds, feature_widths=feature_widths(fit.feature_files))


def _products(folder):
    files = [f for f in folder.rglob("*") if f.is_file() and not f.name.startswith(".")]
    return [f for f in files if f.relative_to(folder).parts[0] != CHECKPOINTS]


def _report_progress(progress):
    """Pass on what a model says of its progress, in plain numbers; what is none is not known."""
    numbers = {name: float("nan" if value is None else value) for name, value in progress.items()}
    workers.tell({name: number if math.isfinite(number) else None for name, number in numbers.items()})


def _write_history(file, history):
    """Write one row for each epoch; what was not measured is left blank."""
    with atomic_write(file) as temporary, open(temporary, "w", newline="") as out:
        table = csv.DictWriter(out, list(history[0]))
        table.writeheader()
        table.writerows(history)


def _predict(model, fit, rows):
    """Age distributions of these rows, mixed with the training histogram, `(len(rows), A)` float32."""
    result, prior = [], histogram(fit.y)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        distribution = smooth_with_prior(model.predict_proba(_inputs(fit, batch)), prior)
        if len(distribution) != len(batch):
            raise ValueError(f"the model returned {len(distribution)} rows for {len(batch)} items")
        result.append(distribution)
    return np.concatenate(result) if result else np.empty((0, N_AGES), np.float32)


def _inputs(fit, rows):
    """Images of these rows or their features, `(len(rows), d)`; a model that wants none is given none, d = 0."""
    if fit.images is not None:
        return fit.images.take(rows)
    return read_features(fit.feature_files, rows) if fit.feature_files else np.empty((len(rows), 0), np.float32)


def _use_threads(threads):
    """Hold torch to its threads; one that is imported later reads them from the environment of the process."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


def _versions():
    packages = ("ageensemble", "numpy", "scikit-learn", "xgboost", "torch")
    loaded = [name for name in ("torchvision", "timm", "onnxruntime") if name in sys.modules]
    versions = {name: version(name) for name in packages} | {name: sys.modules[name].__version__ for name in loaded}
    return {"python": sys.version.split()[0]} | versions
