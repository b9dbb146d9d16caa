"""Scaling and principal components for models that cannot digest thousands of features: plain arrays, fast, repeatable.

Halko, Martinsson & Tropp 2011, "Finding structure with randomness", SIAM Review 53(2), algorithms 4.4 and 5.3. Several
feature sets are given the same total variance first, lest thousands of columns outvote hundreds: Westerhuis, Kourti &
MacGregor 1998, "Analysis of multiblock and hierarchical PCA and PLS models", Journal of Chemometrics 12(5).
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 1024  # rows in memory at a time: the features may be a memmap larger than memory
OVERSAMPLE, PASSES = 32, 2  # extra directions and passes over the data; the spectrum of image features falls fast


@dataclass
class Projection:
    """An affine map from d features to k components."""

    axes: np.ndarray  # (d, k) float32
    shift: np.ndarray  # (k,) float32, the projected mean

    def __call__(self, x):
        """Project `(n, d)` to `(n, k)` float32, a block of rows at a time."""
        result = np.empty((len(x), len(self.shift)), np.float32)
        for start in range(0, len(x), BLOCK):
            result[start : start + BLOCK] = x[start : start + BLOCK] @ self.axes - self.shift
        return result


def principal_components(x, components, *, seed, widths=None):
    """Fit a projection on the leading principal components of the standardized features; no label is looked at.

    The output is scaled to a mean squared length of 1, so that a kernel width means the same whatever the features are.

    Parameters
    ----------
    x : (n, d) float32 array or memmap
    components : int
        at most; fewer where the items or features are fewer
    seed : int
    widths : sequence of int, optional
        columns of each feature set in `x`, from left to right; without it all are one set

    Returns
    -------
    Projection
    """
    n, d = x.shape
    mean, deviation = _moments(x)
    varies = deviation > 1e-6
    scale = _balance(varies, widths or [d]) / np.where(varies, deviation, 1)

    def standardized():
        return ((x[start : start + BLOCK] - mean) * scale for start in range(0, n, BLOCK))

    k = max(1, min(components, n - 1, d))
    basis = np.random.default_rng(seed).standard_normal((d, min(k + OVERSAMPLE, n, d)), dtype=np.float32)
    for _ in range(PASSES):
        image = np.zeros_like(basis)
        for rows in standardized():
            image += rows.T @ (rows @ basis)
        basis = np.linalg.qr(image)[0]
    # what is left is the small eigenproblem inside the subspace found
    inside = np.concatenate([rows @ basis for rows in standardized()]).astype(np.float64)
    variance, axes = np.linalg.eigh(inside.T @ inside / n)
    variance, axes = np.maximum(variance[::-1][:k], 0), basis @ axes[:, ::-1][:, :k].astype(np.float32)
    axes *= np.where(axes[np.abs(axes).argmax(0), np.arange(k)] < 0, -1, 1)  # an eigenvector's sign is anybody's choice
    length = np.sqrt(variance.sum()) or 1.0  # 0 where all items look the same
    axes = np.ascontiguousarray(scale[:, None] * axes / length, np.float32)
    return Projection(axes, mean @ axes)


def _balance(varies, widths):
    """Weight of every column, `(d,)` float32, with which all sets have the same total variance; of a lone set 1."""
    counts = [part.sum() for part in np.split(varies, np.cumsum(widths)[:-1])]
    share = sum(counts) / len(counts)
    return np.repeat([np.sqrt(share / count) if count else 1 for count in counts], widths).astype(np.float32)


def _moments(x):
    """Mean and standard deviation of every feature, `(d,)` float32, without a float64 copy of all rows."""
    total, squares = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for start in range(0, len(x), BLOCK):
        rows = x[start : start + BLOCK].astype(np.float64)
        total += rows.sum(0)
        squares += (rows**2).sum(0)
    mean = total / len(x)
    return mean.astype(np.float32), np.sqrt(np.maximum(squares / len(x) - mean**2, 0)).astype(np.float32)
