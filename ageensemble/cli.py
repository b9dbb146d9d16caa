"""The command line: verbs, each a few lines that call the piece that does it.

Nothing heavy is imported before a verb needs it, so that `--help` answers at once.
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Optional

import typer

from . import __version__, options, upkeep
from .console import as_json, fail
from .errors import AgeEnsembleError, UsageError
from .files import DISK_TROUBLES
from .options import examples

app = typer.Typer(
    help="What predicts age best on these face photographs, and by how much for sure?",
    epilog=examples("ageensemble benchmark", "ageensemble data check photos/", "ageensemble results"),
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(upkeep.runs_app, name="runs")
app.add_typer(upkeep.cache_app, name="cache")
app.add_typer(upkeep.list_app, name="list")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
):
    """What predicts age best on these face photographs, and by how much for sure?"""
    if version:
        print(f"ageensemble {__version__}")
    elif not context.invoked_subcommand:
        print(context.get_help())


@app.command(
    epilog=examples(
        "ageensemble benchmark",
        "ageensemble benchmark --data photos/ --models svm,xgboost",
        "ageensemble benchmark --data photos/ --model 'svm@hog C=30' --model svm@lbp",
        "ageensemble benchmark --data photos/ --limit 2000 --dry-run",
    )
)
def benchmark(
    data: options.Data = "demo",
    models: options.Models = None,
    model: options.Model = None,
    features: options.Features = None,
    set_: options.Set = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = 5,
    seed: options.Seed = 0,
    plan: options.PlanFile = None,
    allow_leak: options.AllowLeak = False,
    groups: options.Groups = "fourteen",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    jobs: options.Jobs = None,
    device: options.Device = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Compare models under one split plan and print the results table.

    What was fitted before is kept: an interrupted benchmark goes on where it stopped, further models join the table.
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
    data: options.Data = "demo",
    features: options.Features = None,
    set_: options.Set = None,
    format: options.Format = None,
    limit: options.Limit = None,
    folds: options.Folds = 5,
    seed: options.Seed = 0,
    plan: options.PlanFile = None,
    allow_leak: options.AllowLeak = False,
    groups: options.Groups = "fourteen",
    out: options.Out = Path("runs"),
    cache: options.Cache = None,
    device: options.Device = "auto",
    dry_run: options.DryRun = False,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """Fit one model on all items outside the test part, score it there, save it."""
    _work("refit", SimpleNamespace(**locals() | {"models": None, "model": [model], "jobs": 1}))


def _work(kind, o):
    """Prepare, fit and print the table: what `benchmark` and `fit` share; `o` are their options."""
    from . import ages, tables
    from . import benchmark as bench

    groups = ages.scheme(o.groups)
    here = bench.settings(o.out, o.cache, o.jobs, o.device, o.verbose)
    wanted = bench.parse_models(o.models, o.model, o.features, o.set_)
    manifest, plan, about = bench.prepare(o.data, o.format, o.limit, o.folds, o.seed, o.plan, o.allow_leak, here)
    groups.of(manifest.y)  # refuses labels that it would cut in two, before anything is fitted
    if o.dry_run:
        return _dry_run(manifest, plan, wanted, kind, here, o)
    plan_folder, runs = bench.run(manifest, plan, about, wanted, o.seed, kind, here, groups)
    table = tables.rows(plan_folder, groups)
    if o.json:
        print(as_json(tables.content(table, plan_folder)))
    else:
        _print_table(table, plan_folder, groups, here.console)
    complete = [run.state(plan.folds)[0] == "complete" for run in runs]
    if kind == "refit" and complete[0]:
        here.console.say(f"model saved in {runs[0].cell_folder('all') / 'model'}")
    if not all(complete):
        raise typer.Exit(1)


def _dry_run(manifest, plan, wanted, kind, here, o):
    from . import estimate

    result = estimate.estimate(manifest, plan, wanted, kind, o.seed, here)
    if o.json:
        print(as_json(result))
    else:
        here.console.out.print(estimate.rich_table(result))


def _print_table(table, plan_folder, groups, console):
    from . import tables

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
    from . import ages, tables
    from .console import Console
    from .export import write
    from .plan_folders import plan_folders

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
            _print_table(table, plan_folder, scheme, console)
        if export:
            console.say(f"written: {write(plan_folder, table, scheme, export)}")
    if json:
        print(as_json([tables.content(table, plan_folder) for plan_folder, table in found]))
    if csv and found:
        print(tables.csv(found), end="")
    if trouble:
        raise trouble


@data_app.command(
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
    from . import audit, machine, manifest
    from . import benchmark as bench
    from .files import slug

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


def main():
    """Run the command line; every error a user can meet is one line and an exit code."""
    interrupted = "interrupted; what is done is kept, the same command goes on from there"
    try:
        code = app(standalone_mode=False)
    except AgeEnsembleError as error:
        fail(error, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        fail(interrupted, 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        kept = "; what is done is kept, the same command goes on from there" if error.errno in DISK_TROUBLES else ""
        fail(f"{where}{error.strerror or error}{kept}", 4)
    except MemoryError:
        fail("out of memory; try fewer --jobs or --limit", 4)
    except Exception as error:
        if not hasattr(error, "format_message"):  # how click's own errors, wherever it was imported from, are known
            raise
        if error.format_message():  # none where the help was printed for want of a verb
            path = error.ctx.command_path if getattr(error, "ctx", None) else "ageensemble"
            fail(f"{error.format_message().rstrip('.')}; see: {path} --help", error.exit_code)
        code = error.exit_code
    if code == 130:  # what the newer typer makes of Ctrl-C
        fail(interrupted, code)
    raise SystemExit(code or 0)
