"""Any network of timm as a model: its name is the model's name."""

from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from ...errors import UsageError
from ...features.backbones import timm_catalog
from ...features.backbones import weights as backbone_weights
from .estimator import NeuralAgeEstimator


@cache
def of(name):
    """The model class of a network of timm."""
    described = Timm.__doc__.replace("A network", f"The network {name}", 1)
    return type(name, (Timm,), {"network": name, "__doc__": described})


class Timm(NeuralAgeEstimator):
    """A network of timm (Wightman 2019, PyTorch Image Models), fine-tuned. Unknown parameters go to its constructor.

    Parameters
    ----------
    pretrained : bool
        begin with the weights that timm names, without a tag those that it prefers; false begins from scratch
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

    file_parameters: ClassVar = NeuralAgeEstimator.file_parameters | {"weights": ""}
    accepts_extra_kwargs = True
    network = ""
    _parameter_constraints: ClassVar[dict[str, list]] = NeuralAgeEstimator._parameter_constraints | {
        "pretrained": ["boolean", str],
        **{key: [str] for key in ("weights", "mean", "std")},
        "hidden": [Interval(Integral, 0, None, closed="left")],
        "drop_path": [Interval(Real, 0, 0.9, closed="both")],
    }

    def __init__(self, *, pretrained=True, weights="", mean="", std="", hidden=0, drop_path=0.0, **extra_kwargs):
        training = {
            name: extra_kwargs.pop(name) for name in NeuralAgeEstimator._get_param_names() if name in extra_kwargs
        }
        super().__init__(**training)
        self.pretrained, self.weights, self.mean, self.std = pretrained, weights, mean, std
        self.hidden, self.drop_path, self.extra_kwargs = hidden, drop_path, extra_kwargs

    def get_params(self, deep=True):
        """The parameters, those for timm's constructor included."""
        return super().get_params(deep) | self.extra_kwargs

    def set_params(self, **params):
        """Set parameters, those for timm's constructor included."""
        extra = {key: value for key, value in params.items() if key not in self._get_param_names()}
        self.extra_kwargs = self.extra_kwargs | extra
        return super().set_params(**{key: value for key, value in params.items() if key not in extra})

    def check_parameters(self):
        """Refuse what the training or the network does not take, as far as that is known without its weights."""
        import torch

        backbone_weights.refuse_options(self.extra_kwargs)
        super().check_parameters()
        self._check_used("pretrained", not self.weights, "no weights=FILE")
        for name in ("mean", "std"):
            timm_catalog.channel_values(name, getattr(self, name) or "1")
        if self.network.startswith(backbone_weights.HUB):  # whose description needs the hub: see `resolve`
            return
        options = self._options
        if self.extra_kwargs:  # a typing error is best known now
            with torch.device("meta"):
                backbone_weights.blank(self.network, options)

    @property
    def _name(self):
        return self.network

    @property
    def _options(self):
        """What the constructor of the network is given."""
        own = timm_catalog.pretraining(self.network)
        if own["one_size"] and self.size == "native" and not self.extra_kwargs.get("dynamic_img_size"):
            raise UsageError(f"{self.network} takes images of one size: size={own['size']} or so, not size=native")
        options = {"num_classes": 0} | ({"img_size": self.side} if own["one_size"] else {}) | self.extra_kwargs
        return options | ({"drop_path_rate": self.drop_path} if self.drop_path else {})

    @property
    def _named(self):
        """Name of the weights of timm that training begins with, their tag included; none from a file or scratch."""
        if self.weights or not self.pretrained:
            return ""
        return timm_catalog.pretraining(self.network)["weights"] if self.pretrained is True else self.pretrained

    def backbone(self, pretrained):
        """The network without its classifier, (n, 3, h, w) to (n, width)."""
        if pretrained and self._named:
            return backbone_weights.pretrained(self._named, self._options)
        net = backbone_weights.blank(self.network, self._options)
        if pretrained and self.weights:
            backbone_weights.load(net, self.weights)
        return net

    def normalization(self):
        """As given, else as timm says the network was pretrained."""
        return tuple(timm_catalog.channel_values(name, text) for name, text in self._normalized().items())

    def _normalized(self):
        own = {} if self.mean and self.std else timm_catalog.pretraining(self.network)
        return {name: getattr(self, name) or own[name] for name in ("mean", "std")}

    @property
    def layers(self):
        """The extra connected layer, if there is one."""
        return [self.hidden] if self.hidden else []

    @property
    def origin(self):
        """The file of weights, or timm's own with their tag; of those on the hub also the commit, where it is known."""
        commit = backbone_weights.commit(self._named)
        known = {"weights": Path(self.weights).name or self._named or "none, from scratch"}
        return known | ({"commit": commit} if commit else {})

    @classmethod
    def check_files(cls, params):
        """Refuse a file of weights that is none of this network's, as `resolve` does."""
        if params["weights"]:
            cls(**params).backbone(True)

    @classmethod
    def resolve(cls, params, *, cache, device, threads, say):
        """Fetch the weights, say which they are and how images are normalized, try precisions.

        Other weights of a later timm are another configuration, so the name of those meant now becomes a parameter.
        """
        model = cls(**params)
        model.backbone(True)
        used = model._normalized()
        whose = model._named or f"of {Path(model.weights).name}"
        begin = f"weights {whose}" if model.pretrained else "from scratch"
        source = "as given" if model.mean and model.std else "as timm says of this network; mean= and std= change that"
        say(f"{cls.__name__}: {begin}, "
            f"images normalized with mean {used['mean']} and std {used['std']}, {source}")  # fmt: skip
        params = params | used | ({"pretrained": model._named} if model._named else {})
        return super().resolve(params, cache=cache, device=device, threads=threads, say=say)

    def parameters(self):
        """The keyword parameters and their values; of the file of weights only its name, since they are saved here."""
        return super().parameters() | self.extra_kwargs | {"weights": Path(self.weights).name}
