"""Model folders for tests, made once a session from a tiny benchmark."""

import json

from helpers.commands import benchmark, experiment

from ageensemble import inference
from ageensemble._utils.io import content_key, file_hash
from ageensemble.experiments.experiment import Experiment

MODELS = ["--model", "svm@hog pca=8 hog.size=32 hog.cell=8", "--model", "xgboost@lbp pca=4 rounds=3 lbp.size=48"]
MODELS += ["--model", "cnn size=16 epochs=1 depth=2", "--models", "prior"]


def runs(data, out, cache):
    """A split folder with an SVM, trees, a network, the floor and their stacks."""
    done = benchmark(data, out, cache, *MODELS)
    assert done.returncode == 0, done.stderr
    return Experiment(experiment(out))


def model_folder(split, name, place):
    """The model folder of the run whose name begins so."""
    [run] = [run for run in split.runs if run.title.startswith(name)]
    inference.save(split.run(run.folder.name), split, place)
    return place


def rewritten(folder, change):
    """Change the description as somebody would who knows how it is sealed."""
    file = folder / "model.json"
    content = json.loads(file.read_text())
    del content["seal"]
    change(content)
    content["files"] = {name: file_hash(folder / name) for name in content["files"] if (folder / name).is_file()}
    file.write_text(json.dumps(content | {"seal": content_key(content)}))
