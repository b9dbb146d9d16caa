"""Verbs that add rows to a table without fitting: `stack` and `import`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json
from . import options
from .options import examples
from .results import print_table

app = typer.Typer()

Member = Annotated[
    Optional[list[str]],
    typer.Option("--model", help="A member: its full name or its run's folder. May be repeated; by default all runs."),
]
Method = Annotated[
    Optional[str], typer.Option(help="Kind of ensemble: greedy, mean, stack, or several of them; by default all.")
]


@app.command(
    epilog=examples(
        "ageensemble stack",
        "ageensemble stack --method greedy",
        "ageensemble stack --model svm --model cnn",
    )
)
def stack(
    out: options.OneExperiment = Path("runs"),
    model: Member = None,
    method: Method = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the parts that the shrinkage is chosen on.")] = 0,
    age_groups: options.AgeGroups = "default",
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Build ensembles from the predictions of complete runs, without fitting these again, and print the results."""
    from ... import ages, ensembles
    from ..._utils.console import Console
    from ...experiments import stack
    from ...experiments.experiment import Experiment
    from ...reporting import leaderboard, run_report, tables

    console, age_groups = Console(verbose), ages.parse_age_groups(age_groups)
    wanted = [name.strip() for name in (method or "").split(",") if name.strip()] or ensembles.REGISTRY.names()
    for name in wanted:
        ensembles.REGISTRY.load(name)  # complains of a wrong name before anything is read
    experiment = Experiment.find(out)
    chosen = [experiment.run(name) for name in model] if model else None
    made = stack.combine(experiment, chosen, wanted, seed, console)
    for run in made:
        if run_report.missing(run):
            run_report.write(run, experiment, age_groups)
    table = leaderboard.rows(experiment, age_groups)
    if json:
        print(as_json(leaderboard.content(table, experiment)))
        return
    print_table(table, experiment, age_groups, console)
    for run in made:
        console.show(tables.ensemble_table(run))


@app.command(
    "import",
    epilog=examples(
        "ageensemble import preds.csv --name mivolo",
        "ageensemble import oof_and_test.csv --name mine --out-of-fold",
        "ageensemble import groups.csv --name theirs --age-groups 0-12,13-19,20-64,65+",
    ),
)
def import_(
    file: Annotated[Path, typer.Argument(help="Table (.csv, .parquet): item or file name, and what was predicted.")],
    name: Annotated[str, typer.Option(help="What the table calls it.")],
    out: options.OneExperiment = Path("runs"),
    out_of_fold: Annotated[
        bool,
        typer.Option("--out-of-fold", help="You declare: no item was seen in training by what predicted it here."),
    ] = False,
    age_groups: options.AgeGroups = "default",
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Bring another system's answers on the same images into the table.

    The file has a column with item ids or file names, and ages (a column such as `age` or `prediction`), groups, or
    probabilities (columns 0..120, or one for each group). Without --out-of-fold only the test part is read. What is
    missing is scored as the histogram and counted. Nobody can tell whether an outside system was trained on the items.
    """
    from ... import ages
    from ..._utils.console import Console
    from ...experiments import external
    from ...experiments.experiment import Experiment
    from ...reporting import leaderboard, run_report

    console, age_groups = Console(verbose), ages.parse_age_groups(age_groups)
    experiment = Experiment.find(out)
    run = external.import_predictions(file, name, experiment, age_groups, out_of_fold, console.say)
    run_report.write(run, experiment, age_groups)
    table = leaderboard.rows(experiment, age_groups)
    if json:
        print(as_json(leaderboard.content(table, experiment)))
    else:
        print_table(table, experiment, age_groups, console)
