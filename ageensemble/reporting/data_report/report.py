"""The whole page: sections in order, and a content policy under which a browser only shows them."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from ... import __version__
from ..._utils.console import counted
from ..._utils.io import atomic_write
from . import exclusions, images, label_issues, labels
from .findings import findings
from .html import Markup, joined, section, tag


def save(file, dataset, result, issues=None):
    """Write the page.

    Parameters
    ----------
    file : path
        HTML; its folder is made
    dataset : Dataset
    result : dict
        from `audit.audit`, with `cleaned`, from `cleaning.apply`
    issues : RunLabelIssues, optional
        of a run, to be shown

    Raises
    ------
    DataError
        The run was made on other images.
    """
    body = joined(
        _head(dataset, result),
        tag("main", *_sections(dataset, result, issues)),
        _foot(dataset),
    )
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as temporary:
        temporary.write_text(_document(f"{dataset.name}: a look at the data", body), encoding="utf-8")


def _document(title, body):
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def _head(dataset, result):
    a, excluded = result["ages"], len(dataset.excluded)
    figures = [
        ("image" if result["items"] == 1 else "images", f"{result['items']:,}"),
        ("left out", f"{excluded:,}"),
        ("group" if result["groups"] == 1 else "groups", f"{result['groups']:,}"),
        ("ages", f"{a['lowest']} to {a['highest']}"),
        ("median age", f"{a['median']:g}"),
        (
            "conflict" if len(result["conflicts"]) == 1 else "conflicts",
            f"{len(result['conflicts']):,}" if dataset.has_images else "not looked for",
        ),
    ]
    tiles = (tag("div", tag("dt", name), tag("dd", value)) for name, value in figures)
    return tag(
        "header",
        tag("p", "ageensemble data check", class_="brand"),
        tag("h1", dataset.name),
        tag("dl", *tiles, class_="tiles"),
        None if dataset.has_images else tag("p", "The labels alone: no image was opened.", class_="note"),
    )


def _sections(dataset, result, issues):
    shown = images.Thumbnails(dataset) if dataset.has_images else None
    found = [tag("li", sentence) for sentence in findings(result)]
    yield section("findings", "What stands out", tag("ul", *found) if found else tag("p", "Nothing."))
    yield labels.age_section(result)
    yield labels.heaping_section(result)
    yield labels.attribute_sections(result)
    yield exclusions.cleaned_section(result["cleaned"])
    if shown:
        yield images.conflict_section(result, shown)
        yield images.copies_section(result, shown)
        yield label_issues.label_issue_section(issues, dataset, shown) if issues else None
        yield images.sample_section(dataset, shown)
        yield images.size_section(result)
    yield images.links_section(result)
    yield exclusions.excluded_section(dataset)


def _foot(dataset):
    copies = "It holds small copies of images: pass it on only to whom you may pass these on. "
    terms = f"Terms of the images: {dataset.license}" if dataset.license else "Their terms are not known here"
    made = f"Made by ageensemble {__version__} from {counted(len(dataset), 'image')}; it fetches nothing."
    return tag("footer", tag("p", copies if dataset.has_images else None, terms + "."), tag("p", made))
