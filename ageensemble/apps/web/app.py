"""The page as an ASGI application: what lies at which address, how many bytes it takes, one picture at a time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...errors import AgeEnsembleError
from .security import Guard, refusal

WAITING = 8  # pictures held at once, at most: one is looked at, the others wait
PATIENCE = 60  # seconds in which a picture must have come
PAGE = Path(__file__).parent / "page"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def make(look, about, pictures, host, most, say):
    """The application.

    Parameters
    ----------
    look : callable
        given the bytes of a picture and the keywords `whole` and `picture`, returns a dict for the page
    about : dict
        of texts on the model: `name`, `scores`, and its `card` in Markdown
    pictures : dict of str to bytes
        examples by name, JPEG files
    host : str
        that the server listens at
    most : int
        bytes that a picture may have
    say : callable
        given one line on what went wrong here

    Returns
    -------
    callable
        an ASGI application
    """
    fixed = {"/": (_page(about, pictures, most), "text/html"), "/card": (_card(about), "text/html")}
    fixed |= {f"/{f.name}": (f.read_bytes(), KINDS[f.suffix]) for f in PAGE.iterdir() if f.suffix in KINDS}
    fixed |= {f"/examples/{i}.jpg": (picture, "image/jpeg") for i, picture in enumerate(pictures.values())}
    routes = [Route(path, partial(_fixed, *content)) for path, content in fixed.items()]
    routes.append(Route("/predict", Predict(look, most, say).answer, methods=["POST"]))
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _nothing_there}), host)


async def _fixed(content, kind, request):
    return Response(content, media_type=kind)


async def _nothing_there(request, error):
    why = "There is nothing at this address." if error.status_code == 404 else f"{error.detail}."
    return refusal(error.status_code, why)


class Predict:
    """Answers to pictures, one after another.

    Parameters
    ----------
    look, most, say
        see `make`
    """

    def __init__(self, look, most, say):
        self._look, self._most, self._say = look, most, say
        self._inside, self._turn, self._worker = 0, asyncio.Lock(), ThreadPoolExecutor(1)

    async def answer(self, request):
        """What the page shows of the picture that is the request's body."""
        if int(request.headers.get("content-length", 0)) > self._most:
            return self._too_large()
        if self._inside >= WAITING:
            return refusal(503, "Too many pictures at once; try again in a moment.", **{"Retry-After": "3"})
        self._inside += 1
        try:
            return await self._received(request)
        except TimeoutError:
            return refusal(408, f"The picture did not come within {PATIENCE} seconds.")
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        finally:
            self._inside -= 1

    async def _received(self, request):
        content = bytearray()
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                content += part
                if len(content) > self._most:
                    return self._too_large()
        if not content:
            return refusal(422, "The file is empty.")
        wanted = {key: request.query_params.get(key) == "1" for key in ("whole", "picture")}
        async with self._turn:
            if await request.is_disconnected():  # while it waited
                return Response(status_code=400)
            work = partial(self._looked, bytes(content), wanted)
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _looked(self, content, wanted):
        try:
            return JSONResponse(self._look(content, **wanted))
        except AgeEnsembleError as error:
            return refusal(422, str(error))
        except Exception as error:  # the server goes on, whatever one picture leads to
            self._say(f"a picture failed: {type(error).__name__}: {error}")
            return refusal(500, "Something went wrong here; the terminal that the page was started from says what.")

    def _too_large(self):
        return refusal(413, f"The file is too large: at most {self._most / 1e6:g} MB are taken.")


def _page(about, pictures, most):
    shown = "\n".join(
        f'<button type="button" class="example"><img src="/examples/{i}.jpg" alt="" height="62">{escape(name)}</button>'
        for i, name in enumerate(pictures)
    )
    texts = {"name": escape(about["name"]), "scores": escape(about["scores"])}
    return _filled("index.html", examples=shown, most=most, megabytes=f"{most / 1e6:g}", **texts)


def _card(about):
    """The model card; a stranger may have written it, so no HTML of its own is let through."""
    return _filled("card.html", name=escape(about["name"]), card=MarkdownIt("js-default").render(about["card"]))


def _filled(file, **texts):
    return Template((PAGE / file).read_text(encoding="utf-8")).substitute(texts)
