"""Time and memory of building ensembles: `mean`, `greedy` and `stack`, cross-fitted, with the worth of every member.

    python benchmarks/stack_speed.py

writes made-up predictions of 20 members for 100,000 items outside the test part and 25,000 in it (1.2 GB) into a
temporary folder and combines them in a process of its own. Expected on two idle cores: under two minutes and 4 GB, what
is read from disk included. Half of the members are as good as networks, others poor, two are noise, and all share some
of their errors, so that nearly all have weight and nothing is skipped.
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from ageensemble import ages
from ageensemble._utils.console import Console
from ageensemble._utils.hardware import peak_memory
from ageensemble.evaluation import metrics
from ageensemble.evaluation.predictions import Predictions
from ageensemble.experiments import stack
from ageensemble.experiments.experiment import Experiment
from ageensemble.splits.split import TEST, Split

FOLDS = 5
BLOCK = 10_000  # items whose predictions are made up at once


def opened(folder, items, members):
    """A split folder of made-up items, whose tables were never written, and the years that members guess."""
    rng = np.random.default_rng(0)
    n = items + items // 4
    age = np.clip(np.rint(rng.gamma(4, 9, n)), 0, 100).astype(int)
    shared = rng.normal(0, 3.5, n)
    experiment = Experiment(folder)
    experiment.metadata = {"dataset": "made up", "split": "made up", "folds": FOLDS}
    experiment.items = pd.DataFrame(
        {"age_min": age, "age_max": age, "group": np.arange(n) // 2, "item_id": np.arange(n)}
    )
    experiment.items[["gender", "ethnicity", "dataset"]] = None
    experiment.split = Split(np.where(np.arange(n) < items, np.arange(n) // 2 % FOLDS, TEST), FOLDS, "", "made up")

    def guessed(member):
        own = np.random.default_rng([1, member])
        if member >= members - 2:
            return own.permutation(age), 8.0
        error = 3 + member / 3
        return age + shared + own.normal(0, error, n), np.hypot(3.5, error)

    return experiment, guessed


def write(folder, items, members):
    """Put the members' predictions on disk."""
    experiment, guessed = opened(folder, items, members)
    costs = {"fit_seconds": 1.0, "images_per_second": 1.0, "peak_gb": 0.0, "size_mb": 1.0}
    for member in range(members):
        years, spread = guessed(member)
        rows = np.empty((len(years), ages.N_AGES), np.float32)
        for start in range(0, len(rows), BLOCK):
            away = np.arange(ages.N_AGES) - years[start : start + BLOCK, None]
            bell = np.exp(-0.5 * (away / spread) ** 2) + 1e-6
            rows[start : start + BLOCK] = bell / bell.sum(1, keepdims=True)
        config = {"kind": "import", "parts": ["oof", "test"], "member": member}
        experiment.put(f"m{member:02}", f"m{member:02}", config, {"oof": rows[:items], "test": rows[items:]},
                        {"costs": costs})  # fmt: skip


def combined(folder, items, members):
    """Combine; returns seconds, processor seconds, peak bytes and lines to print."""
    experiment, _ = opened(folder, items, members)
    started, worked = time.perf_counter(), time.process_time()
    runs = stack.combine(experiment, None, ["mean", "greedy", "stack"], 0, Console())
    took = time.perf_counter() - started, time.process_time() - worked, peak_memory()
    lines = []
    for run in runs:
        record, labels = run.metadata, experiment.y[experiment.split.test]
        mae = metrics.score(Predictions(run.proba("test"), labels), ["mae"])["mae"]
        weights = " ".join(f"{member['weight']:.2f}" for member in record["members"])
        lines.append(f"{run.title:7} test MAE {mae:.3f}, fitted on {record['sample']:,} items: {weights}")
    return *took, lines


def main():
    """Write, combine, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000, help="items outside the test part")
    parser.add_argument("--members", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        given = Path(name), options.items, options.members
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(write, given)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, worked, peak, lines = pool.apply(combined, given)
    print("\n".join(lines))
    print(f"{options.members} members, {options.items:,} items: {seconds:.0f} s ({worked:.0f} s of one core), "
          f"peak memory {peak / 1e9:.2f} GB")  # fmt: skip


if __name__ == "__main__":
    main()
