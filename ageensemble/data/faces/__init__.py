"""Faces in whole photographs: finding them, and cutting them out as the training photographs were.

    photograph -> detector -> faces -> crop, as the template shows how -> what a model is given

`face` says what a found face is, `detectors` gives one of the ways to find them, `template` measures how the training
photographs show a face, `align` cuts a face out so, `notes` says what is wrong with it.
"""

from .crop import crop
from .detectors import detector
from .face import Face
from .quality import remarks
from .template import Template, measure

__all__ = ["Face", "Template", "crop", "detector", "measure", "remarks"]
