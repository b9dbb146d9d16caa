"""Bio-inspired features are what slow loops over scipy's filters give, and the same for mirror images."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.filters import gabor_kernel

from ageensemble.errors import UsageError
from ageensemble.features import gabor


def extract(batch, **params):
    return gabor.Gabor(**{"size": batch.shape[-1]} | params).extract(batch)


def noise(side, n=2, seed=0):
    """Return photographs (n, 3, side, side) of smooth noise."""
    random = np.random.default_rng(seed).random((n, 3, side, side))
    smooth = ndimage.gaussian_filter(random, (0, 0, 1.5, 1.5))
    return torch.from_numpy(np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth)))


@pytest.mark.parametrize("size", [5, 7, 11, 35])
@pytest.mark.parametrize("angle", [0, 0.4, np.pi / 2, 2.5])
def test_filters_are_those_of_scikit_image_without_what_a_flat_image_answers(size, angle):
    spread = {5: 2.02, 7: 2.8064, 11: 4.4656, 35: 16.84}[size]  # 0.0036 size^2 + 0.35 size + 0.18
    kernel = gabor_kernel(0.8 / spread, angle, sigma_x=spread, sigma_y=spread / 0.3, n_stds=9).real
    middle, half = np.array(kernel.shape) // 2, size // 2
    kernel = kernel[middle[0] - half : middle[0] + half + 1, middle[1] - half : middle[1] + half + 1]
    expected = kernel - kernel.mean()
    expected /= np.linalg.norm(expected)
    np.testing.assert_allclose(gabor.gabor(size, angle), expected, atol=1e-9)


def slowly(image, bands, orientations):
    """The numbers of one gray image, a filter, a window at a time."""
    found = []
    for band in range(bands):
        width, step = 6 + 2 * band, 3 + band
        for direction in range(orientations):
            kernels = [
                gabor.gabor(size, np.pi * direction / orientations).numpy() for size in (5 + 4 * band, 7 + 4 * band)
            ]
            larger = np.max([ndimage.correlate(image, kernel, mode="mirror") for kernel in kernels], axis=0)
            for top in range(0, 24 - width + 1, step):
                for left in range(0, 24 - width + 1, step):
                    found.append(np.log(larger[top : top + width, left : left + width].std() + 1e-3))
    return np.array(found)


def test_numbers_are_the_logarithms_of_standard_deviations_of_the_larger_answers():
    batch = noise(24)  # windows of 6 and of 8 pixels go evenly into 24
    found = extract(batch, size=24, bands=2, orientations=3, mirror=False)
    assert found.shape == (2, 3 * (7 * 7 + 5 * 5))
    for photograph, row in zip(batch, found, strict=True):
        gray = np.tensordot([0.2125, 0.7154, 0.0721], photograph.double().numpy() / 255, 1)
        np.testing.assert_allclose(row, slowly(gray, 2, 3), atol=2e-4)


def test_the_default_keeps_one_of_two_that_mean_the_same():
    batch = noise(60)
    everything = extract(batch, mirror=False)
    assert everything.shape[1] == 8 * sum(count**2 for count in (19, 14, 11, 9, 7, 6, 5, 5))
    kept = extract(batch)
    assert kept.shape == (2, 3632)
    means = np.sort(((everything + extract(batch.flip(3), mirror=False)) / 2)[0])
    place = np.searchsorted(np.sort(kept[0]), means).clip(1, 3631)
    nearest = np.minimum(*(np.abs(np.sort(kept[0])[place - after] - means) for after in (0, 1)))
    assert nearest.max() < 1e-4, "and no number is lost"


@pytest.mark.parametrize(("size", "orientations"), [(60, 8), (62, 5), (34, 1), (20, 4)])
def test_a_mirror_image_has_the_same_numbers(size, orientations):
    batch = noise(size)
    rows = [extract(images, bands=8, orientations=orientations) for images in (batch, batch.flip(3))]
    np.testing.assert_allclose(*rows, atol=1e-3)
    differing = [extract(images, bands=2, mirror=False) for images in (batch, batch.flip(3))]
    assert (differing[0] - differing[1]).abs().max() > 0.1


@pytest.mark.parametrize("side", range(20, 66, 2))
def test_windows_lie_evenly_within_the_photograph(side):
    for band in range(8):
        first, count, step = gabor.windows(side, band)
        left_over = side - (first + (count - 1) * step + gabor.window(band))
        assert first == left_over
        assert 0 <= first <= step
        assert count >= 1


@pytest.mark.parametrize("direction", range(4))
def test_stripes_are_answered_most_by_filters_of_their_direction(direction):
    y, x = np.mgrid[:40, :40]
    angle = np.pi * direction / 4
    stripes = 127 + 100 * np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / 3.5)
    batch = torch.from_numpy(np.uint8(stripes)).expand(1, 3, 40, 40)
    rows = extract(batch, bands=1, orientations=4, mirror=False)
    assert rows.view(4, -1).mean(1).argmax() == direction


def test_a_flat_photograph_has_no_spread_anywhere_and_its_brightness_does_not_count():
    for level in (0, 7, 255):
        rows = extract(torch.full((1, 3, 60, 60), level, dtype=torch.uint8))
        np.testing.assert_allclose(rows, np.log(1e-3), atol=0.01)


@pytest.mark.parametrize(
    ("params", "side", "complaint"),
    [
        ({"bands": 0}, 60, "bands=0 is too small"),
        ({"orientations": 0}, 60, "orientations=0 is too small"),
        ({}, 61, "size=61 must be even"),
        ({}, 18, "8 bands need size=20 or more, not 18"),
    ],
)
def test_what_cannot_be_is_refused(params, side, complaint):
    with pytest.raises(UsageError, match=complaint):
        gabor.Gabor(size=side, **params).check_parameters()
