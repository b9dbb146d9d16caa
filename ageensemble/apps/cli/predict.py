"""The verb `predict`."""

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
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
LEVEL = Annotated[float, typer.Option(help="Level of the intervals, per cent; the model must be calibrated for it.")]
COLUMNS = Annotated[Optional[str], typer.Option(help="Only these columns of the CSV, in this order: id,age.")]
THRESHOLD = Annotated[list[int], typer.Option(min=0, max=120, help="Also P(age >= this). May be repeated.")]


@dataclass(frozen=True)
class PredictOptions:
    """What `predict` was asked for, see its help."""

    images: list[str]
    model: Path
    detector: str
    no_detect: bool
    largest: bool
    csv: Path | None
    columns: str | None
    jsonl: Path | None
    annotate: Path | None
    age_groups: str
    level: float
    threshold: list[int]
    device: str
    cache: Path | None
    verbose: bool

    def check(self):
        """Refuse values that contradict each other, before anything is read."""
        if not 1 <= self.level < 100:
            meant = f"; did you mean {100 * self.level:g}?" if 0 < self.level < 1 else ""
            raise UsageError(f"--level {self.level:g} should be per cent, from 1 to less than 100{meant}")
        if self.columns and not self.csv:
            raise UsageError("--columns needs --csv")
        if self.csv and self.jsonl and os.path.realpath(self.csv) == os.path.realpath(self.jsonl):
            raise UsageError(f"--csv and --jsonl both name {self.csv}; give two names")


@app.command(
    epilog=examples(
        "ageensemble predict photo.jpg --model runs/models/svm",
        "ageensemble predict photos/ --model runs/models/svm --csv ages.csv --annotate seen/",
        "ageensemble predict unlabeled.csv --model runs/models/svm --csv submission.csv --columns id,age",
        "ageensemble predict crops/ --model runs/models/svm --no-detect --age-groups decades",
    )
)
def predict(
    images: Annotated[
        list[str], typer.Argument(help="Images, folders of them, or lists (.csv with a column path, .txt).")
    ],
    model: Annotated[Path, typer.Option(help="A model folder; 'fit' and 'models save' make them.")],
    detector: options.Detector = "auto",
    no_detect: Annotated[bool, typer.Option("--no-detect", help="Each image is one face, cropped already.")] = False,
    largest: Annotated[bool, typer.Option("--largest", help="Only the largest face of each image.")] = False,
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
    """Predict the ages of the faces in images; images that cannot be read are reported and skipped.

    A list gives one row for each of its rows, in its order, each with an age: of the largest face; of the whole
    image where no face is found and it is as small as a crop; else the median age of the training images. The
    other columns of the list are carried over.
    """
    wanted = PredictOptions(**locals())
    try:
        unreadable = _predict(wanted, Console(verbose))
    except KeyboardInterrupt:
        fail("interrupted; no table was written", 130)
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error
        raise DiskError(f"{what}; no table was written") from error
    if unreadable:
        raise typer.Exit(1)


def _predict(wanted, console):
    """Predict, write and show; returns how many images could not be read."""
    from ... import ages
    from ...inference import annotate, inputs, load_model, output, pipeline

    wanted.check()
    images = inputs.find(wanted.images, wanted.annotate)
    given = dict.fromkeys(name for image in images for name in image.given)
    columns = output.Columns(ages.parse_age_groups(wanted.age_groups), wanted.level / 100, wanted.threshold, given)
    copies = _copies(wanted, images)
    detector = None if wanted.no_detect else _detector(wanted, console)
    model = load_model(wanted.model, wanted.device)
    model.predict([]).interval(columns.level)  # refuses a level that it was not calibrated for
    finder = detector and _finder(detector, model, wanted.largest, console)
    for remark in model.remarks:
        console.say(f"{model.name}: {remark}")
    names = columns.chosen(wanted.columns) if wanted.columns else columns.names
    screen = output.Screen(columns)
    with ExitStack() as stack:
        writers = [stack.enter_context(output.csv_file(wanted.csv, names))] if wanted.csv else []
        writers += [stack.enter_context(output.jsonl_file(wanted.jsonl))] if wanted.jsonl else []
        on_progress = _on_progress(stack.enter_context(console.progress()), len(images))
        for block, predictions in pipeline.predict(images, model, finder, on_progress):
            rows = columns.rows(block, predictions)
            if copies:
                with model.timer("drawing"):
                    annotate.draw(block, rows, copies[screen.images :])
            screen.add(block, rows)
            for write in writers:
                write(rows)
    screen.show(console)
    spent = sorted(model.timer.seconds.items(), key=lambda work: -work[1])
    console.detail("seconds by kind of work, all threads: " + ", ".join(f"{what} {s:.1f}" for what, s in spent))
    console.say(screen.summary())
    if screen.without and getattr(detector, "weakness", ""):
        console.say(detector.weakness)
    return screen.unreadable


def _copies(wanted, images):
    """Where annotated copies go, None for nowhere; refuses outputs that would take the place of what is read."""
    from ...inference import annotate, output

    @cache
    def read():
        return {output.identity(file) for file in (*wanted.images, *(image.path for image in images))}

    for option, file in (("--csv", wanted.csv), ("--jsonl", wanted.jsonl)):
        if file:
            output.refuse(option, file, wanted.model, read)
    return annotate.places(images, wanted.annotate, read) if wanted.annotate else None


def _detector(wanted, console):
    """The face detector, after its name was shown."""
    from ..._utils.cache import default_folder
    from ...data import faces

    cache = wanted.cache or default_folder()
    with console.progress("bytes") as bar:
        detector = faces.detector(wanted.detector, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    if wanted.detector != "auto":
        console.say(f"faces are found by {detector.name}")
    return detector


def _finder(detector, model, largest, console):
    from ...inference import faces, pipeline

    if mismatch := faces.template_mismatch(model, detector):
        console.say(mismatch)
    return pipeline.Finder(detector, faces.crop_template(model, detector), largest)


def _on_progress(bar, total):
    """Shows how many images are done, and how fast."""
    shown, start = bar("images"), time.monotonic()

    def on_progress(done):
        shown(done, total, f"{done / max(time.monotonic() - start, 1e-9):,.1f} images/s")

    return on_progress
