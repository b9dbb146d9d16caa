"""The command line: its verbs are in the modules beside this one, each a thin door to the Python functions.

Nothing heavy is imported before a verb needs it, so that `--help` answers at once.
"""

import os
import sys
from typing import Annotated

import typer

from ... import __version__
from ..._utils.console import fail
from ..._utils.io import DISK_TROUBLES
from ...errors import AgeEnsembleError
from . import benchmark, camera, compare, data, models, predict, results, runs, serve, stack
from .options import examples

app = typer.Typer(
    help="Which model predicts age best on these face images, and how certain is the difference?",
    epilog=examples("ageensemble benchmark", "ageensemble data check photos/", "ageensemble results"),
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verbs in (benchmark.app, stack.app, results.app, compare.app, predict.app, camera.app, serve.app):
    app.add_typer(verbs)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(runs.runs_app, name="runs")
app.add_typer(runs.cache_app, name="cache")
app.add_typer(runs.list_app, name="list")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
):
    """Which model predicts age best on these face images, and how certain is the difference?"""
    if version:
        print(f"ageensemble {__version__}")
    elif not context.invoked_subcommand:
        print(context.get_help())


# Spellings of 0.1, understood for one version more and shown nowhere
EARLIER_OPTIONS = {"--groups": "--age-groups", "--clean": "--filter", "--plan": "--split"}
EARLIER_VERBS = {
    ("data", "suspects"): ("data", "label-issues"),
    ("list", "cleaning"): ("list", "filters"),
    ("list", "groups"): ("list", "age-groups"),
    ("list", "preprocessing"): ("list", "transforms"),
}


def modern_spelling(words):
    """A command line with the spellings of 0.1 replaced by the present ones."""
    parted = [word.partition("=") for word in words]
    words = [EARLIER_OPTIONS.get(option, option) + equals + value for option, equals, value in parted]
    return [*EARLIER_VERBS.get(tuple(words[:2]), words[:2]), *words[2:]]


def main():
    """Run the command line; every error a user can meet is one line and an exit code."""
    interrupted = "interrupted; what is done is kept, the same command goes on from there"
    try:
        code = app(modern_spelling(sys.argv[1:]), standalone_mode=False)
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
