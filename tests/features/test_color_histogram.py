"""Histograms of colors agree with scikit-image's CIELAB, and every pixel votes once."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from ageensemble.errors import UsageError
from ageensemble.features import color_histogram


def extract(batch, **params):
    return color_histogram.ColorHistogram(**{"size": batch.shape[-1]} | params).extract(batch)


def noise(side, n=2):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, side, side), dtype=np.uint8))


def plain(*pixel, side=8):
    """Return a photograph of one color."""
    return torch.tensor(pixel, dtype=torch.uint8)[None, :, None, None].expand(1, 3, side, side)


def test_colors_are_those_of_scikit_image():
    ends = torch.tensor(np.stack(np.meshgrid([0, 1, 9, 10, 11, 254, 255], *[[0, 10, 128, 255]] * 2)), dtype=torch.uint8)
    for batch in (noise(20), ends.flatten(1)[None, :, None]):
        expected = rgb2lab(batch.permute(0, 2, 3, 1).numpy())
        np.testing.assert_allclose(color_histogram.lab(batch).permute(0, 2, 3, 1), expected, atol=2e-3)


def test_a_pixel_between_the_middles_of_two_bins_votes_for_both():
    rows = extract(plain(255, 255, 255), grid=1, bins=12) ** 2
    lightness, a, b = rows.view(3, 12)
    assert lightness.round(decimals=3).tolist() == [0] * 11 + [1]
    for histogram in (a, b):  # 0 is in the middle of -40 to 40, between the sixth and the seventh of twelve bins
        np.testing.assert_allclose(histogram, [0] * 5 + [0.5, 0.5] + [0] * 5, atol=1e-3)


def test_colors_beyond_the_ends_count_for_the_outermost_bins():
    [found] = extract(plain(0, 0, 255), grid=1, bins=4) ** 2  # lightness 32.3, a 79.2, b -107.9
    np.testing.assert_allclose(found, [0.031, 0.969, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0], atol=1e-3)


@pytest.mark.parametrize(("side", "grid"), [(64, 8), (30, 7), (9, 9)])
def test_the_shares_of_each_cell_and_color_sum_to_one(side, grid):
    rows = extract(noise(side), grid=grid, bins=5, mirror=False)
    assert rows.shape == (2, grid * grid * 3 * 5)
    np.testing.assert_allclose((rows**2).view(2, -1, 5).sum(2), 1, atol=1e-5)


def test_cells_stand_in_rows_and_a_mirror_image_is_the_same():
    batch = torch.cat([plain(200, 30, 30), plain(20, 20, 20)], 3)  # 16 wide, red on the left
    batch = torch.cat([batch, plain(255, 255, 255, side=16)[..., :8, :]], 2)  # white below
    cells = extract(batch, grid=2, mirror=False).view(4, -1)
    for cell, pixel in enumerate([(200, 30, 30), (20, 20, 20), (255, 255, 255), (255, 255, 255)]):
        np.testing.assert_allclose(cells[cell], extract(plain(*pixel), grid=1, mirror=False)[0], atol=1e-5)
    rows = [extract(images, grid=2) for images in (batch, batch.flip(3))]
    np.testing.assert_allclose(*rows, atol=1e-6)
    assert not torch.allclose(rows[0].view(4, -1), cells)


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"grid": 0}, "grid=0 must be 1 to 8"),
        ({"grid": 9}, "grid=9 must be"),
        ({"bins": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_is_refused(params, complaint):
    with pytest.raises(UsageError, match=complaint):
        color_histogram.ColorHistogram(size=8, **params).check_parameters()
