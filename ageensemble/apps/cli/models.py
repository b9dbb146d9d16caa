"""Verbs of model folders: `models save`, `models show`, `models onnx`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import Console, as_json, counted, plain
from . import options
from .options import examples

app = typer.Typer(help="Model folders: everything needed to predict new images, to keep or to share.")
Folder = Annotated[Path, typer.Argument(help="A model folder.")]


@app.command(
    "save",
    epilog=examples("ageensemble models save stack", "ageensemble models save svm --to svm-faces"),
)
def save(
    run: Annotated[str, typer.Argument(help="A complete run: its model or its folder.")],
    to: Annotated[Optional[Path], typer.Option(help="Target folder; by default in OUT/models.")] = None,
    file: Annotated[
        Optional[list[Path]], typer.Option(help="A network used for features, if it is not stored with the runs.")
    ] = None,
    out: options.OneExperiment = Path("runs"),
):
    """Save a run, or an ensemble with its members, as a folder that predicts on its own."""
    from ... import inference
    from ...experiments.experiment import Experiment

    experiment = Experiment.find(out, run)
    found = experiment.run(run)
    place = to or inference.default_place(found, experiment.folder.parent)
    Console().say(inference.save(found, experiment, place, file or []))


@app.command(
    "show", epilog=examples("ageensemble models show runs/models/svm", "ageensemble models show runs/models/svm --json")
)
def show(folder: Folder, json: options.Json = False):
    """Show the model card, after checking every file of the folder."""
    from ...inference import model_folder as folders

    content = folders.read(folder)
    if json:
        print(as_json({key: value for key, value in content.items() if key not in ("intervals", "members")}))
        return
    from rich.markdown import Markdown

    card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    Console().out.print(Markdown("\n".join(map(plain, card.splitlines()))))


@app.command(
    "onnx",
    epilog=examples(
        "ageensemble models onnx runs/models/mobilenetv2_100 --to ages.onnx",
        "ageensemble models onnx runs/models/cnn --to ages.onnx --check faces/",
    ),
)
def onnx(
    folder: Folder,
    to: Annotated[Path, typer.Option(help="Target file, ending in .onnx.")],
    check: Annotated[
        Optional[list[str]], typer.Option(help="Cropped faces, or folders of them, to compare predictions on.")
    ] = None,
):
    """Export a network (cnn, or one of timm) as one ONNX file, and compare its predictions with the model's.

    The file takes faces as RGB pixels, (n, size, size, 3) uint8, and returns the probability of each age from 0 to 120,
    (n, 121). It is kept only if no probability differs by more than 0.001 (0.01 for a network in bfloat16).
    """
    from ...inference import inputs, onnx_export

    console = Console()
    images = [image.path for image in inputs.find(check) if image.path] if check else []
    parity, outside = onnx_export.export(folder, to, images)
    on = counted(parity.images, "synthetic face" if parity.synthetic else "face")
    console.say(f"wrote {to}; what stays outside the graph: {outside}")
    if parity.bf16:
        console.say("the model computes in bfloat16, the file in float32: they cannot agree to the last digit")
    print(
        f"compared on {on}: a probability differs by at most {parity.probability:.1e}, "
        f"a median age by at most {counted(parity.years, 'year')}"
    )
