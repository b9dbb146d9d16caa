"""Models one can keep, give away and use: a folder that holds all that predicts new photographs, and nothing that runs.

folder.py       what may lie in a model folder, writing it, reading it with distrust
contents.py     what goes into the folder of a run: members, files of features, calibration
card.py         the same for people
crops.py        pictures of faces as models are handed them
member.py       the cells of one run at work
model.py        `load_model`, and the model it returns
predictions.py  what the model answers
"""

from . import model_folder
from .model import Model, load_model
from .model_contents import default_place, save
from .predictions import ModelPredictions

__all__ = ["Model", "ModelPredictions", "default_place", "load_model", "model_folder", "save"]
