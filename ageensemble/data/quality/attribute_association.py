"""Confounding: how far age goes with gender and ethnicity, so that a model may read one for the other."""

import numpy as np

from ... import ages
from ...ages import DEFAULT_AGE_GROUPS

UNKNOWN = "(not known)"
OTHERS = "(others)"
MOST = 20  # values of an attribute that are kept apart
ATTRIBUTES = ("gender", "ethnicity")
WIDTH = 1.96  # standard errors to each side of a mean: 95 %


def attributes(items):
    """For each attribute its values, the most frequent first, and which of them each item has.

    Parameters
    ----------
    items : pandas.DataFrame
        columns gender, ethnicity

    Returns
    -------
    dict of str to (list of str, (n,) int array)
        beyond `MOST` values, the rarest are one, "(others)"; what is missing is "(not known)"
    """
    return {name: _values(items[name]) for name in ATTRIBUTES}


def _values(column):
    import pandas as pd

    codes, values = pd.factorize(column.astype(object).where(column.notna(), UNKNOWN).map(str))
    order = np.argsort(-np.bincount(codes, minlength=len(values)), kind="stable")
    rank = np.empty(len(values), int)
    rank[order] = np.arange(len(values))
    names = [values[place] for place in order]
    if len(names) > MOST:
        names, rank = [*names[: MOST - 1], OTHERS], np.minimum(rank, MOST - 1)
    return names, rank[codes]


def confounding(known, y, groups):
    """How far age goes with each attribute, and the attributes with each other, among the items where they are known.

    Parameters
    ----------
    known : dict
        from `attributes`
    y : (n, 2) int array, years
    groups : (n,) int array

    Returns
    -------
    dict
        for each attribute with two values or more: `values` (for each `items`, `mean_age`, `low`, `high`, a 95 %
        interval robust to groups), `cramers_v` and `mutual_information` (bits) with the fourteen age groups,
        `constant_mae` and `attribute_mae`: mean absolute error in years of the median of all, and of the median of
        those with the same value. `between`: Cramer's V of gender and ethnicity, None where no item has both
    """
    age, group = y.mean(1), DEFAULT_AGE_GROUPS.lookup[y.sum(1) // 2]
    result = {}
    for name, (values, code) in known.items():
        rows = _known(values, code)
        if len(np.unique(code[rows])) > 1:
            result[name] = _attribute(values, code[rows], age[rows], group[rows], groups[rows])
    (genders, gender), (ethnicities, ethnicity) = known.values()
    both = _known(genders, gender) & _known(ethnicities, ethnicity)
    comparable = both.any() and len(result) == len(known)
    result["between"] = cramers_v(_crossed(gender[both], ethnicity[both])) if comparable else None
    return result


def _known(values, code):
    return code != values.index(UNKNOWN) if UNKNOWN in values else np.ones(len(code), bool)


def _attribute(values, code, age, group, groups):
    table = _crossed(code, group)
    there = np.unique(code)
    alone = np.abs(age - np.median(age)).mean()
    within = sum(np.abs(age[code == c] - np.median(age[code == c])).sum() for c in there) / len(age)
    means = {values[c]: _mean(age[code == c], groups[code == c]) for c in there}
    scores = {"cramers_v": cramers_v(table), "mutual_information": mutual_information(table)}
    return {"values": means} | scores | {"constant_mae": float(alone), "attribute_mae": float(within)}


def _mean(age, groups):
    _, group = np.unique(groups, return_inverse=True)
    count, mean = group.max() + 1, age.mean()
    variance = (np.bincount(group, age - mean) ** 2).sum() / len(age) ** 2 * count / max(count - 1, 1)
    half = WIDTH * np.sqrt(variance) if count > 1 else np.nan
    return {"items": len(age), "mean_age": float(mean), "low": float(mean - half), "high": float(mean + half)}


def _crossed(one, other):
    """Contingency table of two codes, rows and columns without an item left out."""
    table = np.bincount(one * ages.N_AGES + other, minlength=(one.max(initial=0) + 1) * ages.N_AGES).reshape(
        -1, ages.N_AGES
    )
    return table[table.any(1)][:, table.any(0)]


def cramers_v(table):
    """Cramer's V of a contingency table, 0 to 1, less what chance alone gives (Bergsma 2013, J. Korean Stat. Soc. 42).

    Parameters
    ----------
    table : (r, k) int array
        with an item in every row and column

    Returns
    -------
    float
        0 where there is one row or column alone
    """
    n, (rows, columns) = table.sum(), table.shape
    if min(rows, columns) < 2 or n < 2:
        return 0.0
    expected = np.outer(table.sum(1), table.sum(0)) / n
    chance = (rows - 1) * (columns - 1) / (n - 1)
    phi = max(0.0, ((table - expected) ** 2 / expected).sum() / n - chance)
    room = min(side - (side - 1) ** 2 / (n - 1) for side in (rows, columns)) - 1
    return float(np.sqrt(min(1.0, phi / room))) if room > 0 else 0.0


def mutual_information(table):
    """Mutual information of a contingency table in bits, less what chance alone gives.

    Source of the correction: Miller 1955, "Note on the bias of information estimates".
    """
    joint = table / table.sum()
    independent = np.outer(joint.sum(1), joint.sum(0))
    there = joint > 0
    bits = (joint[there] * np.log2(joint[there] / independent[there])).sum()
    chance = (table.shape[0] - 1) * (table.shape[1] - 1) / (2 * table.sum() * np.log(2))
    return float(max(0.0, bits - chance))
