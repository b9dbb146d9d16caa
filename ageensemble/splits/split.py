"""Splits: groups in, one part for each item out, the same for every model.

A split says of each item that it is `TEST` or in fold 0..K-1. It comes from a seed, a file or a protocol, is saved
beside the runs that obey it, and is named by its hash. By some protocols there is no test part, only folds.
"""

from dataclasses import dataclass

import numpy as np

from .._utils.console import counted
from .._utils.io import key_of, write_csv
from ..ages import DEFAULT_AGE_GROUPS
from ..errors import DataError

TEST = -1
JUDGED = {"test": "test part", "oof": "fold by fold"}  # what people are told of `Split.judged`
WHERE = {"test": "on the test part", "oof": "fold by fold"}
TEST_SHARE = 0.2
N_FOLDS = 5
N_INNER_FOLDS = 10  # parts of a cell's training items handed to models


@dataclass(frozen=True)
class Split:
    """For each item of a dataset, in its order: `TEST` or a fold.

    Attributes
    ----------
    part : (n,) int array
    folds : int
    source : str
        "seed 0", the file it was read from, or what else decided it
    hash : str
        of item ids and parts
    """

    part: np.ndarray
    folds: int
    source: str
    hash: str

    @property
    def test(self):
        """Rows of the test part."""
        return np.flatnonzero(self.part == TEST)

    @property
    def rest(self):
        """Rows of all folds together: everything a model may ever train on."""
        return np.flatnonzero(self.part != TEST)

    @property
    def parts(self):
        """What there are predictions of, tuple of str: "oof", and "test" unless there is no test part."""
        return ("oof", "test") if len(self.test) else ("oof",)

    @property
    def judged(self):
        """The part that shows what was tuned out-of-fold: "test", or where there is none "oof", fold by fold."""
        return self.parts[-1]

    def rows(self, part):
        """Rows that predictions of a part are of, in their order: "oof" for all folds together, or "test"."""
        return {"oof": self.rest, "test": self.test}[part]

    def held_out(self, fold):
        """Rows that the cell of this fold must not see."""
        return np.flatnonzero(self.part == fold)

    def training(self, fold):
        """Rows that the cell of this fold trains on."""
        return np.flatnonzero((self.part != TEST) & (self.part != fold))

    def save(self, folder, item_ids):
        """Write `split.csv`: item_id, part."""
        import pandas as pd

        names = np.where(self.part == TEST, "test", self.part.astype(str))
        write_csv(folder / "split.csv", pd.DataFrame({"item_id": item_ids, "part": names}))


def age_gender_strata(y, gender):
    """Strata that splits keep in proportion: the fourteen age ranges by gender where known, `(n,)` int.

    They are fixed, so that the groups of a report never change a split. A ranged label counts by its middle.
    """
    import pandas as pd

    genders, known = pd.factorize(np.asarray(gender, dtype=object))
    return DEFAULT_AGE_GROUPS.lookup[y.sum(1) // 2] * (len(known) + 1) + genders + 1


def assign_stratified_groups(strata, groups, shares, seed):
    """Part of each item, so that groups stay whole and every stratum is spread by the shares.

    Groups of several items go first, the largest first, each to the part that still lacks most of what the group
    holds; single items then fill, stratum by stratum, what is left. One pass over a million items takes seconds.

    Parameters
    ----------
    strata, groups : (n,) int array
    shares : sequence of float
        sums to 1
    seed : int or sequence of int

    Returns
    -------
    (n,) int array
        part 0..len(shares)-1
    """
    rng = np.random.default_rng(seed)
    _, stratum = np.unique(strata, return_inverse=True)
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    shares = np.asarray(shares, float)
    lacking = shares[:, None] * np.bincount(stratum)  # (parts, strata)
    target = np.maximum(lacking, 1e-9)
    part = np.full(len(stratum), -1)

    order = np.lexsort((rng.random(len(size)), -size))
    starts = np.r_[0, np.cumsum(size)]
    members = np.argsort(group, kind="stable")
    for c in order[size[order] > 1]:
        rows = members[starts[c] : starts[c + 1]]
        present, amount = np.unique(stratum[rows], return_counts=True)
        need = (lacking[:, present] / target[:, present]) @ amount + len(rows) * lacking.sum(1) / target.sum(1)
        best = int(np.argmax(need + 1e-9 * rng.random(len(shares))))
        part[rows] = best
        lacking[best, present] -= amount

    carry = rng.random(len(shares)) * 1e-6
    for s in range(lacking.shape[1]):
        rows = rng.permutation(np.flatnonzero((part < 0) & (stratum == s)))
        quota, carry = _quota(np.clip(lacking[:, s], 0, None), len(rows), carry)
        part[rows] = np.repeat(np.arange(len(shares)), quota)
    return part


def _quota(lacking, n, carry):
    """Split `n` in proportion to what is lacking; what rounding took from a part is carried to the next stratum."""
    wanted = n * lacking / lacking.sum() if lacking.sum() > 0 else np.full(len(lacking), n / len(lacking))
    quota = np.floor(wanted).astype(int)
    leftover = wanted - quota + carry
    for best in np.argsort(-leftover, kind="stable")[: n - quota.sum()]:
        quota[best] += 1
    return quota, carry + wanted - quota


def make_split(dataset, seed=0, folds=N_FOLDS, test_share=TEST_SHARE):
    """A split from a seed.

    Raises
    ------
    DataError
        Too few items or groups to fill every part.
    """
    shares = [test_share, *[(1 - test_share) / folds] * folds]
    part = assign_stratified_groups(dataset.strata, dataset.groups, shares, seed) - 1
    if len(np.unique(part)) <= folds:
        independent = len(np.unique(dataset.groups))
        raise DataError(
            f"{counted(len(dataset), 'item')} ({independent} that may be parted) cannot fill a test part and {folds} "
            "folds; more photographs or fewer --folds are needed"
        )
    return Split(part, folds, f"seed {seed}", split_hash(dataset.items["item_id"], part))


def split_with_test(dataset, test, seed=0, folds=N_FOLDS):
    """A split whose test part is given: folds from a seed over all other items.

    Parameters
    ----------
    dataset : Dataset
    test : (n,) bool array
        which items are the test part; there may be none
    seed, folds : int

    Raises
    ------
    DataError
        Too few other items or groups to fill every fold.
    """
    part = np.full(len(test), TEST)
    rest = np.flatnonzero(~test)
    part[rest] = assign_stratified_groups(dataset.strata[rest], dataset.groups[rest], [1 / folds] * folds, seed)
    return split_from_folds(dataset, part, folds, f"seed {seed}")


def split_from_folds(dataset, part, folds, source):
    """A split of parts decided elsewhere.

    Parameters
    ----------
    dataset : Dataset
    part : (n,) int array
        `TEST` or a fold, in the order of the dataset
    folds : int
    source : str
        what decided, for who reads the table

    Raises
    ------
    DataError
        Fewer than two folds, or one without items.
    """
    filled = len(np.unique(part[part != TEST]))
    if filled < max(folds, 2):
        there = counted(np.count_nonzero(part != TEST), "item")
        raise DataError(f"{there} outside the test part fill {counted(filled, 'fold')}, and {max(folds, 2)} are needed")
    return Split(part, folds, source, split_hash(dataset.items["item_id"], part))


def split_hash(item_ids, part):
    """Hash of which item is in which part."""
    return key_of(list(item_ids), [int(p) for p in part])


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


def leaking_rows(split, groups):
    """Rows of items whose group lies in more than one part: what a split leaks, `(m,)` int."""
    order = np.lexsort((split.part, groups))
    group, part = groups[order], split.part[order]
    torn = group[1:][(group[1:] == group[:-1]) & (part[1:] != part[:-1])]
    return np.flatnonzero(np.isin(groups, torn))


def inner_folds(strata, groups, rows, seed):
    """Parts 0..9 of a cell's training items, groups whole, `(len(rows),)` int: all a model may steer by."""
    return assign_stratified_groups(strata[rows], groups[rows], [1 / N_INNER_FOLDS] * N_INNER_FOLDS, seed)
