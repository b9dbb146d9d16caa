"""What readers of source formats derive from."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .files import first_images, has_image_suffix, table_of_files
from .table import age_problem

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["item_id", "path", "age_min", "age_max", "gender", "ethnicity", "subject", "moment", "problem"]
EXTRAS = ["face_score", "official", "apparent_age", "age_deviation", "remark"]


class Reader(ABC):
    """Recognizes one source format and reads its labels; the first line of the docstring describes the format.

    Attributes
    ----------
    layout : str
        what the data must look like, in a line
    license : str
        what is known of the terms of use; empty where the data are the user's own
    has_label_table : bool
        whether the labels stand in a table of the dataset's own, which is then not taken for just any CSV
    """

    layout: str = ""
    license: str = ""
    has_label_table: bool = False

    @abstractmethod
    def detect(self, root: Path) -> bool:
        """Whether the data at `root`, a folder or a file, are in this format."""

    @abstractmethod
    def read(self, root: Path) -> "pd.DataFrame":
        """Read the labels.

        Parameters
        ----------
        root : pathlib.Path
            a folder or a file

        Returns
        -------
        pandas.DataFrame
            one row per image *or problem*, in `COLUMNS` as far as the source knows them:

            ========= =================================================================================
            item_id   unique; usually the path below the data folder
            path      of the image, relative to the data folder
            age_min   years, float, NaN where unknown
            age_max   the same as `age_min` where the age is exact
            gender    "male", "female" or whatever the source says; missing allowed
            ethnicity likewise
            subject   who it is, where known; images of one subject stay in the same split
            moment    a key shared by images cut from one picture (UTKFace's time stamp)
            problem   why this row can't be used, else missing
            ========= =================================================================================

            and any of `EXTRAS`:

            ============= =============================================================================
            face_score    confidence of a face detector, higher is surer, in the source's own scale
            official      part in the published split: "train", "validation", "test", or a fold "0", "1", ...
            apparent_age  mean guess of people who looked at the image, years
            age_deviation standard deviation of their guesses, years
            remark        what is odd in a row that is used all the same; the audit counts what stands
                          before a colon
            ============= =============================================================================

        Raises
        ------
        DataError
            The data cannot be read, or lack a table or column.
        """


class FilenameReader(Reader):
    """Reads labels that are written into the paths of files; a format is declared by a pattern.

    Attributes
    ----------
    pattern : re.Pattern
        searched in each path below the root, POSIX; its groups `age` (digits, years), `gender`, `ethnicity`, `subject`
        and `moment` become columns
    convention : str
        what names should look like, for the images that have others
    fields : dict
        what the text of a group means, by the group's name: a dict from the text in small letters, or a function
    """

    pattern: re.Pattern
    convention: str
    fields: Mapping[str, Mapping[str, str] | Callable[[str], str | None]] = {}

    def detect(self, root):
        """Whether `pattern` is found in the paths of most of the first images below `root`."""
        if not root.is_dir():
            return False
        names = [name for name in first_images(root) if has_image_suffix(name)]
        return bool(names) and sum(bool(self.pattern.search(name)) for name in names) > len(names) / 2

    def read(self, root):
        """Read the labels, see `Reader.read`."""
        return table_of_files(root, self._row)

    def labels(self, match: re.Match) -> dict:
        """The columns that a path which matches tells, among them `age` as text."""
        columns = match.groupdict()
        found = {name: columns[name] for name in ("age", "gender", "ethnicity", "subject", "moment") if name in columns}
        for name, meaning in self.fields.items():
            if found[name] is not None:
                found[name] = meaning(found[name]) if callable(meaning) else meaning.get(found[name].lower())
        return found

    def _row(self, path):
        match = self.pattern.search(path)
        if not match:
            return f"the name is not {self.convention}"
        columns = self.labels(match)
        age = columns.pop("age")
        years = float(age)
        return columns | {"age_min": years, "age_max": years, "problem": age_problem(years, years, age)}
