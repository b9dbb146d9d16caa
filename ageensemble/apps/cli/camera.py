"""The verb `camera`."""

from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, counted
from ...errors import UsageError
from . import options
from .options import examples

app = typer.Typer()
LISTED = 20  # faces in the summary


@app.command(
    epilog=examples(
        "ageensemble camera --model runs/models/svm",
        "ageensemble camera --model runs/models/svm --source film.mp4 --out aged.mp4 --no-window",
    )
)
def camera(
    model: Annotated[Path, typer.Option(help="A model folder; 'fit' and 'models save' make them.")],
    source: Annotated[str, typer.Option(help="Number of a camera, or a video file.")] = "0",
    out: Annotated[Optional[Path], typer.Option(help="Write what is seen to this video, .mp4 or .avi.")] = None,
    detector: options.Detector = "auto",
    no_window: Annotated[bool, typer.Option("--no-window", help="Show nothing.")] = False,
    frames: Annotated[Optional[int], typer.Option(min=1, help="End after so many frames.")] = None,
    device: options.Device = "auto",
    cache: options.Cache = None,
):
    """Show the ages of faces in front of a camera, or in a video, in a window or in another video.

    Each face is followed and its age, with the 90 % interval, smoothed over time. In the window space pauses and q
    quits. A camera's frames do not wait for the model; with --out, every frame of a video file is looked at.
    """
    _watch(SimpleNamespace(**locals()), Console())


def _watch(o, console):
    """Do what the options `o` ask for."""
    from ..camera import video

    if o.no_window and not o.out:
        raise UsageError("--no-window alone shows and keeps nothing; add --out VIDEO")
    if o.out:
        video.refuse(o.out, o.source, o.model)
    with ExitStack() as stack:
        source = stack.enter_context(closing(video.Source(o.source)))
        window = _window(o, source, stack, console)
        found = _run(o, source, window, stack, console)
    speed = found.frames / max(found.seconds, 1e-9)
    console.say(
        f"{counted(found.frames, 'frame')}, {speed:.1f} a second, {counted(len(found.faces), 'face')}"
        + (f"; video in {o.out}" if o.out else "")
    )
    if found.to_the_end and source.cut_short:
        console.say(f"{o.source} ended after {source.read:,} of {source.frames:,} frames: it is damaged or cut short")
    for face in found.faces[:LISTED]:
        age = "no age yet" if face.age is None else "{} years ({}-{})".format(face.age, *face.interval)
        print(f"face {face.number}: {age}, in {counted(face.frames, 'frame')}")


def _window(o, source, stack, console):
    """The window, or None where none is wanted, or none can be had and a video is written."""
    from ..camera.window import Window

    if o.no_window:
        return None
    try:
        return stack.enter_context(closing(Window(0 if source.camera or o.out else source.rate)))
    except UsageError as error:
        if not o.out:
            raise
        console.say(str(error).partition(";")[0])
        return None


def _run(o, source, window, stack, console):
    from ..._utils.cache import default_folder
    from ...data import faces
    from ...inference import load_model
    from ...inference.faces import doubt
    from ..camera import loop, video
    from ..camera.recognizer import Watcher

    with console.progress("bytes") as bar:
        cache = o.cache or default_folder()
        detector = faces.detector(o.detector, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    model = load_model(o.model, o.device)
    for remark in filter(None, [*model.remarks, doubt(model, detector)]):
        console.say(f"{model.name}: {remark}")
    watcher = Watcher(model, detector, live=source.camera or not o.out)
    write = stack.enter_context(video.written(o.out, source.rate, source.size)) if o.out else None
    if window:
        return loop.run(source, watcher, write, window, o.frames)
    with console.progress("frames") as bar:
        return loop.run(source, watcher, write, None, o.frames, bar("watching"))
