"""Time and memory of a data set of a million items: labels read, groups, audit, split; no photograph is opened.

    python benchmarks/million.py
    python benchmarks/million.py --items 100000

writes made-up labels of so many photographs of some 300,000 people into a temporary folder and does what
`ageensemble data check labels.csv --labels-only --html` and a split need, in a process of its own. One person has
a thousand photographs. Beside it, as photographs would need it, near-duplicates are looked for among as many made-up
fingerprints, of which two in a hundred are a few bits from another. Aim: under two minutes and 4 GB altogether.

Measured for a million items: 41 s and 1.26 GB; labels read 7, audit 3, lists written 6, split 8, near-duplicates 16 s.
100,000 items take 3 s and 0.30 GB.
"""

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from ageensemble._utils.hardware import peak_memory
from ageensemble.data import duplicates
from ageensemble.data.dataset import load_dataset
from ageensemble.data.quality import audit
from ageensemble.reporting import data_report
from ageensemble.reporting.data_report.summary import write_audit
from ageensemble.splits.split import make_split

PEOPLE = 0.3  # of the items
NEAR = 0.02  # share of the fingerprints that are near another


def write(file, items):
    """A table of labels such as a large set would come with."""
    rng = np.random.default_rng(0)
    person = rng.integers(0, int(PEOPLE * items), items)
    person[rng.choice(items, 1000, replace=False)] = 0
    born = rng.gamma(4, 9, person.max() + 1)
    age = np.clip(born[person] + rng.normal(0, 3, items), 0, 100).astype(int)
    table = pd.DataFrame({"path": [f"{p % 1000:03}/{p}_{i}.jpg" for i, p in enumerate(person)], "age": age})
    table["gender"] = np.array(["male", "female"], dtype=object)[person % 2]
    table["ethnicity"] = np.array(list("abcdef"), dtype=object)[person % 7 % 6]
    table["subject"] = [f"p{p}" for p in person]
    table.to_csv(file, index=False)


def fingerprints(items):
    """Random 256-bit fingerprints, some of them others with up to ten bits turned."""
    rng = np.random.default_rng(1)
    made = rng.integers(0, 256, (items, 32), dtype=np.uint8)
    copies = rng.choice(items, int(2 * NEAR * items), replace=False).reshape(2, -1)
    made[copies[0]] = made[copies[1]]
    for _ in range(10):
        made[copies[0], rng.integers(0, 32, copies.shape[1])] ^= 1 << rng.integers(0, 8, copies.shape[1]).astype(
            np.uint8
        )
    return made, copies.shape[1]


def timed(file, items):
    """Do it all; prints a line for each step, returns seconds, processor seconds and peak bytes."""
    began = time.perf_counter(), time.process_time()

    def step(name, did, say=lambda result: ""):
        start, worked = time.perf_counter(), time.process_time()
        result = did()
        took = f"{time.perf_counter() - start:7.1f} s {time.process_time() - worked:7.1f} s of a core"
        print(f"{name:16}{took} {peak_memory() / 1e9:6.2f} GB  {say(result)}", flush=True)
        return result

    built = step("labels read", lambda: load_dataset(file, with_images=False), lambda m: f"{len(m):,} items")
    result = step("audit", lambda: audit.audit(built), lambda found: f"{found['groups']:,} groups")
    result |= {"cleaned": []}
    step("lists written", lambda: write_audit(built, result, file.parent / "check"))
    step("page written", lambda: data_report.save(file.parent / "page.html", built, result))
    step("split", lambda: make_split(built, random_state=0), lambda split: f"{len(split.test):,} in the test part")
    made, planted = fingerprints(items)
    step(
        "near-duplicates",
        lambda: duplicates.near_duplicate_links(made),
        lambda f: f"{len(f):,} found of {planted:,} planted",
    )
    return time.perf_counter() - began[0], time.process_time() - began[1], peak_memory()


def main():
    """Write, do it all, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "labels.csv"
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(write, (file, options.items))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, worked, peak = pool.apply(timed, (file, options.items))
    print(f"{options.items:,} items: {seconds:.0f} s ({worked:.0f} s of a core), peak memory {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    main()
