"""Splits: one part for each item, groups kept whole, the same for every model.

A split assigns each item to `TEST` or to a fold 0..K-1. It comes from a seed, a file or a protocol, is saved
beside the runs that obey it, and is named by its hash. By some protocols there is no test part, only folds.
"""

from dataclasses import dataclass

import numpy as np

from .._utils.console import counted
from .._utils.io import content_key, write_csv
from ..errors import DataError, UsageError
from .stratified_groups import age_gender_strata, assign_stratified_groups

TEST = -1
PART_NAMES = {"test": "test part", "oof": "fold by fold"}  # of `Split.evaluated_part`, for people
PART_PHRASES = {"test": "on the test part", "oof": "fold by fold"}
TEST_SIZE = 0.2
N_FOLDS = 5


@dataclass(frozen=True)
class Split:
    """The fold of every item of a dataset, or that it belongs to the test part; a scikit-learn cross-validator.

    Attributes
    ----------
    fold : (n,) int array
        0..n_folds-1, or `TEST` = -1
    n_folds : int
    source : str
        "seed 0", the file it was read from, or what else decided it
    hash : str
        of item ids and folds: equal hashes mean the same split

    Examples
    --------
    >>> split = make_split(faces, n_folds=5, random_state=0)
    >>> cross_val_score(model, X, faces.age, cv=split)
    """

    fold: np.ndarray
    n_folds: int
    source: str
    hash: str

    def __len__(self) -> int:
        return len(self.fold)

    def __repr__(self) -> str:
        sizes = f"{len(self.development):,} items in {self.n_folds} folds, {len(self.test):,} in the test part"
        return f"<Split {self.hash[:8]} ({self.source}): {sizes}>"

    @property
    def test(self) -> np.ndarray:
        """Rows of the test part, `(m,)` int."""
        return np.flatnonzero(self.fold == TEST)

    @property
    def development(self) -> np.ndarray:
        """Rows of all folds together: everything a model may ever train on, `(m,)` int."""
        return np.flatnonzero(self.fold != TEST)

    @property
    def parts(self) -> tuple[str, ...]:
        """What there are predictions of: "oof", and "test" unless there is no test part."""
        return ("oof", "test") if len(self.test) else ("oof",)

    @property
    def evaluated_part(self) -> str:
        """The part that shows what was tuned out-of-fold: "test", or where there is none "oof", fold by fold."""
        return self.parts[-1]

    def rows(self, part: str) -> np.ndarray:
        """Rows that predictions of a part are of, in their order: "oof" for the development part, or "test"."""
        if part not in ("oof", "test"):
            raise UsageError(f"no part called '{part}'; there are: oof, test")
        return self.development if part == "oof" else self.test

    def held_out(self, fold: int) -> np.ndarray:
        """Rows of a fold: its fold fit must not see them."""
        return np.flatnonzero(self.fold == fold)

    def training(self, fold: int) -> np.ndarray:
        """Rows that the fold fit of a fold trains on."""
        return np.flatnonzero((self.fold != TEST) & (self.fold != fold))

    def split(self, X=None, y=None, groups=None):
        """Training and held-out rows of every fold, as of a scikit-learn cross-validator; test items are in neither."""
        for fold in range(self.n_folds):
            yield self.training(fold), self.held_out(fold)

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Number of folds."""
        return self.n_folds

    def save(self, folder, item_ids):
        """Write `split.csv`: item_id, part."""
        import pandas as pd

        names = np.where(self.fold == TEST, "test", self.fold.astype(str))
        write_csv(folder / "split.csv", pd.DataFrame({"item_id": item_ids, "part": names}))


def make_split(dataset, n_folds: int = N_FOLDS, random_state=0, test_size: float = TEST_SIZE) -> Split:
    """Split a dataset into a test part and folds: groups whole, ages and genders in proportion.

    Parameters
    ----------
    dataset : Dataset
    n_folds : int
    random_state : int
    test_size : float
        share of the items

    Raises
    ------
    DataError
        Too few items or groups to fill every part.
    """
    shares = [test_size, *[(1 - test_size) / n_folds] * n_folds]
    fold = assign_stratified_groups(strata_of(dataset), dataset.groups, shares, random_state) - 1
    if len(np.unique(fold)) <= n_folds:
        independent = len(np.unique(dataset.groups))
        raise DataError(
            f"{counted(len(dataset), 'item')} in {counted(independent, 'group')} cannot fill a test part and {n_folds} "
            "folds; more images or fewer --folds are needed"
        )
    return Split(fold, n_folds, f"seed {random_state}", split_hash(dataset.items["item_id"], fold))


def split_with_test(dataset, test: np.ndarray, n_folds: int = N_FOLDS, random_state=0) -> Split:
    """Split a dataset whose test part is given: folds over all other items.

    Parameters
    ----------
    dataset : Dataset
    test : (n,) bool array
        which items are the test part; there may be none
    n_folds, random_state : int

    Raises
    ------
    DataError
        Too few other items or groups to fill every fold.
    """
    fold = np.full(len(test), TEST)
    rest = np.flatnonzero(~test)
    shares = [1 / n_folds] * n_folds
    fold[rest] = assign_stratified_groups(strata_of(dataset)[rest], dataset.groups[rest], shares, random_state)
    return split_from_folds(dataset, fold, n_folds, f"seed {random_state}")


def strata_of(dataset) -> np.ndarray:
    """Stratum of each item of a dataset, `(n,)` int."""
    return age_gender_strata(dataset.age_range, dataset.items["gender"])


def subsample(dataset, n: int, random_state=0):
    """About `n` items of a dataset: whole groups, every stratum in its share; all items where there are fewer."""
    if n >= len(dataset):
        return dataset
    share = n / len(dataset)
    part = assign_stratified_groups(strata_of(dataset), dataset.groups, [share, 1 - share], random_state)
    return dataset.take(np.flatnonzero(part == 0))


def split_from_folds(dataset, fold: np.ndarray, n_folds: int, source: str) -> Split:
    """A split of parts decided elsewhere.

    Parameters
    ----------
    dataset : Dataset
    fold : (n,) int array
        `TEST` or a fold, in the order of the dataset
    n_folds : int
    source : str
        what decided, for who reads the table

    Raises
    ------
    DataError
        Fewer than two folds, or one without items.
    """
    filled = len(np.unique(fold[fold != TEST]))
    if filled < max(n_folds, 2):
        there = counted(np.count_nonzero(fold != TEST), "item")
        raise DataError(
            f"{there} outside the test part fill {counted(filled, 'fold')}, and {max(n_folds, 2)} are needed"
        )
    return Split(fold, n_folds, source, split_hash(dataset.items["item_id"], fold))


def split_hash(item_ids, part):
    """Hash of which item is in which part."""
    return content_key(list(item_ids), [int(p) for p in part])


def read_split(file, dataset):
    """A split from a CSV file with columns item_id and part (`test` or a fold number), and the items it covers.

    Items that the file does not name take no part; the dataset returned lists them as excluded. There may be no test
    part, as in what `Split.save` writes of such a split.

    Returns
    -------
    Split, Dataset

    Raises
    ------
    DataError
        Not such a file; an item twice or not among the usable ones; a fold missing.
    """
    from ..data.readers.table import read_table

    table = read_table(file)
    if not {"item_id", "part"} <= set(table.columns):
        raise DataError(f"{file} is not a split: it needs the columns item_id and part")
    if table.empty:
        raise DataError(f"{file} is a split without items")
    table = table.fillna("")
    if table["item_id"].duplicated().any():
        raise DataError(f"{file} names '{table['item_id'][table['item_id'].duplicated()].iloc[0]}' twice")
    unknown = ~table["item_id"].isin(dataset.items["item_id"])
    if unknown.any():
        first = table["item_id"][unknown].iloc[0]
        many = counted(unknown.sum(), "item")
        raise DataError(f"{many} of the split {file} not among the usable photographs; first: {first}")
    bad = ~table["part"].str.fullmatch(r"test|[0-9]{1,4}")
    if bad.any():
        raise DataError(f"{file}: part '{table['part'][bad].iloc[0]}' is neither 'test' nor a fold number")
    number = table.set_index("item_id")["part"].replace("test", str(TEST)).astype(int)
    covered = dataset.take(np.flatnonzero(dataset.items["item_id"].isin(number.index)), "not in the split")
    part = number.loc[covered.items["item_id"]].to_numpy()
    folds = int(part.max()) + 1
    absent = [fold for fold in range(max(folds, 2)) if fold not in part]
    if absent:
        raise DataError(f"{file} has no item in fold {absent[0]}")
    return Split(part, folds, f"file {file.name}", split_hash(covered.items["item_id"], part)), covered


def leaking_rows(split: Split, groups: np.ndarray) -> np.ndarray:
    """Rows of items whose group lies in more than one part: what a split leaks, `(m,)` int."""
    order = np.lexsort((split.fold, groups))
    group, part = groups[order], split.fold[order]
    torn = group[1:][(group[1:] == group[:-1]) & (part[1:] != part[:-1])]
    return np.flatnonzero(np.isin(groups, torn))
