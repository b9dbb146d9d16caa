"""Time our training loop against timm's own training script: same backbone, size, batch and folder of JPEG files.

    python benchmarks/training_speed.py --timm pytorch-image-models/train.py --data UTKFace

takes about 10 minutes on two idle cores. The aim, not measured yet on an idle machine: on a processor at least twice
the images/s of the script at its defaults, and less than 2 % of our time spent waiting for data.

train.py is no part of the package timm; its repository has it, and the timm that is installed is what runs. Both sides
begin with random weights and do all they do by default: theirs random crops, flips, colors and SGD, ours rotation,
crops, flips, colors, AdamW, the running average of the weights and the error of every photograph in years. Each
counts its own images/s over the training part of an epoch, waiting for data included, validation and checkpoints not,
so that start-up decides nothing; the first epoch, in which workers start and kernels are chosen or compiled, does not
count. They train in turns, and medians are shown. Ours decodes photographs once and keeps them as squares: what that
takes is shown apart, and in a second ratio shared among the epochs of a training. Without --data the photographs are
drawn faces, enlarged to 200 pixels. The script's best options are tried too, or those of --options.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from ageensemble import models
from ageensemble._utils.workers import THREAD_VARIABLES
from ageensemble.ages import N_AGES
from ageensemble.data import image_array
from ageensemble.data.dataset import load_dataset
from ageensemble.data.readers import utkface
from ageensemble.data.synthetic import dataset as synthetic

WHERE = "git clone --depth 1 https://github.com/huggingface/pytorch-image-models has it"
BEST = {  # the best of what its help offers, found with --options; which of several is best depends on the machine
    "cpu": ["--channels-last --workers 1", "--channels-last --workers 1 --amp --amp-dtype bfloat16"],
    "cuda": ["--channels-last --amp --amp-dtype bfloat16 --pin-mem --workers 16 --use-multi-epochs-loader"],
}
STEP = re.compile(r"Train: (\d+) \[.*?\(([\d.]+)s, +([\d.]+)/s\).*Data: [\d.]+ \(([\d.]+)\)")
DRAWN = 200  # pixels a side, as those of UTKFace


def image_folder(source, count, folder):
    """Copy evenly spaced photographs to `folder/train/AGE/`, the layout that timm reads and our reader knows too."""
    table = utkface.read(source)
    table = table[table["problem"].isna()]
    for path, age in table[["path", "age_min"]].to_numpy()[:: max(1, len(table) // count)][:count]:
        target = folder / "train" / f"{age:.0f}" / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, target)


def draw(count, folder):
    """Draw faces, enlarge them, and name them as those of UTKFace are named."""
    synthetic.draw(folder / "small", count + count // 10)  # some of them are broken on purpose
    items = load_dataset(folder / "small", cache=folder / "cache").items
    (folder / "large").mkdir()
    for number, (path, age) in enumerate(items[["path", "age_min"]].to_numpy()):
        picture = Image.open(folder / "small" / path).convert("RGB").resize((DRAWN, DRAWN), Image.Resampling.BICUBIC)
        picture.save(folder / "large" / f"{age:.0f}_0_0_{10**16 + number}.jpg", quality=92)
    return folder / "large"


def prepared(folder, o):
    """Decode and make squares as the product does; the photographs, their ages `(n, 2)`, and the seconds it took."""
    started = time.perf_counter()
    built = load_dataset(folder / "train", cache=folder / "cache", n_jobs=o.threads)
    photographs = image_array.load_images(built, str(o.size), folder / "cache")
    return photographs, built.age_range, time.perf_counter() - started


def ours(params, photographs, y, folder, o):
    """Train with the product's model; images/s and share of waiting of each epoch but the first."""
    model = models.load(o.model)(**params, device=o.device)
    model.fit(photographs, y, cv=np.arange(len(y)) % 10, checkpoint_dir=Path(tempfile.mkdtemp(dir=folder)))
    return [(epoch["images_per_second"], epoch["waiting"]) for epoch in model.history_[1:]]


def theirs(options, folder, o):
    """Train with timm's script in a process of its own; the same numbers, from the last line of each epoch."""
    same = {"model": o.model, "data-dir": folder, "img-size": o.size, "batch-size": o.batch, "num-classes": N_AGES,
            "epochs": o.epochs, "device": o.device, "val-split": "", "output": folder / "out"}  # fmt: skip
    given = [f"--{name}={value}" for name, value in same.items()]
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(o.threads))
    run = subprocess.run([sys.executable, "-P", o.timm, *given, *options.split()], env=environment, cwd=folder,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    last = {int(epoch): tuple(map(float, rest)) for epoch, *rest in STEP.findall(run.stdout)}
    if run.returncode or len(last) < o.epochs:
        sys.exit(f"{o.timm} {options} failed:\n{run.stdout[-2000:]}")
    return [(speed, data / seconds) for epoch, (seconds, speed, data) in last.items() if epoch]


def main():
    """Prepare, train in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timm", required=True, help=f"train.py of timm's repository: {WHERE}")
    parser.add_argument("--data", type=Path, help="folder of photographs named as those of UTKFace")
    parser.add_argument("--count", type=int, default=1200, help="number of photographs")
    parser.add_argument("--model", default="mobilenetv2_100", help="name of a network of timm")
    parser.add_argument("--size", type=int, default=128, help="side of the photographs in pixels")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=3, help="of each training; the first does not count")
    parser.add_argument("--shared", type=int, default=6, help="epochs that share the preparation in the second ratio")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each, in turns")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--precision", default="auto", help="ours: fp32, bf16, or auto, which tries both")
    parser.add_argument(
        "--options", action="append", help="of timm's script, tried beside its defaults; may be repeated"
    )
    o = parser.parse_args()
    if not Path(o.timm).is_file():
        parser.error(f"no file {o.timm}; {WHERE}")
    o.timm = Path(o.timm).resolve()
    torch.set_num_threads(o.threads)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        image_folder(o.data or draw(o.count, folder), o.count, folder)
        photographs, y, preparation = prepared(folder, o)
        params = {"size": str(o.size), "batch": o.batch, "epochs": o.epochs, "hold": 0, "precision": o.precision,
                  "pretrained": False}  # fmt: skip
        params = models.load(o.model).resolve(
            params, cache=folder / "cache", device=o.device, threads=o.threads, say=print
        )
        sides = {"ours, " + params["precision"]: lambda: ours(params, photographs, y, folder, o)}
        for options in ["", *(o.options or BEST[o.device])]:
            sides[f"timm's script {options or 'at its defaults'}"] = lambda options=options: theirs(options, folder, o)
        epochs = {side: [] for side in sides}
        for number in range(o.rounds):
            for side, train in sides.items():
                epochs[side] += train()
                print(f"{number + 1} {side}: {', '.join(f'{speed:.1f}' for speed, _ in epochs[side][1 - o.epochs :])}")

    n = len(y)
    print(f"\n{o.model}, {n} photographs of {o.size} pixels, batches of {o.batch}, {o.threads} threads on {o.device}")
    print(f"{'images/s':>8}{'waiting':>9}{'ratio':>7}{'prepared':>10}")
    medians = {side: [median(column) for column in zip(*rows, strict=True)] for side, rows in epochs.items()}
    fast = next(iter(medians.values()))[0]
    whole = n * o.shared / (preparation + n * o.shared / fast)
    for side, (speed, waiting) in medians.items():
        print(f"{speed:8.1f}{waiting:9.2%}{fast / speed:7.2f}{whole / speed:10.2f}   {side}")
    print(f"Preparing took {preparation:.1f} s once; 'prepared' is the ratio where {o.shared} epochs share it.")


if __name__ == "__main__":
    main()
