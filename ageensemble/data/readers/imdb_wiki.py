import re

import numpy as np

from ..._utils import workers
from ...errors import DataError
from .base import Reader
from .table import age_problem

PARTS = ("imdb", "wiki")
NEEDED = ("full_path", "dob", "photo_taken")
GENDERS = {0.0: "female", 1.0: "male"}
# The number of a person (IMDb) or page (Wikipedia), that of the image (IMDb), date of birth, year of the image
NAME = re.compile(r"(nm\d+|\d+)_(?:rm\d+_)?\d{1,4}-\d{1,2}-\d{1,2}_\d{1,4}\.")
EPOCH = 719529  # Matlab's number of 1 January 1970


class IMDBWiki(Reader):
    """IMDB-WIKI with its Matlab tables `imdb.mat` and `wiki.mat`: birth and photo dates, detector scores, names.

    Rothe, Timofte & Van Gool, "Deep expectation of real and apparent age from a single image without facial landmarks",
    International Journal of Computer Vision 126 (2018). The age is that on 1 July of the year of the image, as the
    authors assume. The set was crawled, so some birth dates and years are wrong: ages below 0 or of 2,014 years are
    listed as problems, and so are images in which the set's detector found no face, or a second one (whose age is it?).
    """

    layout = (
        "a folder with imdb.mat or wiki.mat (or imdb_crop/imdb.mat, wiki_crop/wiki.mat) beside the folders 00 ... 99"
    )
    license = "IMDB-WIKI: academic research only; the copyright of the photographs stays with their owners"
    has_label_table = True

    def detect(self, root):
        return bool(_tables(root))

    def read(self, root):
        import pandas as pd

        tables = _tables(root)
        if not tables:
            raise DataError(f"{root} has no imdb.mat or wiki.mat")
        folder = root if root.is_dir() else root.parent
        parts = [_rows(_fields(file, part), file.parent.relative_to(folder)) for part, file in tables.items()]
        return pd.concat(parts, ignore_index=True)


def _tables(root):
    """The tables that are there, by part."""
    if root.is_file():
        return {root.stem: root} if root.suffix == ".mat" and root.stem in PARTS else {}
    places = {part: [root / folder / f"{part}.mat" for folder in ("", f"{part}_crop", part)] for part in PARTS}
    found = {part: next((file for file in files if file.is_file()), None) for part, files in places.items()}
    return {part: file for part, file in found.items() if file}


def _fields(file, part):
    """The columns of a table: numbers as floats, texts as lists; those that may be missing are filled with nothing.

    They are read in a process of its own, since a file that was made to be hostile can end the one that reads it.
    """
    [(_, found)] = workers.run(_read, [(file, part)], 1)
    if isinstance(found, workers.ProcessDied):
        found = f"reading it ended in {found}"
    if isinstance(found, str):
        raise DataError(f"{file} is not a readable table of IMDB-WIKI: {found}")
    return found


def _read(task):
    """The columns, or in words why there are none."""
    from scipy.io import loadmat

    file, part = task
    try:
        found = loadmat(file, variable_names=[part])
        if part not in found:
            return f"it has no table '{part}'"
        if missing := [name for name in NEEDED if name not in (found[part].dtype.names or ())]:
            return f"its table '{part}' has no column '{missing[0]}'"
        table = found[part][0, 0]
        paths = [_text(cell) for cell in table["full_path"].ravel()]
        fields = {name: _numbers(table[name], len(paths)) for name in ("dob", "photo_taken")}
        for name in ("gender", "face_score", "second_face_score"):
            fields[name] = _numbers(table[name], len(paths)) if name in table.dtype.names else [np.nan] * len(paths)
        names = [_text(cell) for cell in table["name"].ravel()] if "name" in table.dtype.names else [None] * len(paths)
    except Exception as error:  # a damaged file can fail in many ways within scipy
        return " ".join(str(error).split()) or type(error).__name__
    if len(names) != len(paths):
        return f"{len(names)} names, {len(paths)} paths"
    return fields | {"path": paths, "name": names}


def _numbers(column, count):
    numbers = column.ravel().astype(float)
    if len(numbers) != count:
        raise ValueError(f"{len(numbers)} numbers, {count} paths")
    return numbers


def _text(cell):
    """The text in a cell of Matlab's, None where it is empty."""
    return str(cell[0]).strip() or None if len(cell) else None


def _rows(fields, folder):
    import pandas as pd

    paths = [path and (folder / path).as_posix() for path in fields["path"]]
    ages = _ages(fields["dob"], fields["photo_taken"])
    scores = zip(ages, fields["face_score"], fields["second_face_score"], paths, strict=True)
    table = pd.DataFrame({"item_id": paths, "path": paths, "age_min": ages, "age_max": ages})
    table["gender"] = [GENDERS.get(code) for code in fields["gender"]]
    table["subject"] = [name or person_in(path) for name, path in zip(fields["name"], paths, strict=True)]
    table["face_score"] = fields["face_score"]
    table["problem"] = pd.Series([_problem(*row) for row in scores], dtype=object)
    return table


def _ages(born, taken):
    """Completed years on 1 July of the year `taken` of somebody born on the day `born`, Matlab's number of a day."""
    known = np.isfinite(born) & (born >= 1) & (born < 1e6) & np.isfinite(taken)
    day = (np.where(known, born, EPOCH).astype(int) - EPOCH).astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    july = (year.astype("datetime64[M]") + 6).astype("datetime64[D]")
    return np.where(known, taken - (year.astype(int) + 1970) - (day > july), np.nan)


def _problem(age, score, second, path):
    if not path:
        return "no path"
    if np.isnan(age):
        return "age missing"
    return age_problem(age, age, f"{age:.0f}") or face_problem(score, second)


def face_problem(score: float, second: float) -> str | None:
    """Why an image cannot be used, by the scores of the dataset's detector, or None.

    Parameters
    ----------
    score, second : float
        of the best face, infinite where there is none, and of the next, NaN where there is none
    """
    if np.isinf(score):
        return "no face found by the set's detector"
    return None if np.isnan(second) else "a second face found by the set's detector"


def person_in(path: str | None) -> str | None:
    """Whom a file's name says that it shows, as `nm0000002` or a number of Wikipedia's, else None."""
    match = NAME.match(path.rpartition("/")[2]) if path else None
    return match and match[1]
