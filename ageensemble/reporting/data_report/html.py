"""HTML, made so that text from file names and tables can be nothing but text."""

from html import escape

from ..._utils.console import plain

EMPTY = {"img", "meta"}


class Markup(str):
    """Text that is HTML already; every other text is escaped where it is put into a `tag`."""


def tag(element, /, *inside, **attributes):
    """An element.

    Parameters
    ----------
    element : str
    inside : str, Markup or number
        None is left out
    attributes : str or number
        None is left out; `class_` is the class, `aria_label` becomes `aria-label`

    Returns
    -------
    Markup
    """
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{element}{given}>" + ("" if element in EMPTY else f"{joined(*inside)}</{element}>"))


def joined(*parts):
    """Markup and texts one after the other; texts are escaped, and lose what would steer the order of letters."""
    return Markup(
        "".join(part if isinstance(part, Markup) else escape(plain(part)) for part in parts if part is not None)
    )


def table(head, rows, numbers=(), caption=None, class_=None):
    """A table that can be scrolled sideways where the screen is narrow.

    Parameters
    ----------
    head : list of str
    rows : list of list
        texts, numbers or markup; the first of each row names it
    numbers : container of int
        columns set flush right
    caption, class_ : str, optional
    """

    def cell(kind, place, content, **more):
        return tag(kind, content, class_="number" if place in numbers else None, **more)

    top = tag("tr", *(cell("th", place, text, scope="col") for place, text in enumerate(head)))
    body = [
        tag("tr", cell("th", 0, row[0], scope="row"), *(cell("td", place, c) for place, c in enumerate(row) if place))
        for row in rows
    ]
    titled = tag("caption", caption) if caption else None
    whole = tag("table", titled, tag("thead", top), tag("tbody", *body), class_=class_)
    return tag("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption or head[0])


def folded(summary, *inside):
    """Content that opens when its summary is clicked."""
    return tag("details", tag("summary", summary), *inside)


def section(name, title, *inside):
    """A part of the page under a heading that can be linked to."""
    content = [part for part in inside if part]
    return tag("section", tag("h2", title, id=f"{name}-title"), *content, id=name, aria_labelledby=f"{name}-title")
