"""The verb `data check`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..console import as_json
from . import options
from .options import examples

app = typer.Typer()


@app.command(
    "check",
    epilog=examples(
        "ageensemble data check photos/", "ageensemble data check demo", "ageensemble data check labels.csv --json"
    ),
)
def data_check(
    data: Annotated[str, typer.Argument(help="Folder of photographs, manifest file, or demo.")],
    format: options.Format = None,
    out: Annotated[Optional[Path], typer.Option(help="Folder for the lists; by default runs/check-NAME.")] = None,
    cache: options.Cache = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Say what is wrong with the data: unusable files, duplicates, conflicting ages."""
    from .. import audit, machine, manifest
    from .. import benchmark as bench
    from ..files import slug

    here = bench.settings(out or "runs", cache, verbose=verbose, device="cpu")
    with here.console.progress() as bar:
        built = manifest.build(data, format, here.cache, machine.cores(), bar)
    result = audit.audit(built)
    if json:
        print(as_json(result))
    else:
        for line in audit.lines(result):
            here.console.out.print(line, markup=False, soft_wrap=True)
    folder = audit.save(built, result, out or Path("runs") / f"check-{slug(built.name)}")
    here.console.say(f"lists and a contact sheet: {folder}")
