"""A local web page that shows the predicted ages of the faces in an image, which is held in memory and never stored.

    image -> app (size, turn) -> response (faces, ages) -> JSON -> page/ (drawn in the browser)

examples.py   synthetic faces to try the page with
response.py   an image's bytes in, the JSON for the page out
security.py   which requests are accepted, and the headers of every response
app.py        the routes; one image at a time, no more bytes than allowed
server.py     the port, and serving until Ctrl-C
startup.py    loading the model and the detector
page/         HTML, style and scripts; they fetch nothing from elsewhere
"""

from importlib.util import find_spec

from ...errors import UsageError


def require():
    """Check that what only the page needs is installed.

    Raises
    ------
    UsageError
        Something is missing.
    """
    if not all(find_spec(name) for name in ("starlette", "uvicorn", "markdown_it")):
        raise UsageError("the page needs Starlette and uvicorn: pip install 'ageensemble[serve]'")
