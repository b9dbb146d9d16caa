"""A model loaded from its folder: images of faces in, age distributions out."""

import inspect
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import numpy as np

from .. import models
from .._utils import registry
from .._utils.hardware import Timer, cores, find_device
from .._utils.params import file_parameters
from ..ages import N_AGES, smooth_with_prior
from ..data import image_array, transforms
from ..data.faces import Template
from ..data.image_input import read_images
from ..ensembles.pooling import Pool
from ..errors import AgeEnsembleError, DataError
from ..evaluation.conformal import Conformal
from ..features import FEATURES
from . import model_folder
from .images import FaceBatch
from .predictions import ModelPredictions

BLOCK = 512  # faces held at once


def load_model(path, device: str = "auto") -> "Model":
    """Load a model folder, which 'ageensemble models save' or 'ageensemble fit' made; nothing in it is run.

    Parameters
    ----------
    path : path
    device : {"auto", "cpu", "cuda"}

    Raises
    ------
    DataError
        No model folder; one that is damaged, was changed, or is of another format; an extra that it needs is missing.
    UsageError
        No such device.

    Examples
    --------
    >>> model = load_model("runs/models/svm")  # doctest: +SKIP
    >>> predictions = model.predict(["face.jpg"])  # doctest: +SKIP
    >>> predictions.median, predictions.interval(0.9), predictions.at_least(18)  # doctest: +SKIP
    """
    path = Path(path)
    metadata, device = model_folder.read(path), find_device(device)
    try:
        return Model(path, metadata, device)
    except AgeEnsembleError as error:
        raise DataError(f"{path} cannot be loaded: {error}") from error
    except Exception as error:  # whatever a description that was made by hand leads to
        raise DataError(f"{path} cannot be loaded: {type(error).__name__}: {str(error)[:200]}") from error


class Model:
    """A single model or an ensemble that predicts from images of faces; see `load_model`.

    Attributes
    ----------
    name : str
    metadata : dict
        the description in the folder: data, split, scores, licenses, versions
    template : dict or None
        how the training images show a face, see `ageensemble.data.faces`
    members : list of str
        names of the members of an ensemble; empty for a single model
    levels : list of float
        of calibrated intervals; empty where there are no out-of-fold predictions to calibrate them on
    remarks : list of str
        what to know of its predictions, such as that its intervals are not calibrated
    timer : Clock
        how long each feature set and each member has taken so far
    """

    def __init__(self, path: Path, metadata: dict, device: str):
        self.path, self.metadata, self.name, self.timer = path, metadata, str(metadata["name"]), Timer()
        self.template = metadata["template"] and Template.from_json(metadata["template"]).to_json()
        self._pool = Pool.from_json(metadata["pool"]) if metadata["pool"] else None
        self._members = [_Member(path, one, metadata["files"], device) for one in metadata["members"]]
        self._calibrated = {float(level): Conformal(**content) for level, content in metadata["intervals"].items()}
        for calibration in self._calibrated.values():
            if calibration.limits.shape != (N_AGES,):
                raise ValueError("intervals of other years")
        if len(self._members) != (len(self._pool.weights) if self._pool else 1):
            raise ValueError("members and weights do not match")
        self.members = [member.name for member in self._members] if self._pool else []
        self.levels = sorted(self._calibrated)
        self.remarks = [] if self.levels else ["intervals are uncalibrated model quantiles"]
        if any(member.changed for member in self._members):
            self.remarks.append("its code has changed since it was fitted, so its predictions may differ a little")

    def __repr__(self):
        return f"<Model {self.name}>"

    def predict(self, images) -> ModelPredictions:
        """Predict the ages of faces.

        Parameters
        ----------
        images : path, PIL.Image.Image, (h, w, 3) uint8 array, or a sequence of them
            each one face, cropped like the training images; `ageensemble predict` detects and crops faces

        Returns
        -------
        ModelPredictions
            a row for each image

        Raises
        ------
        DataError
            An image that cannot be used.
        UsageError
            Something else than an image.
        """
        images = _several(images)
        blocks = [self._predict_block(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
        columns = [np.concatenate([np.empty((0, N_AGES), np.float32), *rows]) for rows in zip(*blocks, strict=True)]
        proba, *each = columns or [np.empty((0, N_AGES), np.float32)] * (1 + len(self.members))
        members = dict(zip(self.members, each, strict=True))
        return ModelPredictions(proba, name=self.name, members=members, calibrated=self._calibrated)

    def predict_proba(self, images) -> np.ndarray:
        """Age distributions `(n, 121)` float32: P(age = 0), ..., P(age = 120) of each image; see `predict`."""
        return self.predict(images).proba

    def predict_interval(self, images, level: float = 0.9) -> np.ndarray:
        """First and last year of an interval that holds the true age with this probability, `(n, 2)` int.

        See `predict` for the images, and `ModelPredictions.interval` for how far the intervals are calibrated.
        """
        return self.predict(images).interval(level)

    def _predict_block(self, images):
        """Age distributions of a block of images by the whole model, then by each member of an ensemble."""
        faces = FaceBatch(read_images(images), self.timer)
        with _workers() as workers:
            try:
                each = [member.predict(faces, workers) for member in self._members]
                if not self._pool:
                    return each
                pooled = self._pool(each)
                if not np.isfinite(pooled).all():  # which a member's cannot be
                    raise ValueError("pooling the members yields no probabilities")
                return [pooled, *each]
            except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                raise DataError(f"{self.path} cannot predict: {type(error).__name__}: {str(error)[:200]}") from error


class _Member:
    """The fold models of one run, loaded; it predicts their mean.

    Parameters
    ----------
    folder : pathlib.Path
        of the whole model
    metadata : dict
        from `model_contents`
    listed : collection of str
        the files in the folder that are known to be sound
    device : str

    Raises
    ------
    ValueError
        The description asks for something that is not in the folder, or makes no sense.
    """

    def __init__(self, folder, metadata, listed, device):
        self.name, self.device = str(metadata["name"]), device
        self.preprocess = metadata.get("preprocess", "")
        _refuse_code(metadata["model"], self.preprocess, *(name for name, _ in metadata["features"]))
        self.features = [_extractor(name, params, folder, listed) for name, params in metadata["features"]]
        cls = models.load(metadata["model"])
        if not cls.savable:
            raise ValueError(f"{metadata['model']} is none that can be saved")
        self._fold_models = [_load_fold_model(cls, one, folder, listed, device) for one in metadata["fold_models"]]
        if not self._fold_models:
            raise ValueError(f"{self.name} has no fold models")
        self.size = str(self._fold_models[0][0].size) if cls.takes_images else None
        image_array.refuse_native(self.size, self.preprocess)
        now = [models.version(metadata["model"]), *(registry.version(type(one)) for one in self.features)]
        now += [transforms.version(self.preprocess)] if self.preprocess else []
        self.changed = now != metadata["code_versions"]  # what decides its predictions, since it was fitted

    def predict(self, faces, workers):
        """Age distributions, `(n, 121)` float32, of a `FaceBatch`; the workers share the fold models."""
        if self.size:
            X = faces.images(self.size, self.preprocess)
        else:
            sets = [faces.features(extractor, self.preprocess, self.device, workers) for extractor in self.features]
            X = np.concatenate([np.empty((len(faces), 0), np.float32), *sets], axis=1)

        def predict(fold_model):
            model, prior = fold_model
            with faces.timer(self.name):
                return smooth_with_prior(model.predict_proba(X), prior)

        return np.mean(list(workers.map(predict, self._fold_models)), axis=0, dtype=np.float64).astype(np.float32)


def _refuse_code(*names):
    """Refuse what would run a file, or ask the hub for what a network is."""
    for name in names:
        if not isinstance(name, str) or "/" in name or name.endswith(".py"):
            raise ValueError(f"{str(name)[:80]!r} is not in ageensemble, and nothing else is run")


def _extractor(name, params, folder, listed):
    """A feature extractor, its parameters checked, with paths in the model's folder made whole."""
    cls = FEATURES.load(name)
    files = cls.file_parameters
    paths = file_parameters(params, files)
    strangers = [path for path in paths.values() if path not in listed]
    if strangers or (files and not paths):  # what has no file here would be fetched
        raise ValueError(f"features {name} need {str((strangers or ['a file'])[0])[:80]!r}, which is not in the folder")
    _refuse_code(*(params[key] for key in files if key not in paths))
    cls(**params).check_parameters()
    return cls(**params | {key: str(folder / path) for key, path in paths.items()})


def _load_fold_model(cls, metadata, folder, listed, device):
    """A loaded model and the histogram that its predictions are mixed with."""
    place, prior = PurePosixPath(metadata["folder"]), np.array(metadata["prior"], np.float64)
    if not any(place in PurePosixPath(name).parents for name in listed):
        raise ValueError(f"{str(place)[:80]!r} is not in the folder")
    if prior.shape != (N_AGES,) or not (prior >= 0).all() or not np.isclose(prior.sum(), 1):
        raise ValueError("the prior is no histogram of ages")
    more = {"device": device} if "device" in inspect.signature(cls.load).parameters else {}
    return cls.load(folder / place, **more), prior


@contextmanager
def _workers():
    """A worker for each core, of one thread: that keeps all cores busy, and the digits those of the fit."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    with threadpool_limits(1), ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as workers:
        yield workers
    torch.set_num_threads(before)  # what a worker sets holds for every thread that begins later


def _several(images):
    """A list of images, be it one image or several."""
    if isinstance(images, (list, tuple)):
        return list(images)
    one = isinstance(images, (str, Path)) or hasattr(images, "ndim") or hasattr(images, "convert")
    if getattr(images, "ndim", 0) == 4 or not one:
        return list(images)  # an array of images, or a generator
    return [images]
