"""HOG agrees with scikit-image, and refuses what cannot be."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2gray
from skimage.feature import hog as skimage_hog
from skimage.filters import gaussian

from ageensemble.errors import UsageError
from ageensemble.features import hog


def extract(batch, **params):
    return hog.HOG(**{"size": batch.shape[-1]} | params).extract(batch)


def photographs(side, seed=0):
    """Return one RGB image (side, side, 3) of each kind: smooth, noise, flat, checkerboard, gradients, gray."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
    smooth = gaussian(random.random((side, side, 3)), sigma=4, channel_axis=2)
    smooth = np.uint8(255 * (smooth - smooth.min()) / np.ptp(smooth))
    y, x = np.mgrid[:side, :side]
    flat = np.full((side, side, 3), (17, 101, 203), np.uint8)
    board = np.uint8((x // 3 + y // 3) % 2 * 200)[..., None] * np.ones(3, np.uint8)
    diagonal = np.uint8((x + y) // 2)[..., None] * np.ones(3, np.uint8)
    bowl = np.uint8(np.clip(np.hypot(x - side / 2, y - side / 3) * 2, 0, 255))[..., None] * np.ones(3, np.uint8)
    return np.stack([smooth, noise, flat, board, diagonal, bowl, noise[..., :1].repeat(3, 2)])


def batch_of(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def reference(image, cell, block, orientations):
    return skimage_hog(rgb2gray(image), orientations, (cell, cell), (block, block), block_norm="L2-Hys")


@pytest.mark.parametrize(
    ("side", "cell", "block", "orientations"),
    [(128, 8, 2, 9), (128, 8, 3, 9), (128, 16, 2, 9), (96, 12, 1, 9), (64, 8, 2, 7), (61, 9, 2, 9), (50, 7, 3, 11)],
)
def test_equals_scikit_image(side, cell, block, orientations):
    images = photographs(side)
    expected = np.stack([reference(image, cell, block, orientations) for image in images])
    found = extract(batch_of(images), size=side, cell=cell, block=block, orientations=orientations, mirror=False)
    assert found.dtype == torch.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_gradients_almost_on_the_edge_of_a_bin_fall_on_the_right_side():
    # Luminances in whole numbers whose quotients approach tan(20 degrees) as closely as 22 bits allow.
    edge = np.tan(np.pi / 9)
    right = np.arange(1_000_000, 2_500_000)
    down = np.rint(right * edge)
    closest = np.argsort(abs(down / right - edge))[:1000]
    right, down = right[closest], down[closest]
    found = hog.orientation_bins(torch.tensor(down).float(), torch.tensor(right).float(), 9)
    np.testing.assert_array_equal(found.numpy(), np.arctan2(down, right) // (np.pi / 9))


def test_a_flat_photograph_has_no_edges():
    assert not extract(torch.full((1, 3, 64, 64), 200, dtype=torch.uint8)).any()


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"cell": 0}, "cell=0"),
        ({"block": 0}, "block=0"),
        ({"orientations": 8}, "odd"),
        ({"cell": 40, "block": 2}, "needs size=80"),
    ],
)
def test_impossible_parameters_are_refused(parameters, complaint):
    with pytest.raises(UsageError, match=complaint):
        hog.HOG(size=64, **parameters).check_parameters()


def test_a_photograph_and_its_mirror_image_have_the_same_features():
    batch = batch_of(photographs(64))
    plain, mirrored = extract(batch), extract(batch.flip(3))
    torch.testing.assert_close(plain, mirrored, atol=1e-6, rtol=0)
    one_sided = extract(batch, mirror=False)
    torch.testing.assert_close(plain, (one_sided + extract(batch.flip(3), mirror=False)) / 2)
    assert not torch.allclose(one_sided, plain)
