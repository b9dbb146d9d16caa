"""The digits of every model, ensemble and verb on drawn faces, as digests: they stay while everything is renamed.

`pytest tests/golden` compares them with `digests.json`; `python -m tests.golden.golden` says what differs, and with
`--write` replaces that file. Writing is allowed only where a digit was meant to change and the version of that model or
feature was raised; or, without a change of the package, to freeze the same digits on another machine or with other
libraries.
Digests are compared where libraries and processor are those that they were made with, elsewhere only errors in years.
"""

import argparse
import contextlib
import csv
import hashlib
import io
import json
import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by libraries when they are imported
sys.path[:0] = [str(Path(__file__).parents[1])] * (str(Path(__file__).parents[1]) not in sys.path)

import numpy as np  # noqa: E402
import scipy.linalg  # noqa: E402, F401, so that there is something to limit
from helpers.commands import ageensemble  # noqa: E402
from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402

from ageensemble.data.synthetic.dataset import draw  # noqa: E402

FILE = Path(__file__).with_name("digests.json")
FACES = {"quick": 120, "full": 600}
TOLERANCE = 0.05  # years, of mean absolute errors, where libraries or processor are others
WIDER = {"xgboost": 0.5, "xgboost years": 0.5}  # few photographs: trees split elsewhere after the slightest change

# --- how the command line spells it today; the keys are those of digests.json and stay -------------------------------

MODELS = {
    "prior": "prior",
    "svm": "svm",
    "svm gabor+color": "svm@gabor+color_histogram",
    "svm years": "svm route=years",
    "svm clahe": "svm preprocess=clahe",
    "xgboost": "xgboost",
    "xgboost years": "xgboost route=years",
    "lssvm": "lssvm",
    "lssvm embedding": "lssvm@embedding:test_resnet embedding.weights=test_resnet.safetensors embedding.size=96",
    "lssvm hog": "lssvm@hog",
    "lssvm lbp": "lssvm@lbp",
    "ordinal": "ordinal",
    "ordinal gray": "ordinal preprocess=grayscale",
    "knn": "knn",
    "knn equalize": "knn preprocess=equalize",
    # precision=auto takes what a trial finds to be faster, so its digits depend on what else the machine does
    "cnn": "cnn epochs=4 size=32 precision=fp32",
    "timm": "test_resnet pretrained=false epochs=4 size=32 precision=fp32",
}
ONLY_FULL = {"svm years", "svm clahe", "ordinal gray", "knn equalize", "lssvm hog", "lssvm lbp", "xgboost years"}
STACKS = {"stack mean": "mean", "stack greedy": "greedy", "stack weighted": "stack"}
REFIT, IMPORTED, SAVED = MODELS["ordinal"], "elsewhere", STACKS["stack weighted"]
PREDICTIONS = {"oof": "oof.npy", "test": "test.npy"}  # files in the folder of a run
FIXED = ["--data", "faces", "--folds", 2, "--device", "cpu", "--detector", "cascade"]
PLACES = ["--out", "runs", "--cache", "cache"]
PREDICT = ["predict", "new", "--model", "saved", "--device", "cpu"]
VERBS = {  # what prints JSON
    "results": ["results", "runs", "--json"],
    "results decades": ["results", "runs", "--age-groups", "decades", "--json"],
    "results by gender": ["results", "runs", "--by", "gender", "--json"],
    "results by group": ["results", "runs", "--by", "group", "--json"],
    "results at 18": ["results", "runs", "--threshold", 18, "--json"],
    "results calibration": ["results", "runs", "--calibration", "--json"],
    "compare": ["compare", MODELS["svm"], MODELS["xgboost"], "--out", "runs", "--json"],
    "intervals": ["intervals", MODELS["svm"], "--out", "runs", "--json"],
    "suspects": ["data", "label-issues", MODELS["svm"], "--out", "runs", "--json"],
    "check": ["data", "check", "faces", "--cache", "cache", "--json"],
}
RESULTS_CSV = ["results", "runs", "--csv"]
MAE = {"oof": "oof_mae", "test": "test_mae"}  # columns of that CSV; it calls the run so, too:
RUN = "run"
COSTS = {"fit_seconds", "images_per_second", "peak_gb", "size_mb", "seconds"}  # never the same twice, or of file sizes

# --- what the digits depend on besides the package -------------------------------------------------------------------

LIBRARIES = (
    "numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "scikit-image", "pillow", "pandas", "xgboost", "torch",
    "torchvision", "timm",
)  # fmt: skip
FLAGS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "amx_tile")


def fingerprint():
    """Versions of the libraries and kind of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    about = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    has = set(about.get("flags", "").split())
    return {
        "libraries": {name: _version(name) for name in LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()} {about.get('vendor_id', '')}".strip(),
        "flags": [flag for flag in FLAGS if flag in has],
        "openblas": sorted({pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"}),
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", ""),
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


# --- running it ------------------------------------------------------------------------------------------------------


def compute(size, folder, told=lambda name: None):
    """Run everything in an empty folder: {"runs": {name: digests and errors}, "verbs": {name: digests}}.

    Parameters
    ----------
    size : {"quick", "full"}
    folder : pathlib.Path
    told : callable, optional
        told the name of what comes next
    """
    draw(folder / "faces", FACES[size])
    _network(folder / "test_resnet.safetensors")
    _answers(folder / "faces" / "annotations.csv", folder / "answers.csv")
    commands = {  # as many jobs as there may be cores: then every fit has one thread
        name: ["benchmark", "--model", words, "--no-stack", "--jobs", 64, *FIXED, *PLACES]
        for name, words in MODELS.items()
        if size == "full" or name not in ONLY_FULL
    }
    commands |= {name: ["stack", "--method", method, "--out", "runs"] for name, method in STACKS.items()}
    commands["refit"] = ["fit", "--model", REFIT, *FIXED, *PLACES]
    commands["import"] = ["import", "answers.csv", "--name", IMPORTED, "--out-of-fold", "--out", "runs"]
    runs, folders, before = {}, {}, set()
    for name, words in commands.items():
        told(name)
        with _one_core() if name == "refit" else contextlib.nullcontext():
            run(words, folder)
        [new] = {file.parent for file in folder.glob("runs/*/*/" + PREDICTIONS["test"])} - before
        before.add(new)
        folders[name] = new.name
        runs[name] = {part: _array(new / file) for part, file in PREDICTIONS.items() if (new / file).exists()}
    verbs = {}
    for name, words in VERBS.items():
        told(name)
        verbs[name] = _numbers(json.loads(run(words, folder)))
    rows = list(csv.DictReader(io.StringIO(run(RESULTS_CSV, folder))))
    verbs["results csv"] = _numbers([[_number(text) for key, text in row.items() if key not in COSTS] for row in rows])
    by_run = {row[RUN]: row for row in rows}
    for name, about in runs.items():
        row = by_run[folders[name]]
        about["mae"] = {part: round(float(row[MAE[part]]), 4) for part in PREDICTIONS if row[MAE[part]]}
    return {"runs": runs, "verbs": verbs | _predicted(folder, told)}


def _predicted(folder, told):
    """What a saved stack says of photographs."""
    told("models save")
    run(["models", "save", SAVED, "--out", "runs", "--to", "saved"], folder)
    (folder / "new").mkdir()
    for file in sorted((folder / "faces" / "images").iterdir())[:24]:
        shutil.copy(file, folder / "new")
    found = {}
    for name, words in {"predict": ["--no-detect"], "predict found": ["--detector", "cascade"]}.items():
        told(name)
        words = [*PREDICT, *words, "--jsonl", "rows.jsonl", "--csv", "rows.csv"]
        run(words, folder, codes=(0, 1))  # some photographs cannot be read
        found[name] = _numbers([json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()])
        with (folder / "rows.csv").open(newline="") as stream:
            found[f"{name} csv"] = _numbers([[_number(text) for text in row] for row in csv.reader(stream)])
    return found


def run(words, folder, codes=(0,)):
    """Run a command in a folder; what it printed."""
    with threadpool_limits(1):  # of libraries that were imported before their environment said so
        done = ageensemble(*words, cwd=folder)
    assert done.returncode in codes, f"{words}: {done.returncode}\n{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def _one_core():
    """Let this process use one core: `fit` takes a thread for each, and sums depend on how many there are."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _network(file):
    """Write weights for a small network; numpy draws them, so that they are the same with every torch."""
    import timm
    import torch
    from safetensors.torch import save_file

    rng, state = np.random.default_rng(0), timm.create_model("test_resnet", num_classes=0).state_dict()
    for name, value in state.items():
        if value.ndim > 1:
            drawn = rng.normal(0, np.sqrt(2 / value[0].numel()), value.shape).astype(np.float32)
            state[name] = torch.from_numpy(drawn)
    save_file(state, file)


def _answers(annotations, file):
    """Write the answers of another system: ages up to 20 years off."""
    with annotations.open(newline="") as stream:
        rows = [(row["path"], row["age"]) for row in csv.DictReader(stream) if row["age"].isdigit()]
    lines = [f"{path},{min(120, abs(int(age) + i % 41 - 20))}" for i, (path, age) in enumerate(rows)]
    file.write_text("\n".join(["path,age", *lines]) + "\n")


# --- digests ---------------------------------------------------------------------------------------------------------


def _array(file):
    return hashlib.sha256(np.ascontiguousarray(np.load(file)).tobytes()).hexdigest()


def _numbers(content):
    """Count and digest of the numbers in a document, sorted: keys, words and their order are free to change."""
    numbers = sorted(_flat(content))
    return {"count": len(numbers), "sorted": _digest(numbers)}


def _flat(content):
    if isinstance(content, dict):
        content = [value for key, value in content.items() if key not in COSTS]
    if isinstance(content, list):
        for value in content:
            yield from _flat(value)
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        yield float(content)


def _digest(numbers):
    return hashlib.sha256(" ".join(map(repr, numbers)).encode()).hexdigest()


def _number(text):
    try:
        return float(text)
    except ValueError:
        return None


# --- comparing -------------------------------------------------------------------------------------------------------


def compare(wanted, found, exactly):
    """What differs, a line each.

    Parameters
    ----------
    wanted, found : dict
        from `compute`
    exactly : bool
        whether digests are compared, or only errors in years
    """
    lines = []
    for kind in ("runs", "verbs"):
        lines += [f"{name}: only in one of the two" for name in sorted(wanted[kind].keys() ^ found[kind].keys())]
    for name in wanted["runs"].keys() & found["runs"].keys():
        old, new = wanted["runs"][name], found["runs"][name]
        if exactly:
            wrong = [part for part in PREDICTIONS if old.get(part) != new.get(part)]
            lines += [f"{name}: other {' and '.join(wrong)} predictions"] if wrong else []
        for part in old["mae"].keys() | new["mae"].keys():
            before, now = old["mae"].get(part, np.nan), new["mae"].get(part, np.nan)
            if not abs(before - now) <= (0 if exactly else WIDER.get(name, TOLERANCE)):
                lines.append(f"{name}: {part} error {now} years, not {before}")
    for name in wanted["verbs"].keys() & found["verbs"].keys() if exactly else ():
        old, new = wanted["verbs"][name], found["verbs"][name]
        if old != new:
            lines.append(f"{name}: other numbers ({new['count']}, not {old['count']})")
    return sorted(lines)


def check(size, folder, told=lambda name: None):
    """Compute and compare with the file: the lines of `compare` after one that says what was compared."""
    wanted = json.loads(FILE.read_text())
    found, here = compute(size, folder, told), fingerprint()
    other = [key for key in here if here[key] != wanted["fingerprint"][key]]
    what = "digests"
    if other:
        what = f"errors within {TOLERANCE} years (trees {max(WIDER.values())}), others here: {', '.join(other)}"
    return [f"compared: {what}", *compare(wanted[size], found, not other)]


def main():
    """Say what differs, or write the digests anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace digests.json")
    parser.add_argument("--size", choices=FACES, action="append", help="only this one, for a comparison")
    asked = parser.parse_args()
    content = {}
    for size in FACES if asked.write else asked.size or FACES:
        with tempfile.TemporaryDirectory() as folder:
            if asked.write:
                content[size] = compute(size, Path(folder), print)
            else:
                print("\n".join(check(size, Path(folder))))
    if asked.write:
        FILE.write_text(json.dumps({"fingerprint": fingerprint()} | content, indent=1) + "\n")


if __name__ == "__main__":
    main()
