"""The stack: a log-pool with weights and biases of the greatest likelihood, shrunk towards equal weights."""

import numpy as np

from ..ages import histogram
from ..evaluation.likelihood import allowed, surprise
from ..splits.split import assign_stratified_groups
from . import logpool
from .pooling import Pool
from .sample import whole_clusters

version = 1  # raised whenever the numbers change

STRENGTHS = (3000.0, 600.0, 120.0, 24.0, 5.0, 1.0)
PARTS = 5
ENOUGH = 3000  # items to choose a strength by, which takes thirty fits


def fit(scores, y, groups, *, seed, like=None):
    """Weights, none negative, and a bias for each stratum.

    Stacking (Wolpert 1992, Neural Networks 5) with a log-pool on top; that weights are not negative is Breiman's (1996,
    Machine Learning 24). A member that says less of the labels than their histogram does has no weight.

    Parameters
    ----------
    scores : (M, n, A) array
    y : (n, 2) int array, years
    groups : (n,) int array
    seed : int
    like : Pool, optional
        of the same members, fitted on the same items: its shrinkage is taken, and the search starts at its weights;
        otherwise the shrinkage is the one of `STRENGTHS` that is best for items left out of the fit

    Returns
    -------
    Pool
    """
    heard = informative(scores, y)
    if like is None:
        rows, start = whole_clusters(groups, ENOUGH, seed), None
        shrinkage = _best_strength(scores[np.ix_(heard, rows)], y[rows], groups[rows], seed)
    else:
        shrinkage, start = like.shrinkage, np.r_[like.weights[heard], like.biases]
    x = logpool.fit(scores[heard], y, shrinkage, start)
    weights = np.zeros(len(scores))
    weights[heard] = x[: len(heard)]
    return Pool("log", weights, np.ones(len(scores)), x[len(heard) :], shrinkage)


def informative(scores, y):
    """Members under which the labels are likelier than under their own smoothed histogram; all where none is.

    Shrinkage towards equal weights would keep a little of every member that is nothing but noise.
    """
    unknowing = -np.log(allowed(y, scores.shape[2]) @ histogram(y)).mean()
    losses = np.array([surprise(member, y).mean() for member in scores])
    return np.flatnonzero(losses < unknowing) if losses.min() < unknowing else np.arange(len(scores))


def _best_strength(scores, y, groups, seed):
    """The strength with the least loss on five parts that keep groups whole, each left out of a fit once.

    The parts are not made alike in age: then the biases would seem to fit what they have not seen. Fewer groups than
    parts leave some empty; one group alone has nothing to choose by, so that the greatest strength is taken.
    """
    part = assign_stratified_groups(np.zeros(len(y), int), groups, [1 / PARTS] * PARTS, seed)
    total = np.zeros(len(STRENGTHS))
    for held in np.unique(part) if np.ptp(part) else []:
        seen, rest = np.flatnonzero(part != held), np.flatnonzero(part == held)
        fitted, unseen, x = scores[:, seen], scores[:, rest], None
        for i, strength in enumerate(STRENGTHS):
            x = logpool.fit(fitted, y[seen], strength, x)  # a weaker penalty starts where the stronger one ended
            total[i] += logpool.losses(unseen, y[rest], x).sum()
    return STRENGTHS[int(np.argmin(total))]
