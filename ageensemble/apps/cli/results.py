"""The verb `results`: tables of what is on disk."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json
from ...errors import AgeEnsembleError, UsageError
from . import options
from .options import examples

app = typer.Typer()


def print_table(table, plan_folder, groups, console):
    """Print a table and its notes to the console."""
    from ...reporting import leaderboard

    console.out.print(leaderboard.rich_table(table, plan_folder, console.out.width))
    for note in leaderboard.notes(plan_folder, groups):
        console.out.print(note, style="dim", markup=False)


@app.command(
    epilog=examples(
        "ageensemble results",
        "ageensemble results --groups decades",
        "ageensemble results --groups 0-12,13-19,20-64,65+ --export results/mine",
        "ageensemble results --by gender",
        "ageensemble results --threshold 18",
    )
)
def results(
    folder: Annotated[Optional[Path], typer.Argument(help="Folder of runs, or of one plan; by default runs.")] = None,
    out: Annotated[Optional[Path], typer.Option(help="The same, as other verbs take it.")] = None,
    groups: options.Groups = "fourteen",
    export: Annotated[Optional[Path], typer.Option(help="Write the table (CSV, Markdown) and pictures there.")] = None,
    by: Annotated[Optional[str], typer.Option(help="Scores by slice instead: gender, ethnicity or group.")] = None,
    threshold: Annotated[
        Optional[int], typer.Option(help="Errors of asking 'at least so old?' instead, such as 18.")
    ] = None,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="How sure runs are of themselves instead, before and after mending.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print every metric as CSV.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Print the results table again, from what is on disk; one table for each plan.

    With --by, --threshold or --calibration another table of the same runs.
    """
    from ... import ages
    from ..._utils.console import Console
    from ...experiments.experiment import plan_folders
    from ...reporting import leaderboard
    from ...reporting.export import write

    if folder and out:
        raise UsageError(f"the folder is given twice, {folder} and --out {out}; name one of them")
    folder = folder or out or Path("runs")
    console, scheme = Console(verbose), ages.scheme(groups)
    if csv + markdown + json > 1:
        raise UsageError("--csv, --markdown and --json exclude each other")
    if (by is not None) + (threshold is not None) + calibration:
        return _other(folder, scheme, console, by, threshold, calibration, json, markdown, csv or export)
    found, trouble = [], None
    for plan_folder in plan_folders(folder):
        try:
            table = leaderboard.rows(plan_folder, scheme)
        except AgeEnsembleError as error:  # one plan's trouble does not hide the others
            trouble = trouble or type(error)(f"{plan_folder.folder.name}: {error}")
            continue
        found.append((plan_folder, table))
        if markdown:
            print(leaderboard.markdown(table, plan_folder, scheme))
        elif not csv and not json:
            print_table(table, plan_folder, scheme, console)
        if export:
            console.say(f"written: {write(plan_folder, table, scheme, export)}")
    if json:
        print(as_json([leaderboard.content(table, plan_folder) for plan_folder, table in found]))
    if csv and found:
        print(leaderboard.csv(found), end="")
    if trouble:
        raise trouble


def _other(folder, groups, console, by, threshold, calibration, json, markdown, refused):
    """Print the table that was asked for in place of the results."""
    from ...evaluation import age_threshold, leaderboard, subgroups
    from ...evaluation import calibration as sureness
    from ...experiments import experiment

    if refused or (by is not None) + (threshold is not None) + calibration > 1 or (markdown and by is None):
        raise UsageError(
            "--by, --threshold and --calibration exclude each other, --csv and --export; --markdown goes with --by"
        )
    if by is not None:
        subgroups.check(by)
    if threshold is not None:
        age_threshold.check(threshold)
    contents = []
    for plan_folder in experiment.plan_folders(folder):
        complete = [run for run, state, _ in leaderboard.states(plan_folder) if state == "complete" and run.parts]
        if not complete:
            raise UsageError(f"no complete run in {plan_folder.folder}; see: ageensemble runs list")
        if by is not None:
            content = subgroups.report(plan_folder, groups, by)
            view = subgroups.markdown(content) if markdown else subgroups.view(content, console.out.width)
        elif threshold is not None:
            content = [age_threshold.report(run, plan_folder, threshold) for run in complete]
            view = age_threshold.view(content)
        else:
            content = [sureness.report(run, plan_folder, groups) for run in complete]
            view = sureness.view(content)
        contents.append(content)
        if markdown:
            print(view)
        elif not json:
            console.out.print(view)
    if json:
        print(as_json(contents))
