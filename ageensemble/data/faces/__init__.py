"""Faces in images: detecting them, and cropping them as the training images were.

face.py        a detected face
detectors.py   which detector is used: `yunet.py` or `haar_lbp_cascade.py`
template.py    where the face is in the typical training image
crop.py        a face aligned with the template and cropped
quality.py     what is wrong with a detected face
"""

from .crop import crop
from .detectors import detector
from .face import Face
from .quality import remarks
from .template import Template, measure

__all__ = ["Face", "Template", "crop", "detector", "measure", "remarks"]
