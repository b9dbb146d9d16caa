"""Histograms of oriented gradients: the strengths of edges by direction, in overlapping blocks of cells.

The method of Dalal & Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005, with the exact
conventions of the reference implementation, `skimage.feature.hog`: central differences that are zero on the border,
hard votes into unsigned orientation bins, 'L2-Hys' normalization of blocks that move by one cell.
"""

import functools
import math

import torch

from ._flip import mean_with_mirror

version = 1  # raised whenever the numbers change

LUMA = (2125, 7154, 721)  # the weights of skimage.color.rgb2gray, times 10,000: whole numbers keep the grays exact
WHITE = 255 * sum(LUMA)
CPU_CHUNK, GPU_CHUNK = 8, 256  # images at a time: few enough for the processor's cache, many enough for a GPU


def extract(batch, *, size=128, cell=12, block=3, orientations=9, mirror=True):
    """Describe each photograph by its normalized edge histograms.

    Parameters
    ----------
    batch : torch.Tensor of uint8, (n, 3, size, size)
        Photographs in RGB, on any device.
    size : int
        Side in pixels to which the caller resizes the photographs beforehand; the batch is used as it is.
    cell : int
        Side of a cell in pixels. Pixels right of or below the last whole cell do not vote.
    block : int
        Side of a block in cells.
    orientations : int
        Number of bins over 180 degrees; odd, so that no bin begins at 45 or 90 degrees.
    mirror : bool
        The mean over the photograph and its mirror image: a face is as old either way.

    Returns
    -------
    torch.Tensor of float32, (n, blocks * blocks * block * block * orientations)
        Where blocks = size // cell - block + 1; on the device of `batch`.

    Raises
    ------
    ValueError
        If a parameter is out of range, or not even one block fits in the photograph.
    """
    side = batch.shape[-1]
    if cell < 1:
        raise ValueError(f"hog: cell={cell} is too small, give at least 1 pixel")
    if block < 1:
        raise ValueError(f"hog: block={block} is too small, give at least 1 cell")
    if orientations < 3 or orientations % 2 == 0:
        raise ValueError(f"hog: orientations={orientations} will not do, give an odd number from 3 on")
    if side < cell * block:
        raise ValueError(f"hog: blocks of {block} cells of {cell} pixels need size={cell * block} or more, not {side}")

    def describe(images):
        return normalize(cell_histograms(luminance(images), cell, orientations), block)

    chunks = batch.split(CPU_CHUNK if batch.device.type == "cpu" else GPU_CHUNK)
    return torch.cat([mean_with_mirror(describe, chunk) if mirror else describe(chunk) for chunk in chunks])


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
        As in `extract`.

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
