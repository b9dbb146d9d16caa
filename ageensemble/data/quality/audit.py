"""What is wrong with a data set, before anybody believes anything: `data check`."""

from pathlib import Path

import numpy as np

from ... import ages
from ..._utils.console import counted, plain
from ..._utils.io import write_csv
from ..duplicates import connected
from .age_heaping import FIRST, LAST, heaping
from .attribute_association import ATTRIBUTES, attributes, confounding
from .grouping import group_counts, grouping

ALIKE = ("same file", "same pixels", "near-duplicate")  # kinds of links between items that show the same picture
LARGEST = 12  # groups of copies that are listed
SEVERAL = {"same subject": "person", "same moment": "moment"}  # links whose items may well be of several ages
COMMON = 6  # sizes of photographs that are listed
PEAKS = 5  # ages that stand out, listed


def audit(dataset):
    """Counts of everything worth knowing about a dataset.

    Returns
    -------
    dict
        items, excluded (by reason), remarks (on usable items, by text), ages, gender, ethnicity, subjects, groups
        (items by age group), grouping (see `grouping`: `name`, `groups`, `cuts`), links (by kind: groups of linked
        items, items in them, groups with `several_ages`), groups, conflicts (worst first: ages, items), copies; years
        (items of each year, the middle of a labeled range, and the same by gender and ethnicity); heaping and
        confounding as the modules of these names say; sides and sizes of the photographs, None where nobody opened them
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
        "grouping": {
            "name": age_groups.name,
            "age_groups": [list(ends) for ends in age_groups.ranges],
            "cuts": cuts,
        },
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
    short = dataset.photos.original[dataset.items["photo"]].min(1)
    return {"smallest": int(short.min()), "median": float(np.median(short)), "largest": int(short.max())}


def _sizes(dataset):
    """How many photographs have a shorter side of 16 to 31 pixels, 32 to 63, ...; the commonest sizes; size and age."""
    original = dataset.photos.original[dataset.items["photo"]]
    short = original.min(1)
    doubling, counts = np.unique(np.log2(short).astype(int), return_counts=True)
    different, often = np.unique(original, axis=0, return_counts=True)
    common = [(*different[i], often[i]) for i in np.argsort(-often, kind="stable")[:COMMON]]
    varied = len(np.unique(short)) > 1 and len(np.unique(dataset.age_range.sum(1))) > 1
    return {
        "shorter_side": {f"{2**d}-{2 ** (d + 1) - 1}": int(n) for d, n in zip(doubling, counts, strict=True)},
        "different": len(different),
        "common": [{"width": int(width), "height": int(height), "items": int(n)} for height, width, n in common],
        "correlation_with_age": _rank_correlation(short, dataset.age_range.sum(1)) if varied else None,
    }


def _rank_correlation(one, other):
    """Spearman's."""
    import pandas as pd

    return float(pd.Series(one).rank().corr(pd.Series(other).rank()))


def _link_counts(pairs, y):
    label = connected(len(y), pairs)
    _, inverse, size = np.unique(label, return_inverse=True, return_counts=True)
    gap = _gaps(inverse, y)
    return {
        "age_groups": int((size > 1).sum()),
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
    label = connected(len(dataset), np.concatenate([np.empty((0, 2), int), *kinds]))
    _, group = np.unique(label, return_inverse=True)
    gap, order = _gaps(group, dataset.age_range), np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(gap) + 1))
    return {g: order[starts[g] : starts[g + 1]] for g in np.flatnonzero(np.diff(starts) > 1)}, gap


def _described(rows, dataset):
    items = dataset.items.iloc[rows]
    ends = zip(items["age_min"].tolist(), items["age_max"].tolist(), strict=True)
    return {
        "ages": [low if low == high else label(low, high) for low, high in ends],
        "items": items["item_id"].tolist(),
    }


def label(low, high):
    """A label in words: `26`, or `25-32` where it is a range."""
    return str(low) if low == high else f"{low}-{high}"


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
    return {"age_groups": len(agreed), "largest": [_described(rows[g], dataset) for g in agreed[:LARGEST]]}


def save(dataset, result, folder):
    """Write dataset.csv, excluded.csv, conflicts.csv and, where photographs were looked at, a contact sheet.

    Returns
    -------
    pathlib.Path
    """
    import pandas as pd

    from ...reporting.plots import save_contact_sheet

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    dataset.save(folder)
    rows = [
        {"group": number, "gap": group["gap"], "age": age, "item_id": item}
        for number, group in enumerate(result["conflicts"])
        for age, item in zip(group["ages"], group["items"], strict=True)
    ]
    table = pd.DataFrame(rows, columns=["group", "gap", "age", "item_id"])
    write_csv(folder / "conflicts.csv", table)
    if not dataset.has_images:
        return folder
    shown = spread_over_ages(dataset.age_range)
    items = dataset.items.iloc[shown]
    captions = [label(*ends) for ends in dataset.age_range[shown]]
    title = f"{dataset.name}: {len(shown)} of {len(dataset):,} photographs, by age"
    save_contact_sheet(folder / "sheet.jpg", dataset.photos, items["photo"].to_numpy(), captions, title)
    return folder


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


def lines(result, worst=10):
    """The audit as lines of text."""
    excluded = sum(result["excluded"].values())
    yield f"{_shown(result['name'])}: {counted(result['items'], 'usable item')}, {excluded:,} excluded"
    yield from (f"  excluded  {count:>7,}  {reason}" for reason, count in result["excluded"].items())
    yield from (f"  kept      {count:>7,}  {remark}" for remark, count in result["remarks"].items())
    a = result["ages"]
    ranges = f"; {a['ranges']:,} labeled by ranges, {at_middle(result)}" if a["ranges"] else ""
    yield f"ages {a['lowest']} to {a['highest']}, mean {a['mean']}, median {a['median']:g}{ranges}"
    most, wide = max(result["age_groups"].values()), max(7, *map(len, result["age_groups"]))
    for name, count in result["age_groups"].items():
        yield f"  {name:>{wide}}  {count:>7,}  {'#' * round(40 * count / most)}"
    for what in ("gender", "ethnicity"):
        yield f"{what}: " + ", ".join(f"{_shown(name)} {count:,}" for name, count in list(result[what].items())[:8])
    yield from _heaping_lines(result["heaping"])
    yield from _confounding_lines(result["confounding"])
    if result["sides"]:
        s = result["sides"]
        yield f"shorter side in pixels: {s['smallest']} to {s['largest']}, median {s['median']:g}"
    yield f"{counted(result['groups'], 'group')} of items that a split must not part; linked by"
    if not result["links"]:
        yield "  nothing: every photograph stands alone" if result["sides"] else "  nothing that the labels say"
    for kind, c in result["links"].items():
        age_groups = counted(c["age_groups"], SEVERAL.get(kind, "group"))
        yield f"  {kind:<15} {age_groups} of {c['items']:,} items, {differing(kind, c)}"
    conflicts = result["conflicts"]
    if conflicts:
        age_groups = counted(len(conflicts), "group shows", "groups show")
        yield f"{age_groups} the same picture with different ages; the worst:"
    for group in conflicts[:worst]:
        yield f"  {group['gap']:>3} {'year' if group['gap'] == 1 else 'years'}: " + ", ".join(
            f"{_shown(i)} ({a})" for a, i in zip(group["ages"], group["items"], strict=True)
        )


def at_middle(result):
    """What the counts, means and charts of an audit make of labeled ranges, in words."""
    return "counted at their middle" if result["grouping"]["cuts"] else "whole in the groups, at their middle in means"


def differing(kind, counts):
    """How many groups of linked items have several ages, in words: copies then disagree, a person has grown older."""
    number = counts["several_ages"]
    return (
        counted(number, "disagrees", "disagree") + " on age" if kind in ALIKE else f"{number:,} of them at several ages"
    )


def _heaping_lines(found):
    for name, number in (("fives", 5), ("tens", 10)):
        if found[name]:
            index = "{index:.2f} ({low:.2f}-{high:.2f})".format_map(found[name])
            yield f"multiples of {number} from {FIRST} to {LAST}: {index} times their even share"
    if found["peaks"]:
        peaks = found["peaks"][:PEAKS]
        listed = ", ".join("{age} ({items:,}, beside it {neighbors:,.0f})".format_map(peak) for peak in peaks)
        yield f"ages that stand out, the most items too many first: {listed}"


def _confounding_lines(found):
    for name in ATTRIBUTES:
        if name in found:
            a = found[name]
            means = ", ".join(f"{_shown(value)} {m['mean_age']:.1f}" for value, m in list(a["values"].items())[:8])
            yield f"mean age by {name}: {means}; Cramer's V with the age group {a['cramers_v']:.2f}"


def _shown(name):
    """A name on one line, without what would steer a terminal."""
    return plain(name).replace("\n", "?")
