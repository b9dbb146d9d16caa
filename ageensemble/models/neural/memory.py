"""How much memory a network takes, without making it; and keeping what a step has freed for the next one."""

import ctypes
import sys

import torch

TRIM, MAPPED = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of glibc's malloc.h, and what they are there by default:
DEFAULT = {TRIM: 128 * 1024, MAPPED: 65536}
KEEP = {TRIM: 2**31 - 1, MAPPED: 0}
RESERVE = 250_000_000  # bytes that torch itself takes
BACK = 1.25  # memory of a batch, forward and back, in outputs of all layers: measured with mobilenetv2_100 and cnn


def training_bytes(make, side, batch):
    """Rough peak memory of training, bytes: what a batch leaves in the layers, and the weights.

    Parameters
    ----------
    make : callable
        returns the network
    side : int
        of the images in pixels
    batch : int
        images through the network at a time
    """
    sizes = []
    with torch.device("meta"), torch.inference_mode():
        net = make().eval()
        for layer in net.modules():
            if not list(layer.children()):
                layer.register_forward_hook(lambda layer, given, result: sizes.append(_bytes(result)))
        net(torch.empty(1, 3, side, side))
    weights = sum(p.numel() for p in net.parameters()) * 4
    return int(RESERVE + 6 * weights + BACK * batch * sum(sizes))


def _bytes(result):
    return result.numel() * 4 if isinstance(result, torch.Tensor) else 0


def keep_freed_memory(keep=True):
    """Have the C library keep freed memory for what this process asks for next; does nothing where it is not glibc.

    By default it gives large buffers back to the system at once, and every step gets them anew, page by page, each
    filled with zeros first: a tenth to a third of the time of a step on a CPU. False ends it and gives all back.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for name, value in (KEEP if keep else DEFAULT).items():
            library.mallopt(name, value)
        if not keep:
            library.malloc_trim(0)
