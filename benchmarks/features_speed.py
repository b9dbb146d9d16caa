"""Time HOG, LBP, Gabor features and CLAHE against loops over scikit-image and scipy, on one core.

    python benchmarks/features_speed.py --data UTKFace

takes about 45 seconds on an idle core. Expected: HOG with cells of 8 pixels at least 15 times as fast (with the larger
cells of the default scikit-image loops over fewer blocks, so about 12 times) and differences below 1e-5; LBP at least
3 times as fast with at least 99.9 % of the codes equal. Both sides describe the photographs alone; the default takes
the mean with the mirror image besides, which doubles the time, though not of Gabor features. Those at least 5 times as
fast as a loop over scipy's convolutions with the same filters, differences below 1e-3; CLAHE, of 256 pixels, at least
2.5 times as fast as scikit-image's, whose levels go with ours (correlation above 0.98). Without --data the photographs
are smooth random images.
"""

import argparse
import functools
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from scipy.signal import fftconvolve
from skimage.color import rgb2gray
from skimage.exposure import equalize_adapthist
from skimage.feature import hog as skimage_hog
from skimage.feature import local_binary_pattern
from skimage.util import view_as_windows

from ageensemble.data.image_io import LONG_SIDE
from ageensemble.data.transforms import clahe
from ageensemble.features import gabor, hog, lbp

HOG_SIZES = (8, 2), (8, 3), (12, 3)  # sides of a cell in pixels and of a block in cells
RADII = 1, 4
GABOR_SIZE, GABOR_COUNT = 60, 16  # pixels, and photographs, of which scipy takes many seconds


def photographs(folder, count, size):
    """Return uint8 images (count, size, size, 3): evenly spaced files of a folder, or smooth random ones."""
    if folder:
        files = sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png"))
        pictures = [Image.open(file).convert("RGB") for file in files[:: max(1, len(files) // count)][:count]]
    else:
        random = np.random.default_rng(0)
        pictures = [Image.fromarray(random.integers(0, 256, (20, 20, 3), dtype=np.uint8)) for _ in range(count)]
    return np.stack([np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)) for picture in pictures])


def skimage_loop_hog(images, cell, block):
    """Return the features (n, d) of RGB images (n, size, size, 3)."""
    blocks = {"pixels_per_cell": (cell, cell), "cells_per_block": (block, block)}
    return np.stack([skimage_hog(rgb2gray(image), 9, **blocks, block_norm="L2-Hys") for image in images])


def skimage_loop_lbp(images):
    """Return histograms (n, d) of the codes for each radius on a grid of 8 x 8 cells."""
    rows, columns = np.indices(images.shape[1:3]) * 8 // images.shape[1]
    cells = rows * 8 + columns
    histograms = []
    for image in images:
        gray = np.uint8(np.rint(255 * rgb2gray(image)))
        codes = [np.int64(local_binary_pattern(gray, 8, radius, "nri_uniform")) for radius in RADII]
        counts = [np.bincount((cells * 59 + code).ravel(), minlength=64 * 59) for code in codes]
        histograms.append(np.sqrt(np.concatenate(counts) * 64 / gray.size))
    return np.stack(histograms)


def scipy_loop_gabor(images, bands=8, orientations=8):
    """Return the features (n, d) of RGB images (n, size, size, 3), of all windows and directions."""
    angles = [np.pi * direction / orientations for direction in range(orientations)]
    filters = [[[gabor.gabor(size, angle).numpy() for size in gabor.filter_sizes(band)] for angle in angles]
               for band in range(bands)]  # fmt: skip
    margin = gabor.filter_sizes(bands - 1)[-1] // 2
    rows = []
    for image in images:
        gray, row = np.pad(rgb2gray(image).astype(np.float32), margin, "reflect"), []
        for band, directions in enumerate(filters):
            first, count, step = gabor.windows(image.shape[0], band)
            inside = slice(margin + first, margin + first + (count - 1) * step + gabor.window(band))
            for pair in directions:
                larger = np.maximum(*(fftconvolve(gray, each, "same") for each in pair))[inside, inside]
                row.append(view_as_windows(larger, (gabor.window(band),) * 2, step).std((2, 3)).ravel())
        rows.append(np.log(np.concatenate(row) + gabor.LEAST))
    return np.stack(rows)


def skimage_loop_clahe(grays):
    """Return enhanced gray images (n, size, size), 0 to 255."""
    tile = grays.shape[1] // clahe.TILES
    return np.stack([255 * equalize_adapthist(gray, (tile, tile), clahe.LIMIT) for gray in grays])


def share_of_equal_codes(grays):
    """Return how many codes of gray images, a uint8 tensor (n, size, size), are those of scikit-image."""
    equal = [
        lbp.codes(grays, radius, 8).numpy()
        == [local_binary_pattern(gray, 8, radius, "nri_uniform") for gray in grays.numpy()]
        for radius in RADII
    ]
    return np.mean(equal)


def seconds(function):
    """Return the processor time of one call."""
    start = time.process_time()  # of this process alone: other programs disturb it less than the clock
    function()
    return time.process_time() - start


def main():
    """Check, time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of photographs")
    parser.add_argument("--count", type=int, default=128, help="number of photographs")
    parser.add_argument("--size", type=int, default=128, help="side of the photographs in pixels, a multiple of 8")
    parser.add_argument("--repeats", type=int, default=9, help="timings of each, of which the median is shown")
    options = parser.parse_args()

    torch.set_num_threads(1)
    images = photographs(options.data, options.count, options.size)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    rows = []
    for cell, block in HOG_SIZES:
        ours = functools.partial(hog.HOG(size=options.size, cell=cell, block=block, mirror=False).extract, batch)
        theirs = functools.partial(skimage_loop_hog, images, cell, block)
        difference = np.abs(ours().numpy() - theirs()).max()
        rows.append((f"HOG {cell}, {block}", options.count, ours, theirs, f"largest difference {difference:.1e}"))
    ours = functools.partial(lbp.LBP(size=options.size, radii=",".join(map(str, RADII)), mirror=False).extract, batch)
    theirs = functools.partial(skimage_loop_lbp, images)
    rows.append(("LBP", options.count, ours, theirs, f"{share_of_equal_codes(lbp.gray(batch)):.3%} of the codes equal"))
    few = photographs(options.data, GABOR_COUNT, GABOR_SIZE)
    ours = functools.partial(gabor.Gabor(mirror=False).extract, torch.from_numpy(few).permute(0, 3, 1, 2).contiguous())
    theirs = functools.partial(scipy_loop_gabor, few)
    difference = np.abs(ours().numpy() - theirs()).max()
    rows.append(("Gabor", len(few), ours, theirs, f"largest difference {difference:.1e}"))
    large = photographs(options.data, options.count, LONG_SIDE)
    grays = lbp.gray(torch.from_numpy(large).permute(0, 3, 1, 2)).numpy()
    ours, theirs = (lambda: np.stack([*map(clahe.equalized, grays)])), functools.partial(skimage_loop_clahe, grays)
    together = np.corrcoef(ours().ravel(), theirs().ravel())[0, 1]
    rows.append(("CLAHE", len(grays), ours, theirs, f"correlation {together:.4f}"))

    print(f"{len(images)} photographs of {options.size} x {options.size} pixels, one thread")
    print(f"{'':10}{'images/s':>10}{'the loop':>14}{'ratio':>8}")
    for name, count, ours, theirs, remark in rows:
        times = [(seconds(ours), seconds(theirs)) for _ in range(options.repeats)]
        fast, slow = (count / median(column) for column in zip(*times, strict=True))
        print(f"{name:10}{fast:10.0f}{slow:14.0f}{fast / slow:8.1f}   {remark}")


if __name__ == "__main__":
    main()
