"""Frozen embeddings: what a trained network, of timm or in an ONNX file, makes of a photograph before it decides.

`svm@embedding:mobilenetv2_100`, `svm@embedding:FILE.onnx`, `svm@hog+embedding:FILE.onnx embedding.size=112`. The
network stays as it is, only the model behind it learns: the fixed-feature setting of Kornblith et al., "Do better
ImageNet models transfer better?", CVPR 2019.
"""

import functools
import json
import threading
from pathlib import Path

import torch

from .._utils.io import slug
from .._utils.registry import content, did_you_mean
from ..errors import UsageError
from ._flip import mean_with_mirror
from .backbones import timm_catalog
from .backbones import weights as loading

version = 1  # raised whenever the numbers change

ARGUMENT = "network"
FILES = {"network": ".onnx", "weights": ""}
OPTIONS = True
LIBRARIES = ("onnxruntime", "timm")
IMAGENET = {"mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}
CPU_CHUNK, GPU_CHUNK = 32, 128  # photographs at a time
_opening = threading.Lock()


def extract(batch, *, network="", weights="", size=0, mean="", std="", output="", mirror=True, **options):
    """Describe each photograph by the numbers a network computes.

    Parameters
    ----------
    batch : torch.Tensor of uint8, (n, 3, size, size)
        Photographs in RGB, on any device.
    network : str
        A name of timm's, whose pooled features are taken, or a file ending in `.onnx`. Short: `embedding:NETWORK`.
    weights : str
        File with weights for a network of timm's, safetensors or `.pth`; without it timm's own pretrained ones.
    size : int
        Side in pixels to which the caller resizes the photographs beforehand; 0 for what the network was made for.
    mean, std : str
        What is taken from a pixel value between 0 and 1, and what it is then divided by: one number, or three for red,
        green and blue. Without them those of timm's pretrained weights; for an ONNX file ImageNet's.
    output : str
        Name of an output of an ONNX file; without it the first one of two dimensions.
    mirror : bool
        The mean over the photograph and its mirror image: a face is as old either way.
    **options
        For timm's constructor: `embedding.pad_type=same`.

    Returns
    -------
    torch.Tensor of float32, (n, d)
        On the device of `batch`.

    Raises
    ------
    DataError
        A file that cannot be used, or no way to get the weights.
    UsageError
        A parameter that does not suit the network.
    """
    given = {"network": network, "weights": weights, "size": size, "mean": mean, "std": std, "output": output}
    params = _filled(given | options)
    run = _network(params, batch.device.type)
    used = (timm_catalog.numbers(f"embedding.{key}", params[key]) for key in ("mean", "std"))
    center, spread = (torch.tensor(values, device=batch.device) for values in used)

    def describe(images):
        return run((images / 255 - center[:, None, None]) / spread[:, None, None])

    with torch.inference_mode():
        chunks = batch.split(CPU_CHUNK if batch.device.type == "cpu" else GPU_CHUNK)
        return torch.cat([mean_with_mirror(describe, chunk) if mirror else describe(chunk) for chunk in chunks])


def check(params):
    """Refuse parameters that cannot work, before anything is read or fetched.

    Raises
    ------
    UsageError
    """
    network = params["network"]
    if not network:
        raise UsageError(
            "embedding of which network? embedding:mobilenetv2_100, or another name of timm's, or embedding:FILE.onnx"
        )
    for key in ("mean", "std"):
        timm_catalog.numbers(f"embedding.{key}", params[key] or "1")
    for key in ["weights", *_options(params)] if _is_file(network) else ["output"]:
        if params[key]:
            kind = "a network of timm" if _is_file(network) else "an ONNX file"
            raise UsageError(f"embedding.{key} is for {kind}, which {_last(network)} is not")
    loading.refuse(_options(params))
    if not _is_file(network) and not timm_catalog.knows(network):
        hint = did_you_mean(timm_catalog.near(network))
        raise UsageError(f"timm has no network '{network}', and the name of a file must end in .onnx{hint}")


def try_files(params):
    """Refuse a file that is no network, or weights of another, as `settle` does."""
    if _is_file(params["network"]) or params["weights"]:
        filled = _filled(params)
        extract(_black(filled["size"]), **filled)


def settle(params, *, say):
    """Fill in size, mean and std, say which they are and whose, and see that the network runs.

    Raises
    ------
    DataError, UsageError
        As `extract` does.
    """
    filled, network = _filled(params), params["network"]
    extract(_black(filled["size"]), **filled)
    if _is_file(network):
        whose, usual, begin = "the file's", "ImageNet's, as the file does not say", ""
    elif params["weights"]:
        whose, usual, begin = "timm's", "timm's for its own weights", f"weights of {Path(params['weights']).name}, "
    else:
        filled["network"] = timm_catalog.about(network)["weights"]
        whose, usual, begin = "timm's", "timm's", f"weights {filled['network']}, "
    source = {"size": whose, "mean": usual, "std": usual}
    used = [f"{key} {filled[key]} ({'as given' if params[key] else source[key]})" for key in source]
    say(f"embedding:{_last(network)}: {begin}{', '.join(used)}")
    return filled


def keep(params, folder):
    """Write the weights of a network of timm into `folder`, as safetensors, so that the features need nothing else.

    Parameters
    ----------
    params : dict
        files as `pathlib.Path`
    folder : pathlib.Path

    Returns
    -------
    dict
        the parameters, with the `pathlib.Path` of the file that was written
    """
    if _is_file(str(params["network"])) or str(params["weights"]).endswith(".safetensors"):
        return params
    from safetensors.torch import save_file

    if params["network"].startswith(loading.HUB):
        raise UsageError(f"what {params['network']} is made of is written on the hub alone, so it cannot be saved yet")
    network, options = params["network"], json.loads(_constructor(params))
    if params["weights"]:
        net = loading.blank(network, options)
        loading.load(net, params["weights"])
    else:
        net = loading.pretrained(network, options)
    file = folder / f"{slug(params['network'])}.safetensors"
    save_file({name: value.contiguous() for name, value in net.state_dict().items()}, file)
    return params | {"weights": file}


def dimension(**params):
    """Numbers for a photograph; no weights are needed to know."""
    params = _filled(params)
    if _is_file(params["network"]):
        return _graph(params, "cpu").dimension or extract(_black(params["size"]), **params).shape[1]
    return _width(params["network"], _constructor(params), params["size"])


def _is_file(network):
    return network.endswith(FILES["network"])


def _last(network):
    return Path(network).name if _is_file(network) else network


def _black(size):
    return torch.zeros(1, 3, size, size, dtype=torch.uint8)


def _options(params):
    """Parameters that are meant for timm's constructor."""
    return {key: value for key, value in params.items() if key not in extract.__kwdefaults__}


def _constructor(params):
    """The same with what this file adds, as text; a network made for one size is told of another."""
    own = timm_catalog.about(params["network"])
    told = {"img_size": params["size"]} if own["one_size"] and params["size"] != own["size"] else {}
    return json.dumps({"num_classes": 0} | told | _options(params), sort_keys=True)


def _filled(params):
    """The parameters with size, mean and std, those of the network where they are not given."""
    network = params["network"]
    insists = _graph(params, "cpu").size if _is_file(network) else 0
    own = IMAGENET | {"size": insists} if _is_file(network) else timm_catalog.about(network)
    filled = params | {key: params[key] or own[key] for key in ("size", "mean", "std")}
    if not filled["size"]:
        raise UsageError(f"{network} takes any size; choose one, such as embedding.size=112")
    if insists not in (0, filled["size"]):
        raise UsageError(f"{network} takes photographs of {insists} pixels, not embedding.size={filled['size']}")
    return filled


@functools.lru_cache
def _width(network, constructor, size):
    return _rows(loading.blank(network, json.loads(constructor)).eval(), network)(_black(size).float()).shape[1]


def _network(params, device):
    """The function from prepared photographs to rows, opened once in a process."""
    if _is_file(params["network"]):
        graph = _graph(params, device)
        return lambda images: torch.from_numpy(graph(images.cpu().numpy())).to(images.device)
    file = params["weights"]
    with _opening:
        return _timm(params["network"], file, file and content(file), _constructor(params), device)


def _graph(params, device):
    from .backbones.onnx import graph

    with _opening:
        return graph(params["network"], content(params["network"]), params["output"], device)


@functools.lru_cache(maxsize=4)
def _timm(network, file, file_content, constructor, device):
    options = json.loads(constructor)
    if file:
        net = loading.blank(network, options)
        loading.load(net, file)
    else:
        net = loading.pretrained(network, options, instead="embedding.weights=FILE takes them from a file")
    return _rows(net.eval().to(device), network)


def _rows(net, network):
    """A network as a function from photographs to rows; what it does not take is the user's parameters."""

    def run(images):
        try:
            with torch.inference_mode():
                rows = net(images)
        except torch.cuda.OutOfMemoryError:
            raise
        except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
            reason = loading.first_line(error)
            raise UsageError(f"{network} does not take photographs of {images.shape[-1]} pixels: {reason}") from error
        if rows.ndim != 2:
            raise UsageError(f"{network} returns shape {tuple(rows.shape)} with these options, not a row each")
        return rows

    return run
