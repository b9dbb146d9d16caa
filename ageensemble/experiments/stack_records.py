"""The record of a stack: what each member weighs and is worth, how much fitting flatters, what it all cost."""

import math

import numpy as np

from .._utils.hardware import peak_memory
from ..evaluation import bootstrap


def about(fitted, sample, members, split, age_groups):
    """The record.

    Parameters
    ----------
    fitted : crossfit.Fitted
    sample : Sample
    members : list of Run
    split : Split
    groups : ages.Scheme or None
        None leaves out all scores

    Returns
    -------
    dict
        `pool`; `shrinkage` and `biases` of it; `members`, for each `run`, `model`, `weight`, `temperature`, and
        `loss_without`, for each headline metric its difference to a pool without that member, cross-fitted, and the
        95 % interval of it: [without minus with, low, high]; `apparent` and `cross_fitted`, the metrics by the pool
        that was fitted on all items and by those fitted without the item's fold; `optimism`, [cross-fitted minus
        apparent, low, high] of each; `groups`, the scheme of the metrics by group; `costs`
    """
    pool = fitted.pool
    scores, apparent, *without = _scored(fitted, sample, age_groups)
    return {
        "pool": pool.to_json(),
        "shrinkage": pool.shrinkage,
        "biases": None if pool.biases is None else pool.biases.tolist(),
        "members": [
            {
                "run": run.folder.name,
                "model": run.name,
                "weight": float(pool.weights[m]),
                "temperature": float(pool.temperatures[m]),
                "loss_without": _differences(without[m], scores),
            }
            for m, run in enumerate(members)
        ],
        "apparent": {name: estimate.value for name, estimate in apparent.items()},
        "cross_fitted": {name: estimate.value for name, estimate in scores.items()},
        "optimism": _differences(scores, apparent),
        "age_groups": age_groups and age_groups.name,
        "costs": _costs(fitted, members, split),
    }


def _scored(fitted, sample, age_groups):
    """Estimates by metric: cross-fitted, apparent, and without each member; paired."""
    answered = [fitted.crossed, fitted.apparent, *fitted.without]
    if age_groups is None:
        return [{} for _ in answered]
    return bootstrap.headline(answered, sample.y, sample.groups, age_groups)


def _differences(these, those):
    """[difference, low, high] of each metric."""
    differences = {name: these[name] - those[name] for name in these}
    return {name: [estimate.value, *estimate.interval()] for name, estimate in differences.items()}


def _costs(fitted, members, split):
    """As `Run.costs`: fitting all members and the pool; predicting by the members that have weight."""
    each = [run.costs(split.folds) for run in members]
    used = [cost for cost, weight in zip(each, fitted.pool.weights, strict=True) if weight > 0]
    costs = {
        "fit_seconds": sum(cost["fit_seconds"] for cost in each) + fitted.seconds,
        "images_per_second": 1 / sum(1 / cost["images_per_second"] for cost in used) if used else math.nan,
        "peak_gb": float(np.max([peak_memory() / 1e9, *(cost["peak_gb"] for cost in each)])),
        "size_mb": sum(cost["size_mb"] for cost in used),
    }
    return {name: value if math.isfinite(value) else None for name, value in costs.items()}
