"""Compare three models under one split: the table, and how certain the difference of two of them is.

Run it with `python docs/examples/compare_models.py`; it draws its own images.
"""

import tempfile
from pathlib import Path

from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import ageensemble as ae
from ageensemble.data.synthetic.dataset import draw

if __name__ == "__main__":  # fold fits run in processes of their own
    folder = Path(tempfile.mkdtemp())
    draw(folder / "faces", 300)

    faces = ae.load_dataset(folder / "faces", cache=folder / "cache")
    split = ae.make_split(faces, n_folds=3, random_state=0)
    models = ["ordinal", ae.models.LSSVM(ridge=0.5), make_pipeline(StandardScaler(), Ridge(100.0))]
    resources = ae.Resources(cache=folder / "cache")
    study = ae.benchmark(faces, models, split=split, out=folder / "runs", resources=resources)

    table = study.leaderboard()
    print(table[["model", "oof_mae", "oof_mae_low", "oof_mae_high", "test_mae"]].to_string(index=False))

    ordinal, ridge = (study[name].predictions("oof") for name in table["model"][[0, len(table) - 1]])
    print(ae.compare(ordinal, ridge))
