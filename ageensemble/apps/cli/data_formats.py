"""The verb `data formats`."""

import inspect
import shlex
import shutil
import textwrap
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json, counted, plain
from ...errors import UsageError
from . import options
from .options import examples

app = typer.Typer()


@app.command(
    "formats",
    epilog=examples(
        "ageensemble data formats", "ageensemble data formats utkface", "ageensemble data formats --template photos/"
    ),
)
def data_formats(
    name: Annotated[Optional[str], typer.Argument(help="A format, to be described in full.")] = None,
    template: Annotated[
        Optional[Path], typer.Option(help="Write a folder's annotations.csv: all photographs, blank ages.")
    ] = None,
    json: options.Json = False,
):
    """Say which data formats are known, what a folder must look like, and what is known of the terms of use."""
    from ...data import readers

    if template is not None and (name or json):
        raise UsageError("--template stands alone: it writes the annotations.csv of a folder")
    if template is not None:
        return _template(template)
    names = [readers.READERS.resolve(name)] if name else readers.READERS.names()
    found = {each: readers.READERS.load(each) for each in names}
    if json:
        print(as_json({each: _described(reader) for each, reader in found.items()}))
    else:
        print("\n\n".join(_shown(each, reader, full=bool(name)) for each, reader in found.items()))


def _described(reader):
    """What there is to say of a format."""
    from ..._utils import registry

    return {
        "summary": registry.summary(reader),
        "layout": reader.layout,
        "terms": reader.license or "those of your images",
    }


def _shown(name, reader, full):
    """The same as a paragraph; in full with all that its file says of it."""
    about = _described(reader)
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 120))
    rows = {"looks like": about["layout"], "terms": about["terms"]}
    lines = [line for key, text in rows.items() for line in _wrapped(f"  {key:<12}", text, width)]
    title = _wrapped(f"{name}: ", about["summary"], width, indent=2)
    more = inspect.getdoc(reader).partition("\n")[2].splitlines() if full else []
    return "\n".join(plain(line) for line in [*title, *lines, *more])


def _wrapped(start, text, width, indent=None):
    after = " " * (len(start) if indent is None else indent)
    return textwrap.wrap(start + text, width, subsequent_indent=after, break_on_hyphens=False)


def _template(folder):
    """Write the template and say what to do with it; not where it would hide what the files' names tell."""
    from ...data.readers import matching_formats, template

    check = f"ageensemble data check {shlex.quote(str(folder))}"
    own = folder / "annotations.csv"  # of which the writer complains itself
    if not own.exists() and (found := matching_formats(folder)):
        raise UsageError(f"{folder} is {' or '.join(found)} already: there is nothing to fill in; {check}")
    listed, left_out = template.write_template(folder)
    print(plain(f"{own} lists {counted(listed, 'photograph')}; fill in the column age."))
    if left_out:
        print(f"{counted(left_out, 'photograph')} left out, as the names of the files are not UTF-8; rename them.")
    print(plain(f"Then: {check}"))
