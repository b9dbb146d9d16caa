"""How likely labels are under scores, of which a row of probabilities is the softmax."""

import numpy as np


def allowed(y, years):
    """Which years a label allows, `(n, years)` bool."""
    axis = np.arange(years)
    return (axis >= y[:, :1]) & (axis <= y[:, 1:])


def normalized(scores):
    """Probabilities in proportion to exp(scores), and the logarithm of what that takes to divide by.

    Returns
    -------
    (n, A) array, (n, 1) array
    """
    top = scores.max(1, keepdims=True)
    p = np.exp(scores - top)
    mass = p.sum(1, keepdims=True)
    p /= mass
    return p, top + np.log(mass)


def given(scores, y):
    """The same for the years that the labels allow; other years have probability 0."""
    if np.array_equal(y[:, 0], y[:, 1]):
        return (np.arange(scores.shape[1]) == y[:, :1]).astype(scores.dtype), _label(scores, y)
    return normalized(np.where(allowed(y, scores.shape[1]), scores, np.float32(-np.inf)))


def _label(scores, y):
    return scores[np.arange(len(y)), y[:, 0]][:, None]


def surprise(scores, y):
    """-log P(label), nats, `(n,)` float64.

    Parameters
    ----------
    scores : (n, A) float array
    y : (n, 2) int array, years
    """
    label = _label(scores, y) if np.array_equal(y[:, 0], y[:, 1]) else given(scores, y)[1]
    top = scores.max(1, keepdims=True)
    return (top - label + np.log(np.exp(scores - top).sum(1, keepdims=True)))[:, 0].astype(np.float64)
