"""Tiny sets whose labels stand in tables, as their publishers lay them out; the photographs are empty files."""

import math

import numpy as np
from scipy.io import savemat

LABELS = """ID,full_path,age,gender,face_score,second_face_score
2002,"['17/10000217_1981-05-05_2009.jpg']",28.16,1.0,4.3,
2003,17/b.jpg,791.79,0.0,3.1,
2004,17/c.jpg,36.99,0,#NAME?,
2005,17/d.jpg,40.0,,-inf,nan
2006,17/e.jpg,41.5,0.0,2.5,1.7
2007,17/f.jpg,0.2,nan,2.5,nan
"""
MORPH = "id_num,picture_num,dob,doa,race,gender,facial_hair,age,age_diff,glasses,photo\n"
MORPH += "009055,1,1949-01-01,2003-02-01,W,M,,54,0,,Album2/009055_1M54.JPG\n"
MORPH += "9055,2,1949-01-01,2004-02-01,B,F,,55,365,,Album2/009055_2F55.JPG\n"


def touched(root, *names, content=b""):
    """`root` with files of these names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def by_path(table):
    """The rows of a table by path, what is missing as None."""
    return table.astype(object).replace({math.nan: None}).set_index("path")


def years(table):
    return {path: (row["age_min"], row["age_max"]) for path, row in by_path(table).iterrows() if not row["problem"]}


def problems(table):
    return {path: row["problem"] for path, row in by_path(table).iterrows() if row["problem"]}


def cells(*texts):
    """Matlab's cell array of texts."""
    array = np.empty((1, len(texts)), object)
    array[0] = texts
    return array


def mat(file, **columns):
    """Write a table of IMDB-WIKI; columns not given are those of a sound row."""
    count = len(columns["dob"])
    usual = {
        "photo_taken": [2010] * count,
        "full_path": cells(*(f"01/{i}.jpg" for i in range(count))),
        "gender": [1.0] * count,
        "name": cells(*(f"Name {i}" for i in range(count))),
        "face_score": [3.5] * count,
        "second_face_score": [np.nan] * count,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    savemat(file, {file.stem: usual | columns})
    return file


def appa(root, part="train", rows="000000.jpg,36,4.5,2.5,3\n000001.jpg,38,34.49,3.0,40\n"):
    (root / f"gt_avg_{part}.csv").write_text(
        "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n" + rows
    )
    return root
