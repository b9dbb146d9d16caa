"""Charts as inline SVG: per cent across and pixels up, so that they fit any screen and letters keep their size."""

import math

from .html import joined, tag

TICKS = 5  # lines across, at most


def histogram(counts, label, emphasised=lambda age: None, height=220):
    """Items of each year.

    Parameters
    ----------
    counts : dict of int to int
        items by year
    label : str
        what the chart says, for who cannot see it
    emphasised : callable
        class of a year's bar, or None
    height : int, pixels

    Returns
    -------
    Markup
    """
    first, last = 0, right_end(max(counts))
    most, width = max(counts.values()), 100 / (last - first + 1)

    def bar(age, count):
        tall = height * count / most
        title = tag("title", f"{age} years: {count:,}")
        place = {"x": _percent((age - first + 0.1) * width), "width": _percent(0.8 * width)}
        return tag(
            "g", title, tag("rect", class_=emphasised(age), y=_pixels(height - tall), height=_pixels(tall), **place)
        )

    bars = [bar(age, count) for age, count in sorted(counts.items())]
    years = [_below((age - first + 0.5) * width, age, height) for age in range(first, last + 1, 10)]
    return _svg(label, height + 22, *_lines(most, height), *bars, *years)  # the numbers of items right, over old ages


def right_end(oldest):
    """Where the axis of a chart ends that reaches an age: the next multiple of twenty, which every screen shows."""
    return min(20 * math.ceil((oldest + 1) / 20), 120)


def columns(counts, label, height=220):
    """Items of each group, `counts` by its name, in columns of equal width."""
    most, width = max(counts.values()), 92 / len(counts)  # the numbers of items stand right of them

    def column(place, name, count):
        tall, middle = height * count / most, (place + 0.5) * width
        across = {"x": _percent((place + 0.1) * width), "width": _percent(0.8 * width)}
        drawn = tag("rect", class_="own", y=_pixels(height - tall), height=_pixels(tall), **across)
        low = 14 * (place % 2)  # every other name lower, for narrow screens
        below = tag("text", name, class_="tick middle", x=_percent(middle), y=_pixels(height + 16 + low))
        return tag("g", tag("title", f"{name} years: {count:,}"), drawn, below)

    drawn = [column(place, *group) for place, group in enumerate(counts.items())]
    return _svg(label, height + 36, *_lines(most, height), *drawn)


def panel(own, others, top, label, height=84):
    """Shares of the items in equal ranges of years, before the same of all items.

    Parameters
    ----------
    own, others : list of float
        shares
    top : float
        share at the upper edge
    label : str
    height : int, pixels
    """
    width = 100 / len(own)

    def bars(shares, class_):
        for place, share in enumerate(shares):
            tall = height * min(1, share / top)
            across = {"x": _percent((place + 0.06) * width), "width": _percent(0.88 * width)}
            yield tag("rect", class_=class_, y=_pixels(height - tall), height=_pixels(tall), **across)

    last = 5 * len(own)  # the years at the ends stay inside, so that those of two charts do not touch
    anchors = {0: "start", last: "end"}
    years = [_below(100 * age / last, age, height, anchors.get(age, "middle")) for age in range(0, last + 1, 20)]
    return _svg(label, height + 20, *bars(others, "ghost"), *bars(own, "own"), _base(height), *years)


def bar(share, label):
    """A bar as long as its share of the width."""
    return _svg(label, 12, tag("rect", class_="own", x="0", y="1", height="10", width=_percent(100 * min(1, share))))


def whisker(low, middle, high, between, reference, label):
    """A value with its interval, if any, on a scale between two ends where it is cut, and a line at a reference."""

    def place(value):
        return _percent(100 * (min(max(value, between[0]), between[1]) - between[0]) / (between[1] - between[0]))

    line = tag("line", class_="reference", x1=place(reference), x2=place(reference), y1="0", y2="20")
    reach = tag("line", class_="reach", x1=place(low), x2=place(high), y1="10", y2="10") if low == low else None
    return _svg(label, 20, line, reach, tag("circle", class_="dot", cx=place(middle), cy="10", r="4"))


def _svg(label, height, *inside):
    return tag("svg", *inside, role="img", aria_label=label, width="100%", height=_pixels(height))


def _lines(most, height):
    """Lines across at round numbers of items, with the number above."""
    step = _round_step(most)
    for number in range(step, int(most) + 1, step):
        y = height * (1 - number / most)
        yield tag("line", class_="grid", x1="0", x2="100%", y1=_pixels(y), y2=_pixels(y))
        yield tag("text", f"{number:,}", class_="tick halo end", x="100%", y=_pixels(max(y - 3, 10)))
    yield _base(height)


def _base(height):
    return tag("line", class_="base", x1="0", x2="100%", y1=_pixels(height), y2=_pixels(height))


def _round_step(most):
    size = 10 ** max(0, math.floor(math.log10(max(most, 1))) - 1)
    return next(size * factor for factor in (1, 2, 5, 10, 20, 50, 100) if most / (size * factor) <= TICKS)


def _below(x, text, height, anchor="middle"):
    kind = f"tick {anchor}" if text % 20 == 0 else f"tick {anchor} between"  # which a narrow screen has no room for
    return tag("text", text, class_=kind, x=_percent(x), y=_pixels(height + 16))


def _percent(number):
    return f"{number:.2f}%"


def _pixels(number):
    return f"{number:.1f}".removesuffix(".0")


def legend(*entries):
    """What the colors of a chart mean: pairs of class and text."""
    return tag("p", *(tag("span", tag("i", class_=kind), joined(text)) for kind, text in entries), class_="legend")
