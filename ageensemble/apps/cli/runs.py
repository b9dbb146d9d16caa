"""The verbs `runs`, `cache` and `list`."""

import functools
import importlib
from pathlib import Path
from typing import Annotated

import typer

from ..._utils.console import as_json, counted, plain
from ...errors import UsageError
from .options import Cache, Json, Out, Yes, examples

runs_app = typer.Typer(help="List and remove runs.", no_args_is_help=True)
cache_app = typer.Typer(help="Show and clear the cache of resized images and features.", no_args_is_help=True)
list_app = typer.Typer(
    help="Names to choose from: models, features, their parameters, transforms, age groups, data formats, filters, "
    "protocols.",
    no_args_is_help=True,
)


def _sure(question, yes):
    """Whether to go on: `--yes`, or yes to the question; without anybody to ask, an error."""
    try:
        return yes or typer.confirm(question)
    except typer.Abort:
        raise UsageError("not confirmed, so nothing was deleted; --yes skips the question") from None


@runs_app.command("list", epilog=examples("ageensemble runs list", "ageensemble runs list --json"))
def runs_list(out: Out = Path("runs"), json: Json = False):
    """List runs, complete or not, with their folders."""
    from ...experiments.experiment import Experiment

    rows = [row for experiment in Experiment.find_all(out) for row in experiment.describe()]
    if json:
        print(as_json(rows))
        return
    for row in rows:
        print(plain(f"{row['split']}/{row['run']}: {row['state']}" + (f", {row['why']}" if row["why"] else "")))


@runs_app.command(
    "remove", epilog=examples("ageensemble runs remove svm", "ageensemble runs remove svm-C=30-1a2b3c4d --yes")
)
def runs_remove(
    name: Annotated[str, typer.Argument(help="Folder of a run, or name of its model.")],
    out: Out = Path("runs"),
    yes: Yes = False,
):
    """Delete runs from disk."""
    from ...experiments import run as runs
    from ...experiments.experiment import Experiment

    found = [run for one in Experiment.find_all(out) for run in one.runs if name in (run.folder.name, run.name)]
    if not found:
        raise UsageError(f"no run called '{name}' in {out}; see: ageensemble runs list")
    for run in found:
        print(plain(run.folder))
    if _sure(f"delete {counted(len(found), 'run')}?", yes):
        for run in found:
            runs.remove(run)


@cache_app.command("show", epilog=examples("ageensemble cache show", "ageensemble cache show --json"))
def cache_show(cache: Cache = None, json: Json = False):
    """Show what is in the cache, and how large it is."""
    from ..._utils import cache as caches

    folder = cache or caches.default_folder()
    found = caches.contents(folder)
    if json:
        kinds = {kind: {"entries": entries, "bytes": size} for kind, (entries, size) in found.items()}
        print(as_json({"folder": str(folder), "kinds": kinds}))
        return
    print(plain(folder) + ("" if found else ": empty"))
    for kind, (entries, size) in found.items():
        print(f"  {kind}: {counted(entries, 'entry', 'entries')}, {size / 1e6:,.1f} MB")


@cache_app.command("clear", epilog=examples("ageensemble cache clear", "ageensemble cache clear --yes"))
def cache_clear(cache: Cache = None, yes: Yes = False):
    """Empty the cache; everything in it can be computed again."""
    from ..._utils import cache as caches

    folder = cache or caches.default_folder()
    if _sure(f"empty {plain(folder)}?", yes):
        print(f"{caches.clear(folder) / 1e6:,.1f} MB freed")


def _age_groups():
    from ...ages import AGE_GROUPS

    def shortened(labels):
        return ", ".join(labels[:15]) + (" ..." if len(labels) > 15 else "")

    return {name: shortened(age_groups.labels) for name, age_groups in AGE_GROUPS.items()}


def _summaries(package, registry):
    """The plug-ins of a registry, with a line each."""
    found = getattr(importlib.import_module(f"ageensemble.{package}"), registry).summaries()
    if package == "models":
        found["(any of timm's)"] = "Every network of timm is a model by its name, such as resnet50, fine-tuned."
    return found


def _listed(what, described):
    """A verb of `list`: names with their one-line descriptions."""

    @list_app.command(what, epilog=examples(f"ageensemble list {what}"), help=f"List the {what.replace('-', ' ')}.")
    def verb(json: Json = False):
        rows = described()
        if json:
            print(as_json(rows))
            return
        width = max(map(len, rows)) + 2
        for name, text in rows.items():
            print(plain(f"{name:<{width}}{text}"))


@list_app.command(
    "parameters", epilog=examples("ageensemble list parameters svm", "ageensemble list parameters hog --json")
)
def list_parameters(
    name: Annotated[str, typer.Argument(help="A model, a timm network, a feature set, or a file of one.")],
    json: Json = False,
):
    """List the parameters of a model or feature set."""
    from ..._utils.params import describe_parameters

    summary, thing = _named(name)
    rows = describe_parameters(thing) + _preprocess(thing)
    if json:
        print(as_json({"name": name, "summary": summary, "parameters": rows}))
        return
    print(plain(f"{name}: {summary}"))
    for row in rows:
        default = f"{row['name']}={str(row['default']).lower() if isinstance(row['default'], bool) else row['default']}"
        text = ": ".join(filter(None, (row["type"], row["description"])))
        print(plain(f"  {default:<22}  {text}").rstrip())


def _preprocess(thing):
    """The parameter that every model has which sees images, itself or as features."""
    from ...data import transforms
    from ...models import spec

    if not (getattr(thing, "features", "") or getattr(thing, "takes_images", False)):
        return []
    names = ", ".join(transforms.TRANSFORMS.names())
    words = f"what is done to images first: {names}, or a file of one; empty: nothing"
    return [{"name": spec.PREPROCESS, "default": "", "type": "str", "description": words}]


def _named(name):
    """One-line description, and the function or class with the parameters, of a feature set or model."""
    from ... import models
    from ..._utils import registry
    from ...features import FEATURES

    if name.endswith(".py"):
        try:
            return registry.summary(FEATURES.load(name)), FEATURES.load(name)
        except UsageError:  # not one of features
            pass
    if name in [*FEATURES.names(), *FEATURES.aliases]:
        return registry.summary(FEATURES.load(name)), FEATURES.load(name)
    try:
        return registry.summary(models.load(name)), models.load(name)
    except UsageError:
        near = registry.close(name, [*models.names(), *FEATURES.names()])
        if not near:
            raise
        raise UsageError(f"no model or feature set called '{name}'{registry.did_you_mean(near)}") from None


for _what, *_where in (
    ("models", "models", "MODELS"),
    ("features", "features", "FEATURES"),
    ("transforms", "data.transforms", "TRANSFORMS"),
    ("formats", "data.readers", "READERS"),
    ("filters", "data.filters", "FILTERS"),
    ("protocols", "splits.protocols", "PROTOCOLS"),
):
    _listed(_what, functools.partial(_summaries, *_where))
_listed("age-groups", _age_groups)
