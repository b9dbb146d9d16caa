"""Greedy selection: the member that helps most is added to the mean, again and again."""

import numpy as np

from ..evaluation.calibration import negative_log_likelihood
from .base import Ensemble
from .pooling import BLOCK, Pool

STEPS = 20


class Greedy(Ensemble):
    """Weights by how often a member was added to the mean; of all steps the best one counts.

    Ensemble selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes 2004, ICML), here of a mean of
    logarithms and by log loss.
    """

    version = 1

    def fit_pool(self, scores, y, groups, like=None):
        """Weights of the members, see `Ensemble.fit_pool`."""
        total, counts = np.zeros_like(scores[0]), np.zeros(len(scores))
        best, least = None, np.inf
        for step in range(1, STEPS + 1):
            losses = _losses_of_adding(scores, total, y, step)
            added = int(np.argmin(losses))
            total += scores[added]
            counts[added] += 1
            if losses[added] < least:
                best, least = counts / step, losses[added]
        return Pool("log", best, np.ones(len(scores)))


def _losses_of_adding(scores, total, y, step):
    """Loss of the mean of `step` members once each member is added to the `total` of those before, `(M,)` nats."""
    losses, share = np.zeros(len(scores)), np.float32(1 / step)
    for start in range(0, len(y), BLOCK):
        block = slice(start, start + BLOCK)
        for m, member in enumerate(scores):
            losses[m] += negative_log_likelihood((total[block] + member[block]) * share, y[block]).sum()
    return losses / len(y)
