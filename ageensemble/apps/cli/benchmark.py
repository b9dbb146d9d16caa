"""Verbs that fit models: `benchmark` and `fit`."""

from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from ..._utils.console import as_json
from ...errors import UsageError
from . import options
from .options import examples
from .results import print_table

app = typer.Typer()


@app.command(
    epilog=examples(
        "ageensemble benchmark",
        "ageensemble benchmark --data photos/ --models svm,xgboost",
        "ageensemble benchmark --data photos/ --model 'svm@hog C=30' --model svm@lbp",
        "ageensemble benchmark --data photos/ --limit 2000 --dry-run",
        "ageensemble benchmark --data UTKFace/ --data AgeDB/ --test-data FGNET/ --filter conflicts",
        "ageensemble benchmark --data FGNET/ --protocol leave-one-person-out",
    )
)
def benchmark(
    data: options.Data = ("demo",),
    models: options.Models = None,
    model: options.Model = None,
    features: options.Features = None,
    set_: options.Set = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = None,
    seed: options.Seed = 0,
    split: options.PlanFile = None,
    test_data: options.TestData = None,
    protocol: options.Protocol = None,
    clean: options.Clean = None,
    allow_leak: options.AllowLeak = False,
    age_groups: options.Groups = "default",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    stack: Annotated[
        bool, typer.Option("--stack/--no-stack", help="Combine all runs of this split at the end.")
    ] = True,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
    detector: options.Detector = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Compare models under one split and print the results table.

    What was fitted before is kept: an interrupted benchmark goes on where it stopped, further models join the table.
    It ends with stacks of all that the table holds; see: ageensemble stack --help.
    """
    _work("folds", SimpleNamespace(**locals()))


@app.command(
    epilog=examples(
        "ageensemble fit --model svm",
        "ageensemble fit --model svm --data photos/",
        "ageensemble fit --model 'xgboost@lbp' --data labels.csv",
    )
)
def fit(
    model: Annotated[str, typer.Option(help="One model by its full name: 'svm@hog C=30'.")],
    data: options.Data = ("demo",),
    features: options.Features = None,
    set_: options.Set = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = None,
    seed: options.Seed = 0,
    split: options.PlanFile = None,
    test_data: options.TestData = None,
    protocol: options.Protocol = None,
    clean: options.Clean = None,
    allow_leak: options.AllowLeak = False,
    age_groups: options.Groups = "default",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    device: options.Device = "auto",
    detector: options.Detector = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Fit one model on all items outside the test part, score it there, save it.

    Where a protocol has no test part, the model is fitted on every item, and nothing is left to score it on.
    """
    _work("refit", SimpleNamespace(**locals() | {"models": None, "model": [model], "jobs": 1, "stack": False}))


def _work(kind, o):
    """Prepare, fit and print the table: what `benchmark` and `fit` share; `o` are their options."""
    from ... import ages
    from ...data import filters
    from ...splits import protocols

    age_groups = ages.parse_age_groups(o.age_groups)
    filters.parse_filters(
        o.clean or ()
    )  # a wrong name is known before the libraries of models are loaded, which takes seconds
    if o.protocol:
        protocols.PROTOCOLS.load(o.protocol)

    from ...experiments import benchmark as bench
    from ...experiments import prepare
    from ...reporting import leaderboard, tables

    wanted = bench.parse_models(o.models, o.model, o.features, o.set_)
    here = bench.settings(o.out, o.cache, o.jobs, o.device, o.verbose)
    detector = None if o.dry_run else bench.find_faces(o.detector, here)
    split = {"limit": o.limit, "folds": o.folds, "seed": o.seed, "split_file": o.split, "protocol": o.protocol}
    more = {"format": o.format, "test_data": o.test_data or (), "clean": o.clean, "allow_leak": o.allow_leak}
    dataset, split, about = prepare.prepare(here, o.data, **split, **more)
    age_groups.of(dataset.age_range)  # refuses labels that it would cut in two, before anything is fitted
    if o.dry_run:
        return _dry_run(dataset, split, wanted, kind, here, o)
    insist = o.detector != "auto"
    experiment, runs = bench.run(dataset, split, about, wanted, o.seed, kind, here, age_groups, detector, insist)
    stacks = bench.combine(experiment, dataset, here, age_groups) if o.stack else []
    table = leaderboard.rows(experiment, age_groups)
    if o.json:
        print(as_json(leaderboard.content(table, experiment)))
    else:
        print_table(table, experiment, age_groups, here.console)
    for run in stacks if not o.json else []:
        here.console.out.print(tables.optimism(run), style="dim", markup=False)
    complete = [run.state(split.n_folds)[0] == "complete" for run in runs]
    if kind == "refit" and complete[0]:
        _save(runs[0], experiment, here)
    if not all(complete):
        raise typer.Exit(1)


def _save(run, experiment, here):
    """Make the model folder of a refit, where it can have one."""
    from ... import inference

    place = inference.default_place(run, here.out)
    try:
        here.console.say(inference.save(run, experiment, place))
    except UsageError as error:
        here.console.say(f"no model folder: {error}")


def _dry_run(dataset, split, wanted, kind, here, o):
    from ...experiments import estimate

    result = estimate.estimate(dataset, split, wanted, kind, o.seed, here)
    if o.json:
        print(as_json(result))
    else:
        here.console.out.print(estimate.rich_table(result))
