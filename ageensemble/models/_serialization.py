"""A fitted model on disk without pickle: its parameters as JSON, its arrays as safetensors."""

import inspect
import json

import numpy as np


def parameters(model):
    """The keyword parameters of a model and their values."""
    return {name: getattr(model, name) for name in inspect.signature(type(model)).parameters}


def save(folder, model, parts):
    """Write the parameters of `model` and its fitted parts, `{part: {name: array}}`, into `folder`."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parameters.json").write_text(json.dumps(parameters(model), indent=1) + "\n")
    flat = {f"{part}.{name}": value for part, arrays in parts.items() for name, value in arrays.items()}
    # safetensors writes the buffer as it lies in memory, strides ignored
    save_file({name: np.array(value, order="C") for name, value in flat.items()}, folder / "arrays.safetensors")


def load(folder, kind):
    """A model of class `kind` with the stored parameters, and its fitted parts."""
    from safetensors.numpy import load_file

    parts = {}
    for name, value in load_file(folder / "arrays.safetensors").items():
        part, _, field = name.partition(".")
        parts.setdefault(part, {})[field] = value
    return kind(**json.loads((folder / "parameters.json").read_text())), parts
