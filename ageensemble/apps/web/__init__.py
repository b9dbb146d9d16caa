"""A local web page that shows what a model says of the faces in a picture, which is held in memory and never stored.

    picture -> app (size, turn) -> answer (faces, ages) -> JSON -> page/ (drawn in the browser)

examples.py   drawn faces to try the page with
answer.py     a picture's bytes in, what the page shows out
guard.py      whom the page answers to, and the headers that keep others out
app.py        what lies at which address; one picture at a time, no more bytes than allowed
listening.py  the port, and serving until Ctrl-C
page/         HTML, style and scripts; they fetch nothing from elsewhere
"""

from importlib.util import find_spec

from ...errors import UsageError


def require():
    """See that what only the page needs is installed.

    Raises
    ------
    UsageError
        It is not.
    """
    if not all(find_spec(name) for name in ("starlette", "uvicorn", "markdown_it")):
        raise UsageError("the page needs Starlette and uvicorn: pip install 'ageensemble[serve]'")
