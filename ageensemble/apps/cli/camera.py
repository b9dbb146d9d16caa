"""The verb `camera`."""

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, counted
from ...errors import UsageError
from . import options
from .options import examples

app = typer.Typer()
LISTED = 20  # faces in the summary


@dataclass(frozen=True)
class CameraOptions:
    """What `camera` was asked for, see its help."""

    model: Path
    source: str
    out: Path | None
    detector: str
    no_window: bool
    frames: int | None
    device: str
    cache: Path | None


@app.command(
    epilog=examples(
        "ageensemble camera --model runs/models/svm",
        "ageensemble camera --model runs/models/svm --source film.mp4 --out aged.mp4 --no-window",
    )
)
def camera(
    model: Annotated[Path, typer.Option(help="A model folder; 'fit' and 'models save' make them.")],
    source: Annotated[str, typer.Option(help="Number of a camera, or a video file.")] = "0",
    out: Annotated[Optional[Path], typer.Option(help="Write the annotated video to this file, .mp4 or .avi.")] = None,
    detector: options.Detector = "auto",
    no_window: Annotated[bool, typer.Option("--no-window", help="Show nothing.")] = False,
    frames: Annotated[Optional[int], typer.Option(min=1, help="End after this many frames.")] = None,
    device: options.Device = "auto",
    cache: options.Cache = None,
):
    """Show the ages of faces in front of a camera, or in a video, in a window or in another video.

    Each face is tracked and its age, with the 90 % interval, smoothed over time. In the window space pauses and q
    quits. A camera's frames do not wait for the model; with --out, faces are detected in every frame of a video file.
    """
    _run(CameraOptions(**locals()), Console())


def _run(wanted, console):
    """Show, write and summarize."""
    from ..camera import video

    if wanted.no_window and not wanted.out:
        raise UsageError("--no-window alone shows and keeps nothing; add --out VIDEO")
    if wanted.out:
        video.refuse(wanted.out, wanted.source, wanted.model)
    with ExitStack() as stack:
        source = stack.enter_context(closing(video.Source(wanted.source)))
        window = _window(wanted, source, stack, console)
        summary = _recognize(wanted, source, window, stack, console)
    speed = summary.frames / max(summary.seconds, 1e-9)
    console.say(
        f"{counted(summary.frames, 'frame')}, {speed:.1f} a second, {counted(len(summary.faces), 'face')}"
        + (f"; video in {wanted.out}" if wanted.out else "")
    )
    if summary.to_the_end and source.cut_short:
        console.say(
            f"{wanted.source} ended after {source.read:,} of {source.frames:,} frames: it is damaged or cut short"
        )
    for face in summary.faces[:LISTED]:
        age = "no age yet" if face.age is None else "{} years ({}-{})".format(face.age, *face.interval)
        print(f"face {face.number}: {age}, in {counted(face.frames, 'frame')}")


def _window(wanted, source, stack, console):
    """The window, or None where none is wanted, or none can be had and a video is written."""
    from ..camera.window import Window

    if wanted.no_window:
        return None
    try:
        return stack.enter_context(closing(Window(0 if source.camera or wanted.out else source.rate)))
    except UsageError as error:
        if not wanted.out:
            raise
        console.say(str(error).partition(";")[0])
        return None


def _recognize(wanted, source, window, stack, console):
    from ..._utils.cache import default_folder
    from ...data import faces
    from ...inference import load_model
    from ...inference.faces import template_mismatch
    from ..camera import loop, video
    from ..camera.recognizer import FaceRecognizer

    with console.progress("bytes") as bar:
        cache = wanted.cache or default_folder()
        detector = faces.detector(wanted.detector, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    model = load_model(wanted.model, wanted.device)
    for remark in filter(None, [*model.remarks, template_mismatch(model, detector)]):
        console.say(f"{model.name}: {remark}")
    recognizer = FaceRecognizer(model, detector, live=source.camera or not wanted.out)
    write = stack.enter_context(video.written(wanted.out, source.rate, source.size)) if wanted.out else None
    if window:
        return loop.run(source, recognizer, write, window, wanted.frames)
    with console.progress("frames") as bar:
        return loop.run(source, recognizer, write, None, wanted.frames, bar("frames"))
