"""Models that predict new images: saved as a folder, loaded from it, applied to image files.

    run -> model_contents -> model_folder -> model.load_model -> Model.predict -> predictions
    images, folders, lists -> inputs -> pipeline (read, detect, crop, predict) -> output, annotate

model_folder.py    what may lie in a model folder; written atomically, verified when it is read
model_contents.py  saving a run: fold models, files of features, calibration, licenses
model_card.py      the model card
model.py           `load_model`, and the model it returns
predictions.py     predictions of a loaded model, with calibrated intervals and members
images.py          faces as models take them: resized, as features
faces.py           detecting faces and cropping them as in training
inputs.py          images, folders and lists to predict
pipeline.py        from image files to predictions, a block at a time
output.py          rows for CSV, JSON lines and the screen
annotate.py        copies of images with boxes and ages
onnx_export.py     a network as one ONNX file (averaged.py: its fold models as one module)
"""

from . import model_folder
from .model import Model, load_model
from .model_contents import default_place, save
from .predictions import ModelPredictions

__all__ = ["Model", "ModelPredictions", "default_place", "load_model", "model_folder", "save"]
