"""Local binary patterns agree with scikit-image, and refuse what cannot be."""

import numpy as np
import pytest
import torch
from skimage.feature import local_binary_pattern
from skimage.filters import gaussian

from ageensemble.errors import UsageError
from ageensemble.features import lbp


def extract(batch, **params):
    return lbp.LBP(**{"size": batch.shape[-1]} | params).extract(batch)


def grays(side, seed=0):
    """Return one gray image (side, side) of each kind: smooth, steps, noise, flat, checkerboard, gradients."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (side, side), dtype=np.uint8)
    smooth = gaussian(random.random((side, side)), sigma=4)
    smooth = np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))
    y, x = np.mgrid[:side, :side]
    flat = [np.full((side, side), level, np.uint8) for level in (0, 1, 77, 200, 255)]
    board = np.uint8((x // 3 + y // 3) % 2 * 200)
    return np.stack([smooth, smooth // 16 * 16, noise, noise // 128, *flat, board, np.uint8((x + y) // 2), np.uint8(x)])


def colors(side):
    random = np.random.default_rng(1)
    return torch.from_numpy(random.integers(0, 256, (3, 3, side, side), dtype=np.uint8))


@pytest.mark.parametrize(("radius", "points"), [(1, 8), (2, 8), (3, 8), (4, 8), (1.5, 8), (2, 12), (1, 4)])
@pytest.mark.parametrize("side", [40, 64])
def test_codes_equal_scikit_image(side, radius, points):
    images = grays(side)
    expected = np.stack([local_binary_pattern(image, points, radius, "nri_uniform") for image in images])
    found = lbp.codes(torch.from_numpy(images), radius, points).numpy()
    agreement = (found == expected).mean(axis=(1, 2))
    assert agreement.min() > 0.999


@pytest.mark.parametrize(("side", "grid"), [(64, 8), (64, 10), (50, 7)])
def test_histograms_are_the_square_roots_of_the_shares_of_scikit_images_codes(side, grid):
    batch = colors(side)
    expected = []
    for image in batch.permute(0, 2, 3, 1).numpy():
        gray = np.uint8(np.rint(image @ (2125, 7154, 721) / 10_000))  # rgb2gray, but exact at halves
        shares = []
        for radius in (1, 3):
            code = local_binary_pattern(gray, 8, radius, "nri_uniform")
            cell = np.arange(side) * grid // side
            for row in range(grid):
                for column in range(grid):
                    inside = code[np.ix_(cell == row, cell == column)]
                    shares.append(np.bincount(inside.astype(int).ravel(), minlength=59) / inside.size)
        expected.append(np.sqrt(np.concatenate(shares)))
    found = extract(batch, size=side, radii="1,3", grid=grid, mirror=False)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), np.stack(expected), atol=1e-6)


def test_every_histogram_of_a_radius_has_length_one():
    found = extract(colors(50), radii="1", grid=7, mirror=False).view(3, 49, 59)
    torch.testing.assert_close(found.square().sum(-1), torch.ones(3, 49))


def test_radii_may_be_one_number():
    assert torch.equal(extract(colors(32), radii=2), extract(colors(32), radii="2"))


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"radii": "1,two"}, "numbers separated by commas"),
        ({"radii": ""}, "numbers separated by commas"),
        ({"radii": "0"}, "between 0 and"),
        ({"radii": "32"}, "between 0 and"),
        ({"radii": "nan"}, "between 0 and"),
        ({"points": 1}, "points=1"),
        ({"grid": 0}, "grid=0"),
        ({"grid": 65}, "1 to 64"),
    ],
)
def test_impossible_parameters_are_refused(parameters, complaint):
    with pytest.raises(UsageError, match=complaint):
        lbp.LBP(size=64, **parameters).check_parameters()


def test_a_photograph_and_its_mirror_image_have_the_same_features():
    batch = colors(32)
    plain, mirrored = extract(batch), extract(batch.flip(3))
    torch.testing.assert_close(plain, mirrored, atol=1e-6, rtol=0)
    one_sided = extract(batch, mirror=False)
    torch.testing.assert_close(plain, (one_sided + extract(batch.flip(3), mirror=False)) / 2)
    assert not torch.allclose(one_sided, plain)
