"""Split plans: clusters in, one part for each item out, the same for every model.

A plan says of each item that it is `TEST` or in fold 0..K-1. It comes from a seed, a file or a protocol, is saved
beside the runs that obey it, and is named by its hash. By some protocols there is no test part, only folds.
"""

from dataclasses import dataclass

import numpy as np

from .._utils.console import counted
from .._utils.io import key_of, write_csv
from ..ages import FOURTEEN
from ..errors import DataError

TEST = -1
JUDGED = {"test": "test part", "oof": "fold by fold"}  # what people are told of `Plan.judged`
WHERE = {"test": "on the test part", "oof": "fold by fold"}
TEST_SHARE = 0.2
FOLDS = 5
INNER = 10  # parts of a cell's training items handed to models


@dataclass(frozen=True)
class Plan:
    """For each item of a manifest, in its order: `TEST` or a fold.

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
        """Write `plan.csv`: item_id, part."""
        import pandas as pd

        names = np.where(self.part == TEST, "test", self.part.astype(str))
        write_csv(folder / "plan.csv", pd.DataFrame({"item_id": item_ids, "part": names}))


def strata(y, gender):
    """Strata that splits keep in proportion: the fourteen age ranges by gender where known, `(n,)` int.

    They are fixed, so that the groups of a report never change a plan. A ranged label counts by its middle.
    """
    import pandas as pd

    genders, known = pd.factorize(np.asarray(gender, dtype=object))
    return FOURTEEN.lookup[y.sum(1) // 2] * (len(known) + 1) + genders + 1


def assign(strata, clusters, shares, seed):
    """Part of each item, so that clusters stay whole and every stratum is spread by the shares.

    Clusters of several items go first, the largest first, each to the part that still lacks most of what the cluster
    holds; single items then fill, stratum by stratum, what is left. One pass over a million items takes seconds.

    Parameters
    ----------
    strata, clusters : (n,) int array
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
    _, cluster, size = np.unique(clusters, return_inverse=True, return_counts=True)
    shares = np.asarray(shares, float)
    lacking = shares[:, None] * np.bincount(stratum)  # (parts, strata)
    target = np.maximum(lacking, 1e-9)
    part = np.full(len(stratum), -1)

    order = np.lexsort((rng.random(len(size)), -size))
    starts = np.r_[0, np.cumsum(size)]
    members = np.argsort(cluster, kind="stable")
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


def make(manifest, seed=0, folds=FOLDS, test_share=TEST_SHARE):
    """A plan from a seed.

    Raises
    ------
    DataError
        Too few items or clusters to fill every part.
    """
    shares = [test_share, *[(1 - test_share) / folds] * folds]
    part = assign(manifest.strata, manifest.clusters, shares, seed) - 1
    if len(np.unique(part)) <= folds:
        independent = len(np.unique(manifest.clusters))
        raise DataError(
            f"{counted(len(manifest), 'item')} ({independent} that may be parted) cannot fill a test part and {folds} "
            "folds; more photographs or fewer --folds are needed"
        )
    return Plan(part, folds, f"seed {seed}", plan_hash(manifest.items["item_id"], part))


def around(manifest, test, seed=0, folds=FOLDS):
    """A plan whose test part is given: folds from a seed over all other items.

    Parameters
    ----------
    manifest : Manifest
    test : (n,) bool array
        which items are the test part; there may be none
    seed, folds : int

    Raises
    ------
    DataError
        Too few other items or clusters to fill every fold.
    """
    part = np.full(len(test), TEST)
    rest = np.flatnonzero(~test)
    part[rest] = assign(manifest.strata[rest], manifest.clusters[rest], [1 / folds] * folds, seed)
    return given(manifest, part, folds, f"seed {seed}")


def given(manifest, part, folds, source):
    """A plan of parts decided elsewhere.

    Parameters
    ----------
    manifest : Manifest
    part : (n,) int array
        `TEST` or a fold, in the order of the manifest
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
    return Plan(part, folds, source, plan_hash(manifest.items["item_id"], part))


def plan_hash(item_ids, part):
    """Hash of which item is in which part."""
    return key_of(list(item_ids), [int(p) for p in part])


def read(file, manifest):
    """A plan from a CSV file with columns item_id and part (`test` or a fold number), and the items it covers.

    Items that the file does not name take no part; the manifest returned lists them as excluded. There may be no test
    part, as in what `Plan.save` writes of such a plan.

    Returns
    -------
    Plan, Manifest

    Raises
    ------
    DataError
        Not such a file; an item twice or not among the usable ones; a fold missing.
    """
    from ..data.readers.annotations import read_text

    table = read_text(file)
    if not {"item_id", "part"} <= set(table.columns):
        raise DataError(f"{file} is not a split plan: it needs the columns item_id and part")
    if table.empty:
        raise DataError(f"{file} is a split plan without items")
    table = table.fillna("")
    if table["item_id"].duplicated().any():
        raise DataError(f"{file} names '{table['item_id'][table['item_id'].duplicated()].iloc[0]}' twice")
    unknown = ~table["item_id"].isin(manifest.items["item_id"])
    if unknown.any():
        first = table["item_id"][unknown].iloc[0]
        many = counted(unknown.sum(), "item")
        raise DataError(f"{many} of the plan {file} not among the usable photographs; first: {first}")
    bad = ~table["part"].str.fullmatch(r"test|[0-9]{1,4}")
    if bad.any():
        raise DataError(f"{file}: part '{table['part'][bad].iloc[0]}' is neither 'test' nor a fold number")
    number = table.set_index("item_id")["part"].replace("test", str(TEST)).astype(int)
    covered = manifest.take(np.flatnonzero(manifest.items["item_id"].isin(number.index)), "not in the plan")
    part = number.loc[covered.items["item_id"]].to_numpy()
    folds = int(part.max()) + 1
    absent = [fold for fold in range(max(folds, 2)) if fold not in part]
    if absent:
        raise DataError(f"{file} has no item in fold {absent[0]}")
    return Plan(part, folds, f"file {file.name}", plan_hash(covered.items["item_id"], part)), covered


def parted(plan, clusters):
    """Rows of items whose cluster lies in more than one part: what a plan leaks, `(m,)` int."""
    order = np.lexsort((plan.part, clusters))
    cluster, part = clusters[order], plan.part[order]
    torn = cluster[1:][(cluster[1:] == cluster[:-1]) & (part[1:] != part[:-1])]
    return np.flatnonzero(np.isin(clusters, torn))


def inner(strata, clusters, rows, seed):
    """Parts 0..9 of a cell's training items, clusters whole, `(len(rows),)` int: all a model may steer by."""
    return assign(strata[rows], clusters[rows], [1 / INNER] * INNER, seed)
