"""A model loaded from its folder: pictures of faces in, age distributions out."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from .._utils.hardware import Clock, cores, find_device
from ..ages import N_AGES
from ..data.faces import Template
from ..data.image_input import read_images
from ..ensembles.pooling import Pool
from ..errors import AgeEnsembleError, DataError
from ..evaluation.conformal import Conformal
from . import images as crops
from . import model_folder
from .member import Member
from .predictions import ModelPredictions

BLOCK = 512  # faces held at once


def load_model(path, device="auto"):
    """Load a model folder, which 'ageensemble models save' or 'ageensemble fit' made; nothing in it is run.

    Parameters
    ----------
    path : path
    device : {"auto", "cpu", "cuda"}

    Returns
    -------
    Model

    Raises
    ------
    DataError
        No model folder; one that is damaged, was changed, or is of a later format; an extra that it needs is missing.
    UsageError
        No such device.

    Examples
    --------
    >>> model = load_model("runs/models/svm")  # doctest: +SKIP
    >>> found = model.predict(["face.jpg"])  # doctest: +SKIP
    >>> found.median, found.interval(0.9), found.at_least(18)  # doctest: +SKIP
    """
    path = Path(path)
    about, device = model_folder.read(path), find_device(device)
    try:
        return Model(path, about, device)
    except AgeEnsembleError as error:
        raise DataError(f"{path} cannot be loaded: {error}") from error
    except Exception as error:  # whatever a description that was made by hand leads to
        raise DataError(f"{path} cannot be loaded: {type(error).__name__}: {str(error)[:200]}") from error


class Model:
    """A single model or a stack that predicts from pictures of faces; see `load_model`.

    Attributes
    ----------
    name : str
    about : dict
        the description in the folder: data, split, scores, licenses, versions
    template : dict or None
        how the photographs of the training show a face, see `ageensemble.faces`
    members : list of str
        names of the members of a stack; none of a single model
    levels : list of float
        of calibrated intervals; none where nothing calibrated them
    remarks : list of str
        what to know of its answers: that code has changed since, that nothing calibrated its intervals
    clock : machine.Clock
        how long each feature set and each member has taken so far
    """

    def __init__(self, path, about, device):
        self.path, self.about, self.name, self.clock = path, about, str(about["name"]), Clock()
        self.template = about["template"] and Template.from_json(about["template"]).to_json()
        self._pool = Pool.from_json(about["pool"]) if about["pool"] else None
        self._members = [Member(path, one, about["files"], device) for one in about["members"]]
        self._calibrated = {float(level): Conformal(**content) for level, content in about["intervals"].items()}
        for calibration in self._calibrated.values():
            if calibration.limits.shape != (N_AGES,):
                raise ValueError("intervals of other years")
        if len(self._members) != (len(self._pool.weights) if self._pool else 1):
            raise ValueError("members and weights do not match")
        self.members = [member.name for member in self._members] if self._pool else []
        self.levels = sorted(self._calibrated)
        self.remarks = [] if self.levels else ["its intervals are its own quantiles, calibrated on nothing"]
        if any(member.changed for member in self._members):
            self.remarks.append("its code has changed since it was fitted, so its answers may differ a little")

    def predict(self, images):
        """Predict the ages of faces.

        Parameters
        ----------
        images : path, PIL.Image.Image, (h, w, 3) uint8 array, or a sequence of them
            each one face, cut like the photographs of the training; `ageensemble.faces` finds and cuts faces

        Returns
        -------
        ModelPredictions
            a row for each image

        Raises
        ------
        DataError
            A picture that cannot be used.
        UsageError
            Something else than a picture.
        """
        images = _several(images)
        blocks = [self._answers(images[start : start + BLOCK]) for start in range(0, len(images), BLOCK)]
        columns = [np.concatenate([np.empty((0, N_AGES), np.float32), *rows]) for rows in zip(*blocks, strict=True)]
        distribution, *said = columns or [np.empty((0, N_AGES), np.float32)] * (1 + len(self.members))
        members = dict(zip(self.members, said, strict=True))
        return ModelPredictions(distribution, name=self.name, members=members, calibrated=self._calibrated)

    def _answers(self, images):
        """Age distributions of a block of images by the whole model, and by each member of a stack."""
        pictures = crops.Pictures(read_images(images), self.clock)
        with _workers() as workers:
            try:
                said = [member.predict(pictures, workers) for member in self._members]
                if not self._pool:
                    return said
                pooled = self._pool(said)
                if not np.isfinite(pooled).all():  # which a member's cannot be
                    raise ValueError("the pool makes no probabilities of its members'")
                return [pooled, *said]
            except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
                raise DataError(f"{self.path} cannot predict: {type(error).__name__}: {str(error)[:200]}") from error


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
    if getattr(images, "ndim", 0) == 4 or not (hasattr(images, "ndim") or hasattr(images, "convert") or _path(images)):
        return list(images)  # an array of pictures, or a generator
    return [images]


def _path(image):
    return isinstance(image, (str, Path))
