"""Running the command line: what it prints, its exit code, what it leaves; in this process, which has all imported."""

import contextlib
import io
import os
import subprocess
import sys
from unittest import mock

from ageensemble._utils import workers
from ageensemble.apps.cli import main
from ageensemble.reporting import run_report

MINE = '''"""A model for tests: the ages of the training items, in trouble on demand."""

import os
import time

import numpy as np

from ageensemble.models import AgeEstimator


class Mine(AgeEstimator):
    """As likely as among the training items."""

    features = ""

    def __init__(self, *, trouble="", sleep=0.0, flag=""):
        self.trouble, self.sleep, self.flag = trouble, sleep, flag

    def fit(self, X, y, groups=None, *, cv=None):
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

    def predict_proba(self, X):
        rows = np.tile(self.counts, (len(X), 1))
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
WATCHER = '''"""A model for tests that looks at photographs, in epochs that it can go on from, in trouble on demand."""

import json
import os
import time

import numpy as np

from ageensemble.models import AgeEstimator


class Watcher(AgeEstimator):
    """The ages of training photographs as bright."""

    features = ""
    takes_images = True

    def __init__(self, *, size="16", epochs=3, pause=0.0, trouble="", at=1, random_state=0):
        self.size, self.epochs, self.pause, self.trouble, self.at = size, epochs, pause, trouble, at
        self.random_state = random_state

    def fit(self, X, y, groups=None, *, cv=None, checkpoint_dir, on_progress):
        self.sums, self.history_, keep = 0.0, [], checkpoint_dir
        self.ages = y[:, 0]
        self.bright = brightness(X)
        if (keep / "state.json").exists():
            self.sums, self.history_ = json.loads((keep / "state.json").read_text())
        self.fit_info_ = {"began_after": len(self.history_)}
        for epoch in range(len(self.history_), self.epochs):
            self.sums += float(self.bright.mean()) * (epoch + 1) / (self.random_state + 1)
            for part in range(10):
                time.sleep(self.pause / 10)
                on_progress({"done": np.float32(epoch + part / 10), "total": self.epochs, "epoch": epoch + 1,
                      "epochs": self.epochs, "images_per_second": 95, "loss": 4 - epoch / 4,
                      "validation_mae": 9.0 - epoch if epoch else None})
            loss = {"loss": 4 - epoch / 4, "validation_loss": None}
            loss |= {"mae": 8 - epoch / 3, "validation_mae": 9 - epoch / 3}
            self.history_.append({"epoch": epoch + 1, "seconds": 1.5} | loss)
            (keep / "state.new").write_text(json.dumps([self.sums, self.history_]))
            os.replace(keep / "state.new", keep / "state.json")
            if epoch + 1 == self.at:
                self.get_into_trouble(keep)
        return self

    def get_into_trouble(self, keep):
        if self.trouble == "raise":
            raise RuntimeError("no luck")
        if self.trouble == "SIGKILL" and self.fit_info_["began_after"] == 0:
            os.kill(os.getpid(), 9)
        if self.trouble == "fill":
            (keep / "ballast").write_bytes(bytes(500_000))

    def predict_proba(self, X):
        nearest = np.abs(self.bright - brightness(X)[:, None] - self.sums % 7).argmin(1)
        return np.eye(121)[self.ages[nearest]]

    def save(self, folder):
        np.savez(folder / "arrays.npz", bright=self.bright, ages=self.ages, sums=self.sums)

    @classmethod
    def load(cls, folder):
        model = cls()
        with np.load(folder / "arrays.npz") as arrays:
            model.bright, model.ages, model.sums = arrays["bright"], arrays["ages"], arrays["sums"]
        return model

    @staticmethod
    def fit_bytes(n, d):
        return 0


def brightness(x):
    return np.array([x[np.array([row])].mean() for row in range(len(x))])
'''
BRIGHTNESS = '''"""Features of one's own."""

from ageensemble.features import FeatureExtractor


class Brightness(FeatureExtractor):
    """Mean brightness of each image."""

    def __init__(self, *, size=16, power=1.0):
        self.size, self.power = size, power

    def extract(self, batch):
        return batch.float().mean((1, 2, 3))[:, None] ** self.power
'''


def command(*words):
    return [sys.executable, "-m", "ageensemble", *map(str, words)]


def environment(**more):
    return os.environ | {"COLUMNS": "100", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def ageensemble(*words, cwd=".", cells="here", pictures=(), typed="", **more):
    """Run to the end; what comes back has `returncode`, `stdout` and `stderr`.

    Parameters
    ----------
    cells : {"here", "apart"}
        whether each cell has a process of its own, as it has for a person
    pictures : tuple of str, or "all"
        names of those that are drawn, which takes most of the time of a small benchmark
    typed : str
        standard input
    more : str
        environment variables
    """
    out, err = _stream(errors="strict"), _stream(errors="backslashreplace")
    imported = set(sys.modules)
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, environment(**more)),
        mock.patch.object(sys, "argv", ["__main__.py", *map(str, words)]),
        mock.patch.object(sys.modules["__main__"], "__package__", "ageensemble", create=True),
        mock.patch.object(workers, "run", _run_here if cells == "here" else workers.run),
        mock.patch.object(run_report, "_applicable", _chosen(run_report._applicable, pictures)),
        mock.patch.object(sys, "stdin", io.StringIO(typed)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main.main()
        except SystemExit as left:
            code = left.code
    for name in sys.modules.keys() - imported:
        if name.startswith("ageensemble_plugin_"):  # the next to be run reads the file anew
            del sys.modules[name]
    return subprocess.CompletedProcess(words, code, *(each.buffer.getvalue().decode() for each in (out, err)))


def _stream(errors):
    """A stream that encodes as a pipe does, so that what could not be printed fails here too."""
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors=errors, write_through=True)


def _chosen(applicable, pictures):
    return lambda *given: [name for name in applicable(*given) if pictures == "all" or name in pictures]


def _run_here(function, tasks, jobs, threads=None, on_message=lambda task, message: None):
    """Stands in for `processes.run`: the same without a process for each task."""
    for task in tasks:
        with (
            mock.patch.object(workers, "_send", lambda kind, content, task=task: on_message(task, content)),
            contextlib.redirect_stdout(sys.stderr),
            _threads_kept(),
        ):
            ended = function(task)
        yield task, ended


@contextlib.contextmanager
def _threads_kept():
    """Leave torch with as many threads as it had."""
    before = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
    yield
    if before:
        sys.modules["torch"].set_num_threads(before)


def apart(*words, cwd=None, timeout=120, **more):
    """The same in a process of its own, as a person would start it."""
    return subprocess.run(
        command(*words), cwd=cwd, capture_output=True, text=True, timeout=timeout, env=environment(**more)
    )


def benchmark_words(data, out, cache, *words):
    fixed = ["--folds", 3, "--device", "cpu", "--jobs", 2]
    return ["benchmark", "--data", data, "--out", out, "--cache", cache, *fixed, *words]


def benchmark(data, out, cache, *words, **more):
    return ageensemble(*benchmark_words(data, out, cache, *words), **more)


def fitted(dataset, split, models, out, resources):
    """What `run_benchmark` makes of a dataset in memory, without a template of the faces and without ensembles."""
    from ageensemble.experiments import benchmark as module
    from ageensemble.experiments.config import BenchmarkConfig
    from ageensemble.experiments.prepare import PreparedData

    config = BenchmarkConfig(models=tuple(models), out=out, resources=resources, ensembles=False)
    data = PreparedData(dataset, split, {"leaks": 0, "limited": 0})
    with mock.patch.object(module, "measure_template"):
        return module.run_benchmark(config, data=data, detector=object())


def said(done):
    """The one line of an error."""
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0].removeprefix("error: ")


def experiment(out):
    [file] = out.glob("*/experiment.json")
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
