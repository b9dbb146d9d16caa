"""What a killed training needs to go on as if nothing had happened: written after each epoch, no pickle.

`checkpoint.json` names the file of tensors with its hash and is written last, so that there is always a whole pair.
"""

import torch

from ..._utils.io import atomic_write, file_hash, read_json, remove_stale_temp_files, write_json
from ...errors import DiskError


def save(folder, epoch, tensors, facts):
    """Replace the checkpoint in a folder.

    Parameters
    ----------
    folder : pathlib.Path
    epoch : int
        how many are done
    tensors : dict of str to dict of str to torch.Tensor
    facts : dict
        the rest, as JSON
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"epoch-{epoch}.safetensors"
    flat = {f"{part}/{name}": t.contiguous() for part, named in tensors.items() for name, t in named.items()}
    with atomic_write(file) as temporary:
        save_file(flat, temporary)
    about = {"file": file.name, "hash": file_hash(file), "torch": torch.__version__, "epoch": epoch, "facts": facts}
    write_json(folder / "checkpoint.json", about)
    for old in folder.glob("*.safetensors"):
        if old != file:
            old.unlink()


def load(folder, device):
    """The checkpoint in a folder.

    Returns
    -------
    tuple
        epoch, tensors, facts as given to `save`; epoch 0 and nothing where there is none, or none of this torch
    str
        what was wrong with it, empty where nothing was
    """
    from safetensors.torch import load_file

    nothing = 0, {}, {}
    remove_stale_temp_files(folder)
    if not (folder / "checkpoint.json").exists():
        return nothing, ""
    try:
        about = read_json(folder / "checkpoint.json")
        file = folder / about["file"]
        if not file.is_file() or file_hash(file) != about["hash"]:
            raise DiskError(f"{file.name} is not as it was written")
    except DiskError as error:
        return nothing, f"checkpoint ignored, training restarted: {str(error).replace(str(folder), '').lstrip('/')}"
    if about["torch"] != torch.__version__:
        return nothing, f"checkpoint of torch {about['torch']} ignored, training restarted"
    tensors = {}
    for name, tensor in load_file(file, device=device).items():
        part, _, rest = name.partition("/")
        tensors.setdefault(part, {})[rest] = tensor
    return (about["epoch"], tensors, about["facts"]), ""


def optimizer_state(optimizer):
    """The state of an optimizer as named tensors."""
    found = optimizer.state_dict()["state"]
    return {f"{index}/{name}": torch.as_tensor(value) for index, own in found.items() for name, value in own.items()}


def load_optimizer_state(optimizer, named):
    """Give an optimizer the state that `optimizer_state` returned."""
    state = {}
    for name, tensor in named.items():
        index, _, rest = name.partition("/")
        # Adam counts its steps on the processor; a count on the GPU would be waited for at every step
        state.setdefault(int(index), {})[rest] = tensor.cpu() if rest == "step" else tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
