"""The verb that uses a model: `predict`."""

import os
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, fail
from ...errors import DiskError, UsageError
from . import options
from .options import examples

app = typer.Typer()

CSV = Annotated[Optional[Path], typer.Option("--csv", help="Write all rows to this CSV file.")]
JSONL = Annotated[Optional[Path], typer.Option("--jsonl", help="Write all rows to this file, each as JSON.")]
ANNOTATE = Annotated[Optional[Path], typer.Option(help="Draw faces and ages on copies in this folder.")]
LEVEL = Annotated[float, typer.Option(help="Of the intervals, per cent: one that the model was calibrated for.")]
COLUMNS = Annotated[Optional[str], typer.Option(help="Only these columns of the CSV, in this order: id,age.")]
THRESHOLD = Annotated[list[int], typer.Option(min=0, max=120, help="Say P(age >= this). May be repeated.")]


@app.command(
    epilog=examples(
        "ageensemble predict photo.jpg --model runs/models/svm",
        "ageensemble predict photos/ --model runs/models/svm --csv ages.csv --annotate seen/",
        "ageensemble predict unlabeled.csv --model runs/models/svm --csv submission.csv --columns id,age",
        "ageensemble predict crops/ --model runs/models/svm --no-detect --age-groups decades",
    )
)
def predict(
    photos: Annotated[
        list[str], typer.Argument(help="Photographs, folders of them, or lists (.csv with a column path, .txt).")
    ],
    model: Annotated[Path, typer.Option(help="A model folder; 'fit' and 'models save' make them.")],
    detector: options.Detector = "auto",
    no_detect: Annotated[bool, typer.Option("--no-detect", help="Each photograph is one face, cut already.")] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Only the largest face of each photograph.")] = False,
    csv: CSV = None,
    columns: COLUMNS = None,
    jsonl: JSONL = None,
    annotate: ANNOTATE = None,
    age_groups: Annotated[
        str, typer.Option("--age-groups", help="Age groups: a name, or 0-12,13-19,20-64,65+.")
    ] = "default",
    level: LEVEL = 90,
    threshold: THRESHOLD = (18,),
    device: options.Device = "auto",
    cache: options.Cache = None,
    verbose: options.Verbose = False,
):
    """Predict the ages of the faces in photographs, and go on past those that cannot be read.

    A list gives one row for each of its rows, in its order, each with an age: of the largest face; of the whole
    picture where no face is found and it is as small as a crop; else the middle age of the training photographs. The
    other columns of the list are carried over.
    """
    console = Console(verbose)
    try:
        unreadable = _predict(SimpleNamespace(**locals()), console)
    except KeyboardInterrupt:
        fail("interrupted; no table was written", 130)
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error
        raise DiskError(f"{what}; no table was written") from error
    if unreadable:
        raise typer.Exit(1)


def _predict(o, console):
    """Do what the options `o` ask for; how many photographs could not be read."""
    from ... import ages
    from ...inference import annotate, inputs, load_model, output, pipeline

    if not 1 <= o.level < 100:
        meant = f"; did you mean {100 * o.level:g}?" if 0 < o.level < 1 else ""
        raise UsageError(f"--level {o.level:g} should be per cent, from 1 to less than 100{meant}")
    if o.columns and not o.csv:
        raise UsageError("--columns chooses among those of --csv, which is not given")
    photos = inputs.find(o.photos, o.annotate)
    given = dict.fromkeys(name for photo in photos for name in photo.given)
    columns = output.Columns(ages.parse_age_groups(o.age_groups), o.level / 100, o.threshold, given)
    copies = _places(o, photos)
    detector = None if o.no_detect else _detector(o, console)
    model = load_model(o.model, o.device)
    model.predict([]).interval(columns.level)  # refuses a level that it was not calibrated for
    finder = detector and _finder(detector, model, o.largest, console)
    for remark in model.remarks:
        console.say(f"{model.name}: {remark}")
    names = columns.chosen(o.columns) if o.columns else columns.names
    screen = output.Screen(columns)
    with ExitStack() as stack:
        writers = [stack.enter_context(output.csv_file(o.csv, names))] if o.csv else []
        writers += [stack.enter_context(output.jsonl_file(o.jsonl))] if o.jsonl else []
        told = _told(stack.enter_context(console.progress()), len(photos))
        for block, answers in pipeline.predict(photos, model, finder, told):
            rows = columns.rows(block, answers)
            if copies:
                with model.clock("drawing"):
                    annotate.draw(block, rows, copies[screen.photographs :])
            screen.add(block, rows)
            for write in writers:
                write(rows)
    screen.show(console)
    spent = sorted(model.clock.seconds.items(), key=lambda work: -work[1])
    console.detail("where the time went, all threads together: " + ", ".join(f"{what} {s:.1f} s" for what, s in spent))
    console.say(screen.summary())
    if screen.without and getattr(detector, "weakness", ""):
        console.say(detector.weakness)
    return screen.unreadable


def _places(o, photos):
    """Where annotated copies go, None for nowhere; refuses outputs that would take the place of what is read."""
    from ...inference import annotate, output

    @cache
    def read():
        return {output.identity(file) for file in (*o.photos, *(photo.path for photo in photos))}

    for option, file in (("--csv", o.csv), ("--jsonl", o.jsonl)):
        if file:
            output.refuse(option, file, o.model, read)
    if o.csv and o.jsonl and os.path.realpath(o.csv) == os.path.realpath(o.jsonl):
        raise UsageError(f"--csv and --jsonl both name {o.csv}; give two names")
    return annotate.places(photos, o.annotate, read) if o.annotate else None


def _detector(o, console):
    """What finds faces, after it was said what that is."""
    from ..._utils.cache import default_folder
    from ...data import faces

    cache = o.cache or default_folder()
    with console.progress("bytes") as bar:
        detector = faces.detector(o.detector, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    if o.detector != "auto":
        console.say(f"faces are found by {detector.name}")
    return detector


def _finder(detector, model, largest, console):
    from ...inference import faces as looking
    from ...inference import pipeline

    if doubt := looking.doubt(model, detector):
        console.say(doubt)
    return pipeline.Finder(detector, looking.template_of(model, detector), largest)


def _told(bar, total):
    """What shows how many photographs were looked at, and how fast."""
    shown, start = bar("photographs"), time.monotonic()

    def told(done):
        shown(done, total, f"{done / max(time.monotonic() - start, 1e-9):,.1f} photos/s")

    return told
