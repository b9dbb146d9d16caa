"""What is wrong with a data set, before anybody believes anything: `data check`."""

import numpy as np

from ... import ages
from ..duplicates import connected_components
from .age_heaping import heaping
from .attribute_association import attributes, confounding
from .grouping import group_counts, grouping

ALIKE = ("same file", "same pixels", "near-duplicate")  # kinds of links between items that show the same picture
LARGEST = 12  # groups of copies that are listed
COMMON = 6  # image sizes that are listed


def audit(dataset):
    """Counts of everything worth knowing about a dataset.

    Returns
    -------
    dict
        items, excluded (by reason), remarks (on usable items, by text), ages, gender, ethnicity, subjects, age_groups
        (items in each), grouping (see `grouping`: `name`, `age_groups`, `cuts`), links (by kind: groups of linked
        items, items in them, groups with `several_ages`), groups, conflicts (worst first: ages, items), copies; years
        (items of each year, the middle of a labeled range, and the same by gender and ethnicity); heaping and
        confounding as the modules of these names say; sides and sizes of the images, None where they were not opened
    """
    items, y = dataset.items, dataset.age_range
    age_groups, cuts = grouping(y)
    known = attributes(items)
    return {
        "name": dataset.name,
        "items": len(items),
        "excluded": dataset.reasons,
        "remarks": _remarks(items),
        "ages": {
            "lowest": int(y[:, 0].min()),
            "highest": int(y[:, 1].max()),
            "mean": round(float(y.mean()), 1),
            "median": float(np.median(y)),
            "ranges": int((y[:, 0] != y[:, 1]).sum()),
        },
        "age_groups": group_counts(y, age_groups),
        "grouping": {"name": age_groups.name, "age_groups": list(map(list, age_groups.ranges)), "cuts": cuts},
        "gender": _counts(items["gender"]),
        "ethnicity": _counts(items["ethnicity"]),
        "subjects": {"items": int(items["subject"].notna().sum()), "different": int(items["subject"].nunique())},
        "years": _years(y, known),
        "heaping": heaping(y, dataset.groups),
        "confounding": confounding(known, y, dataset.groups),
        "sides": _sides(dataset) if dataset.has_images else None,
        "sizes": _sizes(dataset) if dataset.has_images else None,
        "links": {kind: _link_counts(pairs, y) for kind, pairs in dataset.links.items() if len(pairs)},
        "groups": len(np.unique(dataset.groups)),
        "conflicts": conflicts(dataset),
        "copies": copies(dataset),
    }


def _remarks(items):
    """What the source says is odd in usable items, in short, and how many each."""
    if "remark" not in items:
        return {}
    return {str(k): int(v) for k, v in items["remark"].dropna().str.partition(":")[0].value_counts().items()}


def _counts(column):
    return {str(k): int(v) for k, v in column.fillna("(not known)").value_counts().items()}


def _years(y, known):
    year = y.sum(1) // 2
    result = {"all": _by_year(year)}
    for name, (values, code) in known.items():
        result[name] = {value: _by_year(year[code == place]) for place, value in enumerate(values)}
    return result


def _by_year(year):
    return {str(age): int(count) for age, count in enumerate(np.bincount(year)) if count}


def _sides(dataset):
    short = dataset.image_store.original[dataset.items["image"]].min(1)
    return {"smallest": int(short.min()), "median": float(np.median(short)), "largest": int(short.max())}


def _sizes(dataset):
    """How many images have a shorter side of 16 to 31 pixels, 32 to 63, ...; the commonest sizes; size and age."""
    import pandas as pd

    original = dataset.image_store.original[dataset.items["image"]]
    short = original.min(1)
    doubling, counts = np.unique(np.log2(short).astype(int), return_counts=True)
    different, often = np.unique(original, axis=0, return_counts=True)
    common = [(*different[i], often[i]) for i in np.argsort(-often, kind="stable")[:COMMON]]
    rank, age_rank = pd.Series(short).rank(), pd.Series(dataset.age_range.sum(1)).rank()
    varied = rank.nunique() > 1 and age_rank.nunique() > 1
    return {
        "shorter_side": {f"{2**d}-{2 ** (d + 1) - 1}": int(n) for d, n in zip(doubling, counts, strict=True)},
        "different": len(different),
        "common": [{"width": int(width), "height": int(height), "items": int(n)} for height, width, n in common],
        "correlation_with_age": float(rank.corr(age_rank)) if varied else None,
    }


def _link_counts(pairs, y):
    label = connected_components(len(y), pairs)
    _, inverse, size = np.unique(label, return_inverse=True, return_counts=True)
    gap = _gaps(inverse, y)
    return {
        "groups": int((size > 1).sum()),
        "items": int(size[size > 1].sum()),
        "several_ages": int((gap > 0).sum()),
    }


def _gaps(group, y):
    """Years between the oldest and the youngest label of each group."""
    low, high = np.full(group.max() + 1, ages.N_AGES), np.full(group.max() + 1, -1)
    np.minimum.at(low, group, y[:, 1])
    np.maximum.at(high, group, y[:, 0])
    return high - low


def _same_picture(dataset):
    """Rows of each group of items that show the same picture (file, pixels or near-duplicate), and its `_gaps`."""
    kinds = [dataset.links[kind] for kind in ALIKE if kind in dataset.links]
    label = connected_components(len(dataset), np.concatenate([np.empty((0, 2), int), *kinds]))
    _, group = np.unique(label, return_inverse=True)
    gap, order = _gaps(group, dataset.age_range), np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(gap) + 1))
    return {g: order[starts[g] : starts[g + 1]] for g in np.flatnonzero(np.diff(starts) > 1)}, gap


def _described(rows, dataset):
    items = dataset.items.iloc[rows]
    ends = zip(items["age_min"].tolist(), items["age_max"].tolist(), strict=True)
    return {
        "ages": [low if low == high else ages.range_text(low, high) for low, high in ends],
        "items": items["item_id"].tolist(),
    }


def conflicts(dataset):
    """Groups of items that show the same picture with different ages, worst first.

    Returns
    -------
    list of dict
        gap (years; of ranges those between them), ages (a number, or a text such as 25-32), items
    """
    rows, gap = _same_picture(dataset)
    worst = sorted((g for g in rows if gap[g] > 0), key=lambda g: -gap[g])
    return [{"gap": int(gap[g])} | _described(rows[g], dataset) for g in worst]


def copies(dataset):
    """Groups of items that show the same picture with ages that agree: how many, and the largest.

    Returns
    -------
    dict
        groups; largest (list of dict): ages, items
    """
    rows, gap = _same_picture(dataset)
    agreed = sorted((g for g in rows if gap[g] <= 0), key=lambda g: -len(rows[g]))
    return {"groups": len(agreed), "largest": [_described(rows[g], dataset) for g in agreed[:LARGEST]]}


def spread_over_ages(y, count=80):
    """Rows spread over the ages there are, not over the items, sorted by age."""
    rng = np.random.default_rng(0)
    wanted = np.linspace(y[:, 0].min(), y[:, 0].max(), count)
    shuffled = rng.permutation(len(y))
    free = dict.fromkeys(shuffled.tolist())
    chosen = []
    for age in wanted:
        if not free:
            break
        left = np.fromiter(free, int)
        best = int(left[np.argmin(np.abs(y[left, 0] - age))])
        chosen.append(best)
        del free[best]
    return np.array(sorted(chosen, key=lambda row: y[row, 0]))
