"""What is wrong with a face that was found, for people to read beside its age."""

import numpy as np

TINY = 40  # pixels; smaller faces lose what shows their age, if the training images have it
TURNED = 30  # degrees
ASIDE = 0.45  # distances of the eyes by which the nose is off their middle in a face seen from the side
CUT = 0.9  # share of a face's box that must lie in the image


def remarks(image, face, template=None):
    """Reasons to doubt what is predicted for a face.

    Parameters
    ----------
    image : (h, w, 3) uint8 array
        the image
    face : Face
    template : Template, optional
        of the training images: a face as large as theirs is not tiny

    Returns
    -------
    list of str
        a few words each: "tiny face: 23 pixels", "turned by 40 degrees", "seen from the side", "cut by the edge"
    """
    return [*_size(face, template), *_pose(face), *_edge(image, face)]


def _size(face, template):
    side = np.sqrt(max(face.box[2] * face.box[3], 0))
    least = TINY
    if template is not None:
        height, width = template.shape
        least = min(least, np.sqrt(template.box[2] * width * template.box[3] * height) / 2)
    return [f"tiny face: {side:.0f} pixels"] if side < least else []


def _pose(face):
    if face.landmarks is None:
        return []
    points = face.landmarks @ [1, 1j]
    eyes = points[1] - points[0]
    if abs(eyes) < 1e-6:
        return ["seen from the side"]
    degrees = abs(np.degrees(np.angle(eyes)))
    aside = abs(((points[2] - points[:2].mean()) / eyes).real)
    turned = [f"turned by {degrees:.0f} degrees"] if degrees > TURNED else []
    return [*turned, "seen from the side"] if aside > ASIDE else turned


def _edge(image, face):
    x, y, width, height = face.box
    across = min(x + width, image.shape[1]) - max(x, 0)
    down = min(y + height, image.shape[0]) - max(y, 0)
    inside = max(across, 0) * max(down, 0) / max(width * height, 1e-9)
    return ["cut by the edge"] if inside < CUT else []
