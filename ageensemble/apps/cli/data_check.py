"""The verb `data check`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json
from ...errors import UsageError
from . import options
from .options import examples

app = typer.Typer()


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
    data: Annotated[list[str], typer.Argument(help="Folders of photographs, dataset files, or demo.")],
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write a page to look at: page.html beside the lists.")] = False,
    to: Annotated[Optional[Path], typer.Option(help="The page's file, with --html.")] = None,
    clean: options.Clean = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what --filter chooses by chance.")] = 0,
    labels_only: Annotated[
        bool, typer.Option("--labels-only", help="Open no photograph: check labels before the photographs are there.")
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
        raise UsageError("--run shows suspects on the page: it goes with --html and photographs that are opened")
    from ..._utils import hardware
    from ..._utils.console import Console
    from ..._utils.io import slug
    from ...data import filters
    from ...data.dataset import load_dataset
    from ...data.quality import audit
    from ...reporting import data_report
    from ...reporting.data_report.label_issues import Doubts

    console, steps = Console(verbose), filters.parse_filters(clean)
    doubts = Doubts(out, run) if run else None
    with console.progress() as bar:
        built = load_dataset(data, format, cache, hardware.cores(), bar, photographs=not labels_only)
        built, cleaned = filters.apply_filters(built, steps, seed, bar)
    result = audit.audit(built) | {"cleaned": cleaned}
    place = f"check-{slug(built.name)}" + ("-cleaned" if steps else "")  # beside the lists of the whole set
    folder = audit.save(built, result, out / place)
    if html:
        data_report.save(to or folder / "page.html", built, result, doubts)
    if json:
        print(as_json(result))
    else:
        for line in (*filters.report_lines(cleaned), *audit.lines(result)):
            console.out.print(line, markup=False, soft_wrap=True)
    console.say(f"lists{'' if labels_only else ' and a contact sheet'}: {folder}")
    if html:
        console.say(f"the page: {to or folder / 'page.html'}")
