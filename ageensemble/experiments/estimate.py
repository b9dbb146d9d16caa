"""What a benchmark would do and cost, from what is known before it starts: `--dry-run`."""

import shutil
from contextlib import suppress
from pathlib import Path

from .._utils.hardware import available_memory
from .._utils.render import Column, Table
from ..ages import N_AGES
from ..data import image_array
from ..errors import DiskError
from ..features import matrix_path
from .benchmark import fit_memory, size_seen
from .experiment import Experiment
from .run import REFIT


def estimate(config, dataset, split):
    """One row for each model: fold fits that are missing, seconds, memory of each.

    Seconds are those of fitting. They come from earlier runs of the same name and device below the same `--out`, on
    half to twice as many training items, in proportion; they are None where there is no such run.

    Returns
    -------
    dict
        rows; seconds with that many at once, None where one model's are not known; disk_bytes, memory_bytes and
        what is free of both
    """
    wanted, kind, resources = config.specs(), config.kind, config.resources
    for spec in wanted:
        spec.check_files()
    fits = 1 if kind == "refit" else split.n_folds
    n = len(split.development) * (1 if kind == "refit" else (split.n_folds - 1) / split.n_folds)
    history = _history(config.out)
    rows = []
    for spec in wanted:
        left = _left(spec, dataset, split, config)
        near = min(history.get((spec.name, resources.device), []), key=lambda one: abs(one[0] - n), default=None)
        known = near is not None and 0.5 < near[0] / n < 2  # times of much smaller or larger fits tell little
        seconds = 0.0 if not left else round(near[1] * n / near[0] * left, 1) if known else None
        memory = int(fit_memory(spec, int(n)))
        rows.append({"model": spec.name, "fits": fits, "left": left, "seconds": seconds, "memory_bytes": memory})
    known = [row["seconds"] for row in rows]
    at_once = min(resources.n_jobs, max(1, sum(row["left"] for row in rows)))
    return {
        "rows": rows,
        "seconds": None if None in known else round(sum(known) / at_once, 1),
        "disk_bytes": int(_disk(dataset, split, wanted, rows, resources)),
        "free_disk_bytes": shutil.disk_usage(_existing(config.out)).free,
        "memory_bytes": max(row["memory_bytes"] for row in rows) * at_once,
        "free_memory_bytes": available_memory(),
    }


def _left(spec, dataset, split, config):
    """How many fold fits are missing."""
    place = Experiment(Experiment.place(config.out, dataset, split))
    folds = [REFIT] if config.kind == "refit" else range(split.n_folds)
    try:
        run = _begun(place, spec, config)
    except DiskError:  # no split folder, or a damaged one, in which runs may still be sound
        return len(folds)
    return sum(not run.sound(fold) for fold in folds)


def _begun(place, spec, config):
    """The run of a spec; where only a resolved spec has one, as nothing is resolved here, the one of the same name."""
    seed, kind, device = config.random_state, config.kind, config.resources.device
    exact = place.run_of(spec, seed, kind, device)
    asked = {"code_versions": spec.config["code_versions"], "seed": seed, "kind": kind, "device": device}
    others = [] if exact.folder.exists() else [run for run in place.runs if run.name == spec.name]
    return next((run for run in others if asked.items() <= run.config.items()), exact)


def _history(out):
    """(training items, seconds) of earlier fold fits, by name of the model and device, from complete runs."""
    result = {}
    for run, records in _complete_runs(out):
        items, seconds = (sum(r[key] for r in records) / len(records) for key in ("train_items", "fit_seconds"))
        result.setdefault((run.name, run.config["device"]), []).append((items, seconds))
    return result


def _complete_runs(out):
    """Complete runs below `out` with their records; what is damaged tells nothing."""
    with suppress(DiskError):
        for folder in Experiment.find_all(out):
            with suppress(DiskError):
                folds = folder.metadata["folds"]
                fitted = [run for run in folder.runs if run.fold_names(folds)]
                complete = [run for run in fitted if run.state(folds)[0] == "complete"]
                yield from [(run, run.records(folds)) for run in complete]


def _disk(dataset, split, wanted, rows, resources):
    """Bytes still to be written: feature matrices, squares, predictions; models are not known beforehand."""
    sets = {
        matrix_path(extractor, dataset, resources.cache, resources.device, spec.preprocess): extractor
        for spec in wanted
        for extractor in spec.extractors
    }
    missing = [extractor for path, extractor in sets.items() if not path.exists()]
    matrices = sum(extractor.n_features() * 4 * len(dataset) for extractor in missing)
    looks = {(size_seen(spec), spec.preprocess) for spec in wanted if size_seen(spec) not in (None, image_array.NATIVE)}
    looks = [
        (size, first)
        for size, first in looks
        if not image_array.resized_place(dataset, size, resources.cache, first).exists()
    ]
    squares = sum(image_array.dimension(size) * len(dataset) for size, _ in looks)
    each = 4 * N_AGES * (2 * len(split.development) + len(split.test))
    predictions = sum(each + 4 * N_AGES * len(split.test) * row["fits"] for row in rows if row["left"])
    return matrices + squares + predictions


def _existing(folder):
    folder = Path(folder).resolve()
    return folder if folder.exists() else _existing(folder.parent)


def estimate_table(result):
    """The estimate as a table, with what all fits together need below it."""
    gigabytes = {key: value / 1e9 for key, value in result.items() if key.endswith("bytes")}
    unknown = "" if result["seconds"] is not None else " (no timing on this machine yet)"
    notes = [
        f"seconds, several fits at once: {_seconds(result['seconds'])}{unknown}",
        "disk for features, resized images, predictions: at most {disk_bytes:.2f} GB of {free_disk_bytes:.0f} GB free",
        "memory, several fits at once: {memory_bytes:.1f} GB of {free_memory_bytes:.1f} GB free",
    ]
    columns = [
        Column("model"),
        Column("fits", "fold fits", right=True),
        Column("left", "remaining", right=True),
        Column("seconds", format=_seconds, right=True),
        Column("memory_bytes", "GB each", lambda value: f"{value / 1e9:.1f}", right=True),
    ]
    return Table(columns, result["rows"], [note.format(**gigabytes) for note in notes], "would fit")


def _seconds(value):
    return "unknown" if value is None else f"{value:,.0f}"
