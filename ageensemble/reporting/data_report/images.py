"""Images on the page: small copies inside the file, so that it needs nothing beside it."""

import base64
import io

import numpy as np

from ..._utils.console import counted
from ...ages import range_text
from ...data.quality.audit import spread_over_ages
from . import charts
from .html import section, table, tag
from .summary import SEVERAL, differing

SIDE, QUALITY = 112, 70  # pixels and JPEG quality of the copies; four kilobytes each
SHOWN = 48  # images of every age
GROUPS = 24  # conflicts that are shown, the worst
OF_A_GROUP = 6  # images of one conflict


class Thumbnails:
    """Small copies of a dataset's images by item_id.

    Parameters
    ----------
    dataset : Dataset
    """

    def __init__(self, dataset):
        self._photos, self._row = dataset.image_store, dataset.items.set_index("item_id")["image"]

    def __call__(self, item, caption, named=False):
        """One image with a line below, and its name if asked; nothing where the dataset lacks the item."""
        from PIL import Image

        if item not in self._row.index:
            return None
        image = Image.fromarray(self._photos[self._row[item]])
        image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITY, optimize=True)
        source = "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
        shown = tag("img", src=source, alt=f"{item}, labeled {caption}", width=image.width, height=image.height)
        name = tag("span", item, class_="file") if named else None
        return tag("figure", shown, tag("figcaption", caption, name), title=item)


def sample_section(dataset, thumbnails):
    """Images spread over the ages."""
    rows = spread_over_ages(dataset.age_range, SHOWN)
    items = dataset.items["item_id"].iloc[rows]
    shown = [thumbnails(item, range_text(*ends)) for item, ends in zip(items, dataset.age_range[rows], strict=True)]
    title = f"{len(shown)} of {counted(len(dataset), 'image')}, spread over the ages; below each its label."
    return section("images", "Images", tag("p", title), tag("div", *shown, class_="photos"))


def size_section(result):
    """How large images are."""
    sides, sizes = result["sides"], result["sizes"]
    n = result["items"]
    text = f"The shorter side has {sides['smallest']:,} to {sides['largest']:,} pixels, median {sides['median']:g}. "
    rho = sizes["correlation_with_age"]
    text += f"Its rank correlation with age is {rho:.2f}." if rho is not None and np.isfinite(rho) else ""
    rows = [
        [f"{side} pixels", f"{count:,}", charts.bar(count / n, f"{count / n:.1%}")]
        for side, count in sizes["shorter_side"].items()
    ]
    common = ", ".join(f"{size['width']} x {size['height']} ({size['items']:,})" for size in sizes["common"])
    return section(
        "sizes",
        "Sizes",
        tag("p", text),
        table(["shorter side", "images", "share"], rows, (1,), "Images by their shorter side"),
        tag(
            "p", f"{counted(sizes['different'], 'size')} as width x height; the most frequent: {common}.", class_="soft"
        ),
    )


def links_section(result):
    """What must not be parted by a split."""
    rows = [
        [kind, counted(c["groups"], SEVERAL.get(kind, "group")), f"{c['items']:,}", differing(kind, c)]
        for kind, c in result["links"].items()
    ]
    head = ["linked by", "groups", "images", "of different ages"]
    text = f"{counted(result['groups'], 'group')} of images that a split must keep together."
    linked = table(head, rows, (1, 2, 3), "Groups of linked images") if rows else None
    return section("groups", "Groups", tag("p", text), linked)


def conflict_section(result, thumbnails):
    """The same image with different ages, side by side, the worst first."""
    groups = result["conflicts"]
    if not groups:
        return None
    worst = "" if len(groups) <= GROUPS else f" The {GROUPS} with the widest gaps are shown, conflicts.csv lists all."
    found = counted(len(groups), "group shows", "groups show")
    text = f"{found} the same image, or nearly the same, with different ages.{worst}"
    return section(
        "conflicts",
        "The same image, different ages",
        tag("p", text),
        tag("div", *(_group(group, thumbnails) for group in groups[:GROUPS]), class_="groups"),
    )


def copies_section(result, thumbnails):
    """The same image with ages that agree, the largest groups."""
    found = result["copies"]
    if not found["groups"]:
        return None
    groups = counted(found["groups"], "group shows", "groups show")
    shown = (_group(group, thumbnails) for group in found["largest"])
    text = f"{groups} the same image more than once, with ages that agree; the largest:"
    return section("copies", "Copies that agree", tag("p", text), tag("div", *shown, class_="groups"))


def _group(group, thumbnails):
    several = list(zip(group["items"], group["ages"], strict=True))
    more = len(several) - OF_A_GROUP
    return tag(
        "div",
        tag("p", f"{counted(group['gap'], 'year')} apart", class_="gap") if "gap" in group else None,
        tag("div", *(thumbnails(item, age, named=True) for item, age in several[:OF_A_GROUP]), class_="photos"),
        tag("p", f"and {more:,} more", class_="soft") if more > 0 else None,
        class_="group",
    )
