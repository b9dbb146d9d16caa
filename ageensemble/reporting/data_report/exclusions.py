"""What is not among the items: excluded with reasons, removed by cleaning."""

from ..._utils.console import counted
from ...data.filters import warnings
from . import charts
from .html import folded, section, table, tag

NAMED = 12  # items named for each reason


def excluded_section(dataset):
    """Why items cannot be used, with some of them by name."""
    reasons = dataset.reasons
    if not reasons:
        return section("excluded", "Left out", tag("p", "Nothing: every image can be used."))
    short = dataset.excluded["reason"].str.partition(":")[0]
    rows = [[reason, f"{count:,}"] for reason, count in reasons.items()]
    named = [_named(reason, dataset.excluded[short == reason]) for reason in reasons]
    text = f"{counted(len(dataset.excluded), 'image')} left out; excluded.csv lists them all."
    return section("excluded", "Left out", tag("p", text), table(["reason", "images"], rows, (1,)), *named)


def _named(reason, excluded):
    more = len(excluded) - NAMED
    names = [
        tag("li", item, tag("span", f" {full.partition(':')[2].strip()}", class_="soft"))
        for item, full in excluded[["item_id", "reason"]].head(NAMED).itertuples(index=False)
    ]
    rest = tag("p", f"and {more:,} more", class_="soft") if more > 0 else None
    return folded(f"Which: {reason}", tag("ul", *names, class_="names"), rest)


def cleaned_section(cleaned):
    """What each step of cleaning removed, and how the ages changed."""
    if not cleaned:
        return None
    steps = [
        ["=".join(filter(None, (step["name"], step["value"]))), step["reason"], f"{step['removed']:,}"]
        for step in cleaned
    ]
    before, after = cleaned[0]["before"], cleaned[-1]["after"]
    most = max(before.values())
    rows = []
    for group, count in before.items():
        label = f"{group}: {count:,} before, {after[group]:,} after"
        rows.append([group, f"{count:,}", f"{after[group]:,}", charts.bar(after[group] / most, label)])
    removed = sum(step["removed"] for step in cleaned)
    warned = [tag("p", sentence, class_="note") for step in cleaned for sentence in warnings(step)]
    return section(
        "cleaned",
        "Cleaning",
        tag("p", f"{counted(removed, 'image')} removed on request; this page is about the others."),
        *warned,
        table(["step", "leaves out", "images"], steps, (2,), "Steps, in their order"),
        folded("How the ages changed", table(["age", "before", "after", "after"], rows, (1, 2), "Images by age")),
    )
