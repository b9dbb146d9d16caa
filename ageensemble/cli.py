"""The command line: verbs, each a few lines that call the piece that does it.

Nothing heavy is imported before a verb needs it, so that `--help` answers at once.
"""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from . import __version__
from .console import fail
from .errors import AgeEnsembleError, UsageError

CODES = (
    "Exit codes: 0 done; 1 done but a cell failed; 2 command line; 3 data or a given file; "
    "4 disk or damaged run; 130 interrupted."
)

app = typer.Typer(
    help="What predicts age best on these face photographs, and by how much for sure?",
    epilog=CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Look at a data set.", no_args_is_help=True)
runs_app = typer.Typer(help="List and remove runs.", no_args_is_help=True)
cache_app = typer.Typer(help="Show and clear the cache of decoded photographs and features.", no_args_is_help=True)
list_app = typer.Typer(help="What can be named: models, features, age groups, data formats.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.add_typer(runs_app, name="runs")
app.add_typer(cache_app, name="cache")
app.add_typer(list_app, name="list")

Data = Annotated[str, typer.Option(help="Folder of photographs, manifest file (.csv, .parquet), or demo.")]
Format = Annotated[Optional[str], typer.Option(help="Insist on a data format; see: ageensemble list formats.")]
Models = Annotated[Optional[str], typer.Option(help="Plain names, separated by commas: svm,xgboost.")]
Model = Annotated[Optional[list[str]], typer.Option(help="A full name: 'svm@hog C=30'. May be repeated.")]
Features = Annotated[Optional[str], typer.Option(help="Feature sets where a model names none: hog+lbp.")]
Set = Annotated[
    Optional[list[str]], typer.Option("--set", help="A parameter for every model named: C=30. May be repeated.")
]
Limit = Annotated[Optional[int], typer.Option(min=1, help="Work on about N items: whole clusters, ages in proportion.")]
Folds = Annotated[int, typer.Option(min=2, max=100, help="Folds of the split plan.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the split plan and of the models.")]
PlanFile = Annotated[Optional[Path], typer.Option("--plan", help="Split plan to obey: CSV with item_id, part.")]
AllowLeak = Annotated[bool, typer.Option("--allow-leak", help="Use a plan that parts clusters; the table says so.")]
Groups = Annotated[str, typer.Option(help="Age groups of the table: a name, or 0-12,13-19,20-64,65+.")]
Out = Annotated[Path, typer.Option(help="Folder of runs.")]
Cache = Annotated[Optional[Path], typer.Option(help="Folder of the cache; by default the user's own.")]
Jobs = Annotated[Optional[int], typer.Option(min=1, help="Cells fitted at once; by default one for each core.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would run, its time, disk and memory.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]


def examples(*lines):
    """The end of a help page: examples, then the exit codes."""
    return "Examples:\n\n" + "\n\n".join(lines) + "\n\n" + CODES


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False):
    """What predicts age best on these face photographs, and by how much for sure?"""
    if version:
        print(f"ageensemble {__version__}")
        raise typer.Exit


@app.command(
    epilog=examples(
        "ageensemble benchmark",
        "ageensemble benchmark --data photos/ --models svm,xgboost",
        "ageensemble benchmark --data photos/ --model 'svm@hog C=30' --model svm@lbp",
        "ageensemble benchmark --data photos/ --limit 2000 --dry-run",
    )
)
def benchmark(
    data: Data = "demo",
    models: Models = None,
    model: Model = None,
    features: Features = None,
    set_: Set = None,
    format: Format = None,
    limit: Limit = None,
    folds: Folds = 5,
    seed: Seed = 0,
    plan: PlanFile = None,
    allow_leak: AllowLeak = False,
    groups: Groups = "fourteen",
    out: Out = Path("runs"),
    cache: Cache = None,
    jobs: Jobs = None,
    device: Device = "auto",
    dry_run: DryRun = False,
    json: Json = False,
    verbose: Verbose = False,
):
    """Compare models under one split plan and print the results table.

    What was fitted before is kept: an interrupted benchmark goes on where it stopped, further models join the table.
    """
    from . import ages

    data_options = (data, format, limit, folds, seed, plan, allow_leak)
    here_options = (out, cache, jobs, device, verbose)
    _work("folds", data_options, (models, model, features, set_), ages.scheme(groups), here_options, dry_run, json)


@app.command(
    epilog=examples(
        "ageensemble fit --model svm",
        "ageensemble fit --model svm --data photos/",
        "ageensemble fit --model 'xgboost@lbp' --data labels.csv",
    )
)
def fit(
    model: Annotated[str, typer.Option(help="One model by its full name: 'svm@hog C=30'.")],
    data: Data = "demo",
    features: Features = None,
    set_: Set = None,
    format: Format = None,
    limit: Limit = None,
    folds: Folds = 5,
    seed: Seed = 0,
    plan: PlanFile = None,
    allow_leak: AllowLeak = False,
    groups: Groups = "fourteen",
    out: Out = Path("runs"),
    cache: Cache = None,
    jobs: Jobs = None,
    device: Device = "auto",
    dry_run: DryRun = False,
    json: Json = False,
    verbose: Verbose = False,
):
    """Fit one model on all items outside the test part, score it there, save it."""
    from . import ages

    data_options = (data, format, limit, folds, seed, plan, allow_leak)
    here_options = (out, cache, jobs or 1, device, verbose)
    _work("refit", data_options, (None, [model], features, set_), ages.scheme(groups), here_options, dry_run, json)


def _work(kind, data_options, model_options, groups, here_options, dry_run, json):
    """Prepare, fit and print the table: what `benchmark` and `fit` share."""
    from . import benchmark as bench

    here = bench.settings(*here_options)
    wanted = bench.parse_models(*model_options)
    manifest, plan, leaks = bench.prepare(*data_options, here)
    if dry_run:
        return _dry_run(manifest, plan, wanted, kind, here, json)
    plan_folder, runs = bench.run(manifest, plan, leaks, wanted, data_options[4], kind, here, groups)
    _print_table(plan_folder, groups, here.console, json)
    states = [run.state(plan.folds) for run in runs]
    if kind == "refit" and states[0][0] == "complete":
        here.console.say(f"model saved in {runs[0].cell_folder('all') / 'model'}")
    if any(state != "complete" for state, _ in states):
        raise typer.Exit(1)


def _dry_run(manifest, plan, wanted, kind, here, json):
    from . import estimate

    result = estimate.estimate(manifest, plan, wanted, kind, here)
    if json:
        print(_json(result))
    else:
        here.console.out.print(estimate.rich_table(result))


def _print_table(plan_folder, groups, console, json):
    from . import tables

    table = tables.rows(plan_folder, groups)
    if json:
        print(tables.as_json(table, plan_folder))
        return
    console.out.print(tables.rich_table(table, plan_folder))
    for note in tables.notes(plan_folder, groups):
        console.out.print(note, style="dim")


@app.command(
    epilog=examples(
        "ageensemble results",
        "ageensemble results --groups decades",
        "ageensemble results --groups 0-12,13-19,20-64,65+ --export results/mine",
    )
)
def results(
    folder: Annotated[Path, typer.Argument(help="Folder of runs, or of one plan.")] = Path("runs"),
    groups: Groups = "fourteen",
    export: Annotated[Optional[Path], typer.Option(help="Write the table (CSV, Markdown) and pictures there.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print every metric as CSV.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    json: Json = False,
    verbose: Verbose = False,
):
    """Print the results table again, from what is on disk; one table for each plan."""
    from . import ages, tables
    from .console import Console
    from .export import write
    from .runs import plan_folders

    console, scheme = Console(verbose), ages.scheme(groups)
    if csv + markdown + json > 1:
        raise UsageError("--csv, --markdown and --json exclude each other")
    for plan_folder in plan_folders(folder):
        if csv:
            print(tables.rows(plan_folder, scheme).to_csv(index=False), end="")
        elif markdown:
            print(tables.markdown(tables.rows(plan_folder, scheme), plan_folder, scheme))
        else:
            _print_table(plan_folder, scheme, console, json)
        if export:
            console.say(f"written: {write(plan_folder, scheme, export)}")


@data_app.command(
    "check",
    epilog=examples(
        "ageensemble data check photos/", "ageensemble data check demo", "ageensemble data check labels.csv --json"
    ),
)
def data_check(
    data: Annotated[str, typer.Argument(help="Folder of photographs, manifest file, or demo.")],
    format: Format = None,
    out: Annotated[Optional[Path], typer.Option(help="Folder for the lists; by default runs/check-NAME.")] = None,
    cache: Cache = None,
    json: Json = False,
    verbose: Verbose = False,
):
    """Say what is wrong with the data: unusable files, duplicates, conflicting ages."""
    from . import audit, manifest
    from . import benchmark as bench
    from .runs import slug

    here = bench.settings(out or "runs", cache, verbose=verbose, device="cpu")
    with here.console.progress() as bar:
        built = manifest.build(data, format, here.cache, bench.cores(), bar)
    result = audit.audit(built)
    folder = audit.save(built, result, out or Path("runs") / f"check-{slug(built.name)}")
    if json:
        print(_json(result))
        return
    for line in audit.lines(result):
        here.console.out.print(line, markup=False, soft_wrap=True)
    here.console.say(f"lists and a contact sheet: {folder}")


@runs_app.command("list", epilog=examples("ageensemble runs list", "ageensemble runs list --json"))
def runs_list(out: Out = Path("runs"), json: Json = False):
    """List runs, complete or not, with their folders."""
    from . import runs

    rows = [row for plan_folder in runs.plan_folders(out) for row in runs.describe(plan_folder)]
    if json:
        print(_json(rows))
        return
    for row in rows:
        print(f"{row['plan']}/{row['run']}: {row['state']}" + (f", {row['why']}" if row["why"] else ""))


@runs_app.command(
    "remove", epilog=examples("ageensemble runs remove svm", "ageensemble runs remove svm-C=30-1a2b3c4d --yes")
)
def runs_remove(
    name: Annotated[str, typer.Argument(help="Folder name of a run, or its model.")],
    out: Out = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
):
    """Delete runs from disk."""
    from . import runs

    found = runs.find(out, name)
    for run in found:
        print(run.folder)
    if not yes and not typer.confirm(f"delete {len(found)} run(s)?"):
        raise typer.Exit
    for run in found:
        runs.remove(run)


@cache_app.command("show", epilog=examples("ageensemble cache show"))
def cache_show(cache: Cache = None, json: Json = False):
    """Show what the cache holds."""
    from . import caches

    folder = cache or caches.default_folder()
    found = caches.contents(folder)
    if json:
        print(_json({"folder": str(folder), "kinds": {k: {"entries": e, "bytes": b} for k, (e, b) in found.items()}}))
        return
    print(folder)
    for kind, (entries, size) in found.items():
        print(f"  {kind}: {entries} entries, {size / 1e6:,.1f} MB")


@cache_app.command("clear", epilog=examples("ageensemble cache clear", "ageensemble cache clear --yes"))
def cache_clear(cache: Cache = None, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False):
    """Empty the cache; everything in it can be made again."""
    from . import caches

    folder = cache or caches.default_folder()
    if not yes and not typer.confirm(f"empty {folder}?"):
        raise typer.Exit
    print(f"{caches.clear(folder) / 1e6:,.1f} MB freed")


def _listed(what):
    """A verb of `list`: names with their one-line descriptions."""

    @list_app.command(what, epilog=examples(f"ageensemble list {what}"))
    def verb(json: Json = False):
        rows = _described(what)
        if json:
            print(_json(rows))
            return
        for name, text in rows.items():
            print(f"{name:<12} {text}")

    verb.__doc__ = f"List the {what}."


def _described(what):
    from . import ages, datasets, features, models, registry

    if what == "models":
        return {name: registry.summary(models.load(name)) for name in models.names()}
    if what == "features":
        return {name: registry.summary(registry.module(features.__name__, name)) for name in features.names()}
    if what == "formats":
        return {name: registry.summary(datasets.module(name)) for name in datasets.formats()}
    return {
        name: ", ".join(scheme.labels[:15]) + (" ..." if len(scheme) > 15 else "")
        for name, scheme in ages.SCHEMES.items()
    }


for _what in ("models", "features", "groups", "formats"):
    _listed(_what)


def _json(content):
    import json

    return json.dumps(content, indent=1, ensure_ascii=False)


def main():
    """Run the command line; every error a user can meet is one line and an exit code."""
    try:
        app()
    except AgeEnsembleError as error:
        fail(error, error.exit_code)
    except KeyboardInterrupt:
        fail("interrupted; what is done is kept, the same command goes on from there", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in (
            errno.ENOSPC,
            errno.EROFS,
            errno.EACCES,
            errno.EPERM,
            errno.EDQUOT,
            errno.ENOTDIR,
            errno.EEXIST,
        ):
            raise
        where = f" {error.filename}" if error.filename else ""
        fail(f"cannot write{where}: {error.strerror}; what is done is kept", 4)
    except MemoryError:
        fail("out of memory; try fewer --jobs or --limit", 4)
