"""Histograms of colors over a grid: lightness, red against green, yellow against blue, as people see differences.

The colors are those of CIELAB (CIE 1976, for sRGB and the white of D65, as `skimage.color.rgb2lab`); the square roots
of shares make Euclidean distances those of Hellinger, as for other histograms of images in Arandjelovic & Zisserman,
"Three things everyone should know to improve object retrieval", CVPR 2012.
"""

import functools

import torch

from ..errors import UsageError
from .base import FeatureExtractor

XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
WHITE = (0.95047, 1.0, 1.08883)
LOW, HIGH = (0.0, -40.0, -40.0), (100.0, 40.0, 40.0)  # of lightness, a and b; skin is well inside


class ColorHistogram(FeatureExtractor):
    """Color histograms: lightness, red against green and yellow against blue in each cell of a grid.

    `extract` returns grid * grid * 3 * bins numbers, square roots of the shares of lightness, a and b.

    Parameters
    ----------
    size : int
        side in pixels to which images are resized
    grid : int
        cells along each side of the image; each has histograms of its own
    bins : int
        bins of a histogram; the vote of a pixel is shared by the two whose centers are nearest
    mirror : bool
        mean over the image and its mirror image: a face is as old either way
    """

    name = "color_histogram"
    version = 1
    cpu_chunk, gpu_chunk = 16, 256

    def __init__(self, *, size=64, grid=8, bins=12, mirror=True):
        self.size, self.grid, self.bins, self.mirror = size, grid, bins, mirror

    def check_parameters(self):
        """Refuse numbers out of range."""
        if not 1 <= self.grid <= self.size:
            raise UsageError(f"color_histogram: grid={self.grid} must be 1 to {self.size} cells along a side")
        if self.bins < 2:
            raise UsageError(f"color_histogram: bins={self.bins} is too small, give at least 2")

    def extract(self, batch):
        """Features `(n, d)` float32 of images `(n, 3, size, size)` uint8."""
        return self._in_chunks(lambda images: histograms(lab(images), self.grid, self.bins), batch)


def lab(batch):
    """Return the CIELAB colors (n, 3, h, w) of RGB images (n, 3, h, w) of uint8."""
    device = batch.device
    linear = intensities(device)[batch.int()].flatten(2)
    relative = (torch.tensor(XYZ, device=device) / torch.tensor(WHITE, device=device)[:, None]) @ linear
    x, y, z = torch.where(relative > 0.008856, relative.pow(1 / 3), 7.787 * relative + 16 / 116).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1).view(batch.shape)


@functools.lru_cache
def intensities(device):
    """Return the intensity of light, 0 to 1, that each of the 256 values of sRGB stands for."""
    value = torch.arange(256, dtype=torch.float64, device=device) / 255
    return torch.where(value > 0.04045, ((value + 0.055) / 1.055).pow(2.4), value / 12.92).float()


def histograms(colors, grid, bins):
    """Return the square-rooted shares (n, grid * grid * 3 * bins) of colors (n, 3, h, w) in each cell."""
    n, _, height, width = colors.shape
    low, high = (torch.tensor(ends, device=colors.device)[:, None, None] for ends in (LOW, HIGH))
    place = ((colors - low) * ((bins - 1) / (high - low))).clamp_(0, bins - 1)
    below = place.floor().clamp_(max=bins - 2)
    above = place - below
    first = below.long() + first_bins(height, width, grid, bins, colors.device)
    counts = torch.zeros(n, grid * grid * 3 * bins, device=colors.device)
    counts.scatter_add_(1, first.flatten(1), (1 - above).flatten(1))
    counts.scatter_add_(1, first.flatten(1) + 1, above.flatten(1))
    counts = counts.view(n, grid * grid * 3, bins)
    return (counts / counts.sum(-1, keepdim=True)).sqrt().flatten(1)


@functools.lru_cache
def first_bins(height, width, grid, bins, device):
    """Return (3, height, width) where the histogram begins in which each pixel votes with each of its colors."""
    row = torch.arange(height, device=device)[:, None] * grid // height
    column = torch.arange(width, device=device) * grid // width
    return bins * (3 * (row * grid + column) + torch.arange(3, device=device)[:, None, None])
