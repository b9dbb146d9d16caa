"""The dataset: the table of usable items, the list of the others with reasons, and what links items to each other."""

import html
import os
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache as remember
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from .._utils.cache import default_folder
from .._utils.console import plain
from .._utils.io import content_key, locked, write_csv
from ..ages import MAX_AGE, exact
from ..errors import DataError
from . import concat, readers
from .duplicates import connected_components, link_equal, near_duplicate_links
from .image_array import native
from .image_store import ImageStore, decode

COLUMNS = ["item_id", "path", "age_min", "age_max", "gender", "ethnicity", "subject", "dataset", "sha256", "group"]
DEMO_FACES = 3000


@dataclass(frozen=True)
class Dataset:
    """The usable items of a dataset, or of several, sorted by `item_id`.

    Attributes
    ----------
    name : str
        of the dataset; of several their names, joined by +
    root : pathlib.Path
        folder the paths are relative to
    items : pandas.DataFrame
        `COLUMNS`, those of `readers.EXTRAS` that the source knows, and `image`, the item's row in `image_store`
    excluded : pandas.DataFrame
        item_id, path, reason
    links : dict of str to (m, 2) int array
        rows of `items` that must stay together, by kind of link
    image_store : ImageStore
    license : str
        what is known of the terms of the images
    formats : dict of str to str
        source format of each set, by the set's name; no part of the hash
    """

    name: str
    root: Path
    items: pd.DataFrame
    excluded: pd.DataFrame
    links: dict
    image_store: ImageStore
    license: str = ""
    formats: dict = field(default_factory=dict)

    def __len__(self):
        return len(self.items)

    def __repr__(self) -> str:
        low, high = (self.age_range.min(), self.age_range.max()) if len(self) else (0, 0)
        items = f"{len(self):,} items in {len(np.unique(self.groups)):,} groups"
        return f"<Dataset {self.name}: {items}, ages {low} to {high}, {len(self.excluded):,} excluded>"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self).strip('<>'))}</p>{self.frame.head(10).to_html()}"

    @property
    def frame(self) -> pd.DataFrame:
        """The items with what is known of each, one row per item."""
        return self.items.drop(columns="image")

    @property
    def age_range(self) -> np.ndarray:
        """Labels, `(n, 2)` int years: youngest and oldest that the label allows, equal where the age is exact."""
        return self.items[["age_min", "age_max"]].to_numpy(int)

    @property
    def age(self) -> np.ndarray:
        """Exact ages, `(n,)` int years.

        Raises
        ------
        DataError
            Some label is a range of years.
        """
        return exact(self.age_range, "Dataset.age")

    @property
    def groups(self) -> np.ndarray:
        """Group of each item, `(n,)` int: items of one group show one person or one picture and stay together."""
        return self.items["group"].to_numpy()

    @property
    def attributes(self) -> pd.DataFrame:
        """Gender and ethnicity of each item, missing where unknown."""
        return self.items[["gender", "ethnicity"]]

    @property
    def images(self):
        """The images of the items at their own sizes, an `ImageArray`, in the order of the items.

        Raises
        ------
        DataError
            Only the labels were read.
        """
        if not self.has_images:
            raise DataError(f"the images of {self.name} were not opened")
        return native(self.image_store, self.items["image"].to_numpy())

    @property
    def pixels(self):
        """Hash of each item's decoded pixels, `(n, 32)` uint8."""
        return self.image_store.pixels[self.items["image"]]

    @cached_property
    def hash(self):
        """Names items, labels, attributes, pixels and groups: equal hashes mean the same comparison."""
        texts = (self.items[column].fillna("").tolist() for column in ("item_id", "gender"))
        return content_key(*texts, self.age_range, self.items["group"].to_numpy(np.int64), self.pixels)

    @property
    def has_images(self) -> bool:
        """Whether the images were opened; else only the labels are known."""
        return self.image_store.folder is not None

    @property
    def reasons(self):
        """Why items were excluded, in short, and how many each: {reason: count}, most first."""
        return dict(Counter(reason.partition(":")[0] for reason in self.excluded["reason"]).most_common())

    def take(self, rows, reason=None):
        """The same dataset with only these rows of its items; with a reason the others are listed as excluded."""
        rows = np.sort(rows)
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        links = {kind: place[pairs][(place[pairs] >= 0).all(1)] for kind, pairs in self.links.items()}
        excluded = self.excluded
        if reason:
            others = self.items.loc[place < 0, ["item_id", "path"]].assign(reason=reason)
            excluded = pd.concat([excluded, others], ignore_index=True)
        return replace(self, items=self.items.iloc[rows].reset_index(drop=True), excluded=excluded, links=links)

    def save(self, folder):
        """Write `dataset.csv` and `excluded.csv` into `folder`."""
        columns = [*COLUMNS, *(name for name in readers.EXTRAS if name in self.items)]
        for name, table in (("dataset.csv", self.items[columns]), ("excluded.csv", self.excluded)):
            write_csv(folder / name, table)


def load_dataset(
    path="demo",
    *,
    format: str | None = None,
    cache: Path | None = None,
    n_jobs: int = 1,
    with_images: bool = True,
    on_progress: Callable = lambda step: lambda done, total: None,
) -> Dataset:
    """Read labels, decode the images and find out which items belong together.

    Parameters
    ----------
    path : str, pathlib.Path or a sequence of them
        a folder, a dataset file, or "demo" for the built-in drawn faces; several datasets become one, see `concat`
    format : str, optional
        read it in this format, whatever it looks like
    cache : pathlib.Path, optional
        folder for decoded images
    n_jobs : int
        processes that decode
    with_images : bool
        whether to open the images; if not, they need not exist, and groups come from the labels alone
    on_progress : callable
        called with the name of a step, returns a function called with (done, total)

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        Nothing there, an unknown layout, or a dataset without usable items.
    UsageError
        Datasets whose names cannot be told apart, see `concat.names`.

    Examples
    --------
    >>> faces = load_dataset("photos/")
    >>> faces.frame[["item_id", "age_min", "age_max", "gender", "group"]]
    """
    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    cache, tables, folders, licenses, formats = Path(cache or default_folder()), {}, {}, {}, {}
    for name, one in zip(concat.names(paths), paths, strict=True):
        root = _demo_folder(cache, on_progress) if str(one) == "demo" else Path(one)
        folders[name] = root if root.is_dir() else root.parent
        formats[name] = readers.READERS.resolve(format) if format else readers.detect_format(root)
        tables[name], licenses[name] = _read(root, formats[name])
        if str(one) == "demo":
            licenses[name] = "drawn by ageensemble, Apache-2.0"
        if with_images:
            _flag_paths(tables[name], folders[name])
    table, folder = concat.joined(tables, folders)
    table["image"] = -1
    sound = table["problem"].isna()
    if with_images:
        files = [str(folder / path) for path in table["path"][sound]]
        store = decode(files, cache, n_jobs, on_progress("decoding images"))
    else:
        store = ImageStore.empty(int(sound.sum()))
    table.loc[sound, "image"] = np.arange(sound.sum())
    table.loc[sound, "problem"] = [problem or None for problem in store.problem]
    _refuse_useless(table, folders)
    made = _assemble("+".join(sorted(tables)), folder, table, store)
    return replace(made, license=_joined_licenses(licenses), formats=formats)


def _read(root, format):
    """The table of one source, whatever is wrong with a row noted in it, and what is known of the terms."""
    table, license = readers.read_labels(root, format)
    if table.empty:
        raise DataError(f"{root} lists no images")
    extras = [name for name in readers.EXTRAS if name in table]
    table = table.reindex(columns=[*readers.COLUMNS, "group", *extras])
    table = table.astype(dict.fromkeys(("gender", "ethnicity", "subject", "moment", "problem", "group"), object))
    numbers = [name for name in extras if name not in ("official", "remark")]
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce")
    table = table.sort_values("item_id", kind="stable", ignore_index=True)  # whatever the order of the source
    _flag_repeats(table)
    low, high = (pd.to_numeric(table[end], errors="coerce") for end in ("age_min", "age_max"))
    _flag(table, low.isna() | high.isna(), "no age")  # of readers from elsewhere; ours say more
    _flag(table, ~((low >= 0) & (low <= high) & (high < MAX_AGE + 1)), "age impossible")
    return table, license


def _joined_licenses(licenses):
    """The terms of several sets as one text."""
    if len(licenses) == 1:
        return next(iter(licenses.values()))
    return "; ".join(f"{name}: {text or 'not known here'}" for name, text in licenses.items())


def _demo_folder(cache, on_progress):
    """The folder of the built-in drawn faces, drawn now unless the cache has them."""
    from .synthetic import dataset

    folder = cache / "demo" / f"v{dataset.VERSION}-{DEMO_FACES}"
    with locked(cache / "demo" / "lock"):
        if not (folder / "annotations.csv").exists():
            unfinished = folder.with_name(folder.name + "-unfinished")
            dataset.draw(unfinished, DEMO_FACES, progress=on_progress("drawing the demo faces"))
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
    differs = by_id[["path", "age_min", "age_max"]].transform("nunique") > 1
    _flag(table, differs["path"].reindex(table.index, fill_value=False), "item_id used for different photos")
    ages = differs[["age_min", "age_max"]].any(axis=1).reindex(table.index, fill_value=False)
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


def _refuse_useless(table, folders):
    """Raise DataError where a set has not one usable item."""
    for name, rows in table.groupby("dataset", sort=False):
        if rows["problem"].notna().all():
            reasons = rows["problem"].value_counts().head(3)
            listed = ", ".join(f"{count} x {reason}" for reason, count in reasons.items())
            where, example = f"{len(rows)} items in {folders[name]}", plain(rows["path"].iloc[0])
            raise DataError(f"not one of the {where} is usable: {listed}; the first: {example}")


def _assemble(name, folder, table, store):
    bad = table["problem"].notna()
    excluded = table.loc[bad, ["item_id", "path", "problem"]].rename(columns={"problem": "reason"})
    items = table[~bad].sort_values("item_id").reset_index(drop=True)
    items["sha256"] = [row.tobytes().hex() for row in store.sha256[items["image"]]]
    items = items.astype({"age_min": int, "age_max": int})
    links = _links(items, store)
    items["group"] = connected_components(len(items), np.concatenate(list(links.values())))
    return Dataset(name, folder, items, excluded.reset_index(drop=True), links, store)


def _links(items, store):
    links = {}
    if store.folder is not None:
        links = {
            "same file": link_equal(items["sha256"]),
            "same pixels": link_equal([row.tobytes() for row in store.pixels[items["image"]]]),
            "near-duplicate": near_duplicate_links(store.dhash[items["image"]]),
        }
    links |= {"same moment": link_equal(items["moment"]), "same subject": link_equal(items["subject"])}
    return links | {"given group": link_equal(items["group"])}
