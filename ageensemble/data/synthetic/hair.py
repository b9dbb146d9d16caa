"""Hair, brows and beard of the faces of the demo dataset."""

import numpy as np

from .paint import band, bump, line, noise, paint, soft

GRAY = np.array((0.76, 0.75, 0.74), np.float32)
CHILDHOOD_FAIR = np.array((0.14, 0.12, 0.08), np.float32)  # hair that darkens as a child grows


def strands(person, look, at, rng):
    """Color of the hair strand by strand: each falls from the parting, and each grays in its own time."""
    fall = (at.x - 0.3 * person.parting) / (at.v + 1.9) + person.curl * 0.05 * np.sin(9 * at.v + 6 * at.x)
    comb = rng.standard_normal(512, dtype=np.float32)
    light = 0.6 * comb[(fall * 75).astype(np.int32) % 512] + (0.5 + 0.8 * person.curl) * noise(rng, 28)
    gray = look.gray * (1.1 + 0.3 * at.side) - 0.1 + 0.7 * look.gray * (1 - look.gray) * light  # temples go first
    gray = np.minimum(np.maximum(gray, 0), 1)
    young = person.hair + CHILDHOOD_FAIR * ((1 - look.grown) * person.fair)
    color = young[:, None, None] + gray * (GRAY - young)[:, None, None]
    return np.minimum(np.maximum(color * (1 + 0.15 * light), 0), 1)


def hang(image, person, look, at, color):
    """The part of long hair that hangs behind the neck."""
    if _hangs(look):
        paint(image, soft(_fall(person, look, at), 0.05), color * 0.55)


def brows(image, person, look, at, color):
    """Eyebrows, hardly there in a baby and bushy in some men."""
    at, image, rows = band(at, image, look.brow_v - 0.15, look.brow_v + 0.12)
    along = (at.side - 0.10) / (0.36 * (0.75 + 0.25 * look.grown))
    inside = np.minimum(np.maximum(along, 0), 1)
    arch = look.brow_v + 0.02 - 0.05 * (1 + 0.3 * person.slant) * np.sin(2.8 * inside)
    thick = (0.020 + 0.010 * look.grown + 0.014 * look.male) * (1 + 0.2 * person.brow) * (1.2 - 0.6 * inside)
    mask = np.exp(-(((at.y - arch) / np.maximum(thick, 0.01)) ** 2)) * soft(np.abs(along - 0.5) - 0.52, 0.06)
    dense = (0.06 + 0.48 * look.grown + 0.25 * look.male) * (1 - 0.3 * min(look.worn, 1)) * (1 + 0.15 * person.brow)
    paint(image, np.minimum(mask * dense, 1), color[:, rows] * 0.72)


def beard(image, person, look, capture, at, color):
    """The shadow of a shaven beard, or the beard."""
    if look.male < 0.3:
        return
    at, image, rows = band(at, image, look.nose_v, 1.1)
    lower = soft(0.46 + 0.10 * np.cos(4 * at.x) - at.y + 0.30 * (0.55 - at.side), 0.09)
    lip = soft(np.abs(at.y - look.nose_v - 0.135) - 0.045, 0.035) * soft(at.side - look.mouth_width - 0.03, 0.05)
    mouth = 1 - bump(at.x, at.y - look.mouth_v - 0.03, look.mouth_width + 0.03, 0.075)
    area = lip if person.moustache else np.maximum(lower * mouth, lip)
    area = area * soft(at.rho - 1.02, 0.05)
    image *= 1 - 0.11 * look.male * area
    paint(image, area * min(0.9, look.beard * (0.4 + capture.unshaven)), color[:, rows] * 0.85)


def hair(image, person, look, capture, at, color):
    """The hair on the head and beside the face; returns what it covers."""
    light = color[0] * (1 / max(0.05, float(color[0].mean()))) - 1
    dome = np.minimum(np.maximum(0.35 - at.v, 0), 1)
    lift = person.volume * (0.2 + 0.8 * look.hair) * (1 - look.bald * np.minimum(dome, 1)) + 0.03 * look.hair
    outside = at.rho - 1 - lift * np.sqrt(dome) + 0.10 * person.curl * light
    below = at.y - _hairline(person, look, capture, at, light)
    beside_ears = at.y - look.eye_v + 0.15 - 0.2 * look.grown - 0.2 * look.male
    cover = soft(outside, 0.03) * soft(below, 0.05 + 0.2 * (1 - look.hair)) * soft(beside_ears, 0.12)
    cover *= look.hair * (1 - np.minimum(1.3 * look.bald * bump(at.x, at.y + 0.95, 0.50, 0.45), 1))
    if _hangs(look):
        beside = 0.61 - 0.5 * person.volume + 0.10 * np.minimum(np.maximum(at.v, -0.3), 0.6) + 0.05 * light
        cover = np.maximum(cover, soft(np.maximum(beside - np.abs(at.u), _fall(person, look, at)), 0.035))
    paint(image, cover, color)
    return cover


def _hairline(person, look, capture, at, light):
    """How far down the hair grows or falls: over the temples, back from them in balding men, over a brow as fringe."""
    temple = 0.20 * look.bald + 0.04 * look.male * (1 + person.forehead)
    edge = look.hairline + 4.2 * np.maximum(at.side - 0.22, 0) ** 2.2 + 0.08 * person.fringe_slant * at.x - 0.06 * light
    if capture.fringe:
        edge = edge + (0.30 + 0.2 * light) * soft(at.side - 0.45, 0.1)
    return edge - temple * line(at.side - 0.34, 0.15)


def _hangs(look):
    return look.long > 0.15 and look.hair > 0.9


def _fall(person, look, at):
    """Signed distance to the outline of hair that hangs, round at its ends."""
    end = 1.25 * look.long * min(1, look.grown * 1.3)
    top, radius = -0.55, 0.35
    across = np.maximum(np.abs(at.u) - 0.37 - person.volume - 0.12 * person.curl, 0)
    down = np.maximum(np.abs(at.v - (top + end) / 2) - (end - top) / 2 + radius, 0)
    return np.sqrt(across**2 + down**2) - radius
