"""Local binary patterns: which neighbors on circles around a pixel are no darker than it, counted over a grid.

The method of Ojala, Pietikainen & Maenpaa, "Multiresolution gray-scale and rotation invariant texture classification
with local binary patterns", PAMI 2002, with the grid of histograms for faces of Ahonen, Hadid & Pietikainen, PAMI 2006.
The codes are those of the reference implementation, `skimage.feature.local_binary_pattern(method="nri_uniform")`.
"""

import functools
import math

import torch
from torch.nn.functional import pad

from ..errors import UsageError
from .base import FeatureExtractor


class LBP(FeatureExtractor):
    """Local binary patterns: histograms of the uniform patterns in each cell of a grid.

    `extract` returns radii * grid * grid * (points * (points - 1) + 3) numbers, square roots of shares.

    Parameters
    ----------
    size : int
        side in pixels to which images are resized
    radii : str
        radii of the circles in pixels, separated by commas
    points : int
        neighbors on each circle, 2 to 16
    grid : int
        cells along each side of the image; each has a histogram of its own
    mirror : bool
        mean over the image and its mirror image: a face is as old either way
    """

    version = 1
    cpu_chunk, gpu_chunk = 4, 256

    def __init__(self, *, size=128, radii="1,4", points=8, grid=8, mirror=True):
        self.size, self.radii, self.points, self.grid, self.mirror = size, radii, points, grid, mirror

    def check_parameters(self):
        """Refuse numbers out of range, and radii that are no list of numbers."""
        try:
            fits = all(0 < radius < self.size / 2 for radius in self._circles())
        except ValueError:
            raise UsageError(f"lbp: radii={self.radii!r} must be numbers separated by commas, such as '1,4'") from None
        if not fits:
            raise UsageError(f"lbp: radii={self.radii!r} must lie between 0 and half of size={self.size}")
        if not 2 <= self.points <= 16:
            raise UsageError(f"lbp: points={self.points} must be 2 to 16")
        if not 1 <= self.grid <= self.size:
            raise UsageError(f"lbp: grid={self.grid} must be 1 to {self.size} cells along a side")

    def _circles(self):
        return [float(radius) for radius in str(self.radii).split(",")]

    def extract(self, batch):
        """Features `(n, d)` float32 of images `(n, 3, size, size)` uint8."""

        def describe(images):
            levels = gray(images)
            return torch.cat([histograms(levels, radius, self.points, self.grid) for radius in self._circles()], 1)

        return self._in_chunks(describe, batch)


def gray(batch):
    """Return the luminance (n, h, w) of RGB images (n, 3, h, w), both of uint8, by the weights of skimage.color."""
    red, green, blue = batch.float().unbind(1)  # whole numbers are exact: every device rounds to the same grays
    return red.mul_(2125).add_(green, alpha=7154).add_(blue, alpha=721).div_(10_000).round_().to(torch.uint8)


def histograms(image, radius, points, grid):
    """Return the square-rooted shares (n, grid * grid * codes) of the codes of gray images (n, h, w)."""
    n, height, width = image.shape
    count = points * (points - 1) + 3
    votes = codes(image, radius, points)
    votes += count * cell_numbers(height, width, grid, image.device)
    counts = torch.zeros(n, grid * grid * count, device=image.device)
    counts.scatter_add_(1, votes.flatten(1), torch.ones(n, height * width, device=image.device))
    counts = counts.view(n, grid * grid, count)
    return (counts / counts.sum(-1, keepdim=True)).sqrt().flatten(1)


@functools.lru_cache
def cell_numbers(height, width, grid, device):
    """Return the number of the grid's cell (height, width) in which each pixel lies."""
    row = torch.arange(height, device=device)[:, None] * grid // height
    column = torch.arange(width, device=device) * grid // width
    return row * grid + column


def codes(gray, radius, points):
    """Return the code of the uniform pattern around each pixel.

    Parameters
    ----------
    gray : torch.Tensor of uint8, (n, h, w)
        Gray images; beyond their borders lies black.
    radius : float
        Radius of the circle in pixels.
    points : int
        Number of neighbors on the circle.

    Returns
    -------
    torch.Tensor of int64, (n, h, w)
        0 to points * (points - 1) + 2; the last code is shared by all patterns that are not uniform.
    """
    patterns = torch.zeros(gray.shape, dtype=torch.int32, device=gray.device)
    center = {torch.uint8: gray, torch.float64: gray.double()}
    for point, neighbor in enumerate(neighbors(gray, radius, points)):
        bits = torch.empty(gray.shape, dtype=neighbor.dtype, device=gray.device)
        torch.ge(neighbor, center[neighbor.dtype], out=bits)  # faster than into bool
        patterns.add_(bits.int(), alpha=1 << point)
    return code_table(points, gray.device).index_select(0, patterns.flatten()).view(gray.shape)


def neighbors(gray, radius, points):
    """Yield, for each point of the circle, the image (n, h, w) of the gray levels found there around each pixel."""
    # Between equal pixels the interpolated level comes out equal or smaller by rounding alone, and the codes of
    # smooth skin depend on it: so these steps follow scikit-image's in their order and in float64.
    margin = math.ceil(radius) + 1
    exact = pad(gray, [margin] * 4)
    image, across = exact.double(), {}
    for point in range(points):
        angle = 2 * math.pi * point / points
        dy, dx = round(-radius * math.sin(angle), 5), round(radius * math.cos(angle), 5)
        if dy.is_integer() and dx.is_integer():
            yield shift(shift(exact, dx, 2, margin), dy, 1, margin)
        else:
            if dx not in across:
                across[dx] = shift(image, dx, 2, margin)
            yield shift(across[dx], dy, 1, margin)


def shift(image, offset, axis, margin):
    """Return what lies `offset` pixels further along an axis, interpolated, without the margins of that axis."""
    length = image.shape[axis] - 2 * margin
    whole = math.floor(offset)
    near = image.narrow(axis, margin + whole, length)
    if offset == whole:
        return near
    far = image.narrow(axis, margin + whole + 1, length)
    near_weight, far_weight = weights(length, offset, axis, image.device)
    return (near * near_weight).add_(far * far_weight)


@functools.lru_cache
def weights(length, offset, axis, device):
    """Return the weights, (length, 1) for axis 1 or (length,) for axis 2, of the pixels before and after an offset."""
    position = torch.arange(length, dtype=torch.float64, device=device)
    far = (position + offset) - (position + math.floor(offset))  # rounding differs a little from pixel to pixel
    far = far[:, None] if axis == 1 else far
    return 1 - far, far


@functools.lru_cache
def code_table(points, device):
    """Return the table (2 ** points,) from a pattern, one bit a point, to its code in scikit-image's order."""
    table = []
    for pattern in range(2**points):
        bits = [pattern >> point & 1 for point in range(points)]
        ones = sum(bits)
        if sum(bits[i] != bits[i + 1] for i in range(points - 1)) > 2:
            code = points * (points - 1) + 2
        elif ones in (0, points):
            code = 0 if ones == 0 else points * (points - 1) + 1
        else:
            turns = ones - bits.index(0) if bits[0] else points - bits.index(1)
            code = 1 + (ones - 1) * points + turns
        table.append(code)
    return torch.tensor(table, device=device)
