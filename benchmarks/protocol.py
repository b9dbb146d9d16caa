"""How much a careless protocol flatters: folds that part duplicates, and early stopping on the fold that is scored.

    python benchmarks/protocol.py --data UTKFace --model svm --model svm@embed:mobilefacenet.onnx --network cnn

takes the time of two benchmarks of these models; without --data it uses the drawn faces, where half of all photographs
have others of their group, in four minutes on two cores. Expected: see results/README.md.

Parting duplicates: the development part of the default split is dealt out anew, photograph by photograph, to as many
folds; the test part stays. Each photograph then has two out-of-fold predictions of the same model, and the difference
of their errors is the flattery, overall and of those photographs whose group was parted.

Stopping on the scored fold: the network trains on the same photographs twice, keeps its best epoch by the error on an
inner part that it does not train on, or on the held-out fold itself. The first is honest, the second sees the answers.
Its inner part is added to neither training, so that only the choice of the epoch differs.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from ageensemble import ages
from ageensemble._utils.io import content_key
from ageensemble.data import image_array
from ageensemble.evaluation import bootstrap
from ageensemble.experiments import benchmark, prepare
from ageensemble.models import spec as specs
from ageensemble.splits.split import Split, leaking_rows, strata_of
from ageensemble.splits.stratified_groups import inner_folds


def main():
    """Print a line for each model and protocol."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="demo")
    parser.add_argument("--model", action="append", help="of the trial of duplicates; may be repeated")
    parser.add_argument("--network", default="cnn", help="of the trial of early stopping; empty for none")
    parser.add_argument("--folds", default="0,1,2,3,4", help="folds of the trial of early stopping")
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    here = benchmark.settings("runs", options.cache)
    dataset, split, about = prepare.prepare(here, [options.data])
    print(f"{dataset.name}: split {split.hash[:8]}, {len(split.development):,} photographs outside the test part")
    with tempfile.TemporaryDirectory() as name:
        duplicates(dataset, split, about, options.model or ["svm", "xgboost"], Path(name), options.cache)
    if options.network:
        folds = [int(fold) for fold in options.folds.split(",")]
        stopping(dataset, split, options.network, folds, here)


def duplicates(dataset, split, about, models, out, cache):
    """Compare out-of-fold errors under the split and under one that deals photographs out one by one."""
    here = benchmark.settings(out, cache)
    careless = dealt(split)
    parted = np.isin(np.arange(len(dataset)), leaking_rows(careless, dataset.groups))[split.development]
    print(f"{parted.sum():,} of them have others of their group in another fold when dealt out one by one")
    wanted = [specs.parse(model) for model in models]
    error = []
    for each in (split, careless):
        _, runs = benchmark.run(dataset, each, about, wanted, 0, "folds", here)
        error.append([_errors(run.proba("oof"), dataset.age_range[split.development]) for run in runs[: len(wanted)]])
    for spec, honest, flattered in zip(wanted, *error, strict=True):
        print(f"{spec.name}: MAE {honest.mean():.2f} with whole groups, {flattered.mean():.2f} with parted ones")
        for which, rows in (("all", np.ones(len(parted), bool)), ("parted", parted)):
            _say(
                f"  flattery, {which} {rows.sum():,}",
                (honest - flattered)[rows],
                dataset.groups[split.development][rows],
            )


def dealt(split):
    """The same split with the photographs outside the test part dealt out at random to as many folds."""
    part = split.fold.copy()
    part[split.development] = np.random.default_rng(0).permutation(len(split.development)) % split.n_folds
    return Split(part, split.n_folds, "dealt out one by one", content_key(part))


def stopping(dataset, split, network, folds, here):
    """Compare the epoch that an inner part chooses with the epoch that the scored fold chooses."""
    spec = specs.parse(f"{network} patience=99")
    spec = spec.resolve(here.cache, here.device, here.threads, here.console.say)
    photographs = image_array.load_images(dataset, spec.params["size"], here.cache)
    honest, cheating, rows = [], [], []
    for fold in folds:
        training, held = split.training(fold), split.held_out(fold)
        inner = inner_folds(strata_of(dataset), dataset.groups, training, [0, fold])
        learning = training[inner > 0]
        error = [
            _trained(spec, dataset, photographs, learning, chooser, held, here)
            for chooser in (training[inner == 0], held)
        ]
        honest, cheating, rows = [*honest, error[0]], [*cheating, error[1]], [*rows, held]
        print(
            f"  fold {fold}: {error[0].mean():.3f} by the inner part, {error[1].mean():.3f} by the scored fold",
            flush=True,
        )
    honest, cheating, rows = map(np.concatenate, (honest, cheating, rows))
    print(f"{spec.name}: MAE {honest.mean():.2f} stopped by an inner part, {cheating.mean():.2f} by the scored fold")
    _say("  flattery", honest - cheating, dataset.groups[rows])


def _trained(spec, dataset, photographs, learning, chooser, held, here):
    """Errors on the held-out fold of a network that keeps the epoch that `chooser`, its inner part, likes best."""
    rows = np.concatenate([learning, chooser])
    inner = np.r_[np.full(len(learning), 1), np.zeros(len(chooser), int)]
    model = spec.model_class(**spec.params)
    with tempfile.TemporaryDirectory() as keep:
        model.fit(photographs.take(rows), dataset.age_range[rows], inner, seed=0, threads=here.threads,
                  device=here.device, keep=Path(keep), tell=lambda told: None)  # fmt: skip
    prior = ages.histogram(dataset.age_range[learning])
    return _errors(ages.smooth_with_prior(model.predict(photographs.take(held)), prior), dataset.age_range[held])


def _errors(distribution, y):
    return np.abs(ages.median(distribution) - y[:, 0])


def _say(what, gain, groups):
    """Print the mean of what is gained for each photograph with its interval."""
    totals = bootstrap.bootstrap_totals(np.stack([gain, np.ones(len(gain))], 1), groups)
    low, high = bootstrap.interval(totals[:, 0] / totals[:, 1])
    print(f"{what}: {gain.mean():+.3f} years ({low:+.3f} to {high:+.3f})", flush=True)


if __name__ == "__main__":
    main()
