"""All losses of the networks, side by side: one fold of the default plan, one network, the same recipe.

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
from ageensemble.splits import split


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
    manifest, plan, _ = prepare.prepare(here, [options.data])
    print(f"{manifest.name}: fold {options.fold} of plan {plan.hash[:8]}, {options.model}, seed {options.seed}")
    for loss in options.losses.split(","):
        one(loss, manifest, plan, here, options)


def one(loss, manifest, plan, here, options):
    """Train with one loss on one fold and print how it does on what was held out."""
    import torch

    torch.set_num_threads(options.threads)
    spec = specs.parse(f"{options.model} loss={loss}")
    spec = spec.settled(here.cache, here.device, options.threads, lambda text: None)
    photographs = image_array.photographs(manifest, spec.params["size"], here.cache)
    rows, held = plan.training(options.fold), plan.held_out(options.fold)
    inner = split.inner(manifest.strata, manifest.clusters, rows, [0, options.fold])
    model, started = spec.make(**spec.params), time.perf_counter()
    with tempfile.TemporaryDirectory() as keep:
        model.fit(photographs.take(rows), manifest.y[rows], inner, seed=options.seed, threads=options.threads,
                  device=here.device, keep=Path(keep), tell=lambda told: None)  # fmt: skip
    seconds = time.perf_counter() - started
    distribution = ages.finish(model.predict(photographs.take(held)), ages.histogram(manifest.y[rows]))
    y = manifest.y[held]
    score = metrics.score(distribution, y, ages.FOURTEEN)
    answered = bootstrap.answers(distribution, ages.FOURTEEN)
    [found] = bootstrap.headline([answered], y, manifest.clusters[held], ages.FOURTEEN)
    bars = {name: estimate.interval() for name, estimate in found.items()}
    mae, f1 = (f"{score[name]:.3f} ({bars[name][0]:.3f}-{bars[name][1]:.3f})" for name in ("mae", "f1_weighted"))
    rest = f"bias {score['bias']:+.2f}  CRPS {score['crps']:.3f}"
    print(f"{loss:14} MAE {mae}  weighted F1 {f1}  {rest}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
