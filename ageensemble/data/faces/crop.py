"""Cutting a face out of a image as the training images show theirs."""

import numpy as np

ALIKE = 0.3  # correlation of landmarks with the template's; of those of no face, least squares may cut out any area


def crop(image, face, template, quick=False):
    """A face turned, scaled and shifted onto a template, and cut out.

    The similarity transform that brings the five landmarks nearest to the template's, by least squares; where the face
    or the template has none, or none like a face's, box onto box by middle and area, without turning. Each pixel of the
    crop is an average of the pixels it covers; beyond the edge of the image its last pixels are repeated.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
        RGB, upright
    face : Face
    template : Template
    quick : bool
        interpolated less finely, in a quarter of the time: for a detector's eyes, not for a model's

    Returns
    -------
    (H, W, 3) uint8 array
        RGB, of the template's shape
    """
    from PIL import Image

    height, width = template.shape
    step, corner = placed(face, template)
    box = int(max(1, abs(step)))  # pixels of the image averaged each way before the rest is interpolated
    around = corner + step * np.array([0, width, 1j * height, width + 1j * height])
    left, top = int(around.real.min()) - 4 * box, int(around.imag.min()) - 4 * box
    columns = np.arange(left, int(around.real.max()) + 4 * box).clip(0, image.shape[1] - 1)
    rows = np.arange(top, int(around.imag.max()) + 4 * box).clip(0, image.shape[0] - 1)
    picture = Image.fromarray(image.take(rows, 0).take(columns, 1)).reduce(box)
    step, corner = step / box, (corner - (left + 1j * top)) / box
    fine = 2 if abs(step) > 1.2 and not quick else 1  # points looked at in each pixel of the crop, each way
    across = step / fine
    turn = (across.real, -across.imag, corner.real, across.imag, across.real, corner.imag)
    size = (width * fine, height * fine)
    how = Image.Resampling.BILINEAR if quick else Image.Resampling.BICUBIC
    picture = picture.transform(size, Image.Transform.AFFINE, turn, how)
    return np.asarray(picture.reduce(fine))


def placed(face, template):
    """Where a crop lies in the image.

    Returns
    -------
    step, corner : complex
        the point x + iy of the crop is the point corner + step * (x + iy) of the image
    """
    height, width = template.shape
    if face.landmarks is not None and template.landmarks is not None:
        here, there = face.landmarks @ [1, 1j], (template.landmarks * (width, height)) @ [1, 1j]
        onto = _similarity(here, there)
        if onto:
            return 1 / onto, here.mean() - there.mean() / onto
    x, y, w, h = face.box
    bx, by, bw, bh = template.box * np.tile((width, height), 2)
    step = np.sqrt(max(w * h, 1) / (bw * bh)) + 0j
    return step, x + w / 2 + 1j * (y + h / 2) - step * (bx + bw / 2 + 1j * (by + bh / 2))


def _similarity(here, there):
    """Factor (turn and scale) that brings points nearest to others once their means coincide; 0 where there is none.

    The least squares of S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
    IEEE TPAMI 13 (1991), in the plane, where a turn with a scale is one complex number.
    """
    here, there = here - here.mean(), there - there.mean()
    spread, shared = np.vdot(here, here).real, np.vdot(here, there)
    alike = abs(shared) >= ALIKE * np.sqrt(spread * np.vdot(there, there).real)
    return shared / spread if alike and spread > 1 else 0
