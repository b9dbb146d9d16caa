"""Images end to end through `ageensemble predict`: how many a second, in how much memory, and where the time goes.

    python benchmarks/predict_speed.py --model runs/models/stack --detector yunet.onnx

draws 10,000 images of 640 x 480 pixels with one or two drawn faces, then predicts a tenth of them and all, each time
in a process of its own. Memory is flat where both need the same. The steady speed is that of the images beyond the
first tenth, so that loading the model does not count. The seconds of a stage are summed over threads, and hold waiting
for a core where the machine has other things to do.

Takes nine minutes on two cores. Measured, with a stack of an svm on HOG and LBP, an svm on an embedding and a cnn, and
YuNet: 25.1 images a second; 1.99 GB for 1,000 images, 2.08 GB for 10,000; of 794 seconds 398 detecting, 175
the embedding's network, 74 the cnn, 48 cutting, 41 HOG and LBP, 40 the svms, 18 reading.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ageensemble._utils.hardware import cores
from ageensemble.data.synthetic.dataset import portrait

FACES = 60  # different ones
SIZE = (640, 480)


def main():
    """Draw, predict twice, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a model folder")
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--images", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder, count = Path(folder), options.images
        counts = [max(1, count // 10), count]
        for part, (begin, end) in enumerate([(0, counts[0]), (counts[0], count)]):
            paste(folder / "photos" / str(part), begin, end)
        first = predict(folder / "photos" / "0", folder / "rows.csv", options)
        whole = predict(folder / "photos", folder / "rows.csv", options)
        print(f"{cores()} cores, {options.model}: {whole['summary']}")
        for n, run in zip(counts, (first, whole), strict=True):
            print(f"{n:7,} images: {run['seconds']:7.1f} s with loading, peak memory {run['peak'] / 1e9:.2f} GB")
        steady = (counts[1] - counts[0]) / max(whole["seconds"] - first["seconds"], 1e-9)
        print(f"steady speed: {steady:.1f} images a second")
        print(f"{whole['spent']}")


def paste(folder, begin, end):
    """Write the images of these numbers, the same each time."""
    folder.mkdir(parents=True)
    faces = [Image.open(io.BytesIO(portrait(1 + 7 * i % 80, i))).convert("RGB") for i in range(FACES)]
    for number in range(begin, end):
        rng = np.random.default_rng(number)
        rough = Image.fromarray(rng.integers(60, 190, (4, 5, 3)).astype(np.uint8))
        image = rough.resize(SIZE, Image.Resampling.BICUBIC)
        for half in range(rng.integers(1, 3)):
            face, side = faces[rng.integers(FACES)], int(rng.integers(90, 280))
            corner = int(rng.integers(0, 321 - side)) + 320 * half, int(rng.integers(0, 481 - side))
            image.paste(face.resize((side, side), Image.Resampling.BICUBIC), corner)
        image.save(folder / f"{number:06}.jpg", quality=90)


def predict(photos, rows, options):
    """The command in a process of its own: wall seconds, peak memory in bytes, and its last two lines."""
    words = ["predict", photos, "--model", options.model, "--csv", rows, "--verbose"]
    words += ["--detector", options.detector, "--device", options.device]
    command = [sys.executable, "-m", "ageensemble", *map(str, words)]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read()
    if process.returncode:
        raise SystemExit(text)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    [spent] = re.findall(r"^seconds by kind of work.*", text, re.M)
    return {"seconds": seconds, "peak": peak, "spent": spent, "summary": text.splitlines()[-1]}


if __name__ == "__main__":
    main()
