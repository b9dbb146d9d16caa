"""All losses of the networks, side by side: one fold of the default split, one network, the same recipe.

    python benchmarks/losses.py --data UTKFace --model 'cnn size=48 epochs=8'

Takes ten to twenty minutes on one core with UTKFace; without --data it trains on the drawn faces, in three. Expected:
on UTKFace all losses that end in a distribution of their own lie within a few tenths of a year, see results/README.md.
The defaults were chosen on scores like these, of a held-out fold; the test part is not touched.
"""

import argparse
import tempfile
import time
from pathlib import Path

from ageensemble import ages
from ageensemble.data import image_array
from ageensemble.evaluation import bootstrap, metrics
from ageensemble.experiments import benchmark, prepare
from ageensemble.models import spec as specs
from ageensemble.models.neural.losses import LOSSES
from ageensemble.splits.split import strata_of
from ageensemble.splits.stratified_groups import inner_folds


def main():
    """Print one line for each loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="demo")
    parser.add_argument("--model", default="cnn size=48 epochs=8")
    parser.add_argument("--losses", default=",".join(LOSSES))
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    here = benchmark.settings(cache=options.cache, jobs=1)
    dataset, split, _ = prepare.prepare(here, [options.data])
    print(f"{dataset.name}: fold {options.fold} of split {split.hash[:8]}, {options.model}, seed {options.seed}")
    for loss in options.losses.split(","):
        one(loss, dataset, split, here, options)


def one(loss, dataset, split, here, options):
    """Train with one loss on one fold and print how it does on what was held out."""
    import torch

    torch.set_num_threads(options.threads)
    spec = specs.parse(f"{options.model} loss={loss}")
    spec = spec.settled(here.cache, here.device, options.threads, lambda text: None)
    photographs = image_array.load_images(dataset, spec.params["size"], here.cache)
    rows, held = split.training(options.fold), split.held_out(options.fold)
    inner = inner_folds(strata_of(dataset), dataset.groups, rows, [0, options.fold])
    model, started = spec.make(**spec.params), time.perf_counter()
    with tempfile.TemporaryDirectory() as keep:
        model.fit(photographs.take(rows), dataset.age_range[rows], inner, seed=options.seed, threads=options.threads,
                  device=here.device, keep=Path(keep), tell=lambda told: None)  # fmt: skip
    seconds = time.perf_counter() - started
    distribution = ages.finish(model.predict(photographs.take(held)), ages.histogram(dataset.age_range[rows]))
    y = dataset.age_range[held]
    score = metrics.score(distribution, y, ages.DEFAULT_AGE_GROUPS)
    answered = bootstrap.answers(distribution, ages.DEFAULT_AGE_GROUPS)
    [found] = bootstrap.headline([answered], y, dataset.groups[held], ages.DEFAULT_AGE_GROUPS)
    bars = {name: estimate.interval() for name, estimate in found.items()}
    mae, f1 = (f"{score[name]:.3f} ({bars[name][0]:.3f}-{bars[name][1]:.3f})" for name in ("mae", "f1_weighted"))
    rest = f"bias {score['bias']:+.2f}  CRPS {score['crps']:.3f}"
    print(f"{loss:14} MAE {mae}  weighted F1 {f1}  {rest}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
