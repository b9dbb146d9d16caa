"""Any network of timm as a model: its name is the model's name."""

import difflib
from functools import cache
from pathlib import Path

from .. import registry
from ..errors import UsageError
from . import _check, _weights
from ._torch import TorchModel

HUB = "hf-hub:"


def knows(name):
    """Whether timm has a network of this name, `resnet50` or with a tag `resnet50.a1_in1k`, or the hub may."""
    import timm

    if name.startswith(HUB):
        return "/" in name
    base, _, tag = name.partition(".")
    return timm.is_model(base) and (not tag or timm.models.is_model_pretrained(name))


def near(name):
    """Names of networks that look like this one, the likeliest first."""
    import timm

    base = name.partition(".")[0]
    tagged = timm.list_models(f"{base}.*", pretrained=True) if "." in name and timm.is_model(base) else []
    return difflib.get_close_matches(name, tagged or timm.list_models(), n=3, cutoff=0.6 if not tagged else 0.1)


@cache
def of(name):
    """The model class of a network of timm."""
    described = Timm.__doc__.replace("A network", f"The network {name}", 1)
    return type(name, (Timm,), {"network": name, "__doc__": described})


class Timm(TorchModel):
    """A network of timm (Wightman 2019, PyTorch Image Models), fine-tuned. Unknown parameters go to its constructor.

    Parameters
    ----------
    pretrained : bool
        begin with the weights that timm names; false begins from scratch
    weights : str
        file of weights to begin with instead, safetensors or a state dict of PyTorch
    mean, std : str
        of pixel values between 0 and 1 in that pretraining, one number or three: `0.5` or `0.485,0.456,0.406`; by
        default what timm says of the network
    hidden : int
        width of an extra connected layer before the outputs; 0 for none
    drop_path : float
        stochastic depth (Huang et al. 2016, ECCV): share of blocks skipped in training
    """

    files = ("weights",)
    options = True
    network = ""

    def __init__(self, *, pretrained=True, weights="", mean="", std="", hidden=0, drop_path=0.0, **more):
        recipe = {name: value for name, value in more.items() if name in registry.defaults(TorchModel)}
        self.pretrained, self.weights, self.mean, self.std = pretrained, weights, mean, std
        self.hidden, self.drop_path = hidden, drop_path
        self.more = {name: value for name, value in more.items() if name not in recipe}
        _weights.refuse(self.more)
        super().__init__(**recipe)
        _check.number(self, "hidden", 0, whole=True)
        _check.number(self, "drop_path", 0, 0.9)
        for name in ("mean", "std"):
            _numbers(name, getattr(self, name))
        if self.more and not self.network.startswith(HUB):  # a typing error is best known now
            self._checked()

    def _checked(self):
        import torch

        with torch.device("meta"):
            self.backbone(False)

    @property
    def _options(self):
        """What the constructor of the network is given."""
        import timm

        options = {"num_classes": 0} | self.more
        options |= {"drop_path_rate": self.drop_path} if self.drop_path else {}
        if not self.network.startswith(HUB) and timm.get_pretrained_cfg(self.network).fixed_input_size:
            options.setdefault("img_size", self.side)
        return options

    def backbone(self, pretrained):
        """The network without its classifier, (n, 3, h, w) to (n, width)."""
        if pretrained and self.pretrained and not self.weights:
            return _weights.pretrained(self.network, self._options)
        net = _weights.blank(self.network, self._options)
        if pretrained and self.weights:
            _weights.load(net, self.weights)
        return net

    def normalisation(self):
        """As given, else as timm says the network was pretrained."""
        import timm

        if self.mean and self.std:
            return _numbers("mean", self.mean), _numbers("std", self.std)
        hub = self.network.startswith(HUB)
        own = self.backbone(False).pretrained_cfg if hub else timm.get_pretrained_cfg(self.network).to_dict()
        return _numbers("mean", self.mean) or tuple(own["mean"]), _numbers("std", self.std) or tuple(own["std"])

    @property
    def layers(self):
        """The extra connected layer, if there is one."""
        return [self.hidden] if self.hidden else []

    @property
    def origin(self):
        """The file of weights, or timm's own with their tag."""
        import timm

        if self.weights or not self.pretrained:
            return {"weights": Path(self.weights).name or "none, from scratch"}
        own = None if self.network.startswith(HUB) else timm.get_pretrained_cfg(self.network)
        return {"weights": f"timm {own.architecture}.{own.tag}" if own else self.network}

    @classmethod
    def settle(cls, params, *, cache, device, threads, say):
        """Fetch the weights, say how photographs are normalised, try precisions."""
        model = cls(**params)
        model.backbone(True)
        mean, std = (",".join(f"{v:g}" for v in values) for values in model.normalisation())
        begin = f"weights of {Path(model.weights).name}" if model.weights else "weights of timm"
        source = "as given" if model.mean and model.std else "as timm says of this network; mean= and std= change that"
        say(f"{cls.__name__}: {begin if model.weights or model.pretrained else 'from scratch'}, "
            f"photographs normalised with mean {mean} and std {std}, {source}")  # fmt: skip
        params = params | {"mean": mean, "std": std}
        return super().settle(params, cache=cache, device=device, threads=threads, say=say)

    def parameters(self):
        """The keyword parameters and their values; of the file of weights only its name, since they are saved here."""
        return super().parameters() | self.more | {"weights": Path(self.weights).name}


def _numbers(name, text):
    """One or three numbers from `0.5` or `0.485,0.456,0.406`; None from nothing."""
    if not text:
        return None
    try:
        numbers = tuple(float(part) for part in str(text).split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3) or (name == "std" and min(numbers) <= 0):
        raise UsageError(f"{name}={text} should be one number or three between 0 and 1, such as 0.485,0.456,0.406")
    return numbers
