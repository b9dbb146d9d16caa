"""From decision values to probabilities."""

from dataclasses import dataclass

import numpy as np

DIRECTIONS = 32  # leading ones kept: the rest of 91 one-vs-one decisions is noise and takes five times the time
CURVATURE = 10.0  # what the penalty weighs against the data in the scale of a direction; steers speed, not the result


@dataclass
class Softmax:
    """Multinomial logistic regression: probabilities of groups from decision values."""

    weights: np.ndarray  # (p, G)
    intercept: np.ndarray  # (G,)

    def __call__(self, decisions):
        """Probabilities, `(n, G)`, rows sum to 1."""
        logits = decisions @ self.weights + self.intercept
        result = np.exp(logits - logits.max(1, keepdims=True))
        return result / result.sum(1, keepdims=True)


def fit_softmax(decisions, label, age_groups, penalty=10.0):
    """Fit on out-of-fold decisions, so that the probabilities hold for items not trained on.

    For one-vs-one decisions this takes the place of Platt scaling (Platt 1999) and pairwise coupling (Wu, Lin & Weng
    2004, JMLR 5): one convex fit instead of a sigmoid per pair and a fixed point per item. Fitted on items as frequent
    as they are, it also takes the weights of a weighted fit back out: its probabilities keep to the training prior
    (Saerens, Latinne & Decaestecker 2002, Neural Computation 14), whatever prior the decisions were learned under.

    Parameters
    ----------
    decisions : (n, p) array
    label : (n,) int array, 0..groups-1
    groups : int
    penalty : float
        of the squared weights, in items, the decisions counted in units of their own spread

    Returns
    -------
    Softmax
    """
    from scipy.optimize import minimize

    n, p = decisions.shape
    mean = decisions.mean(0, dtype=np.float64)
    # Descend along the principal directions, each scaled by its curvature: a round bowl takes a tenth of the steps
    variance, directions = np.linalg.eigh(np.cov(decisions.T, ddof=0).reshape(p, p))
    ridge = penalty * max(variance.mean(), 1e-12) / n
    variance, directions = np.maximum(variance[-DIRECTIONS:], 0), directions[:, -DIRECTIONS:]
    stretch = directions / np.sqrt(variance + CURVATURE * ridge)
    cost = (ridge / (variance + CURVATURE * ridge))[:, None]
    z = (decisions - mean) @ stretch
    truth = np.eye(age_groups)[label]

    def loss(flat):
        table = flat.reshape(-1, age_groups)
        probabilities = Softmax(table[:-1], table[-1])(z)
        error = (probabilities - truth) / n
        surprise = -np.log(np.maximum(probabilities[np.arange(n), label], 1e-300)).mean()
        slope = np.vstack([z.T @ error + cost * table[:-1], error.sum(0)])
        return surprise + 0.5 * (cost * table[:-1] ** 2).sum(), slope.ravel()

    start = np.zeros((z.shape[1] + 1, age_groups))
    start[-1] = np.log(np.bincount(label, minlength=age_groups) / n)
    best = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 500})
    table = best.x.reshape(-1, age_groups)
    weights = stretch @ table[:-1]
    return Softmax(weights, table[-1] - mean @ weights)
