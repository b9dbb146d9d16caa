"""Boxes, ages and hints on a frame."""

from functools import lru_cache

import numpy as np

from ...inference.annotate import FRAME, INK
from .video import opencv

DARK = (24, 24, 24)
FINE = 4  # letters are drawn so many times larger and reduced, which makes round edges smooth


def faces(frame, shown):
    """Draw faces with their ages into a frame, in place.

    Parameters
    ----------
    frame : (h, w, 3) uint8 array
        blue first
    shown : list of recognizer.ShownFace
    """
    for face in shown:
        _corners(frame, face.box)
    for face in shown:
        if face.age is not None:
            low, high = face.interval
            _beside(frame, face.box, _label(str(face.age), f"{low}-{high}", _font_size(frame, face.box[2]), FRAME, INK))


def hint(frame, rate, paused=False):
    """Write frames per second and the keys into a corner of a frame, in place."""
    text = "paused   space goes on, q quits" if paused else f"{rate:.0f} frames a second   space pauses, q quits"
    font_size = max(11, round(max(frame.shape) / 60))
    label = _label("", text, font_size, DARK, (225, 225, 225))
    _paste(frame, *label, font_size // 2, frame.shape[0] - label[0].shape[0] - font_size // 2)


def _font_size(frame, side):
    """Height of letters that suits both the face and the frame, pixels."""
    whole = max(frame.shape)
    return round(max(min(whole / 32, side / 4.5), whole / 80, 11))


def _corners(frame, box):
    """The corners of a box, with a dark edge so that they are seen on anything."""
    cv2 = opencv()
    x, y, width, height = box
    line = max(2, round(max(frame.shape) / 320))
    arm = 0.22 * min(width, height)
    for thick, color in ((line + 2, DARK), (line, FRAME)):
        for left, across in ((x, arm), (x + width, -arm)):
            for top, down in ((y, arm), (y + height, -arm)):
                points = np.array([(left + across, top), (left, top), (left, top + down)]).round().astype(np.int32)
                cv2.polylines(frame, [points], False, color[::-1], thick, cv2.LINE_AA)


def _beside(frame, box, label):
    """Put a label above a box, or below where there is no room."""
    height, width = label[0].shape[:2]
    gap = max(4, height // 6)
    top = box[1] - height - gap
    if top < 0:
        top = min(box[1] + box[3] + gap, frame.shape[0] - height)
    _paste(frame, *label, box[0] + (box[2] - width) / 2, top)


def _paste(frame, label, opacity, left, top):
    """Blend an image into a frame at a corner, moved to where all of it is seen, as far as that can be."""
    left, top = (
        int(max(0, min(place, room - size)))
        for place, room, size in zip((left, top), frame.shape[1::-1], label.shape[1::-1], strict=True)
    )
    part = frame[top : top + label.shape[0], left : left + label.shape[1]]
    label, opacity = (a[: part.shape[0], : part.shape[1]] for a in (label, opacity))
    part[:] = (part + (label - part.astype(np.float32)) * opacity).round()


@lru_cache(maxsize=512)
def _label(large, small, font_size, background, color):
    """A text, its second half smaller, on a rounded ground: pixels `(h, w, 3)` float32, blue first, and opacity."""
    from PIL import Image, ImageDraw, ImageFont

    sizes = font_size * FINE, font_size * FINE * (0.68 if large else 0.9)
    fonts = [ImageFont.load_default(size) for size in sizes]
    widths = [font.getlength(text) for font, text in zip(fonts, (large, small), strict=True)]
    edge, gap = font_size * FINE * 0.45, font_size * FINE * 0.3 if large else 0
    size = [-(-int(side) // FINE) * FINE for side in (sum(widths) + gap + 2 * edge, font_size * FINE * 1.4)]
    label, opacity = Image.new("RGB", size, background), Image.new("L", size)
    ImageDraw.Draw(opacity).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), size[1] * 0.3, 240)
    canvas, base = ImageDraw.Draw(label), size[1] * 0.77
    canvas.text((edge, base), large, color, fonts[0], anchor="ls")
    canvas.text((edge + widths[0] + gap, base), small, color, fonts[1], anchor="ls")
    pixels, opacity = (np.asarray(image.reduce(FINE), np.float32) for image in (label, opacity))
    return pixels[..., ::-1], opacity[..., None] / 255
