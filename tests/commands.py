"""Running the command line as a person does: a process of its own, its output, its exit code."""

import os
import subprocess
import sys

MINE = '''"""A model for tests: the ages of the training items, in trouble on demand."""

import os
import time

import numpy as np


class Mine:
    """As likely as among the training items."""

    features = ""

    def __init__(self, *, trouble="", sleep=0.0, flag=""):
        self.trouble, self.sleep, self.flag = trouble, sleep, flag

    def fit(self, x, y, inner, *, seed, threads, device):
        time.sleep(self.sleep)
        if self.flag and not os.path.exists(self.flag):
            raise RuntimeError("there is no flag")
        if self.trouble == "raise":
            raise RuntimeError("no luck\\nat all")
        if self.trouble == "missing-file":
            open("/nowhere/weights")
        if self.trouble == "SystemExit":
            raise SystemExit(5)
        if self.trouble == "SIGKILL":
            os.kill(os.getpid(), 9)
        if self.trouble == "_exit":
            os._exit(3)
        print("a model that talks")
        self.counts = np.bincount(y[:, 0], minlength=121)[:121] + 0.01
        return self

    def predict(self, x):
        rows = np.tile(self.counts, (len(x), 1))
        if self.trouble == "nan":
            rows[0, 0] = np.nan
        if self.trouble == "shape":
            rows = rows[:, :100]
        if self.trouble == "rows":
            rows = rows[1:]
        return rows

    def save(self, folder):
        np.save(folder / "counts.npy", self.counts)

    @classmethod
    def load(cls, folder):
        model = cls()
        model.counts = np.load(folder / "counts.npy")
        return model

    @staticmethod
    def fit_bytes(n, d):
        return 0
'''
BRIGHTNESS = '''"""Mean brightness of each photograph."""


def extract(batch, *, size=16, power=1.0):
    return batch.float().mean((1, 2, 3))[:, None] ** power
'''


def command(*words):
    return [sys.executable, "-m", "ageensemble", *map(str, words)]


def environment(**more):
    return os.environ | {"COLUMNS": "100", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def ageensemble(*words, cwd=None, timeout=120, **more):
    """Run to the end; what comes back has `returncode`, `stdout` and `stderr`."""
    return subprocess.run(
        command(*words), cwd=cwd, capture_output=True, text=True, timeout=timeout, env=environment(**more)
    )


def benchmark_words(data, out, cache, *words):
    fixed = ["--folds", 3, "--device", "cpu", "--jobs", 2]
    return ["benchmark", "--data", data, "--out", out, "--cache", cache, *fixed, *words]


def benchmark(data, out, cache, *words, **more):
    return ageensemble(*benchmark_words(data, out, cache, *words), **more)


def said(done):
    """The one line of an error."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("error: ")


def plan_folder(out):
    [file] = out.glob("*/plan.json")
    return file.parent


def predictions(out):
    """The bytes of every run's predictions: {run/file: bytes}."""
    return {f"{f.parent.name}/{f.name}": f.read_bytes() for f in out.glob("*/*/*.npy")}


def metrics(out):
    """The results as CSV without what timing changes."""
    lines = [line.split(",") for line in ageensemble("results", out, "--csv").stdout.splitlines()]
    timed = {"fit_seconds", "images_per_second", "peak_gb"}
    keep = [i for i, name in enumerate(lines[0]) if name not in timed]
    return [[line[i] for i in keep] for line in lines]
