"""The verb `data get`."""

import shlex
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, counted, plain
from ...errors import UsageError
from .options import Yes, examples

app = typer.Typer()


@app.command(
    "get",
    epilog=examples(
        "ageensemble data get utkface",
        "ageensemble data get facial-age --to photos/facial-age --yes",
        "ageensemble data get agedb",
    ),
)
def data_get(
    name: Annotated[str, typer.Argument(help="utkface or facial-age; of others, such as agedb, where they are.")],
    to: Annotated[Optional[Path], typer.Option(help="New folder for the photographs; by default NAME.")] = None,
    yes: Yes = False,
):
    """Download a data set, once its terms are shown, or say where it is to be had.

    What was interrupted goes on where it was, and what comes is checked by the hash that is known of it.
    """
    from ...data import download

    name = download.spelled(name)
    if name in download.ELSEWHERE:
        _say_where(name)
    else:
        _get(name, download.module(name), to or Path(name), yes)


def _say_where(name):
    """How to come by a data set that is not ours to fetch."""
    from ..._utils import registry
    from ...data import download, readers

    source = readers.READERS.load(name)
    print(f"{name}: {registry.summary(source)}")
    print(f"terms: {source.license}")
    print(f"where: {download.ELSEWHERE[name]}")
    print(f"{name} is not fetched by this program; with what is unpacked: ageensemble data check DIR")


def _get(name, source, target, yes):
    from ..._utils import registry
    from ...data.download import _install

    check = f"next: ageensemble data check {shlex.quote(plain(target))}"
    if _install.there(name, target):
        print(f"{name} is in {plain(target)} already\n{check}")
        return
    print(f"{name}: {registry.summary(source)}\nterms: {source.LICENSE}\n       {source.PAGE}")
    if not _agreed(f"do you accept them, and fetch it into {plain(target)}?", yes):
        print("nothing was fetched")
        return
    Console().say(f"fetching {name}; it can be interrupted, and the same command goes on")
    count = _install.place(name, source, target)
    print(f"{counted(count, 'photograph')} in {plain(target)}\n{check}")


def _agreed(question, yes):
    try:
        return yes or typer.confirm(question)
    except typer.Abort:
        raise UsageError("nobody accepted the terms, so nothing was fetched; --yes accepts them") from None
