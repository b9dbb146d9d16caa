"""What the machine has, and how much of it is used."""

import os
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from ..errors import UsageError


def cores():
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_device(device):
    """Read `--device`: "auto" takes a GPU where there is one.

    Returns
    -------
    str
        "cpu" or "cuda"

    Raises
    ------
    UsageError
        No such device, or "cuda" was asked for and there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"no device called '{device}'; known: auto, cpu, cuda")
    if device == "cpu":
        return device
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not torch.cuda.is_available():
        raise UsageError(f"no CUDA device here for --device {device}; leave it out or use --device cpu")
    return device


def available_memory():
    """Free bytes, on Linux; elsewhere taken for plenty."""
    try:
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 1 << 60


def available_gpu_memory():
    """Free bytes of the GPU that models are fitted on."""
    import torch

    return torch.cuda.mem_get_info()[0]


def peak_memory():
    """Highest resident size of this process so far, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Timer:
    """How long each kind of work has taken, in seconds summed over threads.

    `with clock("reading"): ...` adds to `clock.seconds["reading"]`; a thread that waits for a core is counted too.
    """

    def __init__(self):
        self.seconds = {}
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, work):
        """Count what is done inside as this kind of work."""
        start = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self.seconds[work] = self.seconds.get(work, 0.0) + time.perf_counter() - start
