"""What is wrong with a data set, before anybody believes anything: `data check`."""

from pathlib import Path

import numpy as np

from . import ages
from .console import counted, plain
from .duplicates import connected
from .files import write_csv


def audit(manifest):
    """Counts of everything worth knowing about a manifest.

    Returns
    -------
    dict
        items, excluded (by reason), ages, gender, ethnicity, groups, links (by kind: groups of linked items, items in
        them, groups whose ages disagree), clusters, conflicts (worst first: ages, items)
    """
    items, y = manifest.items, manifest.y
    return {
        "name": manifest.name,
        "items": len(items),
        "excluded": manifest.reasons,
        "ages": {
            "lowest": int(y[:, 0].min()),
            "highest": int(y[:, 1].max()),
            "mean": round(float(y.mean()), 1),
            "median": float(np.median(y)),
            "ranges": int((y[:, 0] != y[:, 1]).sum()),
        },
        "groups": _group_counts(y),
        "gender": _counts(items["gender"]),
        "ethnicity": _counts(items["ethnicity"]),
        "sides": _sides(manifest),
        "links": {kind: _link_counts(pairs, y) for kind, pairs in manifest.links.items() if len(pairs)},
        "clusters": len(np.unique(manifest.clusters)),
        "conflicts": conflicts(manifest),
    }


def _group_counts(y):
    label = ages.FOURTEEN.lookup[y.sum(1) // 2]
    return dict(zip(ages.FOURTEEN.labels, np.bincount(label, minlength=len(ages.FOURTEEN)).tolist(), strict=True))


def _counts(column):
    return {str(k): int(v) for k, v in column.fillna("(not known)").value_counts().items()}


def _sides(manifest):
    short = manifest.photos.original[manifest.items["photo"]].min(1)
    return {"smallest": int(short.min()), "median": float(np.median(short)), "largest": int(short.max())}


def _link_counts(pairs, y):
    label = connected(len(y), pairs)
    _, inverse, size = np.unique(label, return_inverse=True, return_counts=True)
    gap = _gaps(inverse, y)
    return {"groups": int((size > 1).sum()), "items": int(size[size > 1].sum()), "disagree": int((gap > 0).sum())}


def _gaps(group, y):
    """Years between the oldest and the youngest label of each group."""
    low, high = np.full(group.max() + 1, ages.A), np.full(group.max() + 1, -1)
    np.minimum.at(low, group, y[:, 1])
    np.maximum.at(high, group, y[:, 0])
    return high - low


def conflicts(manifest):
    """Groups of items that show the same picture (file, pixels or near-duplicate) with different ages, worst first.

    Returns
    -------
    list of dict
        gap (years), ages, items
    """
    kinds = [manifest.links[kind] for kind in ("same file", "same pixels", "near-duplicate")]
    label = connected(len(manifest), np.concatenate(kinds))
    _, group = np.unique(label, return_inverse=True)
    gap = _gaps(group, manifest.y)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(len(gap) + 1))
    result = []
    for g in sorted(np.flatnonzero(gap > 0), key=lambda g: -gap[g]):
        rows = order[starts[g] : starts[g + 1]]
        years = [int(a) for a in manifest.y[rows, 0]]
        result.append({"gap": int(gap[g]), "ages": years, "items": manifest.items["item_id"].iloc[rows].tolist()})
    return result


def save(manifest, result, folder):
    """Write manifest.csv, excluded.csv, conflicts.csv and a contact sheet into `folder`.

    Returns
    -------
    pathlib.Path
    """
    import pandas as pd

    from .pictures import save_contact_sheet

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest.save(folder)
    rows = [
        {"group": number, "gap": group["gap"], "age": age, "item_id": item}
        for number, group in enumerate(result["conflicts"])
        for age, item in zip(group["ages"], group["items"], strict=True)
    ]
    table = pd.DataFrame(rows, columns=["group", "gap", "age", "item_id"])
    write_csv(folder / "conflicts.csv", table)
    shown = _spread_over_ages(manifest.y)
    items = manifest.items.iloc[shown]
    captions = [f"{age}" for age in items["age_min"]]
    title = f"{manifest.name}: {len(shown)} of {len(manifest):,} photographs, by age"
    save_contact_sheet(folder / "sheet.jpg", manifest.photos, items["photo"].to_numpy(), captions, title)
    return folder


def _spread_over_ages(y, count=80):
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
    a = result["ages"]
    ranges = f", {a['ranges']:,} labelled by ranges" if a["ranges"] else ""
    yield f"ages {a['lowest']} to {a['highest']}, mean {a['mean']}, median {a['median']:g}{ranges}"
    most = max(result["groups"].values())
    for name, count in result["groups"].items():
        yield f"  {name:>7}  {count:>7,}  {'#' * round(40 * count / most)}"
    for what in ("gender", "ethnicity"):
        yield f"{what}: " + ", ".join(f"{_shown(name)} {count:,}" for name, count in list(result[what].items())[:8])
    s = result["sides"]
    yield f"shorter side in pixels: {s['smallest']} to {s['largest']}, median {s['median']:g}"
    yield f"{result['clusters']:,} clusters of items that a split must not part; linked by"
    if not result["links"]:
        yield "  nothing: every photograph stands alone"
    for kind, c in result["links"].items():
        counts = f"{c['groups']:>6,} groups of {c['items']:>6,} items, {c['disagree']:,} groups disagree on age"
        yield f"  {kind:<15} {counts}"
    conflicts = result["conflicts"]
    if conflicts:
        yield f"{len(conflicts):,} groups show the same picture with different ages; the worst:"
    for group in conflicts[:worst]:
        yield f"  {group['gap']:>3} {'year' if group['gap'] == 1 else 'years'}: " + ", ".join(
            f"{_shown(i)} ({a})" for a, i in zip(group["ages"], group["items"], strict=True)
        )


def _shown(name):
    """A name on one line, without what would steer a terminal."""
    return plain(name).replace("\n", "?")
