"""What a feature extractor is: a scikit-learn transformer from images to rows of numbers."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from .._utils import registry
from .._utils.params import parameter_defaults, with_file_hashes
from ..data.image_array import InMemoryImages, resized
from ..data.image_input import read_images
from ..errors import DataError, UsageError

BATCH = 128  # images that one call of `extract` is given


class FeatureExtractor(TransformerMixin, BaseEstimator, ABC):
    """Describes each image, looked at alone, by a row of numbers.

    A subclass has keyword parameters in `__init__`, which does nothing but store them, and `extract`. One of them is
    `size`, the side in pixels to which images are resized beforehand. Nothing is learned: what learns is a model.

    Attributes
    ----------
    name : str
        in messages and names of files; the class's own in small letters unless given
    version : int
        raised whenever the numbers change: cached features of another version are not used
    libraries : tuple of str
        packages whose versions decide the numbers
    argument : str
        parameter that `NAME:VALUE` sets in the name of a model; empty for none
    file_parameters : dict of str to str
        parameters that may be paths of files, each with the ending that tells a path from another value ("" if every
        value is a path)
    accepts_extra_kwargs : bool
        whether `__init__` takes parameters that it does not declare; it stores them as `extra_kwargs`
    cpu_chunk, gpu_chunk : int
        images that are described at a time: few enough for a processor's cache, many enough for a GPU

    Examples
    --------
    >>> from ageensemble.features import HOG
    >>> HOG(size=64, cell=16).transform(["face.jpg"]).shape
    (1, 324)
    """

    name: str = ""
    version: int | None = None
    libraries: tuple[str, ...] = ()
    argument: str = ""
    file_parameters: ClassVar[dict[str, str]] = {}
    accepts_extra_kwargs: bool = False
    cpu_chunk: int = BATCH
    gpu_chunk: int = BATCH

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "name" not in vars(cls):
            cls.name = cls.__name__.lower()
        if "size" not in parameter_defaults(cls):
            raise TypeError(f"{cls.__name__}.__init__ needs a keyword parameter size with a default")

    @abstractmethod
    def extract(self, batch):
        """Describe images of `size`.

        Parameters
        ----------
        batch : torch.Tensor of uint8, (n, 3, size, size)
            RGB, on any device

        Returns
        -------
        torch.Tensor of float32, (n, d)

        Raises
        ------
        ValueError
            A parameter does not suit the images.
        """

    def check_parameters(self) -> None:
        """Raise UsageError where the parameters cannot work, before anything is read or downloaded."""

    def check_files(self) -> None:
        """Raise AgeEnsembleError where a file that the parameters name cannot be used; nothing is downloaded."""

    def resolve(self, say=lambda text: None) -> "FeatureExtractor":
        """An equal extractor whose parameters leave nothing open, with what has to be downloaded downloaded.

        Parameters
        ----------
        say : callable
            called with a line of text for each choice that people should know of

        Raises
        ------
        AgeEnsembleError
            Something cannot be had.
        """
        return self

    def n_features(self) -> int:
        """Numbers for one image, d."""
        return self.extract_array(np.zeros((1, self.size, self.size, 3), np.uint8)).shape[1]

    def bundle_files(self, folder) -> dict:
        """Write what the features need to work without a connection into `folder`; the parameters, files as `Path`."""
        return self.get_params()

    # --- what follows is the same for all -----------------------------------------------------------------------------

    def identity(self) -> dict:
        """The parameters with the hash of files in place of their paths: with `version`, all that decides the numbers.

        Raises
        ------
        UsageError
            A file is gone.
        """
        return with_file_hashes(self.get_params(), self.file_parameters)

    def get_params(self, deep=True) -> dict:
        """The parameters, those that `__init__` does not declare included."""
        return super().get_params(deep) | getattr(self, "extra_kwargs", {})

    def set_params(self, **params) -> "FeatureExtractor":
        """Set parameters, those that `__init__` does not declare included."""
        extra = {} if not self.accepts_extra_kwargs else {k: v for k, v in params.items() if k not in vars(self)}
        if extra:
            self.extra_kwargs = self.extra_kwargs | extra
        return super().set_params(**{key: value for key, value in params.items() if key not in extra})

    def fit(self, X=None, y=None) -> "FeatureExtractor":
        """Nothing to do; for pipelines of scikit-learn."""
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, images, device="cpu"):
        """Features of images.

        Parameters
        ----------
        images : Dataset, ImageArray, (n, h, w, 3) uint8 array, or list
            of paths, PIL images or uint8 arrays
        device : str

        Returns
        -------
        (n, d) float32 array

        Raises
        ------
        AgeEnsembleError
            An image or a parameter that cannot be used.
        """
        self.check_parameters()
        extractor = self.resolve()
        images = getattr(images, "images", images)  # of a dataset
        if getattr(images, "ndim", 0) != 4 and not hasattr(images, "shapes"):
            images = InMemoryImages(read_images(images))
        rows = []
        for start in range(0, len(images), BATCH):
            batch = [images[[row]][0] for row in range(start, min(start + BATCH, len(images)))]
            rows.append(extractor.extract_array(resized(batch, range(len(batch)), extractor.size), device))
        return np.concatenate(rows) if rows else np.empty((0, extractor.n_features()), np.float32)

    def extract_array(self, images, device="cpu"):
        """`extract` from and to NumPy, its result checked.

        Parameters
        ----------
        images : (n, size, size, 3) uint8 array
        device : str

        Returns
        -------
        (n, d) float32 array

        Raises
        ------
        UsageError
            A parameter that `extract` refuses.
        DataError
            `extract` fails, or does not return what it should.
        """
        import torch

        batch = torch.from_numpy(images).permute(0, 3, 1, 2).to(device)
        try:
            values = np.asarray(self.extract(batch).cpu())
        except ValueError as error:
            raise UsageError(f"features '{self.name}': {error}") from error
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
            raise DataError(f"features '{self.name}' failed: {type(error).__name__}: {error}") from error
        if values.ndim != 2 or len(values) != len(batch) or not np.isfinite(values).all():
            raise DataError(f"features '{self.name}' must return finite numbers, a row for each of {len(batch)} images")
        return values

    def _in_chunks(self, describe, batch):
        """The rows of `describe`, chunk by chunk; with `mirror`, the mean over each image and its mirror image."""
        import torch

        def described(chunk):
            rows = describe(chunk)
            return rows.add_(describe(chunk.flip(3))).div_(2) if self.mirror else rows

        return torch.cat([described(chunk) for chunk in self._chunks(batch)])

    def _chunks(self, batch):
        return batch.split(self.cpu_chunk if batch.device.type == "cpu" else self.gpu_chunk)


FEATURES = registry.Registry(
    "feature set",
    __package__,
    base=FeatureExtractor,
    internal=("backbones", "matrix"),
    aliases={"colour": "color_histogram", "embed": "embedding"},
    group="ageensemble.features",
)
