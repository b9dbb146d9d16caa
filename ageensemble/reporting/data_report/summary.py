"""The audit of a dataset in text and files: what `data check` prints and writes."""

from pathlib import Path

from ..._utils.console import counted, plain
from ..._utils.io import write_csv
from ...ages import range_text
from ...data.quality.age_heaping import FIRST, LAST
from ...data.quality.attribute_association import ATTRIBUTES
from ...data.quality.audit import ALIKE, spread_over_ages

SEVERAL = {"same subject": "person", "same moment": "moment"}  # links whose items may well be of several ages
PEAKS = 5  # over-represented ages that are listed


def write_audit(dataset, result, folder):
    """Write dataset.csv, excluded.csv, conflicts.csv and, where images were opened, a contact sheet.

    Returns
    -------
    pathlib.Path
    """
    import pandas as pd

    from ..plots import save_contact_sheet

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
    captions = [range_text(*ends) for ends in dataset.age_range[shown]]
    title = f"{dataset.name}: {len(shown)} of {len(dataset):,} images, by age"
    save_contact_sheet(folder / "sheet.jpg", dataset.image_store, items["image"].to_numpy(), captions, title)
    return folder


def audit_lines(result, worst=10):
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
    yield f"{counted(result['groups'], 'group')} of items that a split keeps together; linked by"
    if not result["links"]:
        yield "  nothing: every image stands alone" if result["sides"] else "  nothing that the labels say"
    for kind, c in result["links"].items():
        groups = counted(c["groups"], SEVERAL.get(kind, "group"))
        yield f"  {kind:<15} {groups} of {c['items']:,} items, {differing(kind, c)}"
    conflicts = result["conflicts"]
    if conflicts:
        groups = counted(len(conflicts), "group shows", "groups show")
        yield f"{groups} the same image with different ages; the worst:"
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
            yield f"multiples of {number} from {FIRST} to {LAST}: {index} times their expected share"
    if found["peaks"]:
        peaks = found["peaks"][:PEAKS]
        listed = ", ".join("{age} ({items:,}, beside it {neighbors:,.0f})".format_map(peak) for peak in peaks)
        yield f"over-represented ages, largest excess first: {listed}"


def _confounding_lines(found):
    for name in ATTRIBUTES:
        if name in found:
            a = found[name]
            means = ", ".join(f"{_shown(value)} {m['mean_age']:.1f}" for value, m in list(a["values"].items())[:8])
            yield f"mean age by {name}: {means}; Cramer's V with the age group {a['cramers_v']:.2f}"


def _shown(name):
    """A name on one line, without what would steer a terminal."""
    return plain(name).replace("\n", "?")
