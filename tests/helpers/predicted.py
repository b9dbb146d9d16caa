"""Predictions made up for tests: a split, labels and a run of known faults, without photographs or models."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from ageensemble import ages
from ageensemble.evaluation.predictions import Predictions
from ageensemble.splits.split import TEST, Split


def exact(years):
    return np.repeat(np.asarray(years)[:, None], 2, axis=1)


def certain(years):
    return np.eye(ages.N_AGES)[years]


def bells(center, spread):
    """Gaussian age distributions, `(n, A)` float32."""
    spread = np.broadcast_to(spread, np.shape(center))[:, None]
    p = np.exp(-0.5 * ((np.arange(ages.N_AGES) - np.asarray(center)[:, None]) / spread) ** 2) + 1e-9
    return (p / p.sum(1, keepdims=True)).astype(np.float32)


def guessed(n, seed=0, said=5.0, shrunk=1.0):
    """True ages and distributions from somebody who errs by 5 years, says it is `said`, and draws all towards 40."""
    rng = np.random.default_rng(seed)
    age = np.clip(np.rint(rng.gamma(4, 10, n)), 0, 100).astype(int)
    center = 40 + shrunk * (age - 40) + rng.normal(0, 5, n)
    return age, bells(center, said)


def folder_of(y, part, groups=None, gender=None, folds=3):
    """What stands for a `Experiment`: split, labels, items."""
    items = pd.DataFrame({"item_id": [f"{i}.jpg" for i in range(len(y))], "age_min": y[:, 0], "age_max": y[:, 1]})
    items["gender"] = gender if gender is not None else np.where(np.arange(len(y)) % 2, "female", "male")
    items["ethnicity"], items["group"] = np.nan, np.arange(len(y)) if groups is None else groups
    return SimpleNamespace(split=Split(np.asarray(part), folds, "seed 0", "0"), y=np.asarray(y), items=items)


def run_of(distribution, split, parts=("oof", "test"), name="guess"):
    """What stands for a `Run`, from predictions in the order of the dataset."""
    rows = {"oof": split.development, "test": split.test}
    predictions = {part: np.asarray(distribution, np.float32)[rows[part]] for part in parts}
    return SimpleNamespace(
        name=name,
        title=name,
        kind="folds",
        folder=Path(name),
        parts=parts,
        fold_files=lambda pattern: [],
        proba=predictions.__getitem__,
    )


def guesses(n=3000, seed=0, **how):
    """A split folder with every fifth item in the test part, and a run on it."""
    age, distribution = guessed(n, seed, **how)
    part = np.where(np.arange(n) % 5 == 0, TEST, np.arange(n) % 3)
    folder = folder_of(exact(age), part)
    return folder, run_of(distribution, folder.split)


def both_parts(age=None, proba=None, gender=None, n=3000, seed=0, **how):
    """Out-of-fold and test predictions, every fifth item in the test part; by default of who errs by 5 years.

    `age` is `(n,)` or `(n, 2)` years; `how` goes to `guessed`.
    """
    n = n if age is None else len(age)
    drawn, guess = guessed(n, seed, **how)
    place = np.arange(n)
    about = {"gender": np.where(place % 2, "female", "male") if gender is None else gender}
    fold = np.where(place % 5 == 0, TEST, place % 3)
    proba, age = guess if proba is None else proba, drawn if age is None else age
    ids = [f"{i:05}.jpg" for i in range(n)]
    whole = Predictions(proba, age, place, about, fold, ids, "guess")
    return replace(whole[fold != TEST], part="oof"), replace(whole[fold == TEST], part="test")
