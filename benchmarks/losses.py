"""All losses of the networks, side by side: one fold of the default split, one network, the same training.

    python benchmarks/losses.py --data UTKFace --model 'cnn size=48 epochs=8'

Takes ten to twenty minutes on one core with UTKFace; without --data it trains on drawn faces, in three. Expected:
on UTKFace all losses that end in a distribution of their own lie within a few tenths of a year, see results/README.md.
The defaults were chosen on scores like these, of a held-out fold; the test part is not touched.
"""

import argparse
import time

from ageensemble import Resources, ages, load_dataset, make_split
from ageensemble.data.image_array import load_images
from ageensemble.evaluation import bootstrap, metrics
from ageensemble.evaluation.predictions import Predictions
from ageensemble.models import spec as specs
from ageensemble.models.neural.losses import LOSSES


def main():
    """Print one line for each loss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="demo")
    parser.add_argument("--model", default="cnn size=48 epochs=8")
    parser.add_argument("--losses", default=",".join(LOSSES.names()))
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache")
    options = parser.parse_args()
    resources = Resources(cache=options.cache, n_jobs=1)
    dataset = load_dataset(options.data, cache=resources.cache)
    split = make_split(dataset)
    print(f"{dataset.name}: fold {options.fold} of split {split.hash[:8]}, {options.model}, seed {options.seed}")
    for loss in options.losses.split(","):
        report(loss, dataset, split, resources, options)


def report(loss, dataset, split, resources, options):
    """Train with one loss on one fold and print the errors on the items that were held out."""
    spec = specs.parse(f"{options.model} loss={loss}")
    spec = spec.resolve(resources.cache, resources.device, resources.n_threads, lambda text: None)
    images = load_images(dataset, spec.params["size"], resources.cache)
    rows, held_out = split.training(options.fold), split.held_out(options.fold)
    model, started = (
        spec.model_class(**spec.params, random_state=options.seed, device=resources.device),
        time.perf_counter(),
    )
    model.fit(images.take(rows), dataset.age_range[rows], dataset.groups[rows])
    seconds, y = time.perf_counter() - started, dataset.age_range[held_out]
    distribution = ages.smooth_with_prior(
        model.predict_proba(images.take(held_out)), ages.histogram(dataset.age_range[rows])
    )
    predictions = Predictions(distribution, y, dataset.groups[held_out])
    score = metrics.score(predictions)
    [found] = bootstrap.estimates([predictions], metrics.headline(), ages.DEFAULT_AGE_GROUPS)
    bars = {name: estimate.interval() for name, estimate in found.items()}
    mae, f1 = (f"{score[name]:.3f} ({bars[name][0]:.3f}-{bars[name][1]:.3f})" for name in ("mae", "f1_weighted"))
    rest = f"bias {score['bias']:+.2f}  CRPS {score['crps']:.3f}"
    print(f"{loss:14} MAE {mae}  weighted F1 {f1}  {rest}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
