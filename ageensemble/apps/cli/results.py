"""The verb `results`: tables of what is on disk."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json
from ...errors import AgeEnsembleError, UsageError
from . import options
from .options import examples

app = typer.Typer()

BY = ("gender", "ethnicity", "age_group", "dataset")


def print_table(table, experiment, age_groups, console):
    """Print a table and its notes to the console."""
    from ...reporting import leaderboard

    console.show(leaderboard.view(table, experiment, age_groups))


@app.command(
    epilog=examples(
        "ageensemble results",
        "ageensemble results --age-groups decades",
        "ageensemble results --age-groups 0-12,13-19,20-64,65+ --export results/mine",
        "ageensemble results --by gender",
        "ageensemble results --threshold 18",
    )
)
def results(
    folder: Annotated[Optional[Path], typer.Argument(help="Folder of runs, or of one split; by default runs.")] = None,
    out: Annotated[Optional[Path], typer.Option(help="The same, as other verbs take it.")] = None,
    age_groups: options.AgeGroups = "default",
    export: Annotated[Optional[Path], typer.Option(help="Write the table (CSV, Markdown) and pictures there.")] = None,
    by: Annotated[Optional[str], typer.Option(help="Scores by subgroup: gender, ethnicity or age-group.")] = None,
    threshold: Annotated[
        Optional[int], typer.Option(help="Errors of asking 'at least so old?' instead, such as 18.")
    ] = None,
    calibration: Annotated[
        bool, typer.Option("--calibration", help="Calibration instead, before and after temperature scaling.")
    ] = False,
    metric: options.Metric = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print every metric as CSV.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Print the results table again, from what is on disk; one table for each split.

    With --by, --threshold or --calibration another table of the same runs.
    """
    from ... import ages
    from ..._utils.console import Console
    from ...evaluation import metrics
    from ...experiments.experiment import Experiment
    from ...reporting import leaderboard
    from ...reporting.export import write

    metrics.use(metric or ())
    if folder and out:
        raise UsageError(f"the folder is given twice, {folder} and --out {out}; name one of them")
    folder = folder or out or Path("runs")
    console, age_groups = Console(verbose), ages.parse_age_groups(age_groups)
    if csv + markdown + json > 1:
        raise UsageError("--csv, --markdown and --json exclude each other")
    if (by is not None) + (threshold is not None) + calibration:
        return _other(folder, age_groups, console, by, threshold, calibration, metric, json, markdown, csv or export)
    found, trouble = [], None
    for experiment in Experiment.find_all(folder):
        try:
            table = leaderboard.rows(experiment, age_groups)
        except AgeEnsembleError as error:  # one split's trouble does not hide the others
            trouble = trouble or type(error)(f"{experiment.folder.name}: {error}")
            continue
        found.append((experiment, table))
        if markdown:
            print(leaderboard.view(table, experiment, age_groups).markdown())
        elif not csv and not json:
            print_table(table, experiment, age_groups, console)
        if export:
            console.say(f"written: {write(experiment, table, age_groups, export)}")
    if json:
        print(as_json([leaderboard.content(table, experiment) for experiment, table in found]))
    if csv and found:
        print(leaderboard.csv(found), end="")
    if trouble:
        raise trouble


def _other(folder, age_groups, console, by, threshold, calibration, metric, json, markdown, refused):
    """Print the table that was asked for in place of the results."""
    from ...evaluation import age_threshold
    from ...evaluation.calibration import calibration_table, measure_calibration
    from ...experiments.experiment import Experiment
    from ...reporting import tables

    if refused or (by is not None) + (threshold is not None) + calibration > 1 or (markdown and by is None):
        raise UsageError(
            "--by, --threshold and --calibration exclude each other, --csv and --export; --markdown goes with --by"
        )
    if by is not None:
        by = {"group": "age_group"}.get(by, by.replace("-", "_"))
        if by not in BY:
            raise UsageError(f"--by {by} is not known; one of: {', '.join(BY).replace('_', '-')}")
    if threshold is not None:
        age_threshold.check_age(threshold)
    contents = []
    for experiment in Experiment.find_all(folder):
        complete = [run for run, state, _ in experiment.states() if state == "complete" and run.parts]
        if not complete:
            raise UsageError(f"no complete run in {experiment.folder}; see: ageensemble runs list")
        if by is not None:
            found = tables.evaluate_runs(experiment, age_groups, by, metric[0] if metric else None)
            content, shown = tables.subgroup_content(experiment, by, found), tables.subgroup_tables(experiment, found)
        elif threshold is not None:
            found = [age_threshold.threshold_errors(*run.oof_and_test, age=threshold) for run in complete]
            shown = [age_threshold.threshold_table(found)]
        else:
            found = [measure_calibration(*run.oof_and_test, age_groups) for run in complete]
            shown = [calibration_table(found)]
        if by is None:
            content = [{"run": run.folder.name} | one.to_dict() for run, one in zip(complete, found, strict=True)]
        contents.append(content)
        if markdown:
            print("\n\n".join(table.markdown() for table in shown))
        elif not json:
            console.show(*shown)
    if json:
        print(as_json(contents))
