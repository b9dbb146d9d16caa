"""One run on disk: its kind, fold fits, state and predictions; see `experiment` for where it lies.

Kinds: "folds", a model fitted on every fold; "refit", one fitted once on all but the test part; "stack", made of the
predictions of other runs; "import", predictions from outside. The last two have no fold fits and are written at once.
"""

import math
import shutil
from pathlib import Path

import numpy as np

from .._utils.io import file_hash, locked, read_json, remove_stale_temp_files, write_json, write_rows
from ..ages import N_AGES
from ..errors import DiskError
from ..evaluation.predictions import Predictions

PARTS = ("oof", "test")
REFIT = "refit"  # in place of a fold: fitted on every item outside the test part
CHECKPOINTS = "checkpoints"  # in the folder of a fold fit, to go on from after a kill; gone once it has its record


class Run:
    """One model on one split.

    Attributes
    ----------
    name, title : str
        full name of the model; what a table calls the run
    kind : {"folds", "refit", "stack", "import"}
    parts : tuple of str
        what it predicts: "oof", the items outside the test part, each by a model that did not see it, and "test"; a
        refit only the latter, and without a test part nothing
    trouble : str
        what is wrong with its `run.json`; empty where nothing is. Such a run is still listed, and can be mended.
    """

    def __init__(self, folder, experiment=None):
        self.folder, self._experiment = Path(folder), experiment
        self.trouble, metadata = "", {"name": self.folder.name, "config": {}, "threads": 1}
        try:
            metadata = read_json(self.folder / "run.json")
        except DiskError as error:
            self.trouble = str(error)
        self.name, self.config, self.threads = (metadata[key] for key in ("name", "config", "threads"))
        self.kind = self.config.get("kind", "folds")
        self.parts = tuple(self.config.get("parts", ("test",) if self.kind == "refit" else PARTS))
        self.title = self.name + {"refit": " (refit)", "import": " (import)"}.get(self.kind, "")

    def __repr__(self):
        return f"<Run {self.title} in {self.folder}>"

    @property
    def names(self) -> tuple[str, str, str]:
        """What it may be called by: its folder, its title, its model."""
        return self.folder.name, self.title, self.name

    def fold_names(self, folds: int) -> list[str]:
        """Names of the fold fits: "0".."K-1", `REFIT` for a refit, none for what is not fitted here."""
        if self.kind in ("stack", "import"):
            return []
        return [REFIT] if self.kind == "refit" else [str(fold) for fold in range(folds)]

    def fold_folder(self, fold: str) -> Path:
        """Where a fold fit keeps its record, predictions and model."""
        return self.folder / (fold if fold == REFIT else f"fold-{fold}")

    def fold_files(self, pattern: str) -> list[Path]:
        """Files of all fold fits, or of the refit, by a pattern below their folders."""
        return sorted([*self.folder.glob(f"fold-*/{pattern}"), *self.folder.glob(f"{REFIT}/{pattern}")])

    def record(self, fold: str) -> dict | None:
        """The record of a fold fit, or None where it has not ended.

        Raises
        ------
        DiskError
            It is damaged.
        """
        file = self.fold_folder(fold) / "record.json"
        return read_json(file) if file.exists() else None

    def sound(self, fold: str) -> bool:
        """Whether a fold fit ended well and its files are as they were written."""
        try:
            record = self.record(fold)
        except DiskError:
            return False
        return bool(record) and "error" not in record and not damage(self.fold_folder(fold), record["files"])

    def state(self, folds: int, thorough: bool = False) -> tuple[str, str]:
        """("complete" | "failed" | "incomplete" | "damaged", explanation).

        Parameters
        ----------
        folds : int
        thorough : bool
            look at the saved models too, which no table needs
        """
        again = f"; run it again, or: ageensemble runs remove {self.folder.name}"
        if self.trouble:
            return "damaged", self.trouble + again
        try:
            if (self.folder / "done.json").exists():
                files = read_json(self.folder / "done.json")["files"]
                wrong = damage(self.folder, {n: h for n, h in files.items() if thorough or "/model/" not in n})
                return ("damaged", wrong + again) if wrong else ("complete", "")
            records = {fold: self.record(fold) for fold in self.fold_names(folds)}
        except DiskError as error:
            return "damaged", f"{error}{again}"
        failed = {fold: record["error"] for fold, record in records.items() if record and "error" in record}
        if failed:
            fold, reason = next(iter(failed.items()))
            return "failed", f"{len(failed)} of {len(records)} fold fits; {fold_label(fold)}: {reason}"
        if not records:
            return "incomplete", "half written; the same command writes it again"
        ended = sum(record is not None for record in records.values())
        return "incomplete", f"{ended} of {len(records)} fold fits done; the same command goes on from there"

    def records(self, folds: int) -> list[dict]:
        """The records of all fold fits of a complete run."""
        return [self.record(fold) for fold in self.fold_names(folds)]

    @property
    def metadata(self) -> dict:
        """What a stack or an import noted when it was written."""
        return read_json(self.folder / "record.json")

    def costs(self, folds: int) -> dict[str, float]:
        """Seconds of fitting, images predicted a second, peak memory in GB, size in MB; NaN where nobody knows."""
        if not self.fold_names(folds):
            return {name: math.nan if value is None else value for name, value in self.metadata["costs"].items()}
        records = self.records(folds)
        predicting, predicted = (sum(r[name] for r in records) for name in ("predict_seconds", "predicted_items"))
        return {
            "fit_seconds": sum(r["fit_seconds"] for r in records),
            # All fold fits predict each image, and their mean is the answer
            "images_per_second": predicted / max(predicting, 1e-3) / len(records) if predicted else math.nan,
            "peak_gb": max(r["peak_bytes"] for r in records) / 1e9,
            "size_mb": sum(f.stat().st_size for f in self.fold_files("model/**/*") if f.is_file()) / 1e6,
        }

    def proba(self, part):
        """Age distributions of a complete run, `(n, 121)` float32 memmap; "oof" in the order of `split.development`."""
        return np.load(self.folder / f"{part}.npy", allow_pickle=False, mmap_mode="r")

    def predictions(self, part="oof"):
        """Predictions of a complete run with the labels, groups and attributes of the items.

        Parameters
        ----------
        part : {"oof", "test"}

        Returns
        -------
        Predictions
        """
        rows, items = self.experiment.split.rows(part), self.experiment.items
        return Predictions(
            self.proba(part),
            self.experiment.y[rows],
            groups=items["group"].to_numpy()[rows],
            attributes=items.iloc[rows][["gender", "ethnicity", "dataset"]],
            fold=self.experiment.split.fold[rows],
            item_id=items["item_id"].to_numpy()[rows],
            name=self.title,
            part=part,
        )

    @property
    def oof_and_test(self):
        """Predictions of both parts, None for what it does not predict: what calibration and intervals take."""
        return tuple(self.predictions(part) if part in self.parts else None for part in PARTS)

    @property
    def experiment(self):
        """The experiment that this run is part of."""
        if self._experiment is None:
            from .experiment import Experiment  # which imports this module

            self._experiment = Experiment(self.folder.parent)
        return self._experiment

    def write(self, predictions, record):
        """Write a run that has no fold fits.

        Parameters
        ----------
        predictions : dict of str to (n, A) float32 array
            for each of `parts`
        record : dict
            what is worth knowing, `costs` among it
        """
        with locked(self.folder / ".lock"):
            for part, rows in predictions.items():
                write_rows(self.folder / f"{part}.npy", rows.shape, [rows])
            write_json(self.folder / "record.json", record)
            self._seal()

    def finish(self, split):
        """Put the predictions of the fold fits together and write the completion marker.

        The test part is predicted by the mean of all; an item outside it by the one that did not see it.
        """
        with locked(self.folder / ".lock"):
            remove_stale_temp_files(self.folder)
            for left in self.fold_files(CHECKPOINTS):  # by a kill just after the record was written
                shutil.rmtree(left)
            self._finish(split)

    def _finish(self, split):
        folds = self.fold_names(split.n_folds)
        if "test" in self.parts:
            test = np.mean([self._fold_array(fold, "test") for fold in folds], axis=0, dtype=np.float64)
            write_rows(self.folder / "test.npy", test.shape, [test])
        if "oof" in self.parts:
            oof = np.empty((len(split.fold), N_AGES), np.float32)
            for fold in folds:
                oof[split.held_out(int(fold))] = self._fold_array(fold, "held_out")
            write_rows(self.folder / "oof.npy", (len(split.development), N_AGES), [oof[split.development]])
        self._seal()

    def _seal(self):
        """Write the completion marker."""
        files = [f for f in self.folder.rglob("*") if f.is_file() and _hashed(f.relative_to(self.folder))]
        hashes = {f.relative_to(self.folder).as_posix(): file_hash(f) for f in sorted(files)}
        write_json(self.folder / "done.json", {"files": hashes})

    def _fold_array(self, fold, name):
        return np.load(self.fold_folder(fold) / f"{name}.npy", allow_pickle=False)


def _hashed(relative):
    return relative.parts[0] != "report" and relative.name != "done.json" and not relative.name.startswith(".")


def fold_label(fold: str) -> str:
    """A fold fit in words, after the name of its model: "fold 0", or "refit"."""
    return fold if fold == REFIT else f"fold {fold}"


def damage(folder: Path, hashes: dict) -> str:
    """What is wrong with files that should have these hashes, in words; empty where nothing is."""
    for name, expected in hashes.items():
        file = folder / name
        if not file.is_file():
            return f"{name} is missing"
        if file_hash(file) != expected:
            return f"{name} is not as it was written"
    return ""


def remove(run):
    """Delete a run's folder; its completion marker goes first, so that half a removal is not taken for a run."""
    (run.folder / "done.json").unlink(missing_ok=True)
    shutil.rmtree(run.folder)
