"""The way out where a folder matches no known layout: an annotations.csv to be filled in."""

import csv
import io
import os
import shlex
from pathlib import Path

from ...errors import DataError, UsageError
from .files import as_text, first_images, has_image_suffix, image_paths

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
HEADER = ["path", "age", "gender", "subject"]


def suggestion(root: Path) -> str:
    """A sentence on what to do with the data at `root`: a table made of the files' own names."""
    if not root.is_dir():
        return "Give a folder of images, or a .csv or .parquet file with the columns path and age"
    names = sorted(as_text(name) for name in first_images(root) if has_image_suffix(name))
    if not names:
        archives = sorted(entry.name for entry in root.iterdir() if entry.name.lower().endswith(ARCHIVES))
        why = f"unpack {archives[0]} first" if archives else "no file there has an ending such as .jpg or .png"
        return f"No image is in it: {why}"
    lines = [HEADER[:2], *zip(names[:2], (34, 7), strict=False)]
    example = ", ".join(f"'{_line(line)}'" for line in lines)
    return (
        f"Add annotations.csv to that folder, one line per photo with your own ages: {example}. "
        f"To list all file names: ageensemble data formats --template {shlex.quote(as_text(str(root)))}"
    )


def _line(fields):
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def write_template(root: Path) -> tuple[int, int]:
    """Write an `annotations.csv` that lists the images below `root`, with blank ages to be filled in.

    Parameters
    ----------
    root : pathlib.Path

    Returns
    -------
    tuple of int
        images listed, and left out as their names are no UTF-8

    Raises
    ------
    DataError
        `root` is no folder, can't be read, or has no images.
    UsageError
        It has an `annotations.csv`.
    """
    file = root / "annotations.csv"
    names = [name for name in image_paths(root) if has_image_suffix(name)]
    sound = [name for name in names if as_text(name) == name]
    if not sound:
        raise DataError(f"no images in {root}: no file there has an ending such as .jpg or .png")
    try:
        with open(file, "x", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator=os.linesep).writerows([HEADER, *([name, "", "", ""] for name in sound)])
    except FileExistsError:
        raise UsageError(f"{file} is there already and is left as it is; move it away first") from None
    return len(sound), len(names) - len(sound)
