"""Fitting a log-pool: P(year a) in proportion to exp(sum over members of weight x score(a) + bias of a's stratum).

In weights and biases this is a multinomial logistic regression with shared coefficients: convex where labels are exact.
An unknown `x` is `(M + 14,)`: the weights, then the biases of `ages.DEFAULT_AGE_GROUPS`.
"""

import numpy as np
from scipy.optimize import lsq_linear

from ..ages import DEFAULT_AGE_GROUPS
from ..evaluation.likelihood import given, normalized
from .pooling import BLOCK

G = len(DEFAULT_AGE_GROUPS)
MEMBERSHIP = DEFAULT_AGE_GROUPS.matrix.astype(np.float32)
TOLERANCE = 1e-5  # nats per item; a step that promises less is the last and is taken without a look
STEPS = 50
RIDGE = 1e-6
FLATTEST = 1e-6  # of the steepest direction's curvature; below it single precision says nothing


def fit(scores, y, shrinkage, start=None):
    """Weights (none negative) and biases of the greatest penalised likelihood.

    Sum of losses in nats + shrinkage/2 x (sum of (weight - mean weight)^2 + sum of bias^2). What the weights sum to is
    left free: it says how much the members sharpen each other, and one number for all does not overfit. However many
    members there are, the first term lies between 0 (all alike) and shrinkage/2 (one has all).

    Newton's method; each step minimizes the quadratic model under the bounds, by bounded least squares.

    Parameters
    ----------
    scores : (M, n, A) float32 array
    y : (n, 2) int array, years
    shrinkage : float
        in items: it counts less the more of them there are
    start : (M + 14,) array, optional

    Returns
    -------
    (M + 14,) float64 array
    """
    members = len(scores)
    x = np.r_[np.full(members, 1 / members), np.zeros(G)] if start is None else start
    bound = np.r_[np.zeros(members), np.full(G, -np.inf)]
    matrix = penalty(members, shrinkage / len(y))
    now = _penalised(scores, y, x, matrix)
    for _ in range(STEPS):
        step = _step(now, x, bound)
        promised = -(now[1] @ step + step @ now[2] @ step / 2)
        if promised < TOLERANCE:
            return x + step
        size = 1.0
        while (new := _penalised(scores, y, x + size * step, matrix))[0] > now[0] and size > 1e-3:
            size /= 2
        if new[0] > now[0]:  # what is left is rounding
            break
        x, now = x + size * step, new
    return x


def penalty(members, shrinkage):
    """The matrix Q of the penalty x'Qx / 2; `RIDGE` holds what nothing else does."""
    result = RIDGE * np.eye(members + G)
    result[:members, :members] += shrinkage * (np.eye(members) - 1 / members)
    result[members:, members:] += shrinkage * np.eye(G)
    return result


def _penalised(scores, y, x, matrix):
    value, slope, curvature = derivatives(scores, y, x)
    return value + x @ matrix @ x / 2, slope + matrix @ x, curvature + matrix


def _step(now, x, bound):
    """To the minimum of the quadratic model within the bounds."""
    _, slope, curvature = now
    values, vectors = np.linalg.eigh(curvature)
    root = np.sqrt(np.maximum(values, FLATTEST * values[-1]))[:, None] * vectors.T
    target = root @ x - np.linalg.solve(root.T, slope)
    return np.maximum(lsq_linear(root, target, (bound, np.inf), method="bvls").x, bound) - x


def losses(scores, y, x):
    """-log P(label) of each item, nats, `(n,)`."""
    return np.concatenate([surprise for *_, surprise in _blocks(scores, y, x)] or [np.zeros(0)])


def derivatives(scores, y, x):
    """Mean loss in nats, its gradient and its matrix of second derivatives, without the penalty.

    Of a labeled range the matrix leaves out what would make it smaller, so that it never has a negative direction.
    """
    members, n = scores.shape[:2]
    value, slope, curvature = 0.0, np.zeros(len(x)), np.zeros((len(x), len(x)))
    for block, p, p_true, surprise in _blocks(scores, y, x):
        weighted = block * p
        expected = np.concatenate([weighted.sum(2), (p @ MEMBERSHIP).T])
        true = np.concatenate([np.einsum("mna,na->mn", block, p_true), (p_true @ MEMBERSHIP).T])
        value += float(surprise.sum())
        slope += (expected - true).sum(1, dtype=np.float64)
        curvature[:members, :members] += weighted.reshape(members, -1) @ block.reshape(members, -1).T
        curvature[:members, members:] += weighted.sum(1) @ MEMBERSHIP
        curvature[members:, members:] += np.diag(expected[members:].sum(1))
        curvature -= expected @ expected.T
    curvature[members:, :members] = curvature[:members, members:].T
    return value / n, slope / n, curvature / n


def _blocks(scores, y, x):
    """Block by block: scores, pooled probabilities, those given that the label is true, and -log P(label)."""
    members = len(scores)
    weights, bias = x[:members].astype(np.float32), x[members:].astype(np.float32)[DEFAULT_AGE_GROUPS.lookup]
    for start in range(0, len(y), BLOCK):
        block = scores[:, start : start + BLOCK]
        total = np.tensordot(weights, block, 1) + bias
        p, everything = normalized(total)
        true, label = given(total, y[start : start + BLOCK])
        yield block, p, true, (everything - label)[:, 0].astype(np.float64)
