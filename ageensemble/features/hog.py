"""Histograms of oriented gradients: the strengths of edges by direction, in overlapping blocks of cells.

The method of Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005, with the exact
conventions of the reference implementation, `skimage.feature.hog`: central differences that are zero on the border,
hard votes into unsigned orientation bins, 'L2-Hys' normalization of blocks that move by one cell.
"""

import functools
import math

import torch

from ..errors import UsageError
from .base import FeatureExtractor

LUMA = (2125, 7154, 721)  # the weights of skimage.color.rgb2gray, times 10,000: whole numbers keep the grays exact
WHITE = 255 * sum(LUMA)


class HOG(FeatureExtractor):
    """Histograms of oriented gradients: normalized histograms of edge directions.

    `extract` returns blocks * blocks * block * block * orientations numbers, blocks = size // cell - block + 1.

    Parameters
    ----------
    size : int
        side in pixels to which images are resized
    cell : int
        side of a cell in pixels; pixels right of or below the last whole cell do not vote
    block : int
        side of a block in cells
    orientations : int
        bins over 180 degrees; odd, so that no bin begins at 45 or 90 degrees
    mirror : bool
        mean over the image and its mirror image: a face is as old either way
    """

    version = 1
    cpu_chunk, gpu_chunk = 8, 256

    def __init__(self, *, size=128, cell=12, block=3, orientations=9, mirror=True):
        self.size, self.cell, self.block, self.orientations, self.mirror = size, cell, block, orientations, mirror

    def check_parameters(self):
        """Refuse numbers out of range, and a size in which not even one block fits."""
        if self.cell < 1:
            raise UsageError(f"hog: cell={self.cell} is too small, give at least 1 pixel")
        if self.block < 1:
            raise UsageError(f"hog: block={self.block} is too small, give at least 1 cell")
        if self.orientations < 3 or self.orientations % 2 == 0:
            raise UsageError(f"hog: orientations={self.orientations} must be an odd number of at least 3")
        if self.size < self.cell * self.block:
            block = f"a block of {self.block} cells of {self.cell} pixels"
            raise UsageError(f"hog: {block} needs size={self.cell * self.block} or more, not {self.size}")

    def extract(self, batch):
        """Features `(n, d)` float32 of images `(n, 3, size, size)` uint8."""

        def describe(images):
            return normalize(cell_histograms(luminance(images), self.cell, self.orientations), self.block)

        return self._in_chunks(describe, batch)


def luminance(batch):
    """Return the luminance (n, h, w) of RGB images (n, 3, h, w) in whole numbers between 0 and `WHITE`."""
    red, green, blue = batch.float().unbind(1)  # all exact: WHITE is below 2 ** 24
    return red.mul_(LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def cell_histograms(image, cell, orientations):
    """Return the mean gradient magnitude of each orientation in each cell.

    Parameters
    ----------
    image : torch.Tensor of float32, (n, h, w)
        Luminance between 0 and `WHITE`.
    cell, orientations : int
        As of `HOG`.

    Returns
    -------
    torch.Tensor of float32, (n, h // cell, w // cell, orientations)
        For luminance between 0 and 1.
    """
    n, height, width = image.shape
    rows, columns = height // cell, width // cell
    down, right = torch.zeros_like(image), torch.zeros_like(image)
    torch.sub(image[:, 2:], image[:, :-2], out=down[:, 1:-1])
    torch.sub(image[:, :, 2:], image[:, :, :-2], out=right[:, :, 1:-1])

    votes = down.square().addcmul_(right, right).sqrt_()
    bins = orientation_bins(down, right, orientations)
    bins += first_bins(height, width, cell, orientations, image.device)
    histograms = torch.zeros(n, (rows * columns + 1) * orientations, device=image.device)
    histograms.scatter_add_(1, bins.int().long().flatten(1), votes.flatten(1))  # by way of int, which is faster
    return histograms[:, :-orientations].view(n, rows, columns, orientations) / (WHITE * cell * cell)


def orientation_bins(down, right, orientations):
    """Return the bin, 0 to orientations - 1, of the angle of each gradient modulo 180 degrees, as float32."""
    # The edges of the bins lie mirrored about 90 degrees, so |down| - |right| * tan(edge) tells how many of the
    # edges below 90 degrees the mirrored angle has passed. Its sign must be right even when the gradient is almost
    # on the edge: tan(edge) is split in two, as each step is a fused multiply-add that rounds only once.
    steep, flat = down.abs(), right.abs()
    middle = orientations // 2
    balance = torch.full_like(down, -middle)  # edges passed less edges not passed, less `middle`: even, 0 at most
    for edge in range(1, middle + 1):
        tangent = math.tan(math.pi * edge / orientations)
        coarse = torch.tensor(tangent, dtype=torch.float32).item()
        balance += steep.sub(flat, alpha=coarse).sub_(flat, alpha=tangent - coarse).sign_()
    mirrored = (down * right).add_(0.5).sign_()  # -1 above 90 degrees, else 1: the products are whole numbers
    return torch.full_like(down, middle).addcmul_(balance, mirrored, value=0.5)


@functools.lru_cache
def first_bins(height, width, cell, orientations, device):
    """Return (height, width) the number of the first bin of the cell in which each pixel votes, the last for none."""
    rows, columns = height // cell, width // cell
    row = torch.arange(height, device=device)[:, None] // cell
    column = torch.arange(width, device=device) // cell
    numbers = torch.where((row < rows) & (column < columns), row * columns + column, rows * columns)
    return (orientations * numbers).float()


def normalize(histograms, block):
    """Return the 'L2-Hys' normalized blocks (n, d) of cell histograms (n, rows, columns, orientations)."""
    blocks = histograms.unfold(1, block, 1).unfold(2, block, 1).permute(0, 1, 2, 4, 5, 3).flatten(3)
    return unit(unit(blocks).clamp_(max=0.2)).flatten(1)


def unit(vectors):
    """Return vectors (..., d) scaled to a length of one; very short ones stay short."""
    return vectors / vectors.square().sum(-1, keepdim=True).add_(1e-10).sqrt_()
