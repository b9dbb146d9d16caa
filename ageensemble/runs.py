"""What is on disk: a folder for each split plan, and in it a folder for each run that obeys the plan.

OUT/demo-1a2b3c4d/             one plan: all runs in here share a table
    plan.json plan.csv manifest.csv excluded.csv
    svm-C=30-5e6f7a8b/         one run: readable name and hash of its whole configuration
        run.json               configuration, and how many threads each cell uses
        cell-0/                record.json, held_out.npy, test.npy, model/
        oof.npy test.npy       predictions of all cells together, no truth in them
        done.json              hashes of the rest, written last: only now the run is complete
"""

import json
import re
import shutil
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from . import __version__
from .caches import file_hash, key_of, read_json, write_json
from .errors import DiskError, UsageError
from .splits import TEST, Plan, plan_hash

REFIT = "all"  # the cell of a refit: fitted on every item outside the test part


def slug(text, length=60):
    """A name that is safe as a folder's, on any file system."""
    return re.sub(r"[^A-Za-z0-9.=+@_-]+", "-", text).strip("-.")[:length] or "data"


class PlanFolder:
    """The runs on one split plan, with the labels and the plan they share."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.about = read_json(self.folder / "plan.json")

    @classmethod
    def create(cls, out, manifest, plan, about=None):
        """The folder of this plan below `out`, made unless it is there."""
        folder = Path(out) / f"{slug(manifest.name)}-{key_of(manifest.hash, plan.hash)[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "plan.json").exists():
            manifest.save(folder)
            plan.save(folder, manifest.items["item_id"])
            about = {"data": manifest.name, "items": len(manifest), "excluded": len(manifest.excluded)} | (about or {})
            about |= {"manifest": manifest.hash, "plan": plan.hash, "source": plan.source, "folds": plan.folds}
            write_json(folder / "plan.json", about)
        return cls(folder)

    @cached_property
    def items(self):
        """The manifest as saved."""
        table = self._csv("manifest.csv", dtype=dict.fromkeys(("item_id", "path", "subject", "gender"), str))
        return table.astype({"age_min": int, "age_max": int})

    @cached_property
    def plan(self):
        """The plan as saved; a changed file no longer has the hash it had.

        Raises
        ------
        DiskError
            A file is missing or was changed.
        """
        table = self._csv("plan.csv", dtype=str)
        try:
            part = table["part"].replace("test", str(TEST)).astype(int).to_numpy()
            found = plan_hash(table["item_id"], part)
        except (KeyError, ValueError):
            found = None
        if found != self.about["plan"] or list(table["item_id"]) != list(self.items["item_id"]):
            raise DiskError(f"{self.folder / 'plan.csv'} is not the plan these runs were made on; put it back")
        return Plan(part, self.about["folds"], self.about["source"], found)

    def _csv(self, name, **options):
        try:
            return pd.read_csv(self.folder / name, encoding_errors="surrogateescape", **options)
        except (OSError, ValueError) as error:
            raise DiskError(f"{self.folder / name} cannot be read: {error}") from None

    @property
    def y(self):
        """Labels, `(n, 2)` int years."""
        return self.items[["age_min", "age_max"]].to_numpy()

    @property
    def runs(self):
        """Every run begun here, by folder name."""
        return [Run(folder.parent) for folder in sorted(self.folder.glob("*/run.json"))]

    def start(self, spec, seed, kind, threads, device):
        """The run of this configuration, begun now or earlier.

        Parameters
        ----------
        spec : Spec
        seed : int
        kind : {"folds", "refit"}
        threads : int
            for each cell; what an earlier start fixed stays
        device : str
        """
        config = spec.config | {"seed": seed, "kind": kind, "device": device, "accelerators": _accelerators(spec.make)}
        config |= {"manifest": self.about["manifest"], "plan": self.about["plan"]}
        prefix = "" if kind == "folds" else "refit-"
        folder = self.folder / f"{prefix}{slug(spec.name)}-{key_of(config)[:8]}"
        folder.mkdir(exist_ok=True)
        if not (folder / "run.json").exists():
            content = {"name": spec.name, "config": config, "threads": threads, "ageensemble": __version__}
            write_json(folder / "run.json", content)
        return Run(folder)


def _accelerators(cls):
    """Which of the libraries that a model would use if installed are installed: they decide the last digits."""
    import importlib.util

    return [name for name in getattr(cls, "accelerators", ()) if importlib.util.find_spec(name)]


class Run:
    """One model on one plan."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.about = read_json(self.folder / "run.json")
        try:
            self.name, self.config, self.threads = (self.about[key] for key in ("name", "config", "threads"))
            self.refit = self.config["kind"] == "refit"
        except (KeyError, TypeError):
            raise DiskError(f"{self.folder / 'run.json'} is damaged: keys are missing") from None

    def cells(self, folds):
        """Names of the cells: "0".."K-1", or "all" for a refit."""
        return [REFIT] if self.refit else [str(fold) for fold in range(folds)]

    def cell_folder(self, cell):
        """Where a cell keeps its record, predictions and model."""
        return self.folder / f"cell-{cell}"

    def record(self, cell):
        """The record of a cell, or None where it has not ended."""
        file = self.cell_folder(cell) / "record.json"
        return read_json(file) if file.exists() else None

    def sound(self, cell):
        """Whether a cell ended well and its files are as they were written."""
        try:
            record = self.record(cell)
            return (
                record is not None and not record.get("error") and not damage(self.cell_folder(cell), record["files"])
            )
        except (DiskError, KeyError, AttributeError):
            return False

    def state(self, folds):
        """("complete" | "failed" | "incomplete" | "damaged", explanation)."""
        try:
            if (self.folder / "done.json").exists():
                files = read_json(self.folder / "done.json")["files"]
                needed = {name: value for name, value in files.items() if "/model/" not in name}
                broken = damage(self.folder, needed)
                again = f"; run it again, or: ageensemble runs remove {self.folder.name}"
                return ("damaged", broken + again) if broken else ("complete", "")
            records = {cell: self.record(cell) for cell in self.cells(folds)}
        except (DiskError, KeyError, AttributeError, TypeError) as error:
            return "damaged", f"{error}; run it again, or: ageensemble runs remove {self.folder.name}"
        failed = {cell: r["error"] for cell, r in records.items() if r and r.get("error")}
        if failed:
            cell, reason = next(iter(failed.items()))
            return "failed", f"{len(failed)} of {len(records)} cells; cell {cell}: {reason}"
        ended = sum(r is not None for r in records.values())
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
        cells = self.cells(plan.folds)
        test = np.mean([self._cell_array(cell, "test") for cell in cells], axis=0, dtype=np.float64)
        self._write_array("test", test)
        if not self.refit:
            oof = np.empty((len(plan.part), test.shape[1]), np.float32)
            for cell in cells:
                oof[plan.held_out(int(cell))] = self._cell_array(cell, "held_out")
            self._write_array("oof", oof[plan.rest])
        files = [f for f in self.folder.rglob("*") if f.is_file() and _hashed(f.relative_to(self.folder))]
        hashes = {f.relative_to(self.folder).as_posix(): file_hash(f) for f in sorted(files)}
        write_json(self.folder / "done.json", {"files": hashes})

    def _cell_array(self, cell, name):
        return np.load(self.cell_folder(cell) / f"{name}.npy", allow_pickle=False)

    def _write_array(self, name, array):
        from .caches import writing

        with writing(self.folder / f"{name}.npy") as temporary, open(temporary, "wb") as out:
            np.save(out, array.astype(np.float32))

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


def plan_folders(out):
    """The plan folders below `out` (or `out` itself where it is one), the one last worked on first.

    Raises
    ------
    DiskError
        There is none.
    """
    out = Path(out)
    files = [out / "plan.json"] if (out / "plan.json").exists() else list(out.glob("*/plan.json"))
    if not files:
        raise DiskError(f"no runs in {out}; 'ageensemble benchmark' makes some")
    return [PlanFolder(file.parent) for file in sorted(files, key=lambda f: -_last_change(f.parent))]


def _last_change(folder):
    return max([folder.stat().st_mtime, *(d.stat().st_mtime for d in folder.iterdir() if d.is_dir())])


def find(out, name):
    """The runs whose folder is called `name`, or whose model is.

    Raises
    ------
    UsageError
        There is none.
    """
    found = [run for plan in plan_folders(out) for run in plan.runs if name in (run.folder.name, run.name)]
    if not found:
        raise UsageError(f"no run called '{name}' in {out}; see: ageensemble runs list")
    return found


def remove(run):
    """Delete a run's folder; its completion marker goes first, so that half a removal is not taken for a run."""
    (run.folder / "done.json").unlink(missing_ok=True)
    shutil.rmtree(run.folder)


def describe(plan_folder):
    """One line for each run: name, state and explanation, for `runs list`."""
    rows = []
    for run in plan_folder.runs:
        state, why = run.state(plan_folder.about["folds"])
        rows.append(
            {"plan": plan_folder.folder.name, "run": run.folder.name, "model": run.name, "state": state, "why": why}
        )
    return rows


def as_json(rows):
    """Rows as JSON text."""
    return json.dumps(rows, indent=1, ensure_ascii=False)
