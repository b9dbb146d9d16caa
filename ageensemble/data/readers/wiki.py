import math

from ...errors import DataError
from .base import Reader
from .imdb_wiki import IMDBWiki, face_problem, person_in
from .table import by_name, in_image_folder, normalize_table, read_table

GENDERS = {"0": "female", "0.0": "female", "1": "male", "1.0": "male"}


class Wiki(Reader):
    """WIKI with a table of ages already worked out: `wiki_labels.csv`, as a course on Kaggle hands it out.

    The Wikipedia half of IMDB-WIKI (see `imdb_wiki` for the paper), in columns full_path, age, gender (0 female, 1
    male), face_score, second_face_score and more. Quirks: ages have decimals and reach 791 years; paths may be written
    as Matlab's cells, `['17/a.jpg']`; `#NAME?` is what a spreadsheet made of the score -Inf, no face. Images without a
    face, or with a second one, are listed as problems. The unlabeled `wiki_judge.csv` beside it is a list to predict.
    """

    layout = (
        "a folder with wiki_labels.csv (full_path or path, age, gender, face_score), the photos in it or in "
        "wiki_labeled/; the unlabeled wiki_judge.csv is for: ageensemble predict wiki_judge.csv --model DIR"
    )
    license = IMDBWiki.license
    has_label_table = True

    def detect(self, root):
        return _table(root).is_file()

    def read(self, root):
        file = _table(root)
        if not file.is_file():
            raise DataError(f"{root} has no wiki_labels.csv")
        given = read_table(file)
        columns = by_name(given.columns)
        table = normalize_table(given, file.name)
        if "gender" in table:
            table["gender"] = [GENDERS.get(code, code) for code in table["gender"]]
        nothing = [None] * len(given)
        named = zip(table.get("subject", nothing), table["path"], strict=True)
        table["subject"] = [name or person_in(path) for name, path in named]
        table["face_score"] = [_score(text) for text in given.get(columns.get("face_score"), nothing)]
        seconds = [_score(text) for text in given.get(columns.get("second_face_score"), nothing)]
        problems = zip(table["problem"], table["face_score"], seconds, strict=True)
        table["problem"] = [problem or face_problem(score, second) for problem, score, second in problems]
        return in_image_folder(table, file.parent)


def _table(root):
    return root if root.name == "wiki_labels.csv" else root / "wiki_labels.csv"


def _score(text):
    """A detector's score, NaN where there is none."""
    try:
        return -math.inf if text == "#NAME?" else float(text)
    except (TypeError, ValueError):
        return math.nan
