"""ageensemble: what predicts age best on these face photographs, and by how much for sure."""

__version__ = "0.1.0"


def __getattr__(name):
    """`load_model`, imported when asked for: the package itself must be there at once."""
    if name == "load_model":
        from .inference import load_model

        return load_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
