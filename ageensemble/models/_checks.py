"""Checks of model parameters: a bad value is the user's typing, answered in one line."""

from numbers import Integral, Real

from .._utils.params import parameter_defaults
from ..errors import UsageError


def one_of(model, name, *allowed):
    """Raise UsageError unless the parameter has one of the allowed values."""
    value = getattr(model, name)
    if value not in allowed:
        raise _wrong(model, name, value, " or ".join(map(str, allowed)))


def number(model, name, low, high=float("inf"), *, above=False, whole=False):
    """Raise UsageError unless the parameter is a number from `low` (or above it) to `high`."""
    value = getattr(model, name)
    fits = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
    if not fits or not low <= value <= high or (above and value == low) or value == float("inf"):
        limit = f"above {low}" if above else f"of at least {low}"
        top = "" if high == float("inf") else f" and at most {high}"
        raise _wrong(model, name, value, f"a {'whole ' if whole else ''}number {limit}{top}")


def counts(model, name, effective, right):
    """Raise UsageError where the parameter is not its default though nothing that it changes is used."""
    value = getattr(model, name)
    if not effective and value != parameter_defaults(type(model)).get(name, value):
        raise UsageError(f"{name_of(model)}: {name}={value} would change nothing, it counts only with {right}")


def _wrong(model, name, value, right):
    return UsageError(f"{name_of(model)}: {name}={value} should be {right}")


def name_of(model):
    """What the user calls a model: its network in timm, else its class in small letters."""
    return getattr(model, "network", "") or type(model).__name__.lower()
