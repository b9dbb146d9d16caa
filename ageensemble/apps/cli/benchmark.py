"""The verbs `benchmark` and `fit`."""

from pathlib import Path
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
    set_: options.Parameters = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = None,
    seed: options.Seed = 0,
    split: options.SplitFile = None,
    test_data: options.TestData = None,
    protocol: options.Protocol = None,
    clean: options.Filters = None,
    allow_leak: options.AllowLeak = False,
    age_groups: options.AgeGroups = "default",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    stack: Annotated[bool, typer.Option("--stack/--no-stack", help="Build ensembles of all runs at the end.")] = True,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
    detector: options.Detector = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Compare models on one split and print the results table.

    Each model is fitted once per fold. Finished fits are kept: an interrupted benchmark resumes, and further models
    join the table. At the end ensembles of all runs are built; see: ageensemble stack --help.
    """
    from ...ages import parse_age_groups

    age_groups = parse_age_groups(age_groups)
    from ...experiments.config import DEFAULT_MODELS, BenchmarkConfig, DataConfig, Resources

    named = [name.strip() for name in (models or "").split(",") if name.strip()] + list(model or [])
    config = BenchmarkConfig(
        models=tuple(named or DEFAULT_MODELS),
        features=features,
        parameters=tuple(set_ or ()),
        data=DataConfig(data, test_data, format, clean, limit, folds, split, protocol, allow_leak),
        ensembles=stack,
        random_state=seed,
        detector=detector,
        out=out,
        resources=Resources(cache, jobs, device),
    )
    _run(config, age_groups, dry_run, json, verbose)


@app.command(
    epilog=examples(
        "ageensemble fit --model svm",
        "ageensemble fit --model svm --data photos/",
        "ageensemble fit --model 'xgboost@lbp' --data labels.csv",
    )
)
def fit(
    model: Annotated[str, typer.Option(help="A model with features and parameters: 'svm@hog C=30'.")],
    data: options.Data = ("demo",),
    features: options.Features = None,
    set_: options.Parameters = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = None,
    seed: options.Seed = 0,
    split: options.SplitFile = None,
    test_data: options.TestData = None,
    protocol: options.Protocol = None,
    clean: options.Filters = None,
    allow_leak: options.AllowLeak = False,
    age_groups: options.AgeGroups = "default",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    device: options.Device = "auto",
    detector: options.Detector = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Train one model on everything except the test part, evaluate it there, and save it.

    Where a protocol has no test part, it is trained on every item and cannot be evaluated.
    """
    from ...ages import parse_age_groups

    age_groups = parse_age_groups(age_groups)
    from ...experiments.config import BenchmarkConfig, DataConfig, Resources

    config = BenchmarkConfig(
        models=(model,),
        features=features,
        parameters=tuple(set_ or ()),
        data=DataConfig(data, test_data, format, clean, limit, folds, split, protocol, allow_leak),
        folds="refit",
        ensembles=False,
        random_state=seed,
        detector=detector,
        out=out,
        resources=Resources(cache, 1, device),
    )
    _run(config, age_groups, dry_run, json, verbose)


def _run(config, age_groups, dry_run, json, verbose):
    """Prepare, fit and print the table."""
    from ..._utils.console import Console
    from ...experiments.benchmark import find_detector, run_benchmark
    from ...experiments.estimate import estimate, estimate_table
    from ...experiments.prepare import prepare
    from ...reporting import leaderboard, run_report, tables

    config.specs()  # complains of a wrong name before anything is read
    console = Console(verbose)
    detector = None if dry_run else find_detector(config, console)
    data = prepare(config, console)
    age_groups.of(data.dataset.age_range)  # refuses labels that it would cut in two, before anything is fitted
    if dry_run:
        result = estimate(config, data.dataset, data.split)
        if json:
            print(as_json(result))
        else:
            console.show(estimate_table(result))
        return
    experiment, runs, stacks = run_benchmark(config, console, data, detector)
    complete = [run for run in runs if run.state(data.split.n_folds)[0] == "complete"]
    run_report.write_missing([*complete, *stacks], experiment, age_groups, data.dataset, console.detail)
    table = leaderboard.rows(experiment, age_groups)
    if json:
        print(as_json(leaderboard.content(table, experiment)))
    else:
        print_table(table, experiment, age_groups, console)
        for run in stacks:
            console.out.print(tables.optimism(run), style="dim", markup=False)
    if config.folds == "refit" and runs[0] in complete:
        _save(runs[0], experiment, config.out, console)
    if len(complete) < len(runs):
        raise typer.Exit(1)


def _save(run, experiment, out, console):
    """Make the model folder of a refit, where it can have one."""
    from ... import inference

    try:
        console.say(inference.save(run, experiment, inference.default_place(run, out)))
    except UsageError as error:
        console.say(f"no model folder: {error}")
