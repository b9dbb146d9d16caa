"""How one face of the demo dataset is drawn from its parameters, with numpy alone.

The head is a height field: a dome whose outline is a polynomial, with bumps for nose, cheeks and chin and grooves for
wrinkles. Color is painted on it flat, and one light then shades everything, so a wrinkle darkens or vanishes with the
light as a real one does. Features are painted in folded coordinates (|x|), which draws left and right at once.
"""

from types import SimpleNamespace

import numpy as np

from . import hair
from .ageing import aged
from .paint import PIXEL, SIZE, SPAN, band, bump, line, noise, paint, soft

CHEBYSHEV = np.linalg.inv(np.cos(np.outer(np.pi * np.arange(7) / 6, np.arange(7))))

SKIN = np.array([(0.97, 0.83, 0.76), (0.94, 0.77, 0.66), (0.86, 0.67, 0.53),
                 (0.73, 0.53, 0.40), (0.55, 0.38, 0.28), (0.41, 0.28, 0.21)], np.float32)  # fmt: skip
LIPS = np.array((0.84, 0.58, 0.60), np.float32)  # times the skin
BLUSH = np.array((0.80, 0.33, 0.30), np.float32)
SPOT = np.array((0.42, 0.27, 0.17), np.float32)
SHADOW = np.array((0.88, 1.0, 1.06), np.float32)[:, None, None]  # the shaded side of skin is redder


def face(person, age, capture, rng):
    """Draw one face.

    Parameters
    ----------
    person, capture : SimpleNamespace
        Traits of the person, and of the capture, as `dataset` draws them.
    age : float
        Biological age in years.
    rng : numpy.random.Generator
        For whatever has no name: texture, strands, the background's blobs.

    Returns
    -------
    numpy.ndarray
        ``(SIZE, SIZE, 3)`` float32, about 0 to 1.
    """
    look = aged(person, age)
    at = _place(look, person, capture)
    skin = _skin(person, look, at, rng)
    strands = hair.strands(person, look, at, rng)
    image = _background(capture, rng)
    hair.hang(image, person, look, at, strands)
    _body(image, look, capture, at, skin)
    _ears(image, look, at, skin)
    inside = soft(at.rho - 1, PIXEL * 1.4)
    paint(image, inside, skin)
    height, crease = _relief(person, look, capture, at)
    image *= 1 - inside * crease * 0.35
    _eyes(image, person, look, at)
    _mouth(image, person, look, capture, at)
    hair.brows(image, person, look, at, strands)
    hair.beard(image, person, look, capture, at, strands)
    cover = hair.hair(image, person, look, capture, at, strands)
    _light(image, height * (1 - cover), inside, cover, look, capture, at)
    _glasses(image, look, capture, at)
    _hide(image, capture, at, skin)
    return image.transpose(1, 2, 0)


def _place(look, person, capture):
    """Where each pixel lies: on the canvas' head (u, v), and on the turned face's features (x, y)."""
    steps = ((np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE - 0.5) * SPAN
    cos, sin = float(np.cos(capture.roll)) / capture.scale, float(np.sin(capture.roll)) / capture.scale
    across, down = steps[None, :] - capture.shift_u, steps[:, None] - capture.shift_v
    u, v = cos * across + sin * down, cos * down - sin * across + 0.02
    radius = np.sqrt(u * u + v * v) + 1e-3
    first, second, *rest = (float(c) for c in CHEBYSHEV @ look.outline)
    up = -v / radius
    outline, before, now = first + second * up, np.float32(1), up
    for coefficient in rest:
        before, now = now, 2 * up * now - before
        outline += coefficient * now
    rho = radius / outline
    depth = 1 - np.minimum(rho, 1.3) ** 2
    x, y = u - capture.yaw * depth - 0.02 * person.crooked * v, v - capture.pitch * depth
    return SimpleNamespace(u=u, v=v, rho=rho, depth=depth, x=x, y=y, side=np.abs(x))


def _skin(person, look, at, rng):
    """Skin that is never flat: blush, blotches, pores, freckles and the spots of age."""
    color = np.empty((3, SIZE, SIZE), np.float32)
    color[:] = (SKIN[person.tone] + person.tint)[:, None, None]
    pink = 0.10 * bump(at.side - 0.36, at.y - 0.35, 0.2, 0.17) + 0.08 * bump(at.x, at.y - look.nose_v, 0.14, 0.12)
    pale = 1 - person.tone / 8
    paint(color, pale * (1.6 - 0.8 * look.grown + 0.5 * look.rough * person.ruddy) * pink, BLUSH)
    rough = look.rough
    color *= 1 + (0.018 + 0.045 * rough) * noise(rng, 9) + (0.010 + 0.025 * rough) * noise(rng, 40)
    color[2] *= 1 - 0.05 * rough * pale
    spots = min(1.0, max(0.0, rough - 0.55) * person.sun + 0.25 * person.freckles * look.grown)
    if spots > 0.03:
        paint(color, np.minimum(np.maximum(noise(rng, 20) - 1.9 + 0.5 * spots, 0), 1) * (spots * 0.8), SPOT)
    return np.minimum(color, 1)


def _relief(person, look, capture, at):
    """The height of the face, and how much of each pixel is crease."""
    x, y, side = at.x, at.y, at.side
    grown, worn, sag, smile = look.grown, look.worn, look.sag, capture.smile
    nose_y, mouth_y, eye_y, eye_x = look.nose_v, look.mouth_v, look.eye_v, look.eye_u
    nose_x = x - 0.25 * capture.yaw
    along = np.minimum(np.maximum((y - eye_y) * (1 / (nose_y - eye_y)), 0), 1.15)
    ridge = np.exp(-((nose_x / (0.055 + 0.045 * along)) ** 2)) * along ** (1.2 + 1.2 * (1 - grown))
    height = 0.62 - 0.62 * np.minimum(at.rho, 1.3) ** 2.4
    height += look.nose_height * ridge * soft(y - nose_y, 0.05)
    height += 0.035 * bump(np.abs(nose_x) - 0.75 * look.nose_width, y - nose_y + 0.03, 0.045, 0.045)
    height -= (0.03 + 0.045 * grown) * bump(side - eye_x, y - eye_y + 0.03, 0.17, 0.11 + 0.02 * grown)
    height += (0.01 + 0.025 * look.male) * bump(side - 0.24, y - look.brow_v - 0.02, 0.25, 0.06)
    height += (0.065 - 0.03 * grown + 0.02 * smile) * bump(side - 0.40, y - 0.35 - 0.05 * sag, 0.17, 0.15)
    height += 0.05 * bump(x, y - mouth_y, 0.26, 0.16) + 0.04 * bump(x, y - 0.88, 0.16, 0.09)
    height -= 0.03 * bump(x, y - mouth_y - 0.14, 0.14, 0.04) + 0.012 * bump(x, y - nose_y - 0.08, 0.025, 0.06)
    crease = 0.55 * bump(np.abs(nose_x) - 0.45 * look.nose_width, y - nose_y - 0.01, 0.04, 0.022)  # nostrils
    crease += 0.35 * bump(np.abs(nose_x) - look.nose_width, y - nose_y + 0.03, 0.02, 0.04)
    fold = min(1.2, 0.08 + 0.30 * smile * (0.4 + 0.6 * grown) + 0.9 * worn) * grown
    fall = np.minimum(np.maximum((y - nose_y + 0.06) * (1 / (mouth_y + 0.18 - nose_y)), 0), 1)
    gap, strength = side - look.nose_width - 0.02 - 0.16 * fall**0.8, np.sin(3.14 * fall)
    crease += fold * line(gap, 0.026) * strength
    height += 0.05 * fold * line(gap - 0.07, 0.07) * strength
    bag = np.sqrt(((side - eye_x) / 0.16) ** 2 + ((y - eye_y) / (0.13 + 0.03 * sag)) ** 2)
    crease += (0.06 + 0.75 * min(worn, 1.1) * person.bags) * line(bag - 1, 0.16) * soft(eye_y + 0.04 - y, 0.06)
    if worn > 0.02:
        crease += _wrinkles(person, look, capture, at)
        height += 0.035 * sag * bump(side - 0.40, y - 0.78, 0.10, 0.09)
    return height - 0.022 * crease, np.minimum(crease, 1.3)


def _wrinkles(person, look, capture, at):
    """The lines of forehead, crow's feet, frown, mouth corners, and in the old of cheeks and lips."""
    x, y, side = at.x, at.y, at.side
    worn = look.worn
    wave = y + 0.03 * np.cos(5 * x + person.crooked) + 0.015 * np.sin(11 * x + 5 * person.wide)
    rows = np.maximum(np.cos(wave * (2 * np.pi / person.furrow)), 0) ** 5
    lines = person.frown * min(1.2, 1.1 * worn) * rows * bump(x, y - look.brow_v + 0.24, 0.42, 0.15)
    out_x, out_y = side - look.eye_u - 0.9 * look.eye_width, y - look.eye_v
    fan = np.maximum(np.cos(13 * out_y / (np.abs(out_x) + 0.10)), 0) ** 3 * bump(out_x - 0.11, out_y, 0.09, 0.14)
    lines += min(1.1, worn * (0.8 + 0.5 * capture.smile)) * fan
    lines += min(1.0, 0.9 * worn) * person.frown * bump(side - 0.05, y - look.brow_v - 0.01, 0.018, 0.08)
    corner = side - look.mouth_width - 0.03 - 0.25 * (y - look.mouth_v)
    lines += min(1.1, 1.1 * look.sag) * bump(corner, y - look.mouth_v - 0.11, 0.025, 0.09)
    deep = max(0.0, worn - 0.7)
    if deep:
        cheek = np.maximum(np.cos(38 * (side + 0.35 * y)), 0) ** 4
        lines += min(0.8, 1.2 * deep) * cheek * bump(side - 0.45, y - 0.45, 0.13, 0.2)
        lines += min(0.8, deep) * np.maximum(np.cos(85 * x), 0) ** 3 * bump(x, y - look.mouth_v + 0.07, 0.2, 0.045)
    return lines


def _eyes(image, person, look, at):
    at, image, _ = band(at, image, look.eye_v - 0.2, look.eye_v + 0.2)
    x = (at.side - look.eye_u) / look.eye_width
    y = (at.y - look.eye_v) / look.eye_width + 0.10 * person.slant * x
    arch = np.maximum(1 - x * x, 0)
    wide, edge, sag = look.eye_height / look.eye_width, PIXEL / look.eye_width, min(look.sag, 1.2)
    upper = -1.1 * wide * arch**0.7 * (1 - 0.35 * sag * np.minimum(np.maximum(x + 0.3, 0), 1))
    lower = 0.75 * wide * arch
    lids = soft(np.maximum(upper - y, y - lower), edge * 0.7) * (arch > 0)
    image *= 1 - (0.06 + 0.06 * look.grown + 0.08 * look.teen * (1 - look.male)) * bump(x, y, 1.5, 1.1)
    paint(image, 0.9 * lids, (0.93 - 0.06 * sag, 0.91 - 0.08 * sag, 0.90 - 0.12 * sag))
    radius, iris = np.sqrt((x - 0.02) ** 2 + (y + 0.05) ** 2), look.iris / look.eye_width
    paint(image, lids * soft(radius - iris, edge * 0.7), person.iris)
    paint(image, lids * 0.5 * line(radius - iris, edge), (0.10, 0.09, 0.09))
    paint(image, lids * soft(radius - 0.5 * iris, edge * 0.7), (0.04, 0.04, 0.05))
    glint = bump(at.side - look.eye_u - 0.016 * np.sign(at.x), at.y - look.eye_v + 0.022, 0.018, 0.018)
    paint(image, lids * glint, (1.0, 1.0, 1.0))
    across = soft(np.abs(x) - 1.08, 0.06)
    made_up = 0.3 * look.teen * (1 - person.male)
    paint(image, (0.35 + 0.20 * look.grown + made_up) * across * line(y - upper, edge * 0.8), person.lash)
    paint(image, 0.25 * across * line(y - lower, edge * 0.7), person.lash)
    image *= 1 - (0.18 + 0.22 * min(sag, 1)) * across * line(y - upper * 1.05 + 0.22 - 0.1 * sag, edge * 0.8)


def _mouth(image, person, look, capture, at):
    at, image, _ = band(at, image, look.mouth_v - 0.15, look.mouth_v + 0.17)
    x = at.x * (1 / look.mouth_width / (1 + 0.16 * capture.smile))
    arch = np.maximum(1 - x * x, 0)
    y = at.y - look.mouth_v + 0.085 * capture.smile * (x * x - 0.3) - 0.03 * look.sag * x * x
    gap = (0.045 * capture.opened) * arch
    upper = -gap - look.lip * 0.75 * arch**0.8 * (1 - 0.25 * line(x, 0.2))
    lips = soft(np.maximum(upper - y, y - gap - look.lip * arch), PIXEL * 0.9) * (arch > 0)
    red = SKIN[person.tone] * LIPS
    red = red + (person.lipstick - red) * (0.65 * look.teen * capture.made_up * (1 - person.male))
    paint(image, lips * (0.8 - 0.3 * look.male - 0.25 * min(look.sag, 1)), red)
    image *= 1 - 0.12 * lips * soft(y, PIXEL)  # the upper lip lies in its own shade
    if capture.opened:
        inside = soft(np.abs(y) - gap, PIXEL * 0.5) * (arch > 0)
        paint(image, inside, (0.30, 0.10, 0.10))
        paint(image, inside * soft(y - 0.3 * gap) * (0.8 * (look.grown > 0.3)), (0.88, 0.85, 0.79 - 0.1 * look.worn))
    paint(image, 0.65 * line(np.abs(y) - gap, 0.016) * (arch > 0), (0.25, 0.09, 0.08))


def _body(image, look, capture, at, skin):
    """Neck and clothes, in the shadow of the chin."""
    at, image, rows = band(at, image, 0.3, 3)
    away, low = np.abs(at.u), np.minimum(np.maximum((at.v - 0.8) * 2.5, 0), 1)
    round_ = 0.25 * at.u**2
    neck = soft(np.maximum(away - look.neck - 0.14 * low**2, 0.3 - at.v))
    paint(image, neck, skin[:, rows] * (0.60 + 0.25 * low - round_))
    slope = 1.10 - 0.04 * (1 - look.grown) + 0.28 * np.maximum(away - look.neck, 0) ** 1.5
    slope += capture.collar * 0.30 * np.maximum(1 - (at.u * (1.05 / look.neck)) ** 2, 0)
    stripes = 1 + capture.stripes * np.sin(22 * at.v + 3 * at.u) - round_
    paint(image, soft(slope - at.v), capture.clothes[:, None, None] * stripes)


def _ears(image, look, at, skin):
    middle, tall = (look.eye_v + look.nose_v) / 2, 0.18 + 0.035 * min(look.sag, 1.4)
    at, image, rows = band(at, image, middle - tall, middle + tall)
    out = np.abs(at.u) - 0.655 - 0.12 * (1 - look.grown) - 0.15 * (middle - at.y)
    radius = np.sqrt((out / 0.09) ** 2 + ((at.y - middle) / tall) ** 2)
    paint(image, soft((radius - 1) * 0.1), skin[:, rows] * (0.88 - 0.22 * line(radius - 0.45, 0.25)))


def _light(image, height, inside, cover, look, capture, at):
    """Shade skin and hair with one light; hair is a smooth dome, skin the full relief."""
    down, across = np.gradient(height, PIXEL)
    to_right, to_bottom, to_front = capture.light
    facing = (to_front - to_right * across - to_bottom * down) / np.sqrt(1 + across * across + down * down)
    facing = np.maximum(facing, 0)
    dark = (1 - capture.ambient) * np.maximum(inside, cover) * (1 - facing * (1 / to_front))
    image *= 1 - dark * SHADOW
    image *= 1 - 0.35 * np.maximum(at.rho - 0.82, 0) * inside
    shine = facing**18 * ((1 - cover) * inside)
    image += capture.gloss * (0.09 + 0.05 * look.bald) * shine
    ring = line(at.rho - 0.88, 0.09) * np.maximum(0.1 - at.v + to_right * at.u, 0)
    image *= 1 + 0.45 * (1 - capture.ambient) * cover * ring


def _glasses(image, look, capture, at):
    if not capture.glasses:
        return
    at, image, _ = band(at, image, look.eye_v - 0.3, look.eye_v + 0.35)
    power = 2.0 if capture.glasses == 1 else 4.0
    wide, tall = look.eye_width * 1.65, look.eye_width * 1.25
    x, y = np.abs(at.side - look.eye_u - 0.02) / wide, np.abs(at.y - look.eye_v - 0.03) / tall
    ring = ((x**power + y**power) ** (1 / power) - 1) * tall
    bridge = line(at.y - look.eye_v + 0.02, capture.rim) * (at.side < look.eye_u - wide + 0.03)
    arm = line(at.y - look.eye_v + 0.03, capture.rim) * (at.side > look.eye_u + wide) * (at.rho < 1.02)
    image += 0.06 * soft(ring) * np.minimum(np.maximum(at.x - at.y, 0), 1)
    paint(image, np.minimum(line(ring, capture.rim) + bridge + arm, 1) * 0.85, capture.frame)


def _hide(image, capture, at, skin):
    """What hides part of a face now and then: a hat, or a hand."""
    if capture.hat:
        crown = soft(np.maximum(at.rho - 1.16, at.y + 0.52 + 0.12 * at.x * capture.hat), 0.02)
        brim = soft(np.abs(at.y + 0.50 + 0.10 * at.x * at.x) - 0.07, 0.02) * soft(at.side - 0.86, 0.03)
        felt = capture.clothes[::-1, None, None] * (0.8 + 0.25 * at.depth - 0.2 * brim)
        paint(image, np.maximum(crown, brim), felt)
    if capture.hand:
        u, v = at.u - 0.52 * capture.hand, at.v - 0.72
        fingers = np.sqrt((u / 0.26) ** 2 + ((v - 0.3 * u) / 0.42) ** 2)
        gaps = 1 - 0.3 * np.maximum(np.cos(34 * (u + 0.4 * v)), 0) ** 4 * (v < 0.1)
        paint(image, soft((fingers - 1) * 0.26, 0.03), skin * 0.92 * gaps * (1.05 - 0.3 * fingers**2))


def _background(capture, rng):
    """A wall, a sky, a crowd: three colors over smooth noise of one of several scales."""
    first, second, third = capture.backdrop
    steps = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE - 0.5
    slope = np.minimum(np.maximum(0.5 + capture.slope[0] * steps[None, :] + capture.slope[1] * steps[:, None], 0), 1)
    image = first[:, None, None] + slope * (second - first)[:, None, None]
    paint(image, np.minimum(np.maximum(capture.busy * noise(rng, capture.blobs), 0), 1), third)
    return image * (1 + 0.08 * capture.busy * noise(rng, 12))
