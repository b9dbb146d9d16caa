"""One run on disk: its cells, its state, its predictions; see `plan_folders` for where it lies."""

import shutil
from pathlib import Path

import numpy as np

from .errors import DiskError
from .files import file_hash, forget_unfinished, locked, read_json, write_json, write_rows

REFIT = "all"  # the cell of a refit: fitted on every item outside the test part
KEEP = "keep"  # folder in a cell's: what its model needs to go on after a kill; gone once the cell has its record


class Run:
    """One model on one plan.

    Attributes
    ----------
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
        self.refit = self.config.get("kind") == "refit"

    def cells(self, folds):
        """Names of the cells: "0".."K-1", or "all" for a refit."""
        return [REFIT] if self.refit else [str(fold) for fold in range(folds)]

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
        ended = sum(record is not None for record in records.values())
        return "incomplete", f"{ended} of {len(records)} cells done; the same command goes on from there"

    def records(self, folds):
        """The records of all cells of a complete run."""
        return [self.record(cell) for cell in self.cells(folds)]

    def predictions(self, part):
        """Predictions of a complete run, `(n, A)` float32: "oof" in the order of `plan.rest`, or "test"."""
        return np.load(self.folder / f"{part}.npy", allow_pickle=False)

    def finish(self, plan):
        """Put the cells' predictions together and write the completion marker.

        The test part is predicted by the mean of the cells; an item outside it by the cell that did not see it.
        """
        with locked(self.folder / ".lock"):
            forget_unfinished(self.folder)
            for left in self.folder.glob(f"cell-*/{KEEP}"):  # by a kill just after the record was written
                shutil.rmtree(left)
            self._finish(plan)

    def _finish(self, plan):
        cells = self.cells(plan.folds)
        test = np.mean([self._cell_array(cell, "test") for cell in cells], axis=0, dtype=np.float64)
        write_rows(self.folder / "test.npy", test.shape, [test])
        if not self.refit:
            oof = np.empty((len(plan.part), test.shape[1]), np.float32)
            for cell in cells:
                oof[plan.held_out(int(cell))] = self._cell_array(cell, "held_out")
            write_rows(self.folder / "oof.npy", (len(plan.rest), test.shape[1]), [oof[plan.rest]])
        files = [f for f in self.folder.rglob("*") if f.is_file() and _hashed(f.relative_to(self.folder))]
        hashes = {f.relative_to(self.folder).as_posix(): file_hash(f) for f in sorted(files)}
        write_json(self.folder / "done.json", {"files": hashes})

    def _cell_array(self, cell, name):
        return np.load(self.cell_folder(cell) / f"{name}.npy", allow_pickle=False)

    @property
    def bytes(self):
        """Size of the saved models, in bytes."""
        return sum(f.stat().st_size for f in self.folder.glob("cell-*/model/**/*") if f.is_file())


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
