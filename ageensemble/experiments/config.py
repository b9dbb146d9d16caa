"""What a benchmark is asked for: its data, its models, and what the machine may use."""

from dataclasses import dataclass, field
from pathlib import Path

from .. import models as model_plugins
from .._utils.cache import default_folder
from .._utils.hardware import cores, find_device
from .._utils.io import content_key
from ..data import filters
from ..errors import UsageError
from ..models import spec
from ..splits.protocols import PROTOCOLS
from ..splits.split import N_FOLDS

DEFAULT_MODELS = ("svm", "xgboost", "cnn")


@dataclass(frozen=True)
class DataConfig:
    """Which images are used, and how they are split.

    Attributes
    ----------
    data, test_data : sequence of str or path
        datasets, see `load_dataset`; the items of the second are the test part, the whole of it
    format : str, optional
        name of the reader to use
    filters : sequence of str
        such as "min-image-size=100"
    limit : int, optional
        about as many items are taken, those of `test_data` apart, which are all taken
    n_folds : int, optional
        5 unless the split or protocol has a number of its own
    split : path, optional
        file with the columns item_id and part
    protocol : str, optional
        name of a published way to split
    allow_leak : bool
        whether a split may put items of one group into different parts

    Raises
    ------
    UsageError
        An unknown name, or options of which one would change what another fixes.
    """

    data: tuple = ("demo",)
    test_data: tuple = ()
    format: str | None = None
    filters: tuple = ()
    limit: int | None = None
    n_folds: int | None = None
    split: Path | None = None
    protocol: str | None = None
    allow_leak: bool = False

    def __post_init__(self):
        for name in ("data", "test_data", "filters"):
            object.__setattr__(self, name, tuple(getattr(self, name) or ()))
        filters.parse_filters(self.filters)
        if self.protocol:
            PROTOCOLS.load(self.protocol)
            object.__setattr__(self, "protocol", PROTOCOLS.resolve(self.protocol))
        fixed = "--split" if self.split else "--protocol"
        changing = {"--limit": self.limit, "--test-data": self.test_data}
        changing |= {"--protocol": self.protocol, "--filter": self.filters} if self.split else {}
        for option, value in changing.items():
            if value and (self.split or self.protocol):
                raise UsageError(f"{option} would change the split that {fixed} gives; use one of them")


@dataclass(frozen=True)
class Resources:
    """What the machine may use; what is not given is filled in.

    Attributes
    ----------
    cache : pathlib.Path
        folder of resized images and features, by default the user's own
    n_jobs : int
        models fitted at once, by default one for each core, at most five
    device : {"auto", "cpu", "cuda"}
    """

    cache: Path | None = None
    n_jobs: int | None = None
    device: str = "auto"

    def __post_init__(self):
        object.__setattr__(self, "cache", Path(self.cache or default_folder()))
        object.__setattr__(self, "n_jobs", self.n_jobs or min(N_FOLDS, cores()))
        object.__setattr__(self, "device", find_device(self.device))

    @property
    def n_threads(self):
        """Threads of each fit, so that all fits together use every core once."""
        return max(1, cores() // self.n_jobs)


@dataclass(frozen=True)
class BenchmarkConfig:
    """Which models to compare, on what, and where to.

    Attributes
    ----------
    models : sequence of str, estimator or Spec
        full names such as "svm@hog C=30", or estimators
    features : str, optional
        feature sets where a model names none
    parameters : sequence of str
        "key=value" for every model
    data : DataConfig
    folds : {"all", "refit"}
        a model for every fold, or a single one on all but the test part
    ensembles : bool
        whether all runs on the split are combined at the end
    random_state : int
        of the split and the models
    detector : str
        finds faces: "auto", "yunet", "cascade" or a file
    out : pathlib.Path
        folder of runs
    resources : Resources
    """

    models: tuple = DEFAULT_MODELS
    features: str | None = None
    parameters: tuple = ()
    data: DataConfig = field(default_factory=DataConfig)
    folds: str = "all"
    ensembles: bool = True
    random_state: int = 0
    detector: str = "auto"
    out: Path = Path("runs")
    resources: Resources = field(default_factory=Resources)

    @property
    def kind(self):
        """What a run of it says of itself: "folds" or "refit"."""
        return "refit" if self.folds == "refit" else "folds"

    def specs(self):
        """The models with all their parameters, list of Spec, each once.

        Raises
        ------
        UsageError
            No such model, feature set or parameter.
        """
        return parse_models(self.models, self.features, self.parameters)


def parse_models(wanted, features=None, parameters=()):
    """Specs of full names and estimators, each once; see `BenchmarkConfig`."""
    wanted = [one if isinstance(one, (str, spec.Spec)) else spec.text_of(one) for one in wanted]
    # Ours first: a mistake in them is known before timm is loaded for the others, which takes seconds
    listed = model_plugins.names()
    texts = sorted((one for one in wanted if isinstance(one, str)), key=lambda text: _head(text) not in listed)
    parsed = {text: spec.parse(text, features, parameters) for text in texts}
    specs = [parsed[one] if isinstance(one, str) else one for one in wanted]
    return list({content_key(one.config): one for one in specs}.values())


def _head(text):
    return text.replace("@", " ").partition(" ")[0]
