"""Pretrained weights of timm networks: from a file, read without pickle, or through timm's own loading."""

from contextlib import contextmanager
from pathlib import Path

from ...errors import AgeEnsembleError, DataError, UsageError

HUB = "hf-hub:"  # what the names of networks on the hub begin with
ANSWER_SECONDS = 5  # a hub that is silent for longer is taken for unreachable
WEB = ("huggingface_hub", "httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "http", "safetensors")
OURS = {"checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_strict", "cache_dir", "scriptable",
        "num_classes", "features_only", "in_chans"}  # fmt: skip
FROM_FILE = "weights=FILE for a file, pretrained=false for random ones"


def refuse_options(options):
    """Raise UsageError where an option for timm would bring in weights past their checks, or change the outputs."""
    taken = sorted(OURS & options.keys())
    if taken:
        right = "weights=FILE reads weights, and the outputs are those of the loss"
        raise UsageError(f"{taken[0]} cannot be set: {right}")


def load(net, file):
    """Fill a timm network with the weights in a file; a classifier of another width stays as it is.

    Parameters
    ----------
    net : torch.nn.Module
        made by timm
    file : path
        safetensors, or what `torch.save` wrote; saved by timm or from such a network

    Returns
    -------
    list of str
        names of the classifier's parameters that were left as they are

    Raises
    ------
    DataError
        No weights, more than weights (pickled code is never run), or those of another network.
    """
    given, own, classifier = read(file), net.state_dict(), _classifier(net)
    fitting = {name: given[name] for name, value in own.items() if name in given and given[name].shape == value.shape}
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # old files lack them; nothing uses them
    left = [name for name in own if name not in fitting and name.startswith(classifier)]
    wrong = [name for name in own if name not in {*fitting, *counters, *left}]
    if wrong:
        found = f"has shape {tuple(given[wrong[0]].shape)}" if wrong[0] in given else "is missing"
        raise DataError(f"{file} is of another network: {wrong[0]} {found}, not shape {tuple(own[wrong[0]].shape)}")
    foreign = [name for name in given if name not in own and not name.startswith(classifier)]
    if foreign:
        raise DataError(f"{file} is of another network: it has {foreign[0]}, which this one has not")
    if left:  # never half a classifier
        left = [name for name in own if name.startswith(classifier)]
    net.load_state_dict({name: value for name, value in fitting.items() if name not in left}, strict=False)
    return left


def read(file):
    """Tensors by name of a safetensors or `.pth` file; of a training checkpoint, the averaged weights if there are any.

    Raises
    ------
    DataError
        Broken, no dict of tensors, or with pickled objects, which are not loaded.
    """
    import torch
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(file), device="cpu", weights_only=True)
    except Exception as error:  # a broken file raises anything
        pickled = "weights_only" in str(error)
        reason = "it is pickled, and that could run code; save tensors only" if pickled else first_line(error)
        raise DataError(f"no weights can be read from {file}: {reason}") from error
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise DataError(f"{file} holds no weights: it must be a dict of tensors by name")
    return state


def _classifier(net):
    """Beginnings of the names of the classifier's parameters."""
    names = getattr(net, "pretrained_cfg", {}).get("classifier") or ()
    return tuple(f"{name}." for name in ([names] if isinstance(names, str) else names))


def pretrained(name, options, instead=FROM_FILE):
    """A timm network with timm's pretrained weights: those on this machine, else from the hub.

    Parameters
    ----------
    name : str
        timm's, perhaps with a tag, or hf-hub:OWNER/NAME
    options : dict
        for timm's constructor
    instead : str
        what the user can do without the hub

    Raises
    ------
    DataError
        There are no such weights, or no way to get them; within seconds.
    UsageError
        timm refuses an option.
    """
    from timm.models import is_model_pretrained

    if not name.startswith(HUB) and not is_model_pretrained(name):
        raise DataError(f"timm has no pretrained weights for {name}; {instead}")
    return _made(name, options, True, instead)


def blank(name, options):
    """A timm network with random weights; the hub is needed only for the description of a network that lies there.

    Raises
    ------
    DataError, UsageError
        As `pretrained` does.
    """
    return _made(name, options, False, "a name of timm's own needs no connection")


def commit(name):
    """The commit of a network's repository on the hub that this machine has, "" where that is not known.

    A name without a revision means whatever is the newest when it is fetched, so the name alone says little later.
    """
    if not name.startswith(HUB):
        return ""
    from huggingface_hub import try_to_load_from_cache

    repository, _, revision = name.removeprefix(HUB).partition("@")
    file = try_to_load_from_cache(repository, "config.json", revision=revision or None)
    return Path(file).parent.name if isinstance(file, str) else ""


def _made(name, options, weights, instead):
    import timm

    def make():
        try:
            return timm.create_model(name, pretrained=weights, **options)
        except Exception as error:
            if _of_the_web(error):
                raise
            given = " ".join(f"{key}={value}" for key, value in options.items())
            raise UsageError(f"timm cannot make {name} {given}".rstrip() + f": {first_line(error)}") from error

    try:
        with _without_hub():
            return make()
    except AgeEnsembleError:
        raise
    except Exception:  # not on this machine; _made lets nothing but troubles with the web through
        pass
    try:
        _hub_answers()
        return make()
    except AgeEnsembleError:
        raise
    except Exception as error:
        what = "pretrained weights" if weights else "description"
        raise DataError(f"no {what} for {name}, neither here nor from the hub: {_reason(error)}; {instead}") from error


@contextmanager
def _without_hub():
    """Only what huggingface_hub has in its cache: no look whether there is a newer one, no waiting where it is not."""
    from huggingface_hub import constants

    before, constants.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE, True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _hub_answers():
    """Raise unless the hub answers at once: its library would try a dead connection for most of a minute."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    response = get_session().head(constants.ENDPOINT, timeout=ANSWER_SECONDS)
    if response.status_code >= 500:
        raise ConnectionError(f"{constants.ENDPOINT} answers with error {response.status_code}")


def _of_the_web(error):
    """Whether an exception comes from the hub, its cache or the connection, not from the network's constructor."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in WEB


def _reason(error):
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError

    if type(error).__name__ == "SafetensorError":
        return f"the copy in {constants.HF_HUB_CACHE} is damaged, delete it ({first_line(error)})"
    if isinstance(error, RepositoryNotFoundError):
        return "there is no such repository, or it is not public"
    if isinstance(error, LocalEntryNotFoundError) or not isinstance(error, HfHubHTTPError):
        return f"no connection to {constants.ENDPOINT} ({first_line(error.__cause__ or error)})"
    return first_line(error)


def first_line(error):
    """What an exception says, on one line that is not too long."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
