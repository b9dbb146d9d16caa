"""The labels: how many of each age, rounded ages, and age by gender and ethnicity."""

from ..._utils.console import counted
from ...data.quality.age_heaping import FIRST, LAST
from ...data.quality.attribute_association import ATTRIBUTES
from . import charts
from .html import Markup, folded, joined, section, table, tag
from .summary import at_middle

SPAN = 5  # years in one bar of the small charts
PANELS = 8  # values of an attribute that have a chart
PEAKS = 12  # ages that stand out, listed
FEWEST = 10  # items; values with fewer have no chart
SMALL = 50  # items; the scale of the charts does not heed values with fewer


def age_section(result):
    """Items of each year."""
    a = result["ages"]
    label = f"Images of each age: {a['lowest']} to {a['highest']} years, median {a['median']:g}, mean {a['mean']}."
    ranges = f" {counted(a['ranges'], 'label is a range', 'labels are ranges')}, {at_middle(result)}."
    return section(
        "ages",
        "Ages",
        tag("p", label + (ranges if a["ranges"] else "")),
        *_chart(result, label),
        folded("The same as a table", _groups(result)),
    )


def _chart(result, label):
    """Items of each year; where most labels are ranges, of each group."""
    if 2 * result["ages"]["ranges"] > result["items"] and not result["grouping"]["cuts"]:
        return [charts.columns(result["age_groups"], label)]
    years = {int(year): count for year, count in result["years"]["all"].items()}
    return [
        charts.histogram(years, label, lambda age: "ten" if age % 10 == 0 else "five" if age % 5 == 0 else "own"),
        charts.legend(("ten", "multiples of ten"), ("five", "multiples of five"), ("own", "other ages")),
    ]


def _groups(result):
    values = [(name, value) for name in ATTRIBUTES for value in list(result["years"][name])[:PANELS]]
    head = ["age", "images", *(value for _, value in values)]
    columns = [result["years"]["all"], *(result["years"][name][value] for name, value in values)]
    rows = []
    for name, (low, high) in zip(result["age_groups"], result["grouping"]["age_groups"], strict=True):
        rows.append(
            [name, *(f"{sum(count for year, count in c.items() if low <= int(year) <= high):,}" for c in columns)]
        )
    return table(head, rows, range(1, len(head)), "Images in each age group")


def attribute_sections(result):
    """For gender and for ethnicity: the ages of each value before those of all, and the mean ages."""
    return joined(*(_attribute(result, name) for name in ATTRIBUTES))


def _attribute(result, name):
    years, found = result["years"][name], result["confounding"].get(name)
    if not found:
        return None
    last = charts.right_end(max(map(int, result["years"]["all"])))
    everybody = _shares(result["years"]["all"], last)
    drawn = [(value, counts) for value, counts in years.items() if sum(counts.values()) >= FEWEST]
    own = {value: _shares(counts, last) for value, counts in drawn[:PANELS]}
    many = [shares for value, shares in own.items() if sum(years[value].values()) >= SMALL]
    top = max(max(shares) for shares in (everybody, *many))
    panels = [
        tag(
            "figure",
            tag("figcaption", tag("strong", value), f" {sum(years[value].values()):,}"),
            charts.panel(shares, everybody, top, f"Ages of {value}, before the ages of all"),
        )
        for value, shares in own.items()
    ]
    between = result["confounding"]["between"] if name == ATTRIBUTES[-1] else None
    also = " Labeled ranges stand at their middle." if result["ages"]["ranges"] else ""
    also += f" Gender and ethnicity go together with a Cramer's V of {between:.2f}." if between is not None else ""
    return section(
        name,
        f"Age and {name}",
        tag("div", *panels, class_="panels"),
        charts.legend(("own", f"of this {name}"), ("ghost", "of all; each as a share of its own images")),
        _means(name, found, result["ages"]["mean"]),
        tag(
            "p",
            f"Cramer's V of {name} and age group is {found['cramers_v']:.2f} (0: no relation, 1: one tells the other); "
            f"they share {found['mutual_information']:.2f} bits. The median of all ages is "
            f"{found['constant_mae']:.2f} years off on average, the median of the same {name} "
            f"{found['attribute_mae']:.2f} years.{also}",
        ),
    )


def _shares(counts, last):
    """Shares of ranges of `SPAN` years, as many as the axis up to `last` has."""
    n = sum(counts.values())
    result = [0.0] * (last // SPAN)
    for year, count in counts.items():
        result[min(int(year) // SPAN, len(result) - 1)] += count / n
    return result


def _means(name, found, mean):
    means = found["values"]
    sure = [m for m in means.values() if m["items"] >= FEWEST and m["low"] == m["low"]]  # NaN for a single group
    middles = [mean, *(m["mean_age"] for m in means.values())]
    between = (min([*middles, *(m["low"] for m in sure)]) - 1, max([*middles, *(m["high"] for m in sure)]) + 1)
    rows = []
    for value, m in means.items():
        text = f"{m['mean_age']:.1f}" + (f" ({m['low']:.1f}-{m['high']:.1f})" if m["low"] == m["low"] else "")
        drawn = charts.whisker(m["low"], m["mean_age"], m["high"], between, mean, f"{value}: {text}")
        rows.append([value, f"{m['items']:,}", text, drawn])
    head = [name, "images", "mean age (95\u00a0%)", f"{between[0]:.0f} to {between[1]:.0f} years"]
    caption = f"Mean age by {name}; the line is the mean of all, {mean}; a dot without a bar is of one group alone"
    return table(head, rows, (1, 2), caption, "means")


def heaping_section(result):
    """How far ages are rounded."""
    found = result["heaping"]
    texts = [_index(found[name], number) for name, number in (("fives", 5), ("tens", 10)) if found[name]]
    if not texts:
        return section("rounded", "Rounded ages", tag("p", f"Too few exact ages from {FIRST} to {LAST} to tell."))
    peaks = [_beside(peak) for peak in found["peaks"][:PEAKS]]
    head = ["age", "images", "mean beside it", "ratio"]
    stand_out = (
        table(
            head,
            peaks,
            range(1, 4),
            "Ages that stand out from the two to each side, those with the most images too many first",
        )
        if peaks
        else None
    )
    multiples = table(head, [_beside(m) for m in found["fives"]["at"]], range(1, 4), "Multiples of five")
    how = (
        f"Whipple's index for {FIRST} to {LAST} years, divided by 100, with a 95 % interval that heeds groups. It is "
        "1 where the histogram is straight over five years; a true peak at such an age raises it as rounding does."
    )
    return section(
        "rounded",
        "Rounded ages",
        *texts,
        stand_out,
        folded("Each multiple of five", multiples),
        tag("p", how, class_="soft"),
    )


def _index(found, number):
    p = "p < 0.0001" if found["p"] < 1e-4 else f"p = {found['p']:.4f}"
    return tag(
        "p",
        f"Multiples of {number} have ",
        tag("strong", f"{found['index']:.2f} times"),
        " their expected share ({low:.2f}-{high:.2f}; ".format_map(found),
        f"{p}). {100 * found['share']:.1f}\u00a0% of the images aged {FIRST} to {LAST} and within two years of "
        "one have exactly that age; evenly spread ages would give 20\u00a0%.",
    )


def _beside(m):
    ratio = f"{m['items'] / m['neighbors']:.2f}" if m["neighbors"] else Markup("&ndash;")
    return [m["age"], f"{m['items']:,}", f"{m['neighbors']:,.1f}", ratio]
