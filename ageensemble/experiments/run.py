"""One run on disk: its kind, cells, state and predictions; see `experiments` for where it lies.

Kinds: "folds", a model fitted on every fold; "refit", one fitted once on all but the test part; "stack", made of the
predictions of other runs; "import", predictions from outside. The last two have no cells and are written at once.
"""

import math
import shutil
from pathlib import Path

import numpy as np

from .._utils.io import file_hash, forget_unfinished, locked, read_json, write_json, write_rows
from ..ages import N_AGES
from ..errors import DiskError

PARTS = ("oof", "test")
REFIT = "all"  # the cell of a refit: fitted on every item outside the test part
KEEP = "keep"  # folder in a cell's: what its model needs to go on after a kill; gone once the cell has its record


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

    def __init__(self, folder):
        self.folder = Path(folder)
        self.trouble, about = "", {"name": self.folder.name, "config": {}, "threads": 1}
        try:
            about = read_json(self.folder / "run.json")
        except DiskError as error:
            self.trouble = str(error)
        self.name, self.config, self.threads = (about[key] for key in ("name", "config", "threads"))
        self.kind = self.config.get("kind", "folds")
        self.parts = tuple(self.config.get("parts", ("test",) if self.kind == "refit" else PARTS))
        self.title = self.name + {"refit": " (refit)", "import": " (import)"}.get(self.kind, "")

    def cells(self, folds):
        """Names of the cells: "0".."K-1", "all" for a refit, none for what is not fitted in cells."""
        if self.kind in ("stack", "import"):
            return []
        return [REFIT] if self.kind == "refit" else [str(fold) for fold in range(folds)]

    def cell_folder(self, cell):
        """Where a cell keeps its record, predictions and model."""
        return self.folder / f"cell-{cell}"

    def record(self, cell):
        """The record of a cell, or None where it has not ended.

        Raises
        ------
        DiskError
            It is damaged.
        """
        file = self.cell_folder(cell) / "record.json"
        return read_json(file) if file.exists() else None

    def sound(self, cell):
        """Whether a cell ended well and its files are as they were written."""
        try:
            record = self.record(cell)
        except DiskError:
            return False
        return bool(record) and "error" not in record and not damage(self.cell_folder(cell), record["files"])

    def state(self, folds, thorough=False):
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
            records = {cell: self.record(cell) for cell in self.cells(folds)}
        except DiskError as error:
            return "damaged", f"{error}{again}"
        failed = {cell: record["error"] for cell, record in records.items() if record and "error" in record}
        if failed:
            cell, reason = next(iter(failed.items()))
            return "failed", f"{len(failed)} of {len(records)} cells; cell {cell}: {reason}"
        if not records:
            return "incomplete", "half written; the same command writes it again"
        ended = sum(record is not None for record in records.values())
        return "incomplete", f"{ended} of {len(records)} cells done; the same command goes on from there"

    def records(self, folds):
        """The records of all cells of a complete run."""
        return [self.record(cell) for cell in self.cells(folds)]

    def about(self):
        """What a stack or an import noted when it was written."""
        return read_json(self.folder / "record.json")

    def costs(self, folds):
        """Seconds of fitting, photographs predicted a second, peak memory in GB, size in MB; NaN where nobody knows."""
        if not self.cells(folds):
            return {name: math.nan if value is None else value for name, value in self.about()["costs"].items()}
        records = self.records(folds)
        predicting, predicted = (sum(r[name] for r in records) for name in ("predict_seconds", "predicted_items"))
        return {
            "fit_seconds": sum(r["fit_seconds"] for r in records),
            # All cells predict each photograph, and their mean is the answer
            "images_per_second": predicted / max(predicting, 1e-3) / len(records) if predicted else math.nan,
            "peak_gb": max(r["peak_bytes"] for r in records) / 1e9,
            "size_mb": sum(f.stat().st_size for f in self.folder.glob("cell-*/model/**/*") if f.is_file()) / 1e6,
        }

    def predictions(self, part):
        """Predictions of a complete run, `(n, A)` float32 memmap: "oof" in the order of `split.rest`, or "test"."""
        return np.load(self.folder / f"{part}.npy", allow_pickle=False, mmap_mode="r")

    def write(self, predictions, record):
        """Write a run that has no cells.

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
        """Put the cells' predictions together and write the completion marker.

        The test part is predicted by the mean of the cells; an item outside it by the cell that did not see it.
        """
        with locked(self.folder / ".lock"):
            forget_unfinished(self.folder)
            for left in self.folder.glob(f"cell-*/{KEEP}"):  # by a kill just after the record was written
                shutil.rmtree(left)
            self._finish(split)

    def _finish(self, split):
        cells = self.cells(split.folds)
        if "test" in self.parts:
            test = np.mean([self._cell_array(cell, "test") for cell in cells], axis=0, dtype=np.float64)
            write_rows(self.folder / "test.npy", test.shape, [test])
        if "oof" in self.parts:
            oof = np.empty((len(split.part), N_AGES), np.float32)
            for cell in cells:
                oof[split.held_out(int(cell))] = self._cell_array(cell, "held_out")
            write_rows(self.folder / "oof.npy", (len(split.rest), N_AGES), [oof[split.rest]])
        self._seal()

    def _seal(self):
        """Write the completion marker."""
        files = [f for f in self.folder.rglob("*") if f.is_file() and _hashed(f.relative_to(self.folder))]
        hashes = {f.relative_to(self.folder).as_posix(): file_hash(f) for f in sorted(files)}
        write_json(self.folder / "done.json", {"files": hashes})

    def _cell_array(self, cell, name):
        return np.load(self.cell_folder(cell) / f"{name}.npy", allow_pickle=False)


def _hashed(relative):
    return relative.parts[0] != "report" and relative.name != "done.json" and not relative.name.startswith(".")


def damage(folder, hashes):
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
