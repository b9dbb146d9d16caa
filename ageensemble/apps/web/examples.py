"""Drawn faces to try the page with, made in memory: one alone, and several in frames on a wall."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from ...data.synthetic.dataset import portrait

SIDE = 240  # pixels
FRAME, MOUNT, GAP = 6, 14, 34  # pixels
WALL, WOOD, PAPER = (196, 204, 200), (74, 56, 44), (246, 243, 236)
ALONE = {"a child": (8, 9), "a young man": (25, 3), "an old man": (82, 15)}  # age and seed, chosen for their looks
TOGETHER = {"two faces": [(16, 2), (35, 4)], "three faces": [(82, 23), (35, 36), (2, 0)]}


def examples():
    """Images by name.

    Returns
    -------
    dict of str to bytes
        JPEG files
    """
    alone = {name: _face(*who) for name, who in ALONE.items()}
    return {name: _jpeg(image) for name, image in (alone | {n: _wall(who) for n, who in TOGETHER.items()}).items()}


def _face(age, seed):
    with Image.open(io.BytesIO(portrait(age, seed))) as image:
        return image.convert("RGB").resize((SIDE, SIDE * image.height // image.width), Image.Resampling.BICUBIC)


def _wall(who):
    """Faces in frames side by side, each with its shadow."""
    faces = [_face(age, seed) for age, seed in who]
    border = FRAME + MOUNT
    step = SIDE + 2 * border + GAP
    size = (GAP + step * len(faces), max(face.height for face in faces) + 2 * (border + GAP))
    light = np.linspace(1.06, 0.88, size[1])[:, None, None]  # from above
    wall = Image.fromarray((np.broadcast_to(WALL, (size[1], size[0], 3)) * light).clip(0, 255).astype(np.uint8))
    shade = Image.new("L", size)
    corners = [(GAP + step * i, (size[1] - face.height) // 2 - border) for i, face in enumerate(faces)]
    for (left, top), face in zip(corners, faces, strict=True):
        outer = (left + 4, top + 8, left + SIDE + 2 * border + 4, top + face.height + 2 * border + 8)
        ImageDraw.Draw(shade).rectangle(outer, 110)
    wall = Image.composite(Image.new("RGB", size), wall, shade.filter(ImageFilter.GaussianBlur(7)))
    for (left, top), face in zip(corners, faces, strict=True):
        for color, inset in ((WOOD, 0), (PAPER, FRAME)):
            wide, high = SIDE + 2 * (border - inset), face.height + 2 * (border - inset)
            wall.paste(color, (left + inset, top + inset, left + inset + wide, top + inset + high))
        wall.paste(face, (left + border, top + border))
    return wall


def _jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()
