"""Copies of images with the faces framed and their ages written beside them."""

import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .._utils.hardware import cores
from .._utils.io import atomic_write
from ..data.image_io import read_image
from ..data.image_store import content
from ..errors import UsageError
from .output import identity

LONG_SIDE = 4096  # pixels; a larger image is reduced to it
QUALITY = 92  # of JPEG
FRAME, PAPER, INK = (255, 205, 0), (255, 205, 0), (0, 0, 0)
MIN_FONT_SIZE = 11  # pixels
MOST_LETTERS, MOST_BYTES = 120, 160  # of a name in a path, which with all that is added may have 255 bytes


def places(images, folder, inputs):
    """Where the copy of each image goes: the same relative name, made safe, and none twice.

    Parameters
    ----------
    images : sequence of InputImage
    folder : path
    inputs : callable
        returns what is read: a set of `output.identity`

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    UsageError
        `folder` is a file, or a copy would take the place of an image or leave the folder through a link.
    """
    folder = Path(folder)
    if os.path.lexists(folder) and not folder.is_dir():
        raise UsageError(f"--annotate {folder} is not a folder; give one, or a new name")
    owner, copies = {}, []
    for image in images:
        name = _safe(image.copy)
        stem, ending = os.path.splitext(name)
        count = 1
        while owner.setdefault(name.lower(), image.path) != image.path:
            count += 1
            name = f"{stem}-{count}{ending}"
        copies.append(folder / name)
    if folder.is_dir():
        _refuse(copies, folder, inputs())
    return copies


def _refuse(copies, folder, read):
    home = os.path.realpath(folder)
    for copy in copies:
        if identity(copy) in read - {None}:
            raise UsageError(f"--annotate {folder} would replace the image {copy}; give another folder")
    for parent in {copy.parent for copy in copies}:
        if os.path.commonpath([home, os.path.realpath(parent)]) != home:
            raise UsageError(f"--annotate {folder}: {parent} is a link that leads out of it; give another folder")


def _safe(name):
    """A relative path without what leads elsewhere or what some file system refuses, of JPEG or PNG."""
    name = re.sub(r'[\x00-\x1f\x7f-\x9f<>:"\\|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]', "_", name)
    parts = [part for part in name.split("/") if part not in ("", ".", "..")] or ["image"]
    stem, ending = os.path.splitext(parts.pop())
    if ending.lower() not in (".jpg", ".jpeg", ".png"):
        ending += ".jpg"
    parts = [part[:MOST_LETTERS].encode()[:MOST_BYTES].decode(errors="ignore") for part in (*parts, stem)]
    return "/".join(parts) + ending[-20:]


def draw(block, rows, places):
    """Write the copies of a block of images; one that cannot be read has none.

    Parameters
    ----------
    block : list of pipeline.ImageResult
    rows : list of dict
        `output.Columns.rows` of the block
    places : sequence of pathlib.Path
        from `places`, of the block and maybe of what comes after it
    """
    rows, tasks = iter(rows), {}
    for result, place in zip(block, places, strict=False):
        own = [next(rows) for _ in result.faces or "-"]
        if not result.problem:  # an image that was given twice has one copy, and one thread that writes it
            tasks[place] = result, [f"{row['age']} ({row['low']}-{row['high']})" for row in own], place
    with ThreadPoolExecutor(cores()) as pool:
        for _ in pool.map(lambda task: _draw(*task), tasks.values()):  # an error is raised when its result is taken
            pass


def _draw(result, texts, place):
    data, _ = content(result.image.path)
    if data is None:  # it was there a moment ago
        return
    image, (height, width) = read_image(io.BytesIO(data), LONG_SIDE)
    factors = image.width / width, image.height / height
    for one, text in zip(result.faces, texts, strict=False):
        _frame(image, _corners(one.face, factors), text)
    place.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(place) as new:
        image.save(new, "PNG" if place.suffix.lower() == ".png" else "JPEG", quality=QUALITY)


def _corners(face, factors):
    """Left, top, right and bottom of a face in the copy, or None."""
    if face is None:
        return None
    x, y, width, height = face.box
    across, down = factors
    return x * across, y * down, (x + width) * across, (y + height) * down


def _frame(image, corners, text):
    """Frame a face and write above it, or in the corner of the image where there is no box."""
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(image)
    side = (corners[2] - corners[0]) * 1.5 if corners else image.width
    font_size = max(min(max(image.size) / 40, side / 5), max(image.size) / 90, MIN_FONT_SIZE)
    font, line = ImageFont.load_default(font_size), max(1, round(font_size / 8))
    left, top = (corners[0], corners[1]) if corners else (0, 0)
    if corners:
        pen.rectangle(corners, outline=FRAME, width=line)
    _, above, wide, below = pen.textbbox((0, 0), text, font)
    edge = 2 * line
    high = below - above + 2 * edge
    left = max(0, min(left, image.width - wide - 2 * edge))
    top = max(0, min(top - high if corners else 0, image.height - high))
    pen.rectangle((left, top, left + wide + 2 * edge, top + high), fill=PAPER)
    pen.text((left + edge, top + edge - above), text, INK, font)
