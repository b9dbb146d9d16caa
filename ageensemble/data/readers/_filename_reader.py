"""Labels written into the names of files: what the sources that are told by names share."""

from ._files import first_photographs, named_as_image, rows
from ._table import age_problem


def detect_names(root, pattern):
    """Whether `pattern` is found in the paths of most of the first photographs below `root`."""
    if not root.is_dir():
        return False
    names = [name for name in first_photographs(root) if named_as_image(name)]
    return bool(names) and sum(bool(pattern.search(name)) for name in names) > len(names) / 2


def read_names(root, pattern, labels, convention):
    """The table of photographs, see `ageensemble.datasets`.

    Parameters
    ----------
    root : pathlib.Path
    pattern : re.Pattern
        searched in each path below `root`, POSIX
    labels : callable
        given a match, returns a dict of columns, among them `age`, the digits of the age in years
    convention : str
        what names should look like, for the photographs that have others

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        `root` is no folder, or can't be read.
    """

    def told(path):
        match = pattern.search(path)
        if not match:
            return f"the name is not {convention}"
        columns = labels(match)
        age = columns.pop("age")
        years = float(age)
        return columns | {"age_min": years, "age_max": years, "problem": age_problem(years, years, age)}

    return rows(root, told)
