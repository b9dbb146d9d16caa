"""Stacking: a log-pool with weights and biases of the greatest likelihood, shrunk towards equal weights.

P(year a) is in proportion to exp(sum over members of weight x score(a) + bias of a's stratum). In weights and biases
this is a multinomial logistic regression with shared coefficients: convex where labels are exact. An unknown `x` is
`(M + 14,)`: the weights, then the biases of `ages.DEFAULT_AGE_GROUPS`.
"""

import numpy as np
from scipy.optimize import lsq_linear

from ..ages import DEFAULT_AGE_GROUPS, histogram
from ..evaluation.calibration import is_allowed, log_normalize, log_normalize_within, negative_log_likelihood
from ..splits.stratified_groups import assign_stratified_groups
from .base import Ensemble
from .cross_fit import draw_groups
from .pooling import BLOCK, Pool

STRENGTHS = (3000.0, 600.0, 120.0, 24.0, 5.0, 1.0)
PARTS = 5
ENOUGH = 3000  # items to choose a strength by, which takes thirty fits
G = len(DEFAULT_AGE_GROUPS)
MEMBERSHIP = DEFAULT_AGE_GROUPS.matrix.astype(np.float32)
TOLERANCE = 1e-5  # nats per item; a step that promises less is the last and is taken without a look
STEPS = 50
RIDGE = 1e-6
FLATTEST = 1e-6  # of the steepest direction's curvature; below it single precision says nothing


class Stacking(Ensemble):
    """A log-pool with weights, none negative, and a bias for each stratum of age.

    Stacking (Wolpert 1992, Neural Networks 5) with a log-pool on top; that weights are not negative is Breiman's (1996,
    Machine Learning 24). A member that says less of the labels than their histogram does has no weight. The shrinkage
    is the one of `STRENGTHS` that is best for items left out of the fit, or that of `like`.
    """

    version = 1

    def fit_pool(self, scores, y, groups, like=None):
        """Weights of the members, see `Ensemble.fit_pool`."""
        used = informative(scores, y)
        if like is None:
            rows, start = draw_groups(groups, ENOUGH, self.random_state), None
            shrinkage = _best_strength(scores[np.ix_(used, rows)], y[rows], groups[rows], self.random_state)
        else:
            shrinkage, start = like.shrinkage, np.r_[like.weights[used], like.biases]
        x = fit_log_pool(scores[used], y, shrinkage, start)
        weights = np.zeros(len(scores))
        weights[used] = x[: len(used)]
        return Pool("log", weights, np.ones(len(scores)), x[len(used) :], shrinkage)


def informative(scores, y):
    """Members under which the labels are likelier than under their own smoothed histogram; all where none is.

    Shrinkage towards equal weights would keep a little of every member that is nothing but noise.
    """
    histogram_loss = -np.log(is_allowed(y, scores.shape[2]) @ histogram(y)).mean()
    losses = np.array([negative_log_likelihood(member, y).mean() for member in scores])
    return np.flatnonzero(losses < histogram_loss) if losses.min() < histogram_loss else np.arange(len(scores))


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
            x = fit_log_pool(fitted, y[seen], strength, x)  # a weaker penalty starts where the stronger one ended
            total[i] += log_pool_losses(unseen, y[rest], x).sum()
    return STRENGTHS[int(np.argmin(total))]


def fit_log_pool(scores, y, shrinkage, start=None):
    """Weights (none negative) and biases of the greatest penalized likelihood.

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
    now = _penalized(scores, y, x, matrix)
    for _ in range(STEPS):
        step = _step(now, x, bound)
        promised = -(now[1] @ step + step @ now[2] @ step / 2)
        if promised < TOLERANCE:
            return x + step
        size = 1.0
        while (new := _penalized(scores, y, x + size * step, matrix))[0] > now[0] and size > 1e-3:
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


def _penalized(scores, y, x, matrix):
    value, slope, curvature = derivatives(scores, y, x)
    return value + x @ matrix @ x / 2, slope + matrix @ x, curvature + matrix


def _step(now, x, bound):
    """To the minimum of the quadratic model within the bounds."""
    _, slope, curvature = now
    values, vectors = np.linalg.eigh(curvature)
    root = np.sqrt(np.maximum(values, FLATTEST * values[-1]))[:, None] * vectors.T
    target = root @ x - np.linalg.solve(root.T, slope)
    return np.maximum(lsq_linear(root, target, (bound, np.inf), method="bvls").x, bound) - x


def log_pool_losses(scores, y, x):
    """-log P(label) of each item, nats, `(n,)`."""
    return np.concatenate([loss for *_, loss in _blocks(scores, y, x)] or [np.zeros(0)])


def derivatives(scores, y, x):
    """Mean loss in nats, its gradient and its matrix of second derivatives, without the penalty.

    Of a labeled range the matrix leaves out what would make it smaller, so that it never has a negative direction.
    """
    members, n = scores.shape[:2]
    value, slope, curvature = 0.0, np.zeros(len(x)), np.zeros((len(x), len(x)))
    for block, p, p_true, loss in _blocks(scores, y, x):
        weighted = block * p
        expected = np.concatenate([weighted.sum(2), (p @ MEMBERSHIP).T])
        true = np.concatenate([np.einsum("mna,na->mn", block, p_true), (p_true @ MEMBERSHIP).T])
        value += float(loss.sum())
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
        p, everything = log_normalize(total)
        true, label = log_normalize_within(total, y[start : start + BLOCK])
        yield block, p, true, (everything - label)[:, 0].astype(np.float64)
