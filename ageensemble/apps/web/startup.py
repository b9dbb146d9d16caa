"""What must be there before the first picture comes: the model, the detector, a first answer."""

from contextlib import suppress
from functools import partial

from ...data import faces
from ...inference import load_model
from ...inference.faces import doubt, template_of
from .response import answer


def prepare(folder, device, which, cache, picture, console):
    """Load the model and the detector, and try them.

    Parameters
    ----------
    folder : path
        of the model
    device, which : str
        device, and detector
    cache : pathlib.Path
    picture : bytes
        what to try them on: the first answer takes longest, as much is imported for it
    console : Console

    Returns
    -------
    callable, dict
        as `app.make` wants them: what looks at pictures, and texts on the model
    """
    with console.progress("bytes") as bar:
        detector = faces.detector(which, cache=cache, say=console.say, progress=bar("fetching YuNet"))
    console.say(f"loading {folder}")
    model = load_model(folder, device)
    for remark in filter(None, [*model.remarks, doubt(model, detector)]):
        console.say(f"note: {remark}")
    look = partial(answer, model, detector, template_of(model, detector))
    look(picture)
    about = {"name": model.name, "scores": _scores(model.about["scores"]), "card": _card(model.path)}
    return look, about


def _scores(scores):
    """How wrong the model is, in a sentence; empty where that is not known."""
    with suppress(KeyError, TypeError, ValueError):
        part, where = ("test", "on faces kept for the test") if "test" in scores else ("oof", "out-of-fold")
        value, low, high = scores[part]["mae"]
        return f"Mean error {where}: {value:.1f} years ({low:.1f} to {high:.1f})."
    return ""


def _card(folder):
    file = folder / "README.md"
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else "This model has no card."
