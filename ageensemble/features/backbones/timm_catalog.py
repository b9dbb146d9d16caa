"""Networks of timm (Wightman 2019, PyTorch Image Models): which there are, and what timm says of their pretraining."""

import difflib
import functools
import math

from ...errors import UsageError
from . import weights


def has_network(name):
    """Whether timm has a network of this name, `resnet50` or with a tag `resnet50.a1_in1k`, or the hub may."""
    import timm

    if name.startswith(weights.HUB):
        return "/" in name
    base, _, tag = name.partition(".")
    return timm.is_model(base) and (not tag or timm.models.is_model_pretrained(name))


def similar_names(name):
    """Names of networks that look like this one, the likeliest first."""
    import timm

    base = name.partition(".")[0]
    tagged = timm.list_models(f"{base}.*", pretrained=True) if "." in name and timm.is_model(base) else []
    return difflib.get_close_matches(name, tagged or timm.list_models(), n=3, cutoff=0.6 if not tagged else 0.1)


@functools.lru_cache
def pretraining(name):
    """What timm says of the pretraining of a network; of one on the hub, what is said there.

    Returns
    -------
    dict
        weights : str, the name with the tag of its weights: without a tag a later timm may stand for others;
        size : int, side of the images in pixels; one_size : bool, whether it is made for one size at a time;
        mean, std : str, of pixel values between 0 and 1, as `channel_values` reads them

    Raises
    ------
    DataError
        The hub is not reached.
    """
    import timm

    hub = name.startswith(weights.HUB)
    own = weights.blank(name, {}).pretrained_cfg if hub else vars(timm.get_pretrained_cfg(name))
    tagged = name if hub or not own["tag"] else f"{own['architecture']}.{own['tag']}"
    mean, std = (",".join(str(value) for value in own[key]) for key in ("mean", "std"))
    one_size = own.get("fixed_input_size", False)
    return {"weights": tagged, "size": own["input_size"][-1], "one_size": one_size, "mean": mean, "std": std}


def channel_values(key, text):
    """One number or three of a text, as three.

    Parameters
    ----------
    key : str
        what the text is given as; one that ends in `std` must be above 0
    text : str
        `0.5` or `0.485,0.456,0.406`

    Returns
    -------
    list of float

    Raises
    ------
    UsageError
    """
    try:
        values = [float(part) for part in str(text).split(",")]
    except ValueError:
        values = []
    if len(values) not in (1, 3) or not all(map(math.isfinite, values)) or (key.endswith("std") and min(values) <= 0):
        above = " above 0" if key.endswith("std") else ""
        raise UsageError(f"{key}={text} must be one number or three{above}, such as 0.5 or 0.485,0.456,0.406")
    return values * (3 // len(values))
