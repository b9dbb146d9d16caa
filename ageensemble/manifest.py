"""The manifest: the table of usable items, the list of the others with reasons, and what links items to each other."""

import os
import stat
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache as remember
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from . import datasets, splits
from .caches import default_folder
from .console import plain
from .datasets._files import as_text
from .duplicates import chain, connected, near_links
from .errors import DataError, UsageError
from .files import key_of, locked, write_csv
from .images import Photos, decode

COLUMNS = ["item_id", "path", "age_min", "age_max", "gender", "ethnicity", "subject", "dataset", "sha256", "cluster"]
DEMO_FACES = 3000


@dataclass(frozen=True)
class Manifest:
    """The usable items of a data set, sorted by `item_id`.

    Attributes
    ----------
    name : str
        of the data set
    root : pathlib.Path
        folder the paths are relative to
    items : pandas.DataFrame
        `COLUMNS`, those of `datasets.EXTRAS` that the source knows, and `photo`, the item's row in `photos`
    excluded : pandas.DataFrame
        item_id, path, reason
    links : dict of str to (m, 2) int array
        rows of `items` that must not be parted, by kind of link
    photos : Photos
    licence : str
        what is known of the terms of the photographs
    """

    name: str
    root: Path
    items: pd.DataFrame
    excluded: pd.DataFrame
    links: dict
    photos: Photos
    licence: str = ""

    def __len__(self):
        return len(self.items)

    @property
    def y(self):
        """Labels, `(n, 2)` int years: age_min, age_max."""
        return self.items[["age_min", "age_max"]].to_numpy(int)

    @property
    def clusters(self):
        """Cluster of each item, `(n,)` int."""
        return self.items["cluster"].to_numpy()

    @property
    def strata(self):
        """Stratum of each item for splitting, `(n,)` int."""
        return splits.strata(self.y, self.items["gender"])

    @property
    def pixels(self):
        """Hash of each item's decoded pixels, `(n, 32)` uint8."""
        return self.photos.pixels[self.items["photo"]]

    @cached_property
    def hash(self):
        """Names items, labels, attributes, pixels and clusters: equal hashes mean the same comparison."""
        texts = (self.items[column].fillna("").tolist() for column in ("item_id", "gender"))
        return key_of(*texts, self.y, self.items["cluster"].to_numpy(np.int64), self.pixels)

    @property
    def reasons(self):
        """Why items were excluded, in short, and how many each: {reason: count}, most first."""
        return dict(Counter(reason.partition(":")[0] for reason in self.excluded["reason"]).most_common())

    def take(self, rows, reason=None):
        """The same manifest with only these rows of its items; with a reason the others are listed as excluded."""
        rows = np.sort(rows)
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        links = {kind: place[pairs][(place[pairs] >= 0).all(1)] for kind, pairs in self.links.items()}
        excluded = self.excluded
        if reason:
            others = self.items.loc[place < 0, ["item_id", "path"]].assign(reason=reason)
            excluded = pd.concat([excluded, others], ignore_index=True)
        return replace(self, items=self.items.iloc[rows].reset_index(drop=True), excluded=excluded, links=links)

    def limited(self, n, seed=0):
        """About `n` items: whole clusters, every stratum in its share; all items where there are fewer."""
        if n >= len(self):
            return self
        share = n / len(self)
        return self.take(np.flatnonzero(splits.assign(self.strata, self.clusters, [share, 1 - share], seed) == 0))

    def save(self, folder):
        """Write `manifest.csv` and `excluded.csv` into `folder`."""
        columns = [*COLUMNS, *(name for name in datasets.EXTRAS if name in self.items)]
        for name, table in (("manifest.csv", self.items[columns]), ("excluded.csv", self.excluded)):
            write_csv(folder / name, table)


def build(data="demo", format=None, cache=None, jobs=1, progress=lambda what: lambda done, total: None):
    """Read a source, decode its photographs and audit the lot.

    Parameters
    ----------
    data : str or pathlib.Path
        a folder, a manifest file, or "demo" for the built-in drawn faces
    format : str, optional
        source format to insist on
    cache : pathlib.Path, optional
    jobs : int
        processes that decode
    progress : callable
        given the name of a step, returns a callable that is told (done, total)

    Returns
    -------
    Manifest

    Raises
    ------
    DataError
        Nothing there, an unknown layout, or not one usable item.
    """
    if not str(data).strip():
        raise UsageError("--data is empty; name a folder, a manifest file or demo")
    cache = Path(cache or default_folder())
    root = demo_folder(cache, progress) if str(data) == "demo" else Path(data)
    name = "demo" if str(data) == "demo" else as_text(root.resolve().name)
    source = datasets.module(format or datasets.detect(root))
    table = source.read(root)
    extras = [name for name in datasets.EXTRAS if name in table]
    table = table.reindex(columns=[*datasets.COLUMNS, "cluster", *extras])
    table = table.astype(dict.fromkeys(("gender", "ethnicity", "subject", "moment", "problem", "cluster"), object))
    folder = root if root.is_dir() else root.parent
    if table.empty:
        raise DataError(f"{root} names no photographs")
    numbers = [name for name in extras if name != "official"]
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce")
    table = table.sort_values("item_id", kind="stable", ignore_index=True)  # whatever the order of the source
    _flag_repeats(table)
    _flag_paths(table, folder)
    table["photo"] = -1
    sound = table["problem"].isna()
    files = [str(folder / path) for path in table["path"][sound]]
    photos = decode(files, cache, jobs, progress("decoding photographs"))
    table.loc[sound, "photo"] = np.arange(len(files))
    table.loc[sound, "problem"] = [problem or None for problem in photos.problem]
    licence = "drawn by ageensemble, Apache-2.0" if str(data) == "demo" else getattr(source, "LICENCE", "")
    return replace(_assemble(name, folder, table, photos), licence=licence)


def demo_folder(cache, progress):
    """The folder of the built-in drawn faces, drawn now unless the cache has them."""
    from .datasets import demo

    folder = cache / "demo" / f"v{demo.VERSION}-{DEMO_FACES}"
    with locked(cache / "demo" / "lock"):
        if not (folder / "annotations.csv").exists():
            unfinished = folder.with_name(folder.name + "-unfinished")
            demo.draw(unfinished, DEMO_FACES, progress=progress("drawing the demo faces"))
            os.replace(unfinished, folder)
    return folder


def _flag(table, mask, reason):
    table.loc[mask & table["problem"].isna(), "problem"] = reason


def _flag_repeats(table):
    """Rows that share an item_id: a plain repeat is dropped, a contradiction drops all of them."""
    repeated = table.duplicated("item_id", keep=False)
    if not repeated.any():
        return
    by_id = table[repeated].fillna({"age_min": -1.0, "age_max": -1.0}).groupby("item_id")
    several = by_id[["path", "age_min", "age_max"]].transform("nunique") > 1
    _flag(table, several["path"].reindex(table.index, fill_value=False), "item_id used for different photos")
    ages = several[["age_min", "age_max"]].any(axis=1).reindex(table.index, fill_value=False)
    _flag(table, ages, "listed more than once with different ages")
    _flag(table, table.duplicated("item_id"), "listed twice")


def _flag_paths(table, folder):
    """Paths that lead out of the data folder, or nowhere."""
    root = os.path.join(os.path.realpath(folder), "")
    real = remember(os.path.realpath)  # of the few folders the many files are in
    sound = table["problem"].isna()
    problems = [_path_problem(os.path.join(folder, path), root, real) for path in table.loc[sound, "path"]]
    table.loc[sound, "problem"] = np.array(problems, dtype=object)


def _path_problem(path, root, real):
    """Why there is no file to be read at `path`, or None."""
    place, name = os.path.split(path)
    direct = name not in ("", ".", "..") and not os.path.islink(path)
    try:
        target = os.path.join(real(place), name) if direct else os.path.realpath(path)
        if not target.startswith(root):
            return "leads out of the data folder"
        return None if stat.S_ISREG(os.stat(path).st_mode) else "not a file"
    except (FileNotFoundError, NotADirectoryError, ValueError):  # the last of a NUL in the name
        return "no such file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _assemble(name, folder, table, photos):
    bad = table["problem"].notna()
    excluded = table.loc[bad, ["item_id", "path", "problem"]].rename(columns={"problem": "reason"})
    items = table[~bad].sort_values("item_id").reset_index(drop=True)
    if items.empty:
        reasons = excluded["reason"].value_counts().head(3)
        listed = ", ".join(f"{count} x {reason}" for reason, count in reasons.items())
        example = plain(excluded["path"].iloc[0])
        raise DataError(f"not one of the {len(excluded)} items in {folder} is usable: {listed}; the first: {example}")
    items["dataset"] = name
    items["sha256"] = [row.tobytes().hex() for row in photos.sha256[items["photo"]]]
    items = items.astype({"age_min": int, "age_max": int})
    links = _links(items, photos)
    items["cluster"] = connected(len(items), np.concatenate(list(links.values())))
    return Manifest(name, folder, items, excluded.reset_index(drop=True), links, photos)


def _links(items, photos):
    return {
        "same file": chain(items["sha256"]),
        "same pixels": chain([row.tobytes() for row in photos.pixels[items["photo"]]]),
        "near-duplicate": near_links(photos.dhash[items["photo"]]),
        "same moment": chain(items["moment"]),
        "same subject": chain(items["subject"]),
        "given cluster": chain(items["cluster"]),
    }
