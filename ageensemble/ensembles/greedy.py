"""Greedy selection: the member that helps most is added to the mean, again and again."""

import numpy as np

from ..evaluation.likelihood import surprise
from .pooling import BLOCK, Pool

version = 1  # raised whenever the numbers change

STEPS = 20


def fit(scores, y, groups, *, seed):
    """Weights by how often a member was added; of all steps the best one counts.

    Ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes 2004, ICML), here of a mean of
    logarithms and by log loss.

    Parameters
    ----------
    scores : (M, n, A) array
    y : (n, 2) int array, years
    groups, seed
        not looked at

    Returns
    -------
    Pool
    """
    members = len(scores)
    total, counts = np.zeros_like(scores[0]), np.zeros(members)
    best, least = None, np.inf
    for step in range(1, STEPS + 1):
        losses = _losses_of_adding(scores, total, y, step)
        added = int(np.argmin(losses))
        total += scores[added]
        counts[added] += 1
        if losses[added] < least:
            best, least = counts / step, losses[added]
    return Pool("log", best, np.ones(members))


def _losses_of_adding(scores, total, y, step):
    """Loss of the mean of `step` members once each member is added to the `total` of those before, `(M,)` nats."""
    losses, share = np.zeros(len(scores)), np.float32(1 / step)
    for start in range(0, len(y), BLOCK):
        block = slice(start, start + BLOCK)
        for m, member in enumerate(scores):
            losses[m] += surprise((total[block] + member[block]) * share, y[block]).sum()
    return losses / len(y)
