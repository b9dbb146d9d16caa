"""Bio-inspired features: answers of Gabor filters in many widths and directions, and how they vary within windows.

The method of Guo, Mu, Fu & Huang, "Human age estimation using bio-inspired features", CVPR 2009. The filters are those
of Serre, Wolf, Bileschi, Riesenhuber & Poggio, "Robust object recognition with cortex-like mechanisms", PAMI 2007, from
5 pixels on. Two neighboring sizes make a band, of which the larger answer counts (MAX), and of the answers in a window
the standard deviation (STD), which tells wrinkled skin from smooth; windows overlap by half and grow with the band.
Not of the paper: the logarithm of that, for which half the contrast is the same step anywhere; ages come out better.
"""

import functools
import math

import torch
from scipy.fft import next_fast_len
from torch.nn.functional import avg_pool2d, pad

from ..errors import UsageError
from .base import FeatureExtractor

LUMA = (0.2125, 0.7154, 0.0721)  # the weights of skimage.color.rgb2gray
LEAST = 1e-3  # is added before the logarithm is taken; luminance is 0 to 1
ROUNDNESS = 0.3  # of a filter's envelope: its width across the stripes as a share of that along them


class Gabor(FeatureExtractor):
    """Bio-inspired features: how much the responses of Gabor filters vary in each window.

    `extract` returns a logarithm for each band, direction and window.

    Parameters
    ----------
    size : int
        side in pixels to which images are resized, even
    bands : int
        bands of two filter sizes each: 5 and 7 pixels, 9 and 11, and so on; their windows are 6 pixels wide, 8, ...
    orientations : int
        directions of the filters over 180 degrees
    mirror : bool
        mean over the image and its mirror image, a face being as old either way; as then every number has a twin on
        the other side, only one of the two is kept
    """

    version = 1
    cpu_chunk, gpu_chunk = 2, 64

    def __init__(self, *, size=60, bands=8, orientations=8, mirror=True):
        self.size, self.bands, self.orientations, self.mirror = size, bands, orientations, mirror

    def check_parameters(self):
        """Refuse numbers out of range, and a window that does not fit in the image."""
        if self.bands < 1:
            raise UsageError(f"gabor: bands={self.bands} is too small, give at least 1")
        if self.orientations < 1:
            raise UsageError(f"gabor: orientations={self.orientations} is too small, give at least 1")
        if self.size % 2:  # so that the mirror image has the same windows
            raise UsageError(f"gabor: size={self.size} must be even")
        if self.size < window(self.bands - 1):
            raise UsageError(f"gabor: {self.bands} bands need size={window(self.bands - 1)} or more, not {self.size}")

    def extract(self, batch):
        """Features `(n, d)` float32 of images `(n, 3, size, size)` uint8."""
        chunks = self._chunks(batch)
        rows = torch.cat([torch.cat([*spreads(luminance(c), self.bands, self.orientations)], 1) for c in chunks])
        if not self.mirror:
            return rows
        twin = twins(batch.shape[-1], self.bands, self.orientations).to(rows.device)
        kept = torch.nonzero(torch.arange(len(twin), device=twin.device) <= twin)[:, 0]
        return (rows[:, kept] + rows[:, twin[kept]]) / 2


def luminance(batch):
    """Return the luminance (n, h, w), 0 to 1, of RGB images (n, 3, h, w) of uint8."""
    red, green, blue = (batch / 255).unbind(1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def window(band):
    """Return the side in pixels of the windows of a band."""
    return 6 + 2 * band


def spreads(images, bands, orientations):
    """Yield for each band how much its answers vary in each window, (n, d), of gray images (n, h, w)."""
    side, margin = images.shape[-1], filter_sizes(bands - 1)[-1] // 2
    # By the convolution theorem, since the filters are large; beyond its borders an image is continued as in a mirror
    length = next_fast_len(side + 2 * margin, real=True)
    spectrum = torch.fft.rfft2(pad(images[:, None], [margin] * 4, mode="reflect"), s=(length, length))[:, None]
    inside = slice(2 * margin, 2 * margin + side)
    for band in range(bands):
        answers = torch.fft.irfft2(
            spectrum * filters(band, orientations, margin, length, images.device), s=(length,) * 2
        )
        larger = answers[..., inside, inside].amax(1)
        first, count, step = windows(side, band)
        last = first + (count - 1) * step + window(band)
        larger = larger[..., first:last, first:last]
        mean, of_squares = (avg_pool2d(values, window(band), step) for values in (larger, larger.square()))
        yield (of_squares - mean.square()).clamp_(min=0).sqrt_().add_(LEAST).log_().flatten(1)


def windows(side, band):
    """Return where along a side the first window of a band begins, how many there are, and from one to the next."""
    step = window(band) // 2
    steps = (side - window(band)) // step
    steps -= (side - window(band) - steps * step) % 2  # as much is left over before the first as after the last
    return (side - window(band) - steps * step) // 2, steps + 1, step


def filter_sizes(band):
    """Return the sides in pixels of the two filter sizes of a band."""
    return 5 + 4 * band, 7 + 4 * band


@functools.lru_cache
def filters(band, orientations, margin, length, device):
    """Return the spectra (2, orientations, length, length // 2 + 1) of the filters of a band, centered on `margin`."""
    bank = torch.zeros(2, orientations, 2 * margin + 1, 2 * margin + 1, dtype=torch.float64)
    for number, size in enumerate(filter_sizes(band)):
        inside = slice(margin - size // 2, margin + size // 2 + 1)
        for direction in range(orientations):
            bank[number, direction, inside, inside] = gabor(size, math.pi * direction / orientations)
    return torch.fft.rfft2(bank, s=(length, length)).to(torch.complex64).to(device)


def gabor(size, angle):
    """Return the even Gabor filter (size, size) of a direction in radians, with a sum of 0 and a length of 1."""
    spread = 0.0036 * size**2 + 0.35 * size + 0.18
    y, x = torch.meshgrid(*[torch.arange(size, dtype=torch.float64) - size // 2] * 2, indexing="ij")
    across, along = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    envelope = torch.exp(-(across**2 + (ROUNDNESS * along) ** 2) / (2 * spread**2))
    values = envelope * torch.cos(2 * math.pi * across / (spread / 0.8))
    values -= values.mean()
    return values / values.norm()


@functools.lru_cache
def twins(side, bands, orientations):
    """Return for each number of an image, (d,), the place of the one that means the same in the mirror image."""
    opposite = [-direction % orientations for direction in range(orientations)]
    places, first = [], 0
    for band in range(bands):
        count = windows(side, band)[1]
        numbers = first + torch.arange(orientations * count**2).view(orientations, count, count)
        places.append(numbers[opposite].flip(2).flatten())
        first += numbers.numel()
    return torch.cat(places)
