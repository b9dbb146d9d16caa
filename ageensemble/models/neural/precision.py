"""Whether bfloat16 pays: measured once for a network, a size and a machine, and remembered in the cache.

It halves the time of some networks and slows others on one and the same processor, so nothing but a trial tells.
"""

import platform
import time
from pathlib import Path

import torch

from ..._utils.io import content_key, read_json, write_json
from ...errors import DiskError
from .memory import keep_freed_memory

GAIN = 1.15  # how much faster bfloat16 must be: its rounding is no gift
TRIALS, BATCH = 3, 16


def faster_precision(make, size, what, *, cache, device, threads):
    """The faster of fp32 and bf16, by a trial that the cache remembers.

    Parameters
    ----------
    make : callable
        bf16 to a Network
    size : int
        side of the images in pixels
    what : dict
        what names the network and its size, for the memory
    cache : pathlib.Path
    device : str
    threads : int
        of a fit

    Returns
    -------
    str
        "fp32" or "bf16"
    dict
        images per second of each, empty where there was nothing to try
    """
    if device != "cpu":
        return ("bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"), {}
    if not fast_bf16():
        return "fp32", {}
    file = cache / "precision" / f"{content_key(what, size, torch.__version__, processor())}.json"
    try:
        known = read_json(file)
    except DiskError:
        known = _tried(make, size, threads)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, known)
    return ("bf16" if known["bf16"] > GAIN * known["fp32"] else "fp32"), known


def fast_bf16():
    """Whether the processor has instructions for bfloat16."""
    words = _about().split()
    return any(flag in words for flag in ("avx512_bf16", "amx_bf16", "bf16"))


def processor():
    """A name of the processor."""
    lines = [line.partition(":")[2].strip() for line in _about().splitlines() if line.startswith("model name")]
    return lines[0] if lines else platform.processor()


def _about():
    """What Linux says of the first processor; nothing elsewhere."""
    try:
        return Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return ""


def _tried(make, size, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    keep_freed_memory()  # as in training: without it the larger buffers of fp32 cost more than they will
    try:
        nets = {name: make(name == "bf16").train() for name in ("fp32", "bf16")}
        images = torch.randint(0, 256, (BATCH, 3, size, size), dtype=torch.uint8)
        low = torch.tensor([20, 40]).repeat(BATCH // 2)  # the labels that the networks were made for
        times = {name: [_step(net, images, low) for _ in range(2)][1:] for name, net in nets.items()}
        for _ in range(TRIALS - 1):  # in turns, so that whatever else goes on slows both
            for name, net in nets.items():
                times[name].append(_step(net, images, low))
    finally:
        torch.set_num_threads(before)
        keep_freed_memory(False)
    return {name: round(BATCH / min(taken), 1) for name, taken in times.items()}


def _step(net, images, low):
    started = time.perf_counter()
    net.loss(net(net.prepared(images)), low, low).mean().backward()
    return time.perf_counter() - started
