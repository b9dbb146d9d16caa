"""Saving a run as a model folder: all that its predictions need, its scores, and where it came from."""

import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

from .. import ages
from .._utils.io import content_key, file_hash, read_json, slug
from ..ensembles.pooling import Pool
from ..errors import UsageError
from ..evaluation import bootstrap, conformal, metrics
from ..experiments.run import Run
from ..features import FEATURES
from . import model_card, model_folder

LEVELS = (0.5, 0.8, 0.9, 0.95)  # of the intervals that are calibrated
NO_CODE = "a model folder holds no code"


def save(run, experiment, place, files=()):
    """Write the model folder of a complete run; one that was there gives way.

    Parameters
    ----------
    run : Run
    experiment : Experiment
    place : path
    files : sequence of path
        networks and weights that features were made with, where they no longer lie beside the runs

    Returns
    -------
    str
        one line on what was done and what can be done now

    Raises
    ------
    UsageError
        The run cannot predict new images, a file is missing, or something else lies at `place`.
    DiskError
        The run is damaged.
    """
    state, why = run.state(experiment.split.n_folds, thorough=True)
    if state != "complete":
        raise UsageError(f"{run.folder.name} is {state}, and only a complete run can be saved as a model: {why}")
    if run.kind == "import":
        raise UsageError(f"{run.title} came from outside: there are its predictions, but nothing that predicts")
    before = Path(place).is_dir() and any(Path(place).iterdir())
    model_folder.write(place, partial(_fill, run, experiment, files))
    instead = ", in place of the model that was there" if before else ""
    return f"model saved in {place}{instead}; now: ageensemble predict photos/ --model {place}"


def _fill(run, experiment, files, new):
    """Copy what predicts into the empty folder `new` and return the description."""
    pool, runs = _parts(run, experiment)
    members = [_member(one, experiment, files, new, f"members/{number}") for number, one in enumerate(runs)]
    scores, intervals = _scores(run, experiment), _intervals(run, experiment)
    content = {
        "name": run.title,
        "kind": run.kind,
        "run": run.folder.name,
        "ageensemble": read_json(run.folder / "run.json")["ageensemble"],
        "data": {key: experiment.metadata.get(key) for key in ("data", "items", "dataset", "split", "source", "folds")}
        | {"training_items": len(experiment.split.development), "test_items": len(experiment.split.test)}
        | {"chosen": _chosen(experiment.metadata)},
        "licenses": _licenses(experiment, members),
        "template": experiment.template and experiment.template.to_json(),
        "scores": scores,
        "intervals": intervals,
        "pool": pool and pool.to_json(),
        "members": members,
    }
    (new / "README.md").write_text(model_card.text(content), encoding="utf-8")
    return content


def _parts(run, experiment):
    """The pool of a stack and the runs that have weight in it; of another run none, and itself."""
    if run.kind != "stack":
        return None, [run]
    pool = Pool.from_json(run.metadata["pool"])
    there = [Run(experiment.folder / name) for name in sorted(run.config["members"])]  # the order they were weighed in
    used = [m for m, weight in enumerate(pool.weights) if weight > 0] or list(range(len(there)))
    for member in (there[m] for m in used):
        done = member.folder / "done.json"
        if not done.is_file() or file_hash(done) != run.config["members"][member.folder.name]:
            raise UsageError(f"{member.folder.name}, a member of {run.title}, is gone or was fitted again; stack again")
        if member.kind == "import":
            raise UsageError(
                f"{member.title}, a member of {run.title}, came from outside and cannot predict; stack without it"
            )
    used_pool = Pool(pool.kind, pool.weights[used], pool.temperatures[used], pool.biases, pool.shrinkage)
    return used_pool, [there[m] for m in used]


def _member(run, experiment, files, new, place):
    """Copy the fold models of a run and the files of its features; their description."""
    model = run.config["model"]
    if model.endswith(".py"):
        raise UsageError(f"{run.name} is a model from a file of yours, and {NO_CODE}; use it through the run")
    if model.startswith("sklearn:"):
        raise UsageError(f"{run.name} is a scikit-learn estimator, which takes a pickle to store, so it is not saved")
    if model.startswith("hf-hub:"):
        raise UsageError(f"{run.name}: what {model} is made of is written on the hub alone, so it cannot be saved yet")
    preprocess = run.config.get("preprocess", "")
    if preprocess.endswith(".py"):
        raise UsageError(f"{run.name} preprocesses by a file of yours, and {NO_CODE}")
    fold_models = []
    for fold in run.fold_names(experiment.split.n_folds):
        to = f"{place}/{run.fold_folder(fold).name}"
        shutil.copytree(run.fold_folder(fold) / "model", new / to)
        rows = experiment.split.development if run.kind == "refit" else experiment.split.training(int(fold))
        fold_models.append({"folder": to, "prior": ages.histogram(experiment.y[rows]).tolist()})
    records = run.records(experiment.split.n_folds)
    sets = [[name, _feature(name, params, experiment, files, new)] for name, params in run.config["features"]]
    return {
        "name": run.name,
        "run": run.folder.name,
        "model": model,
        "preprocess": preprocess,
        "features": sets,
        "code_versions": run.config.get("code_versions"),
        "device": run.config["device"],
        "versions": records[0]["versions"],
        "weights": records[0]["model"].get("weights", ""),
        "fold_models": fold_models,
    }


def _feature(name, params, experiment, files, new):
    """The parameters of a feature set, its files put into the folder and named relative to it."""
    if name.endswith(".py"):
        raise UsageError(f"{Path(name).name} makes features from a file of yours, and {NO_CODE}")
    cls, place = FEATURES.load(name), new / "features"
    own = (
        place / content_key(name, params)[:8]
    )  # two sets may take one network with other weights, and call both the same
    own.mkdir(parents=True, exist_ok=True)
    for key in cls.file_parameters:
        if str(params[key]).startswith("sha256 "):
            wanted = params[key].removeprefix("sha256 ")
            file = _found(wanted, experiment, files, f"{name}.{key}")
            if file.suffix in model_folder.KINDS:
                file = shutil.copyfile(file, place / f"{slug(file.stem)}-{wanted[:8]}{file.suffix}")
            params = params | {key: file}
    params = cls(**params).bundle_files(own)
    if not any(own.iterdir()):
        own.rmdir()
    inside = {key: file.relative_to(new).as_posix() for key, file in params.items() if isinstance(file, Path)}
    return params | inside


def _found(wanted, experiment, files, what):
    """The file with this hash, of those that lie beside the runs or were given."""
    for file in [*experiment.stored_files(wanted), *map(Path, files)]:
        if file.is_file() and file_hash(file) == wanted:
            return file
    raise UsageError(f"the file of {what} with the hash {wanted[:12]}... is not beside the runs; give it with --file")


def _scores(run, experiment):
    """Headline metrics of each part with their intervals: {part: {metric: [value, low, high]}}, and the age groups."""
    age_groups = ages.first_compatible(experiment.y)
    if age_groups is None:
        return {"age_groups": None}
    result = {"age_groups": age_groups.name}
    for part in run.parts:
        [found] = bootstrap.estimates([run.predictions(part)], metrics.headline(), age_groups)
        result[part] = {name: [estimate.value, *estimate.interval()] for name, estimate in found.items()}
    return result


def _intervals(run, experiment):
    """Label-conditional calibrations on all out-of-fold predictions, by level; none for a refit."""
    age_groups = ages.first_compatible(experiment.y)
    if "oof" not in run.parts or age_groups is None:
        return {}
    known = run.predictions("oof")
    return {str(level): asdict(conformal.fit_conformal(known, level, age_groups)) for level in LEVELS}


def _chosen(about):
    """Which images took part and what they are tested on, where that was asked for, a sentence each."""
    result = [f"Protocol {about['protocol']}."] if "protocol" in about else []
    result += [f"Left out: {step['reason']}." for step in about.get("cleaned", [])]
    return result + [f"Tested on {name}." for name in about.get("test_sets", [])]


def _licenses(experiment, members):
    """Licenses of the training data and of pretrained weights, one text each."""
    data = experiment.metadata.get("license") or "unknown; ask the source of the dataset"
    notes = [f"training images ({experiment.metadata['data']}): {data}"]
    for member in members:
        pretrained = [member["weights"]] if member["weights"] else []
        pretrained += [str(params.get("network", "")) for _, params in member["features"] if params.get("network")]
        notes += [_license(one) for one in pretrained if not one.startswith("none")]
    return list(dict.fromkeys(notes))


def _license(weights):
    """The license of weights that timm knows by their name."""
    import timm

    name = Path(weights).name
    known = timm.get_pretrained_cfg(name) if timm.models.is_model_pretrained(name) else None
    return f"weights {name}: {(known and known.license) or 'as their source says'}"


def default_place(run, out):
    """Where the model folder of a run lies if nobody says otherwise."""
    return Path(out) / "models" / slug(run.title)
