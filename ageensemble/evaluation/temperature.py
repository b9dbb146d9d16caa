"""Temperatures: one number per member, which makes its distributions as sure of themselves as they are right.

Guo, Pleiss, Sun & Weinberger 2017 (ICML), "On calibration of modern neural networks".
"""

import numpy as np

from .likelihood import given, normalized

COLDEST, HOTTEST = 0.05, 20.0
TOLERANCE = 1e-3  # relative
BLOCK = 1024  # items at once, few enough to stay in the processor's cache


def fit(logs, y):
    """The temperature under which the labels are likeliest.

    Newton's steps on 1/T, in which the loss is convex where labels are exact, within a bracket that the sign of the
    slope narrows.

    Parameters
    ----------
    logs : (n, A) float32 array
        logarithms of a member's age distributions, out-of-fold
    y : (n, 2) int array, years

    Returns
    -------
    float
        0.05 to 20; above 1 for a member that is too sure of itself
    """
    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1.0
    while high > low * (1 + TOLERANCE):
        slope, curvature = _derivatives(logs, y, inverse)
        low, high = (inverse, high) if slope < 0 else (low, inverse)
        step = inverse - slope / max(curvature, 1e-12)
        before, inverse = inverse, step if low < step < high else np.sqrt(low * high)
        if abs(inverse - before) < TOLERANCE * before:
            break
    return float(1 / inverse)


def _derivatives(logs, y, inverse):
    """Slope and curvature of the mean loss by 1/T; of the curvature the part that is never negative."""
    slope = curvature = 0.0
    for start in range(0, len(y), BLOCK):
        block, labels = logs[start : start + BLOCK], y[start : start + BLOCK]
        scores = block * np.float32(inverse)
        expected, square = _moments(normalized(scores)[0], block)
        true, _ = _moments(given(scores, labels)[0], block)
        slope += float((expected - true).sum())
        curvature += float((square - expected**2).sum())
    return slope / len(y), curvature / len(y)


def _moments(p, values):
    """Expected values and squares of each row, `(n,)` float64."""
    weighted = p * values
    return weighted.sum(1, dtype=np.float64), (weighted * values).sum(1, dtype=np.float64)
