import numpy as np

from ...ages import DEFAULT_AGE_GROUPS
from ...errors import DataError
from .base import Filter


class GenderBalance(Filter):
    """Leaves out some of the gender that is more frequent at an age, by chance, until both are as frequent.

    The larger gender is thinned to the smaller within each of the default age groups, by whole groups of the dataset.
    Groups come in an order drawn by chance; one goes where more of its items are of the gender that is too frequent at
    their age than are not. Single items end in exact balance; what larger groups leave of imbalance, the table of ages
    shows.
    """

    example = "gender-balance"
    default = ""
    column = "gender"

    def mask(self, dataset, random_state=0, progress=None):
        sign = dataset.items["gender"].map({"female": 1, "male": -1}).fillna(0).astype(int).tolist()
        if not any(sign):
            seen = ", ".join(sorted(map(str, dataset.items["gender"].dropna().unique()))[:5])
            raise DataError(
                f"gender-balance is between female and male, and no item of {dataset.name} is; seen: {seen}"
            )
        group = DEFAULT_AGE_GROUPS.lookup[dataset.age_range.sum(1) // 2].tolist()
        excess = (
            np.bincount(group, sign, len(DEFAULT_AGE_GROUPS)).astype(int).tolist()
        )  # of the one over the other gender
        order = np.argsort(dataset.groups, kind="stable")
        members = np.split(order, np.flatnonzero(np.diff(dataset.groups[order])) + 1)
        out = np.zeros(len(dataset), bool)
        for c in np.random.default_rng(random_state).permutation(len(members)):
            rows = members[c].tolist()
            gain = sum(_nearer(excess, group, sign, rows))
            if gain > 0:
                out[rows] = True
                for row in rows:
                    excess[group[row]] -= sign[row]
        return out

    def reason(self):
        return "of the more frequent gender at that age, drawn by chance"


def _nearer(excess, group, sign, rows):
    """How much nearer to balance each age group of these items comes without them."""
    change = {}
    for row in rows:
        change[group[row]] = change.get(group[row], 0) + sign[row]
    return (abs(excess[g]) - abs(excess[g] - amount) for g, amount in change.items())
