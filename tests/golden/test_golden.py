"""No digit has changed since `digests.json` was written; see golden.py."""

import golden
import pytest


@pytest.mark.parametrize("size", ["quick", pytest.param("full", marks=pytest.mark.slow)])
def test_no_digit_has_changed(size, tmp_path):
    compared, *different = golden.check(size, tmp_path)
    assert not different, "\n".join([compared, *different])
