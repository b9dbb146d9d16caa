from pathlib import Path

import pytest
import torch

from ageensemble.models.neural.memory import keep_freed_memory

STATUS = Path("/proc/self/statm")
MEGABYTES = 200


def resident():
    """Megabytes of this process in memory."""
    return int(STATUS.read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(not STATUS.exists(), reason="only the C library of Linux is told to keep memory")
def test_freed_memory_is_kept_for_the_next_step_and_given_back_in_the_end():
    before = resident()
    keep_freed_memory()
    try:
        buffers = [torch.ones(5_000_000) for _ in range(MEGABYTES // 20)]
        del buffers
        kept = resident() - before
    finally:
        keep_freed_memory(False)
    if kept < 1:
        pytest.skip("this C library gives memory back whatever one says")
    assert kept > 0.5 * MEGABYTES  # the rest went into memory that lay free before
    assert resident() - before < kept - 0.4 * MEGABYTES
