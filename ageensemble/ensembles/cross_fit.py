"""Cross-fitting: what a method scores on items that took no part in the weighing, and what it loses without a member.

For every fold of the split a pool is fitted on the out-of-fold predictions of the other folds, temperatures included.
The members themselves are not fitted again, so a member that leaked passes this test; the gap between its out-of-fold
and its test scores shows that.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from .._utils.hardware import cores
from ..errors import DataError
from ..evaluation import temperature
from ..evaluation.bootstrap import Answers, answers
from .pooling import Pool


@dataclass
class Fitted:
    """What came of a method on a sample of `n` items.

    Attributes
    ----------
    crossed : Answers
        each of a pool fitted without the item's fold
    without : list of Answers
        the same for each member, of pools fitted without it as well
    by_fold : list of Pool
        fitted without the items of fold 0, 1, ...
    pool : Pool
        fitted on all items
    apparent : Answers
        of `pool`, which has seen the labels
    seconds : float
        of fitting `by_fold` and `pool`
    """

    crossed: Answers
    without: list
    by_fold: list = field(default_factory=list)
    pool: Pool | None = None
    apparent: Answers | None = None
    seconds: float = 0.0


def fit(sample, methods, folds, age_groups, seed, told):
    """Fit methods on a sample: without each fold, with and without each member; then on all of it.

    Parameters
    ----------
    sample : Sample
    methods : dict of str to module
        of the package `methods`
    folds : int
    groups : ages.Scheme
        that answers are decoded for
    seed : int
    told : callable
        called after each of `folds + 1` steps

    Returns
    -------
    dict of str to Fitted

    Raises
    ------
    DataError
        Every item of the sample lies in one fold.
    """
    if len(np.unique(sample.fold)) < 2:
        raise DataError("too few groups: all those drawn lie in one fold, so nothing is left to weigh members by")
    members, n = sample.logs.shape[:2]
    found = {name: Fitted(_blank(n), [_blank(n) for _ in range(members)]) for name in methods}
    with ThreadPoolExecutor(min(cores(), folds + 1)) as workers:  # numpy leaves the interpreter to other threads
        done = workers.map(lambda fold: _without_fold(sample, methods, fold, age_groups, seed), range(folds))
        on_all = workers.submit(_on_all, sample, methods, age_groups, seed)
        for fold, results in enumerate(done):
            held = np.flatnonzero(sample.fold == fold)
            for name, (pool, seconds, answered) in results.items():
                found[name].by_fold.append(pool)
                found[name].seconds += seconds
                for kept, new in zip([found[name].crossed, *found[name].without], answered, strict=True):
                    kept.years[held], kept.group[held] = new.years, new.group
            told()
        for name, (pool, seconds, answered) in on_all.result().items():
            found[name].pool, found[name].apparent = pool, answered
            found[name].seconds += seconds
        told()
    return found


def _blank(n):
    return Answers(np.zeros(n, int), np.zeros(n, int))


def _on_all(sample, methods, age_groups, seed):
    """For each method: the pool, seconds, and its answers."""
    known, result = _calibrated(sample, np.arange(len(sample.y))), {}
    for name, method in methods.items():
        pool, seconds = known.pool(method, seed)
        result[name] = pool, seconds, answers(pool.of_logs(sample.logs), age_groups)
    return result


def _without_fold(sample, methods, fold, age_groups, seed):
    """For each method: the pool, seconds, and the answers for the fold with all members, and without each of them."""
    known, result = _calibrated(sample, np.flatnonzero(sample.fold != fold)), {}
    unseen = sample.logs[:, sample.fold == fold]
    for name, method in methods.items():
        pool, seconds = known.pool(method, seed)
        pools = [pool, *(known.pool_without(m, pool, method, seed) for m in range(len(unseen)))]
        result[name] = pool, seconds, [answers(each.of_logs(unseen), age_groups) for each in pools]
    return result


@dataclass(frozen=True)
class Calibrated:
    """Part of a sample and the temperatures that its labels ask for; `scores` are logarithms divided by these."""

    temperatures: np.ndarray
    scores: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    def pool(self, method, seed):
        """The pool of a method, and the seconds that it took."""
        started = time.perf_counter()
        pool = method.fit(self.scores, self.y, self.groups, seed=seed)
        return replace(pool, temperatures=self.temperatures), time.perf_counter() - started

    def pool_without(self, member, pool, method, seed):
        """The pool with one member less, weight zero in its place, the shrinkage as it was."""
        if pool.weights[member] == 0:
            return pool
        like = {} if pool.shrinkage is None else {"like": replace(pool, weights=np.delete(pool.weights, member))}
        smaller = method.fit(np.delete(self.scores, member, 0), self.y, self.groups, seed=seed, **like)
        return replace(smaller, weights=np.insert(smaller.weights, member, 0.0), temperatures=self.temperatures)


def _calibrated(sample, rows):
    logs, y = sample.logs[:, rows], sample.y[rows]
    temperatures = np.array([temperature.fit(member, y) for member in logs])
    logs /= temperatures[:, None, None].astype(np.float32)
    return Calibrated(temperatures, logs, y, sample.groups[rows])
