"""Frozen embeddings: what a trained network, of timm or in an ONNX file, makes of an image before it decides.

`svm@embedding:mobilenetv2_100`, `svm@embedding:FILE.onnx`, `svm@hog+embedding:FILE.onnx embedding.size=112`. The
network stays as it is, only the model behind it learns: the fixed-feature setting of Kornblith et al., "Do better
ImageNet models transfer better?", CVPR 2019.
"""

import functools
import json
import threading
from pathlib import Path
from typing import ClassVar

import torch

from .._utils.io import slug
from .._utils.params import content_hash
from .._utils.registry import did_you_mean
from ..errors import UsageError
from .backbones import timm_catalog
from .backbones import weights as backbone_weights
from .base import FeatureExtractor

IMAGENET = {"mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}
_opening = threading.Lock()


class Embedding(FeatureExtractor):
    """Frozen embeddings: the outputs of a pretrained network, of timm or in an ONNX file.

    Parameters
    ----------
    network : str
        name of a network of timm, whose pooled features are taken, or a file ending in `.onnx`
    weights : str
        file with weights for a network of timm, safetensors or `.pth`; by default timm's own pretrained ones
    size : int
        side in pixels to which images are resized; 0 for what the network was made for
    mean, std : str
        subtracted from pixel values between 0 and 1, and what they are then divided by: one number, or three for red,
        green and blue; by default those of timm's pretrained weights, of an ONNX file ImageNet's
    output : str
        name of an output of an ONNX file; by default the first one of two dimensions
    mirror : bool
        mean over the image and its mirror image: a face is as old either way
    **extra_kwargs
        for timm's constructor, such as `pad_type="same"`

    Examples
    --------
    >>> Embedding(network="mobilenetv2_100").transform(["face.jpg"]).shape
    (1, 1280)
    """

    version = 1
    libraries = ("onnxruntime", "timm")
    argument = "network"
    file_parameters: ClassVar = {"network": ".onnx", "weights": ""}
    accepts_extra_kwargs = True
    cpu_chunk, gpu_chunk = 32, 128

    def __init__(self, *, network="", weights="", size=0, mean="", std="", output="", mirror=True, **extra_kwargs):
        self.network, self.weights, self.size, self.mean, self.std = network, weights, size, mean, std
        self.output, self.mirror, self.extra_kwargs = output, mirror, extra_kwargs

    def check_parameters(self):
        """Refuse parameters that cannot work, before anything is read or downloaded."""
        network = self.network
        if not network:
            raise UsageError(
                "embedding of which network? embedding:mobilenetv2_100, or another name of timm's, or "
                "embedding:FILE.onnx"
            )
        for key in ("mean", "std"):
            timm_catalog.channel_values(f"embedding.{key}", getattr(self, key) or "1")
        for key in ["weights", *self.extra_kwargs] if self._is_file else ["output"]:
            if self.get_params()[key]:
                kind = "a network of timm" if self._is_file else "an ONNX file"
                raise UsageError(f"embedding.{key} is for {kind}, which {self._shown} is not")
        backbone_weights.refuse_options(self.extra_kwargs)
        if not self._is_file and not timm_catalog.has_network(network):
            hint = did_you_mean(timm_catalog.similar_names(network))
            raise UsageError(f"timm has no network '{network}', and the name of a file must end in .onnx{hint}")

    def check_files(self):
        """Refuse a file that is no network, or weights of another, as `resolve` does."""
        if self._is_file or self.weights:
            complete = self._complete()
            complete.extract(_black(complete.size))

    def resolve(self, say=lambda text: None):
        """Fill in size, mean and std, say which they are and whose, and see that the network runs."""
        complete = self._complete()
        complete.extract(_black(complete.size))
        if self._is_file:
            whose, usual, begin = "the file's", "ImageNet's, as the file does not say", ""
        elif self.weights:
            whose, usual, begin = "timm's", "timm's for its own weights", f"weights of {Path(self.weights).name}, "
        else:
            complete.network = timm_catalog.pretraining(self.network)["weights"]
            whose, usual, begin = "timm's", "timm's", f"weights {complete.network}, "
        source = {"size": whose, "mean": usual, "std": usual}
        source |= {key: "as given" for key in source if getattr(self, key)}
        used = [f"{key} {getattr(complete, key)} ({whose})" for key, whose in source.items()]
        say(f"embedding:{self._shown}: {begin}{', '.join(used)}")
        return complete

    def extract(self, batch):
        """Features `(n, d)` float32 of images `(n, 3, size, size)` uint8.

        Raises
        ------
        DataError
            A file that cannot be used, or no way to get the weights.
        UsageError
            A parameter that does not suit the network.
        """
        complete, device = self._complete(), batch.device
        run = complete._network(device.type)
        used = (timm_catalog.channel_values(f"embedding.{key}", getattr(complete, key)) for key in ("mean", "std"))
        center, spread = (torch.tensor(values, device=device) for values in used)
        with torch.inference_mode():
            return self._in_chunks(
                lambda images: run((images / 255 - center[:, None, None]) / spread[:, None, None]), batch
            )

    def n_features(self):
        """Numbers for one image; no weights are needed to know."""
        complete = self._complete()
        if self._is_file:
            return self._graph("cpu").dimension or complete.extract(_black(complete.size)).shape[1]
        return _width(self.network, complete._constructor(), complete.size)

    def bundle_files(self, folder):
        """Write the weights of a network of timm into `folder`, as safetensors; the parameters, files as `Path`."""
        params = self.get_params()
        if str(self.network).endswith(".onnx") or str(self.weights).endswith(".safetensors"):
            return params
        from safetensors.torch import save_file

        if self.network.startswith(backbone_weights.HUB):
            raise UsageError(f"what {self.network} is made of is written on the hub alone, so it cannot be saved yet")
        net = _filled(self.network, self.weights, self._constructor())
        file = folder / f"{slug(self.network)}.safetensors"
        save_file({name: value.contiguous() for name, value in net.state_dict().items()}, file)
        return params | {"weights": file}

    @property
    def _is_file(self):
        return self.network.endswith(self.file_parameters["network"])

    @property
    def _shown(self):
        return Path(self.network).name if self._is_file else self.network

    def _complete(self):
        """The same with size, mean and std, those of the network where they are not given."""
        insists = self._graph("cpu").size if self._is_file else 0
        own = IMAGENET | {"size": insists} if self._is_file else timm_catalog.pretraining(self.network)
        filled = {key: getattr(self, key) or own[key] for key in ("size", "mean", "std")}
        if not filled["size"]:
            raise UsageError(f"{self.network} takes any size; choose one, such as embedding.size=112")
        if insists not in (0, filled["size"]):
            raise UsageError(f"{self.network} takes images of {insists} pixels, not embedding.size={filled['size']}")
        return Embedding(**self.get_params() | filled)

    def _constructor(self):
        """Options for timm's constructor as text; a network made for one size is told of another."""
        own = timm_catalog.pretraining(self.network)
        other = {"img_size": self.size} if own["one_size"] and self.size != own["size"] else {}
        return json.dumps({"num_classes": 0} | other | self.extra_kwargs, sort_keys=True)

    def _network(self, device):
        """The function from prepared images to rows, opened once in a process."""
        if self._is_file:
            graph = self._graph(device)
            return lambda images: torch.from_numpy(graph(images.cpu().numpy())).to(images.device)
        with _opening:
            file = self.weights
            return _timm(self.network, file, file and content_hash(file), self._constructor(), device)

    def _graph(self, device):
        from .backbones.onnx import graph

        with _opening:
            return graph(self.network, content_hash(self.network), self.output, device)


def _black(size):
    return torch.zeros(1, 3, size, size, dtype=torch.uint8)


@functools.lru_cache
def _width(network, constructor, size):
    run = _rows(backbone_weights.blank(network, json.loads(constructor)).eval(), network)
    return run(_black(size).float()).shape[1]


@functools.lru_cache(maxsize=4)
def _timm(network, file, file_content, constructor, device):
    return _rows(_filled(network, file, constructor).eval().to(device), network)


def _filled(network, file, constructor):
    """A network of timm with the weights in a file, or with timm's own."""
    options = json.loads(constructor)
    if not file:
        return backbone_weights.pretrained(network, options, "embedding.weights=FILE takes them from a file")
    net = backbone_weights.blank(network, options)
    backbone_weights.load(net, file)
    return net


def _rows(net, network):
    """A network as a function from images to rows; what it does not take is the user's parameters."""

    def run(images):
        try:
            with torch.inference_mode():
                rows = net(images)
        except torch.cuda.OutOfMemoryError:
            raise
        except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
            reason = backbone_weights.first_line(error)
            raise UsageError(f"{network} does not take images of {images.shape[-1]} pixels: {reason}") from error
        if rows.ndim != 2:
            raise UsageError(f"{network} returns shape {tuple(rows.shape)} with these options, not a row each")
        return rows

    return run
