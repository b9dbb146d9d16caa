"""What is on disk: a folder for each split, and in it a folder for each run that obeys the split.

OUT/demo-1a2b3c4d/             one split: all runs in here share a table
    experiment.json split.csv dataset.csv excluded.csv
    template.json              how the images show a face, where it was measured
    files/                     networks and weights that features were made with, by their hash
    svm-C=30-5e6f7a8b/         one run: readable name and hash of its whole configuration
        run.json               configuration, and how many threads each fold fit uses
        fold-0/                record.json, held_out.npy, test.npy, model/, of a network history.csv
        fold-0/checkpoints/    while a network trains: what it needs to go on after a kill
        oof.npy test.npy       predictions of all folds together, no truth in them
        record.json            of an ensemble or an import, which have no folds
        done.json              hashes of the rest, written last: only now the run is complete
"""

import importlib.util
import shutil
from functools import cached_property
from pathlib import Path

from .. import __version__
from .._utils.io import (
    atomic_write,
    content_key,
    file_hash,
    locked,
    read_json,
    remove_stale_temp_files,
    slug,
    write_json,
)
from ..ages import parse_age_groups
from ..data.faces import Template
from ..errors import DataError, DiskError, UnequalError, UsageError
from ..splits.split import TEST, Split
from .run import PARTS, Run, damage, remove

TABLES = ("dataset.csv", "split.csv")
KEPT = "files"  # no run is called so


class Experiment:
    """The runs on one split, with the labels and the split they share.

    Reading a file that is missing or was changed raises DiskError.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def __repr__(self):
        return f"<Experiment {self.folder}: {', '.join(run.title for run in self.runs) or 'no runs'}>"

    @cached_property
    def metadata(self) -> dict:
        """What `experiment.json` says: names, sizes and hashes of the data and the split."""
        return read_json(self.folder / "experiment.json")

    @classmethod
    def create(cls, out, dataset, split: Split, metadata: dict | None = None) -> "Experiment":
        """The folder of this split below `out`, made or mended unless it is there and sound."""
        folder = cls.place(out, dataset, split)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".lock"):
            remove_stale_temp_files(folder)
            if not cls._sound(folder):
                dataset.save(folder)
                split.save(folder, dataset.items["item_id"])
                known = {"data": dataset.name, "items": len(dataset), "excluded": len(dataset.excluded)}
                known |= {"dataset": dataset.hash, "split": split.hash, "source": split.source, "folds": split.n_folds}
                known |= {"license": dataset.license, "files": {name: file_hash(folder / name) for name in TABLES}}
                write_json(folder / "experiment.json", known | (metadata or {}))
            elif set(metadata or {}) - set(cls(folder).metadata):  # as another way of asking led to the same split
                write_json(folder / "experiment.json", metadata | cls(folder).metadata)
        return cls(folder)

    @staticmethod
    def place(out, dataset, split: Split) -> Path:
        """Where the runs on this dataset and split lie below `out`, there or not."""
        return Path(out) / f"{slug(dataset.name)}-{content_key(dataset.hash, split.hash)[:8]}"

    @classmethod
    def _sound(cls, folder):
        try:
            return not damage(folder, cls(folder).metadata["files"])
        except DiskError:
            return False

    @classmethod
    def find_all(cls, out) -> list["Experiment"]:
        """The experiments below `out` (or `out` itself where it is one), the one last worked on first.

        Raises
        ------
        DiskError
            There is none.
        """
        out = Path(out)
        files = [out / "experiment.json"] if (out / "experiment.json").exists() else list(out.glob("*/experiment.json"))
        if not files:
            raise DiskError(f"no runs in {out}; 'ageensemble benchmark' makes some")
        return [cls(file.parent) for file in sorted(files, key=lambda f: -_last_change(f.parent))]

    @classmethod
    def find(cls, out, *runs: str) -> "Experiment":
        """The only experiment below `out` that has runs of all these names.

        Where none or several have, the only one there is, or `out` itself where it is one.

        Raises
        ------
        DiskError, UsageError
            There is none, or there are several.
        """
        there = cls.find_all(out)
        found = [one for one in there if {*runs} <= {name for run in one.runs for name in run.names}] if runs else there
        if len(found) != 1 and len(there) > 1:
            names = ", ".join(str(one.folder) for one in there[:3]) + (", ..." if len(there) > 3 else "")
            raise UsageError(f"{out} holds the runs of {len(there)} splits, name one of them with --out: {names}")
        return found[0] if len(found) == 1 else there[0]

    def run(self, name: str) -> Run:
        """The run whose folder is called `name`, or that a table calls so, or whose model is.

        Raises
        ------
        UsageError
            There is none, or several are complete.
        """
        there = self.runs
        found = [run for run in there if name in (run.folder.name, run.title)] or [r for r in there if r.name == name]
        complete = [run for run in found if run.state(self.metadata["folds"])[0] == "complete"]
        if not found:
            known = ", ".join(run.title for run in there)
            raise UsageError(f"no run called '{name}' in {self.folder}; there are: {known}")
        if len(complete) > 1:
            folders = ", ".join(run.folder.name for run in complete)
            raise UsageError(f"several runs are called '{name}', name one by its folder: {folders}")
        return (complete or found)[0]

    __getitem__ = run

    def describe(self) -> list[dict]:
        """For each run: split, run and model by name, state and explanation; one row where the split is damaged."""
        split = self.folder.name
        try:
            folds = self.metadata["folds"]
        except DiskError as error:
            return [{"split": split, "run": "", "model": "", "state": "damaged", "why": str(error)}]
        found = [(run, *run.state(folds)) for run in self.runs]
        return [{"split": split, "run": r.folder.name, "model": r.name, "state": s, "why": w} for r, s, w in found]

    @cached_property
    def items(self):
        """The dataset as saved."""
        table = self._table("dataset.csv")
        return table.astype({"age_min": int, "age_max": int, "group": int})

    @cached_property
    def split(self) -> Split:
        """The split as saved."""
        part = self._table("split.csv")["part"].replace("test", str(TEST)).astype(int).to_numpy()
        return Split(part, self.metadata["folds"], self.metadata["source"], self.metadata["split"])

    def _table(self, name):
        wrong = damage(self.folder, {name: self.metadata["files"].get(name)})
        if wrong:
            raise DiskError(f"{self.folder / name}: {wrong}; the command that made these runs puts it right")
        import pandas as pd  # here, since the process of every fold fit imports this module and needs no tables

        blank = {name: [""] for name in ("gender", "ethnicity", "subject")}  # an item may well be called NA
        return pd.read_csv(self.folder / name, dtype=str, keep_default_na=False, na_values=blank)

    @property
    def y(self):
        """Labels, `(n, 2)` int years."""
        return self.items[["age_min", "age_max"]].to_numpy()

    @property
    def runs(self) -> list[Run]:
        """Every run begun here, by folder name."""
        there = [d for d in sorted(self.folder.iterdir()) if d.is_dir() and d.name[0] != "." and d.name != KEPT]
        return [Run(d, self) for d in there if any(d.iterdir())]

    def leaderboard(self, age_groups="default"):
        """The results table: a row for each run, the best first, with intervals and differences to the best.

        Parameters
        ----------
        age_groups : str or AgeGroups
            such as "decades" or "0-12,13-19,20-64,65+"

        Returns
        -------
        pandas.DataFrame
        """
        from . import leaderboard

        return leaderboard.rows(self, parse_age_groups(age_groups) if isinstance(age_groups, str) else age_groups)

    def states(self):
        """Every run, its state and what there is to say of it.

        Returns
        -------
        list of (Run, str, str)

        Raises
        ------
        UnequalError
            A run was made on another dataset or split than this experiment's.
        """
        result = []
        for run in self.runs:
            for what, expected in self.hashes.items():
                if not run.trouble and run.config.get(what) != expected:
                    raise UnequalError(
                        f"{run.folder.name} was made on another {what} than {self.folder.name}; "
                        "unequal runs do not share a table, move it out of this folder"
                    )
            result.append((run, *run.state(self.split.n_folds)))
        return result

    def start(self, spec, seed: int, kind: str, threads: int, device: str) -> Run:
        """The run of this configuration, begun now or earlier.

        Parameters
        ----------
        spec : Spec
        seed : int
        kind : {"folds", "refit"}
        threads : int
            for each fold fit; what an earlier start fixed stays
        device : str
        """
        config = self._config(spec, seed, kind, device)
        folder = self._run_folder(spec, config)
        folder.mkdir(exist_ok=True)
        with locked(self.folder / ".lock"):
            run = Run(folder)
            if run.trouble:
                threads = _threads_used(run) or threads
                content = {"name": spec.name, "config": config, "threads": threads, "ageensemble": __version__}
                write_json(folder / "run.json", content)
        return Run(folder, self)

    def store_file(self, file):
        """Keep a copy of a file that predictions need, by its hash, for whoever saves a run as a model later."""
        wanted, file = file_hash(file), Path(file)
        if not self.stored_files(wanted):
            place = self.folder / KEPT / wanted
            place.mkdir(parents=True, exist_ok=True)
            with atomic_write(place / file.name) as temporary:
                shutil.copyfile(file, temporary)

    def stored_files(self, wanted: str) -> list[Path]:
        """The copies that `store_file` made of what has this hash, list of path."""
        return sorted((self.folder / KEPT / wanted).glob("[!.]*"))

    @property
    def template(self):
        """How the images show a face, or None where that was not measured or is damaged."""
        try:
            return Template.from_json(read_json(self.folder / "template.json"))
        except (DiskError, DataError):
            return None

    def write_template(self, template: Template):
        """Keep how the images show a face."""
        write_json(self.folder / "template.json", template.to_json())

    def put(self, place: str, name: str, config: dict, predictions: dict, record: dict) -> Run:
        """Write a run that has no fold fits into the folder `place`; what lay there before goes.

        Parameters
        ----------
        place, name : str
        config : dict
            its kind and all that decides its predictions; the hashes of dataset and split are added
        predictions, record
            see `Run.write`

        Returns
        -------
        Run
        """
        folder, new = self.folder / place, self.folder / f".new-{place}"
        with locked(self.folder / ".lock"):
            shutil.rmtree(new, ignore_errors=True)  # half written, by an earlier process that was killed
            new.mkdir()
            content = {"name": name, "config": config | self.hashes, "threads": 1, "ageensemble": __version__}
            write_json(new / "run.json", content)
            Run(new).write(predictions, record)
            if folder.exists():  # which is given up only now that there is a better one
                remove(Run(folder))
            new.rename(folder)
        return Run(folder, self)

    @property
    def hashes(self) -> dict[str, str]:
        """What runs must share to share a table: the hashes of the dataset and the split."""
        return {name: self.metadata[name] for name in ("dataset", "split")}

    def run_of(self, spec, seed: int, kind: str, device: str) -> Run:
        """The run of this configuration; nothing is made where there is none."""
        return Run(self._run_folder(spec, self._config(spec, seed, kind, device)), self)

    def _config(self, spec, seed, kind, device):
        config = spec.config | {
            "seed": seed,
            "kind": kind,
            "device": device,
            "accelerators": _accelerators(spec.model_class),
        }
        if self.split.parts != PARTS:  # what a run of this kind has otherwise goes without saying
            config["parts"] = [] if kind == "refit" else list(self.split.parts)
        return config | self.hashes

    def _run_folder(self, spec, config):
        prefix = "" if config["kind"] == "folds" else "refit-"
        return self.folder / f"{prefix}{slug(spec.name)}-{content_key(config)[:8]}"


def _accelerators(cls):
    """Which of the libraries that a model would use if installed are installed: they decide the last digits."""
    return [name for name in getattr(cls, "accelerators", ()) if importlib.util.find_spec(name)]


def _threads_used(run):
    """Threads of the fold fits of a run that lost its `run.json`, 0 where there are none."""
    ended = (file.parent.name.removeprefix("fold-") for file in run.fold_files("record.json"))
    return next((run.record(fold)["threads"] for fold in ended if run.sound(fold)), 0)


def _last_change(folder):
    return max([folder.stat().st_mtime, *(d.stat().st_mtime for d in folder.iterdir() if d.is_dir())])
