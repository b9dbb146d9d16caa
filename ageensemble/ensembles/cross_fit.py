"""Cross-fitting: what an ensemble scores on items that took no part in its weights, and what it loses without a member.

For every fold a pool is fitted on the out-of-fold predictions of the other folds, temperatures included. The members
themselves are not fitted again, so a member that leaked passes this test; the discrepancy between its out-of-fold and
its test scores shows that, see `evaluation.leakage`.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from .._utils.hardware import cores
from ..ages import N_AGES
from ..errors import DataError
from ..evaluation.bootstrap import estimates
from ..evaluation.calibration import fit_temperature, log_proba
from ..evaluation.metrics import headline
from ..evaluation.predictions import Predictions
from .pooling import Pool

MOST = 160_000  # rows of all members together, some 80 MB
FEWEST = 20  # groups, however large they are, so that every fold has some


@dataclass(frozen=True)
class Sample:
    """Out-of-fold predictions of `n` items in memory.

    Attributes
    ----------
    logs : (M, n, A) float32 array
        logarithms of the members' distributions
    y : (n, 2) int array, years
    groups, fold : (n,) int array
    """

    logs: np.ndarray
    y: np.ndarray
    groups: np.ndarray
    fold: np.ndarray


def draw_sample(members, y, groups, fold, seed):
    """Draw and read a sample.

    Parameters
    ----------
    members : sequence of M (N, A) arrays
        out-of-fold predictions, may lie on disk
    y : (N, 2) int array, years
    groups, fold : (N,) int array
    seed : int

    Returns
    -------
    Sample
    """
    rows = draw_groups(groups, MOST // len(members), seed)
    result = np.empty((len(members), len(rows), members[0].shape[1]), np.float32)
    for m, member in enumerate(members):
        result[m] = log_proba(member[rows])
    return Sample(result, y[rows], groups[rows], fold[rows])


def draw_groups(groups, most, seed):
    """Rows of groups drawn at random, all of them where no more than `most` there are, in order."""
    if len(groups) <= most:
        return np.arange(len(groups))
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    drawn, room = [], most
    for c in np.random.default_rng(seed).permutation(len(size)):
        if size[c] <= room or len(drawn) < FEWEST:  # one that is too large gives way to those that fit
            drawn.append(c)
            room -= size[c]
    return np.flatnonzero(np.isin(group, drawn))


@dataclass
class CrossFit:
    """What came of an ensemble on a sample of `n` items.

    Attributes
    ----------
    crossed : (n, 121) float32 array
        pooled distributions, each by a pool fitted without the item's fold
    without : list of (n, 121) float32 array
        the same for each member, of pools fitted without it as well
    pools : list of Pool
        fitted without the items of fold 0, 1, ...
    pool : Pool
        fitted on all items
    apparent : (n, 121) float32 array
        by `pool`, which has seen the labels
    seconds : float
        of fitting `pools` and `pool`
    """

    crossed: np.ndarray
    without: list
    pools: list = field(default_factory=list)
    pool: Pool | None = None
    apparent: np.ndarray | None = None
    seconds: float = 0.0

    def scores(self, sample, age_groups):
        """Headline metrics and what they lose, as plain numbers.

        Parameters
        ----------
        sample : Sample
        age_groups : AgeGroups or None
            None leaves out all scores

        Returns
        -------
        dict
            `apparent` and `cross_fitted`, the metrics by the pool that was fitted on all items and by those fitted
            without the item's fold; `optimism`, for each metric cross-fitted minus apparent as [difference, low, high]
            with its 95 % interval; `loss_without`, a list with the same for each member: without it minus with it
        """
        pooled = [Predictions(p, sample.y, sample.groups) for p in (self.crossed, self.apparent, *self.without)]
        scored = [{} for _ in pooled] if age_groups is None else estimates(pooled, headline(), age_groups)
        crossed, apparent, *without = scored
        return {
            "apparent": {name: estimate.value for name, estimate in apparent.items()},
            "cross_fitted": {name: estimate.value for name, estimate in crossed.items()},
            "optimism": _differences(crossed, apparent),
            "loss_without": [_differences(each, crossed) for each in without],
        }


def _differences(these, those):
    differences = {name: these[name] - those[name] for name in these}
    return {name: [estimate.value, *estimate.interval()] for name, estimate in differences.items()}


def cross_fit(ensemble, sample, on_progress=lambda done, total: None):
    """Fit an ensemble without each fold, with and without each member; then on all of the sample.

    Parameters
    ----------
    ensemble : Ensemble
    sample : Sample
    on_progress : callable
        called with the number of steps that are done, and of all

    Returns
    -------
    CrossFit

    Raises
    ------
    DataError
        Every item of the sample lies in one fold.
    """
    if len(np.unique(sample.fold)) < 2:
        raise DataError("too few groups: all those drawn lie in one fold, so nothing is left to fit weights on")
    members, n = sample.logs.shape[:2]
    folds = int(sample.fold.max()) + 1
    crossed, *without = np.zeros((1 + members, n, N_AGES), np.float32)
    found = CrossFit(crossed, without)
    on_progress(0, folds + 1)
    with ThreadPoolExecutor(min(cores(), folds + 1)) as workers:  # numpy leaves the interpreter to other threads
        done = workers.map(lambda fold: _without_fold(ensemble, sample, fold), range(folds))
        on_all = workers.submit(_on_all, ensemble, sample)
        for fold, (pool, seconds, pooled) in enumerate(done):
            held_out = np.flatnonzero(sample.fold == fold)
            found.pools.append(pool)
            found.seconds += seconds
            for kept, new in zip([crossed, *without], pooled, strict=True):
                kept[held_out] = new
            on_progress(fold + 1, folds + 1)
        found.pool, seconds, found.apparent = on_all.result()
        found.seconds += seconds
        on_progress(folds + 1, folds + 1)
    return found


def pool_out_of_fold(pools, members, fold):
    """Pooled distributions, each by the pool that was fitted without the item's fold, `(n, 121)` float32.

    Parameters
    ----------
    pools : list of Pool
        for fold 0, 1, ...
    members : sequence of M (n, 121) arrays
    fold : (n,) int array
    """
    result = np.empty((len(fold), N_AGES), np.float32)
    for number, pool in enumerate(pools):
        rows = np.flatnonzero(fold == number)
        result[rows] = pool(members, rows)
    return result


def _on_all(ensemble, sample):
    pool, seconds = _Tempered.of(sample, np.arange(len(sample.y))).pool(ensemble)
    return pool, seconds, pool.of_logs(sample.logs)


def _without_fold(ensemble, sample, fold):
    """The pool, seconds, and the pooled fold with all members, and without each of them."""
    known = _Tempered.of(sample, np.flatnonzero(sample.fold != fold))
    unseen = sample.logs[:, sample.fold == fold]
    pool, seconds = known.pool(ensemble)
    pools = [pool, *(known.pool_without(m, pool, ensemble) for m in range(len(unseen)))]
    return pool, seconds, [each.of_logs(unseen) for each in pools]


@dataclass(frozen=True)
class _Tempered:
    """Part of a sample and the temperatures that its labels ask for; `scores` are logarithms divided by these."""

    temperatures: np.ndarray
    scores: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, sample, rows):
        logs, y = sample.logs[:, rows], sample.y[rows]
        temperatures = np.array([fit_temperature(member, y) for member in logs])
        logs /= temperatures[:, None, None].astype(np.float32)
        return cls(temperatures, logs, y, sample.groups[rows])

    def pool(self, ensemble):
        """The pool of an ensemble, and the seconds that it took."""
        started = time.perf_counter()
        pool = ensemble.fit_pool(self.scores, self.y, self.groups)
        return replace(pool, temperatures=self.temperatures), time.perf_counter() - started

    def pool_without(self, member, pool, ensemble):
        """The pool with one member less, weight zero in its place, the shrinkage as it was."""
        if pool.weights[member] == 0:
            return pool
        like = replace(pool, weights=np.delete(pool.weights, member))
        smaller = ensemble.fit_pool(np.delete(self.scores, member, 0), self.y, self.groups, like=like)
        return replace(smaller, weights=np.insert(smaller.weights, member, 0.0), temperatures=self.temperatures)
