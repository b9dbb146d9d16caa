"""Verbs that ask how sure one may be: `compare` and `intervals`."""

import math
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json, plain
from ...errors import UsageError
from . import options
from .options import examples

app = typer.Typer()

Rope = Annotated[
    float, typer.Option(min=0, help="Differences in MAE up to this many years count as practically equal.")
]


@app.command(
    epilog=examples(
        "ageensemble compare svm xgboost",
        "ageensemble compare stack svm --rope 0.2",
        "ageensemble compare svm cnn --out runs/demo-1a2b3c4d --json",
    )
)
def compare(
    a: Annotated[str, typer.Argument(help="A run: the full name of its model, or its folder.")],
    b: Annotated[str, typer.Argument(help="The run to compare it with.")],
    out: options.OneExperiment = Path("runs"),
    rope: Rope = 0.1,
    metric: options.Metric = None,
    age_groups: options.AgeGroups = "default",
    json: options.Json = False,
):
    """Say how much two models differ on the same items, how sure that is, and where they differ most."""
    from ... import ages
    from ..._utils.console import Console
    from ...evaluation import metrics
    from ...experiments.experiment import Experiment
    from ...reporting import tables

    if not 0 <= rope < math.inf:
        raise UsageError(f"--rope {rope:g} is not a number of years; 0.1 would be a tenth of a year")
    metrics.use(metric or ())
    age_groups, experiment = ages.parse_age_groups(age_groups), Experiment.find(out, a, b)
    runs = [experiment.run(name) for name in (a, b)]
    found = tables.compare_runs(experiment, *runs, age_groups, rope)
    if json:
        return print(as_json(tables.comparison_content(experiment, *runs, age_groups, found)))
    console = Console()
    for letter, run in zip("AB", runs, strict=True):
        console.out.print(f"{letter}: {plain(run.title)}", style="bold", markup=False)
    console.show(*tables.comparison_tables(found))


@app.command(
    epilog=examples(
        "ageensemble intervals",
        "ageensemble intervals svm --level 80",
        "ageensemble intervals stack --items intervals.csv",
    )
)
def intervals(
    run: Annotated[
        Optional[str], typer.Argument(help="A run: the full name of its model, or its folder; by default the best.")
    ] = None,
    out: options.OneExperiment = Path("runs"),
    level: Annotated[float, typer.Option(help="Share of images to be covered, in per cent.")] = 90,
    items: Annotated[Optional[Path], typer.Option(help="Write the interval of every item to this CSV file.")] = None,
    age_groups: options.AgeGroups = "default",
    json: options.Json = False,
):
    """Make conformal prediction intervals of age, and measure their coverage and width on the test part.

    They are calibrated on out-of-fold predictions: label-conditional ones hold for each age group, plain ones only for
    all together.
    """
    from ... import ages
    from ..._utils.console import Console
    from ..._utils.io import write_csv
    from ...evaluation.conformal import conformalize, interval_items
    from ...experiments.experiment import Experiment

    if not 0 < level < 100:
        raise UsageError(f"--level {level:g} should lie between 0 and 100 per cent")
    age_groups, experiment = ages.parse_age_groups(age_groups), Experiment.find(out, *filter(None, [run]))
    chosen = experiment.run(run or best(experiment, age_groups))
    oof, test = chosen.oof_and_test
    if oof is None:
        raise UsageError(f"{chosen.title} has no out-of-fold predictions, on which intervals are calibrated")
    found = conformalize(oof, level / 100, age_groups, test)
    console = Console()
    if json:
        print(as_json({"run": chosen.folder.name} | found.to_dict()))
    else:
        console.show(found.table)
    if items:
        write_csv(items, interval_items(oof, test, level / 100, age_groups))
        console.say(f"written: {items}")


def best(experiment, age_groups):
    """Folder of the run with the best out-of-fold score."""
    from ...reporting import leaderboard

    table = leaderboard.rows(experiment, age_groups)
    place = leaderboard.best(table)
    if place is None:
        raise UsageError(f"no complete run with out-of-fold predictions in {experiment.folder}")
    return table["run"][place]
