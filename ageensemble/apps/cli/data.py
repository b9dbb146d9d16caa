"""Verbs that get datasets and look at them."""

import inspect
import shlex
import shutil
import textwrap
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, as_json, counted, plain
from ...errors import UsageError
from . import data_label_issues, options
from .options import Yes, examples

app = typer.Typer(help="Get a dataset and look at it.", no_args_is_help=True)


@app.command(
    "get",
    epilog=examples(
        "ageensemble data get utkface",
        "ageensemble data get facial-age --to photos/facial-age --yes",
        "ageensemble data get agedb",
    ),
)
def data_get(
    name: Annotated[str, typer.Argument(help="utkface or facial-age; of others, such as agedb, where they are.")],
    to: Annotated[Optional[Path], typer.Option(help="New folder for the images; by default NAME.")] = None,
    yes: Yes = False,
):
    """Download a dataset, once its terms are shown, or say where it is to be had.

    What was interrupted goes on where it was, and what comes is checked by the hash that is known of it.
    """
    from ...data import download

    source = download.find_source(name)
    if not source.hub:
        print(f"{source.name}: {source.summary}\nterms: {source.license}\nwhere: {source.where}")
        print(f"{source.name} is not downloaded by this program; with what is unpacked: ageensemble data check DIR")
        return
    target = to or Path(source.name)
    check = f"next: ageensemble data check {shlex.quote(plain(target))}"
    if download.is_installed(source.name, target):
        print(f"{source.name} is in {plain(target)} already\n{check}")
        return
    print(f"{source.name}: {source.summary}\nterms: {source.license}\n       {source.page}")
    if not _agreed(f"do you accept them, and download it into {plain(target)}?", yes):
        print("nothing was downloaded")
        return
    Console().say(f"downloading {source.name}; it can be interrupted, and the same command goes on")
    count = download.install(source, target)
    print(f"{counted(count, 'image')} in {plain(target)}\n{check}")


def _agreed(question, yes):
    try:
        return yes or typer.confirm(question)
    except typer.Abort:
        raise UsageError("nobody accepted the terms, so nothing was downloaded; --yes accepts them") from None


@app.command(
    "check",
    epilog=examples(
        "ageensemble data check photos/",
        "ageensemble data check demo --html",
        "ageensemble data check photos/ --html --run svm",
        "ageensemble data check photos/ --filter min-image-size=100 --filter conflicting-labels --html",
        "ageensemble data check labels.csv --labels-only --json",
    ),
)
def data_check(
    data: Annotated[list[str], typer.Argument(help="Folders of images, dataset files, or demo.")],
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write a page to look at: page.html beside the lists.")] = False,
    to: Annotated[Optional[Path], typer.Option(help="The page's file, with --html.")] = None,
    clean: options.Filters = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what --filter chooses by chance.")] = 0,
    labels_only: Annotated[
        bool, typer.Option("--labels-only", help="Open no image: check labels before the images are there.")
    ] = False,
    run: Annotated[
        Optional[str], typer.Option(help="With --html: a run in --out whose predictions say which labels are suspect.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="Folder of runs; the lists go to check-NAME in it, or check-NAME-cleaned.")
    ] = Path("runs"),
    cache: options.Cache = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Say what is wrong with the data: unusable files, duplicates, conflicting ages, rounded ages, confounding.

    Whatever it finds, it has done its work: files that cannot be used are listed, and the exit code is 0.
    """
    if to and not html:
        raise UsageError("--to names the page's file; it goes with --html")
    if to and to.is_dir():
        raise UsageError(f"--to {to} is a folder; name the page's file, such as {to / 'page.html'}")
    if run and (labels_only or not html):
        raise UsageError("--run shows suspects on the page: it goes with --html and images that are opened")
    from ..._utils import hardware
    from ..._utils.io import slug
    from ...data import filters
    from ...data.dataset import load_dataset
    from ...data.quality import audit
    from ...reporting import data_report
    from ...reporting.data_report.label_issues import RunLabelIssues
    from ...reporting.data_report.summary import audit_lines, write_audit

    console, steps = Console(verbose), filters.parse_filters(clean)
    issues = RunLabelIssues(out, run) if run else None
    with console.progress() as bar:
        built = load_dataset(
            data,
            format=format,
            cache=cache,
            n_jobs=hardware.cores(),
            with_images=not labels_only,
            on_progress=bar,
        )
        built, cleaned = filters.apply_filters(built, steps, seed, bar)
    result = audit.audit(built) | {"cleaned": cleaned}
    place = f"check-{slug(built.name)}" + ("-cleaned" if steps else "")  # beside the lists of the whole set
    folder = write_audit(built, result, out / place)
    if html:
        data_report.save(to or folder / "page.html", built, result, issues)
    if json:
        print(as_json(result))
    else:
        for line in (*filters.report_lines(cleaned), *audit_lines(result)):
            console.out.print(line, markup=False, soft_wrap=True)
    console.say(f"lists{'' if labels_only else ' and a contact sheet'}: {folder}")
    if html:
        console.say(f"the page: {to or folder / 'page.html'}")


@app.command(
    "formats",
    epilog=examples(
        "ageensemble data formats", "ageensemble data formats utkface", "ageensemble data formats --template photos/"
    ),
)
def data_formats(
    name: Annotated[Optional[str], typer.Argument(help="A format, to be described in full.")] = None,
    template: Annotated[
        Optional[Path], typer.Option(help="Write a folder's annotations.csv: all images, blank ages.")
    ] = None,
    json: options.Json = False,
):
    """Say which data formats are known, what a folder must look like, and what is known of the terms of use."""
    from ...data import readers

    if template is not None and (name or json):
        raise UsageError("--template stands alone: it writes the annotations.csv of a folder")
    if template is not None:
        return _template(template)
    found = {readers.READERS.resolve(name): readers.READERS.load(name)} if name else readers.READERS.load_all()
    if json:
        print(as_json({each: _described(reader) for each, reader in found.items()}))
    else:
        print("\n\n".join(_shown(each, reader, full=bool(name)) for each, reader in found.items()))


def _described(reader):
    """What there is to say of a format."""
    from ..._utils import registry

    return {
        "summary": registry.summary(reader),
        "layout": reader.layout,
        "terms": reader.license or "those of your images",
    }


def _shown(name, reader, full):
    """The same as a paragraph; in full with all that its file says of it."""
    about = _described(reader)
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    rows = {"looks like": about["layout"], "terms": about["terms"]}
    lines = [line for key, text in rows.items() for line in _wrapped(f"  {key:<12}", text, width)]
    title = _wrapped(f"{name}: ", about["summary"], width, indent=2)
    more = inspect.getdoc(reader).partition("\n")[2].splitlines() if full else []
    return "\n".join(plain(line) for line in [*title, *lines, *more])


def _wrapped(start, text, width, indent=None):
    after = " " * (len(start) if indent is None else indent)
    return textwrap.wrap(start + text, width, subsequent_indent=after, break_on_hyphens=False)


def _template(folder):
    """Write the template and say what to do with it; not where it would hide what the files' names tell."""
    from ...data.readers import matching_formats, template

    check = f"ageensemble data check {shlex.quote(str(folder))}"
    own = folder / "annotations.csv"  # of which the writer complains itself
    if not own.exists() and (found := matching_formats(folder)):
        raise UsageError(f"{folder} is {' or '.join(found)} already: there is nothing to fill in; {check}")
    listed, left_out = template.write_template(folder)
    print(plain(f"{own} lists {counted(listed, 'image')}; fill in the column age."))
    if left_out:
        print(f"{counted(left_out, 'image')} left out, as the names of the files are not UTF-8; rename them.")
    print(plain(f"Then: {check}"))


app.add_typer(data_label_issues.app)
