"""A saved network as one ONNX file, from the pixels of faces to age distributions, compared with the model.

Inside the graph are normalization, the mean over mirrored images, each fold model's outputs as a distribution, the mix
with its training ages (`ages.finish`) and the mean over the fold models; `OUTSIDE` is what remains for the caller.
"""

import io
import json
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .. import ages, models
from .._utils.io import atomic_write
from ..data.image_array import resized, side
from ..data.image_input import read_images
from ..data.image_io import LONG_SIDE
from ..data.synthetic.dataset import portrait
from ..errors import DataError, UsageError
from ..features.backbones.weights import first_line
from .model import load_model

NEEDED = ("onnx", "onnxscript", "onnxruntime")
OPSET, IR = 18, 8  # what onnxruntime reads from version 1.14 on
MAX_BYTES = 2_000_000_000  # bytes: a protocol buffer has at most 2 GiB
MAX_DIFFERENCE, MAX_DIFFERENCE_BF16 = 1e-3, 1e-2  # by which a probability may differ from the model's
N_SYNTHETIC = 16  # faces that are compared unless others are given
MAX_IMAGES = 256  # of those given, at most
BATCH = 16  # faces through the graph at a time
OUTSIDE = (
    f"detecting, aligning and cropping the face; reducing one with a side above {LONG_SIDE} pixels to that (Pillow's "
    "Lanczos); {preprocess}resizing it to {size} x {size} (Pillow's bilinear, the aspect ratio not kept); reading ages "
    "and calibrated intervals off the distribution"
)


@dataclass(frozen=True)
class Parity:
    """How far the predictions of the file are from the model's.

    Attributes
    ----------
    images : int
    synthetic : bool
        whether they were drawn for the purpose, since none was given
    probability : float
        largest difference of a probability
    years : int
        largest difference of a median age
    bf16 : bool
        whether the model computes in bfloat16, which the file does not
    """

    images: int
    synthetic: bool
    probability: float
    years: int
    bf16: bool


def export(folder, file, images=()):
    """Write the network in a model folder as an ONNX file, which is kept only if its predictions are the model's.

    The file takes `faces`, `(n, size, size, 3)` uint8, RGB, for any n, and returns `distribution`, `(n, 121)` float32.
    Networks that computed in bfloat16 compute in float32 there.

    Parameters
    ----------
    folder : path
    file : path
        ending in .onnx; one that is there gives way
    images : sequence of path
        what to compare the predictions on, each one face; by default synthetic faces

    Returns
    -------
    Parity, str
        and what stays outside the graph

    Raises
    ------
    UsageError
        An extra is not installed, the model is none that can be written so, or `file` is no place for it.
    DataError
        A damaged folder or image, or the predictions of the file differ from the model's.
    """
    file = Path(file)
    _require()
    _refuse(file, Path(folder))
    model = load_model(folder, "cpu")
    fold_models = _fold_models(model)
    faces = _readable(images) if images else read_images([_synthetic(number) for number in range(N_SYNTHETIC)])
    size, bf16 = side(fold_models[0][0].size), any(model.net_.bf16 for model, _ in fold_models)
    preprocess = _network(model).get("preprocess", "")
    before = f"preprocessing it (ageensemble.data.transforms.load('{preprocess}')); " if preprocess else ""
    outside = OUTSIDE.format(size=size, preprocess=before)
    graph = to_onnx(fold_models, model.name)
    _describe(graph, model.metadata, size, outside)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(file) as temporary:
        temporary.write_bytes(graph.SerializeToString())
        found = _differences(temporary, model, faces, resized(faces, range(len(faces)), size, preprocess))
        parity = Parity(len(faces), not images, *found, bf16)
        allowed = MAX_DIFFERENCE_BF16 if bf16 else MAX_DIFFERENCE
        if not parity.probability <= allowed:
            raise DataError(
                f"{file} was not kept, since its predictions differ from the model's: a probability by "
                f"{parity.probability:.2g}, at most {allowed:g} is allowed"
            )
    return parity, outside


def _require():
    missing = [name for name in NEEDED if not find_spec(name)]
    if missing:
        raise UsageError(f"this needs {' and '.join(missing)}: pip install 'ageensemble[onnx-export]'")


def _refuse(file, folder):
    if file.suffix.lower() != ".onnx" or file.is_dir():
        raise UsageError(f"--to {file} should be a file that ends in .onnx")
    if file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"--to {file} lies in the model folder, which takes no further files; give another place")


def _network(model):
    """What a model folder says of its one network."""
    from ..models.neural.estimator import NeuralAgeEstimator

    networks = [one for one in model.metadata["members"] if issubclass(models.load(one["model"]), NeuralAgeEstimator)]
    if model.metadata["pool"]:
        names = ", ".join(f"'{one['name']}'" for one in networks)
        instead = f"of its members, 'ageensemble models save' makes one of {names}" if names else "it holds none"
        raise UsageError(f"{model.path} is a stack, and only a single network can be exported; {instead}")
    if not networks:
        raise UsageError(f"{model.name} is no network; what can be exported is cnn, or a network of timm by its name")
    return networks[0]


def _fold_models(model):
    """Fitted networks and training histograms, loaded anew, so that the model to compare with stays unchanged."""
    metadata = _network(model)
    cls = models.load(metadata["model"])
    fold_models = [
        (cls.load(model.path / one["folder"], device="cpu"), one["prior"]) for one in metadata["fold_models"]
    ]
    first, size = fold_models[0][0], 4 * sum(p.numel() for model, _ in fold_models for p in model.net_.parameters())
    if first.net_.loss.learns_residuals:
        why = "whose distributions are counted from residuals; fit it with another loss, such as softlabel"
        raise UsageError(f"{model.name} has loss={first.loss}, {why}")
    if not side(first.size):
        why = "and PyTorch writes a graph that is only right for one size; fit it with one, such as size=128"
        raise UsageError(f"{model.name} takes faces of any size, {why}")
    if size > MAX_BYTES:
        why = "and a file can hold 2; export a refit of it, or a smaller network"
        raise UsageError(f"{model.name} has {size / 1e9:.1f} GB of weights, {why}")
    return fold_models


def to_onnx(fold_models, name):
    """The graph of cells and their mean, an `onnx.ModelProto`.

    Parameters
    ----------
    fold_models : list of (NeuralAgeEstimator, (A,) array)
        fitted networks of one size in pixels, and the histograms of their training ages
    name : str
        for messages

    Raises
    ------
    UsageError
        PyTorch cannot write this network.
    """
    import torch

    from .averaged import Averaged

    size = side(fold_models[0][0].size)
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                Averaged(fold_models), (example,), input_names=["faces"], output_names=["distribution"],
                dynamic_shapes=({0: torch.export.Dim("n")},), opset_version=OPSET, dynamo=True, verbose=False,
            )  # fmt: skip
    except Exception as error:  # whatever any of timm's networks leads PyTorch to
        raise UsageError(f"PyTorch cannot write {name} as ONNX: {first_line(error.__cause__ or error)}") from error
    return _bare(program.model_proto)


def _bare(graph):
    """The graph without the notes that PyTorch leaves in it, which name files and folders of this machine."""
    graph.ir_version = IR
    del graph.functions[:]  # inlined by now
    for part in (graph.graph, *graph.graph.node, *graph.graph.value_info, *graph.graph.initializer,
                 *graph.graph.input, *graph.graph.output):  # fmt: skip
        del part.metadata_props[:]
        part.doc_string = ""
    return graph


def _describe(graph, metadata, size, outside):
    """Put into the file what it is."""
    import onnx

    graph.graph.name = "ageensemble"
    graph.doc_string = "Ages of faces: P(age = 0), ..., P(age = 120) for each."
    properties = {
        "name": metadata["name"],
        "run": metadata["run"],
        "ageensemble": metadata["ageensemble"],
        "data": metadata["data"]["data"],
        "split": metadata["data"]["split"],
        "size": size,
        "faces": f"uint8 (n, {size}, {size}, 3), RGB, one upright face in each",
        "distribution": "float32 (n, 121), probability of each whole year of age; rows sum to 1",
        "outside": outside,
        "licenses": json.dumps(metadata["licenses"], ensure_ascii=False),
    }
    onnx.helper.set_model_props(graph, {key: str(value) for key, value in properties.items()})
    onnx.checker.check_model(graph)


def _readable(images):
    """The readable ones of the images, or of `MAX_IMAGES` spread over all of them."""
    rows = np.linspace(0, len(images) - 1, min(len(images), MAX_IMAGES)).round().astype(int)
    faces, trouble = [], None
    for row in rows:
        try:
            faces += read_images([images[row]])
        except DataError as error:
            trouble = error
    if not faces:
        raise trouble
    return faces


def _synthetic(number):
    from PIL import Image

    return Image.open(io.BytesIO(portrait(5 * number, number)))


def _differences(file, model, faces, resized_faces):
    """Largest differences between the predictions of the file and of the model: of a probability, of a median."""
    expected = model.predict(faces).proba
    found = run_graph(file, resized_faces)
    difference = np.abs(found.astype(np.float64) - expected).max()
    return float(difference), int(np.abs(ages.median(found) - ages.median(expected)).max())


def run_graph(file, faces):
    """Predictions of the graph in a file for faces, `(n, size, size, 3)` uint8: `(n, 121)` float32."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        # The first alone, since a graph for any number of faces must take one too
        batches = np.split(faces, range(1, len(faces), BATCH))
        rows = [session.run(None, {"faces": batch})[0] for batch in batches]
    except Exception as error:  # onnxruntime's own, which have no common base
        raise DataError(f"what was written does not run: {first_line(error)}") from error
    return np.concatenate(rows)
