"""What networks share as models: how they are trained as parameters, fit, predict, save, load.

A subclass says what its backbone is and where its normalization comes from; the training itself is in `trainer.py`.
"""

import contextlib
import json
import tempfile
from abc import ABC, abstractmethod
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from typing import ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ..._utils import registry
from ..._utils.params import parameter_defaults
from ...ages import N_AGES
from ...data.image_io import LONG_SIDE
from ...errors import DataError, UsageError
from .. import distribution
from ..base import AgeEstimator, check_age_target, inner_folds


class NeuralAgeEstimator(AgeEstimator, ABC):
    """A network with its training.

    Parameters
    ----------
    size : str
        side in pixels that images are resized to, or `native`: as they are, batches of one shape at a time
    loss : str
        `softlabel`, `softlabelmean`, `crossentropy`, `meanvariance`, `ordinal`, `smoothl1`, `l1`, `mse`, `age_groups`,
        or a `.py` file with a subclass of `Loss`
    sigma : float
        width of soft labels in years; for the two losses that have them
    smoothing : float
        label smoothing: share of the target that is spread over all ages
    weighting : str
        `none`, or `group`: every age group counts the same in training; predictions are corrected for it
    epochs : int
        times that every image is seen
    batch : int
        images through the network at a time; halves itself where memory runs out
    accumulate : int
        batches whose gradients make up a step
    optimizer : str
        `adamw` (Loshchilov & Hutter 2019), `adam` or `sgd` with Nesterov momentum
    lr : float
        highest learning rate
    momentum : float
        of sgd
    weight_decay : float
        of weights, not of biases and norms
    l1 : float
        penalty of the absolute values of weights
    clip : float
        largest length of a gradient; 0 for no limit
    schedule : str
        `cosine`, `step` (a tenth after half and after three quarters) or `constant`
    warmup : float
        share of all steps in which the learning rate rises
    dropout : float
        share of inputs dropped before each connected layer
    freeze : int
        epochs in which only the head learns; `epochs` of them train nothing else
    backbone_lr : float
        learning rate of the backbone as a multiple of the head's
    ema : float
        moving average of the weights, its decay a step; 0 for none
    flip : bool
        mirror images at random
    rotate : float
        turn them by so many degrees at most
    crop : float
        crop or widen them by so much of a side at most, and shift them by half as much
    color : float
        change brightness, contrast and saturation by so much at most
    erase : float
        share of images that lose a rectangle
    mirror : bool
        predict the mean over an image and its mirror image
    hold : int
        inner folds of ten that are the validation part, not trained on: for curves, early stopping, residuals
    patience : int
        stop after so many epochs without a better validation score and keep the best; 0 trains to the end
    metric : str
        the validation score: `mae`, `f1` or `recall`
    precision : str
        `fp32`, `bf16`, or `auto`: what is faster here, tried once by `resolve`; `fit` alone takes `auto` for `fp32`
    random_state : int
        of the first weights, the order of the images and their augmentation
    n_jobs : int
        not used: torch is told its threads for the whole process
    device : str
        `cpu` or `cuda`
    """

    features = ""
    version = 1  # raised whenever the predictions change
    takes_images = True
    file_parameters: ClassVar = {"loss": ".py"}
    _parameter_constraints: ClassVar[dict[str, list]] = {
        "size": [str, Integral],
        "loss": [str],
        "weighting": [StrOptions({"none", "group"})],
        "optimizer": [StrOptions({"adamw", "adam", "sgd"})],
        "schedule": [StrOptions({"cosine", "step", "constant"})],
        "metric": [StrOptions({"mae", "f1", "recall"})],
        "precision": [StrOptions({"auto", "fp32", "bf16"})],
        "hold": [Interval(Integral, 0, 9, closed="both")],
        "device": [str],
        **{key: [Interval(Integral, 1, None, closed="left")] for key in ("epochs", "batch", "accumulate")},
        **{key: [Interval(Integral, 0, None, closed="left")] for key in ("freeze", "patience")},
        **{key: [Interval(Real, 0, None, closed="neither")] for key in ("sigma", "lr", "backbone_lr")},
        **{key: [Interval(Real, 0, None, closed="left")] for key in ("weight_decay", "l1", "clip")},
        **{key: [Interval(Real, 0, 1, closed="both")] for key in ("warmup", "color", "erase")},
        **{key: [Interval(Real, 0, 0.9, closed="both")] for key in ("smoothing", "dropout")},
        "momentum": [Interval(Real, 0, 0.999, closed="both")],
        "ema": [Interval(Real, 0, 0.99999, closed="both")],
        "rotate": [Interval(Real, 0, 180, closed="both")],
        "crop": [Interval(Real, 0, 0.5, closed="both")],
        **{key: ["boolean"] for key in ("flip", "mirror")},
    } | AgeEstimator._parameter_constraints

    def __init__(
        self, *, size="128", loss="softlabel", sigma=2.0, smoothing=0.0, weighting="none",
        epochs=6, batch=48, accumulate=1, optimizer="adamw", lr=1.2e-3, momentum=0.9, weight_decay=0.02, l1=0.0,
        clip=0.0, schedule="cosine", warmup=0.05, dropout=0.0, freeze=0, backbone_lr=1.0, ema=0.998,
        flip=True, rotate=10.0, crop=0.1, color=0.2, erase=0.0, mirror=True,
        hold=1, patience=0, metric="mae", precision="auto", random_state=0, n_jobs=None, device="cpu",
    ):  # fmt: skip
        self.size, self.loss, self.sigma, self.smoothing, self.weighting = size, loss, sigma, smoothing, weighting
        self.epochs, self.batch, self.accumulate, self.optimizer, self.lr = epochs, batch, accumulate, optimizer, lr
        self.momentum, self.weight_decay, self.l1, self.clip, self.schedule = momentum, weight_decay, l1, clip, schedule
        self.warmup, self.dropout, self.freeze, self.backbone_lr, self.ema = warmup, dropout, freeze, backbone_lr, ema
        self.flip, self.rotate, self.crop, self.color, self.erase = flip, rotate, crop, color, erase
        self.mirror, self.hold, self.patience, self.metric, self.precision = mirror, hold, patience, metric, precision
        self.random_state, self.n_jobs, self.device = random_state, n_jobs, device

    @classmethod
    def _get_param_names(cls):
        return sorted([*parameter_defaults(cls), *cls.run_parameters])

    def check_parameters(self):
        """Refuse parameters out of range, and those that would change nothing.

        Raises
        ------
        UsageError
        """
        from .losses import LOSSES

        super().check_parameters()
        if self.size != "native" and not (str(self.size).isdigit() and 16 <= int(self.size) <= LONG_SIDE):
            raise UsageError(f"size={self.size} should be 16 to {LONG_SIDE} pixels, or native")
        loss = LOSSES.load(self.loss)
        for name in ("sigma", "smoothing"):
            users = [known for known in LOSSES.names() if name in LOSSES.load(known).uses]
            self._check_used(name, name in loss.uses, f"loss={' or '.join(users)}")
        self._check_used("momentum", self.optimizer == "sgd", "optimizer=sgd")
        self._check_used("metric", self.patience, "patience=1 or more")
        self._check_used("backbone_lr", self.freeze < self.epochs, "freeze below epochs")
        if self.hold == 0 and (self.patience or loss.learns_residuals):
            why = f"patience={self.patience}" if self.patience else f"loss={self.loss}"
            raise UsageError(f"{why} needs a validation part that is not trained on: hold=1")

    def _check_used(self, name, used, condition):
        """Raise UsageError where a parameter is not its default though nothing that it changes is used."""
        value = getattr(self, name)
        if not used and value != parameter_defaults(type(self)).get(name, value):
            raise UsageError(f"{self._name}: {name}={value} would change nothing, it counts only with {condition}")

    @property
    def _name(self):
        """What users call the model."""
        return type(self).__name__.lower()

    # --- what a subclass says ---------------------------------------------------------------------------------------

    @abstractmethod
    def backbone(self, pretrained):
        """The network without its head, (n, 3, h, w) to (n, width)."""

    @abstractmethod
    def normalization(self):
        """Mean and standard deviation of pixel values between 0 and 1, each one number or three."""

    @property
    @abstractmethod
    def layers(self):
        """Widths of the connected layers between backbone and outputs."""

    @property
    def origin(self):
        """What the record of a run should say of the weights that training began with."""
        return {}

    # --- the model --------------------------------------------------------------------------------------------------

    @property
    def side(self):
        """Side of the images in pixels; of native ones the longest there can be."""
        return LONG_SIDE if self.size == "native" else int(self.size)

    @classmethod
    def resolve(cls, params, *, cache, device, threads, say):
        """Resolve `precision=auto` by a trial; see `precision.py`."""
        model = cls(**params)
        if model.precision != "auto":
            return params
        from . import precision

        # What changes no speed: how it is trained, but for the size, and what training begins with
        training = {*parameter_defaults(NeuralAgeEstimator), "pretrained", "weights", "mean", "std"} - {"size"}
        what = {name: value for name, value in params.items() if name not in training}
        what["version"] = registry.version(cls)
        chosen, speeds = precision.faster_precision(
            lambda bf16: model._network(np.array([[20, 20], [40, 40]]), False, bf16), model.side,
            {"model": cls.__name__, **what}, cache=cache, device=device, threads=threads,
        )  # fmt: skip
        if speeds:
            trial = ", ".join(f"{name} {speed:g}" for name, speed in speeds.items())
            say(f"{model._name}: {chosen}, by a trial on this machine (images/s: {trial})")
        return params | {"precision": chosen}

    def fit(self, X, y, groups=None, *, cv=None, checkpoint_dir=None, on_progress=None):
        """Train on images and ages.

        Parameters
        ----------
        X : ImageArray
        y : (n,) array of years, or (n, 2) array of ranges of years, both ends included
        groups : (n,) array, optional
            items of one group are never parted by the inner folds; without it each item is its own group
        cv : (n,) int array, int, cross-validation splitter or iterable of (train, test), optional
            inner folds, the first `hold` of which are not trained on
        checkpoint_dir : pathlib.Path, optional
            folder for checkpoints; an interrupted fit with the same one goes on from there
        on_progress : callable, optional
            called with a dict of numbers now and then

        Raises
        ------
        DataError
            The labels do not suit the loss, the loss is no number any more, or memory runs out.
        """
        import torch

        from . import trainer

        self.check_parameters()
        y = check_age_target(y, len(X))
        validation = inner_folds(cv, X, y, groups, self._seed()) < self.hold
        if validation.all() or (self.hold and not validation.any()):
            raise DataError(f"too few images to hold out {self.hold} of ten inner folds; hold=0 trains on all")
        torch.manual_seed(self._seed())
        weight = np.ones(len(y))
        if self.weighting == "group":
            label = distribution.age_classes(y[~validation])[1]
            weight[~validation] = distribution.balanced_weights(label)[label]
        precision = "bf16" if self.precision == "bf16" else "fp32"
        net = self._network(y[~validation], True, precision == "bf16").to(
            self.device, memory_format=torch.channels_last
        )
        config = {field.name: getattr(self, field.name, None) for field in fields(trainer.TrainingConfig)}
        with contextlib.ExitStack() as stack:
            training = trainer.Trainer(
                net,
                trainer.TrainingConfig(**config | {"seed": self._seed()}),
                checkpoint_dir=checkpoint_dir or Path(stack.enter_context(tempfile.TemporaryDirectory())),
                on_progress=on_progress or (lambda progress: None),
            )
            notes = training.fit(X, y, weight, validation)
        self.history_ = training.history
        if net.loss.learns_residuals:
            rows = np.flatnonzero(validation)
            output = trainer.outputs(net, X.take(rows), mirror=self.mirror, batch=self.batch, device=self.device)
            net.loss.learn_residuals(
                net.loss.years(output), torch.from_numpy(y[rows, 0].astype(np.int64)).to(self.device)
            )
        # Which labels there were decides the shape of some losses: `load` needs them to make the network again
        self.net_, self.labels_, self.classes_ = net, np.unique(y[~validation], axis=0), np.arange(N_AGES)
        mean, std = ([round(v, 4) for v in getattr(net, name).tolist()] for name in ("mean", "std"))
        size = sum(p.numel() for p in net.parameters())
        self.fit_info_ = self.origin | {"parameters": size, "precision": precision, "mean": mean, "std": std} | notes
        return self

    def _network(self, y, pretrained, bf16):
        """The network for labels like these."""
        import torch

        from .losses import LOSSES
        from .network import Network

        by_groups = self.weighting == "group" or self.loss == "age_groups"  # else labeled ranges may overlap
        age_groups, label = distribution.age_classes(y) if by_groups else (None, None)
        correction = np.ones(N_AGES)
        if self.weighting == "group":
            inside = age_groups.lookup >= 0
            correction[inside] = (1 / distribution.balanced_weights(label))[age_groups.lookup[inside]]
        loss = LOSSES.load(self.loss)(
            y, age_groups=age_groups, sigma=self.sigma, smoothing=self.smoothing, correction=correction
        )
        backbone, (mean, std) = self.backbone(pretrained), self.normalization()
        with torch.no_grad():
            width = self._tried(lambda: backbone.eval()(torch.zeros(1, 3, self.side, self.side)).shape[1])
        backbone.train()
        return Network(backbone, width, loss, hidden=self.layers, dropout=self.dropout, mean=mean, std=std, bf16=bf16)

    def _tried(self, make):
        """What `make` returns, or an error that says that the size does not suit the network."""
        try:
            return make()
        except (RuntimeError, AssertionError, IndexError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise UsageError(f"the network does not take images of {self.side} pixels: {reason}") from error

    def predict_proba(self, X):
        """Age distributions, `(n, 121)`, of an `ImageArray`."""
        import torch

        from . import trainer

        output = trainer.outputs(self.net_, X, mirror=self.mirror, batch=self.batch, device=self.device)
        with torch.inference_mode():
            return self.net_.loss.distribution(output).cpu().numpy()

    def save(self, folder):
        """Write the model into `folder`: its parameters as JSON, its weights as safetensors."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        about = {"parameters": self.parameters(), "labels": self.labels_.tolist()}
        (folder / "parameters.json").write_text(json.dumps(about, indent=1) + "\n")
        tensors = {name: value.contiguous().cpu() for name, value in self.net_.state_dict().items()}
        save_file(tensors, folder / "weights.safetensors")

    def parameters(self):
        """The keyword parameters and their values."""
        return {name: getattr(self, name) for name in parameter_defaults(type(self))}

    @classmethod
    def load(cls, folder, device="cpu"):
        """Read what `save` wrote."""
        import torch
        from safetensors.torch import load_file

        about = json.loads((folder / "parameters.json").read_text())
        if str(about["parameters"].get("loss")).endswith(".py"):
            raise UsageError(f"loss={about['parameters']['loss']} is a file of code, which a saved model does not run")
        model = cls(**about["parameters"])
        model.check_parameters()
        tensors = load_file(folder / "weights.safetensors")
        net = model._network(np.array(about["labels"]), False, model.precision == "bf16")
        for name in ("inner_predicted", "inner_age"):
            if f"loss.{name}" in tensors:
                setattr(net.loss, name, tensors[f"loss.{name}"])
        net.load_state_dict(tensors)
        model.net_, model.device = net.to(device, memory_format=torch.channels_last), device
        model.classes_, model.fit_info_, model.history_ = np.arange(N_AGES), {}, []
        model.labels_ = np.array(about["labels"])
        return model

    def fit_bytes(self, n, d):
        """Rough peak memory of a fit, bytes; the images do not count, being read batch by batch."""
        from .memory import training_bytes

        return self._tried(lambda: training_bytes(lambda: self.backbone(False), self.side, self.batch))

    def gpu_bytes(self):
        """The same on a GPU, the images not counted."""
        return self.fit_bytes(0, 0)
