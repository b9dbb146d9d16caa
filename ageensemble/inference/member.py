"""One run of a saved model at work: the mean of what its cells answer."""

import inspect
from pathlib import PurePosixPath

import numpy as np

from .. import models
from .._utils import registry
from .._utils.params import file_parameters
from ..ages import N_AGES, finish
from ..data import image_array, transforms
from ..features import FEATURES


class Member:
    """The cells of one run, loaded.

    Parameters
    ----------
    folder : pathlib.Path
        of the whole model
    about : dict
        from `contents`
    listed : collection of str
        the files in the folder that are known to be sound
    device : str

    Attributes
    ----------
    name : str
        full name of the run
    changed : bool
        whether the code that decides its answers has changed since it was fitted

    Raises
    ------
    ValueError
        The description asks for something that is not in the folder, or makes no sense.
    """

    def __init__(self, folder, about, listed, device):
        self.name, self.device = str(about["name"]), device
        self.preprocess = about.get("preprocess", "")
        _refuse(about["model"], self.preprocess, *(name for name, _ in about["features"]))
        self.features = [_extractor(name, params, folder, listed) for name, params in about["features"]]
        cls = models.load(about["model"])
        self._cells = [_cell(cls, cell, folder, listed, device) for cell in about["cells"]]
        if not self._cells:
            raise ValueError(f"{self.name} has no cells")
        self.size = str(self._cells[0][0].size) if cls.takes_images else None
        image_array.refuse_native(self.size, self.preprocess)
        now = [models.version(about["model"]), *(registry.version(type(one)) for one in self.features)]
        now += [transforms.version(self.preprocess)] if self.preprocess else []
        self.changed = now != about["code_versions"]

    def predict(self, pictures, pool):
        """Age distributions, `(n, A)` float32.

        Parameters
        ----------
        pictures : crops.Pictures
        pool : concurrent.futures.Executor
            whose workers share the cells
        """
        if self.size:
            x = pictures.photographs(self.size, self.preprocess)
        else:
            sets = [pictures.features(feature, self.preprocess, self.device, pool) for feature in self.features]
            x = np.concatenate([np.empty((len(pictures), 0), np.float32), *sets], axis=1)
        answers = pool.map(lambda cell: self._answered(*cell, x, pictures.clock), self._cells)
        return np.mean(list(answers), axis=0, dtype=np.float64).astype(np.float32)

    def _answered(self, model, prior, x, clock):
        with clock(self.name):
            return finish(model.predict_proba(x), prior)


def _refuse(*names):
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
    _refuse(*(params[key] for key in files if key not in paths))
    cls(**params).check_parameters()
    return cls(**params | {key: str(folder / path) for key, path in paths.items()})


def _cell(cls, about, folder, listed, device):
    """A loaded cell and the histogram that its answers are mixed with."""
    place, prior = PurePosixPath(about["folder"]), np.array(about["prior"], np.float64)
    if not any(place in PurePosixPath(name).parents for name in listed):
        raise ValueError(f"{str(place)[:80]!r} is not in the folder")
    if prior.shape != (N_AGES,) or not (prior >= 0).all() or not np.isclose(prior.sum(), 1):
        raise ValueError("a histogram of ages that is none")
    more = {"device": device} if "device" in inspect.signature(cls.load).parameters else {}
    return cls.load(folder / place, **more), prior
