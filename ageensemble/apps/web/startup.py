"""Loading the model and the detector, and a first prediction, before the page is served."""

from contextlib import suppress
from functools import partial

from ...data import faces
from ...inference import load_model
from ...inference.faces import crop_template, template_mismatch
from .response import respond


def prepare(folder, device, detector_name, cache, image, console):
    """Load the model and the detector, and try them.

    Parameters
    ----------
    folder : path
        of the model
    device, detector_name : str
    cache : pathlib.Path
    image : bytes
        what to try them on: the first prediction takes longest, as much is imported for it
    console : Console

    Returns
    -------
    callable, dict
        `respond` and `model_info` of `app.make`
    """
    with console.progress("bytes") as bar:
        detector = faces.detector(detector_name, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    console.say(f"loading {folder}")
    model = load_model(folder, device)
    for remark in filter(None, [*model.remarks, template_mismatch(model, detector)]):
        console.say(f"note: {remark}")
    respond_to = partial(respond, model, detector, crop_template(model, detector))
    respond_to(image)
    file = model.path / "README.md"
    card = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else "This model has no card."
    return respond_to, {"name": model.name, "scores": _scores(model.metadata["scores"]), "card": card}


def _scores(scores):
    """The MAE in a sentence; empty where it is not known."""
    with suppress(KeyError, TypeError, ValueError):
        part, where = ("test", "on the test part") if "test" in scores else ("oof", "out-of-fold")
        value, low, high = scores[part]["mae"]
        return f"Mean absolute error {where}: {value:.1f} years (95 % interval {low:.1f} to {high:.1f})."
    return ""
