"""A model of your own beside the built-in ones: any scikit-learn estimator, or a class with its own distribution.

Run it with `python docs/examples/own_model.py`; it draws its own images.
"""

import tempfile
from pathlib import Path

from sklearn.ensemble import ExtraTreesRegressor

import ageensemble as ae
from ageensemble.data.synthetic.dataset import draw

if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp())
    draw(folder / "faces", 300)

    # A scikit-learn regressor as it is: inner out-of-fold residuals make its age distributions
    forest = ExtraTreesRegressor(n_estimators=50, random_state=0)
    # A class in a file of its own is named by its path; see nearest.py beside this example
    nearest = str(Path(__file__).with_name("nearest.py"))

    resources = ae.Resources(cache=folder / "cache")
    study = ae.benchmark(folder / "faces", ["ordinal", forest, nearest], out=folder / "runs", resources=resources)
    print(study.leaderboard()[["model", "oof_mae", "test_mae"]].to_string(index=False))
