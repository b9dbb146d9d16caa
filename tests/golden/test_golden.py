"""No digit has changed since `digests.json` was written; see golden.py."""

import pytest
from golden.golden import check


@pytest.mark.parametrize("size", ["quick", pytest.param("full", marks=pytest.mark.slow)])
def test_no_digit_has_changed(size, tmp_path):
    compared, *different = check(size, tmp_path)
    assert not different, "\n".join([compared, *different])
