"""The verb `results`: tables of what is on disk."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..console import as_json
from ..errors import AgeEnsembleError, UsageError
from . import options
from .options import examples

app = typer.Typer()


def print_table(table, plan_folder, groups, console):
    """Print a table and its notes to the console."""
    from .. import tables

    console.out.print(tables.rich_table(table, plan_folder, console.out.width))
    for note in tables.notes(plan_folder, groups):
        console.out.print(note, style="dim", markup=False)


@app.command(
    epilog=examples(
        "ageensemble results",
        "ageensemble results --groups decades",
        "ageensemble results --groups 0-12,13-19,20-64,65+ --export results/mine",
    )
)
def results(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, or of one plan.")] = Path("runs"),
    groups: options.Groups = "fourteen",
    export: Annotated[Optional[Path], typer.Option(help="Write the table (CSV, Markdown) and pictures there.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print every metric as CSV.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Print the results table again, from what is on disk; one table for each plan."""
    from .. import ages, tables
    from ..console import Console
    from ..export import write
    from ..plan_folders import plan_folders

    console, scheme = Console(verbose), ages.scheme(groups)
    if csv + markdown + json > 1:
        raise UsageError("--csv, --markdown and --json exclude each other")
    found, trouble = [], None
    for plan_folder in plan_folders(folder):
        try:
            table = tables.rows(plan_folder, scheme)
        except AgeEnsembleError as error:  # one plan's trouble does not hide the others
            trouble = trouble or type(error)(f"{plan_folder.folder.name}: {error}")
            continue
        found.append((plan_folder, table))
        if markdown:
            print(tables.markdown(table, plan_folder, scheme))
        elif not csv and not json:
            print_table(table, plan_folder, scheme, console)
        if export:
            console.say(f"written: {write(plan_folder, table, scheme, export)}")
    if json:
        print(as_json([tables.content(table, plan_folder) for plan_folder, table in found]))
    if csv and found:
        print(tables.csv(found), end="")
    if trouble:
        raise trouble
