"""The page as an ASGI application: routes, upload limits, one image at a time."""

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

MAX_PENDING = 8  # images held at once: one is being predicted, the others wait
TIMEOUT = 60  # seconds in which an image must have been received
PAGE = Path(__file__).parent / "page"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def make(respond, model_info, examples, host, max_bytes, log):
    """The ASGI application.

    Parameters
    ----------
    respond : callable
        takes the bytes of an image and the keywords `whole` and `preview`; returns a dict for the page
    model_info : dict
        texts on the model: `name`, `scores`, and its `card` in Markdown
    examples : dict of str to bytes
        JPEG files by name
    host : str
        that the server listens at
    max_bytes : int
        maximum upload size
    log : callable
        takes one line on what went wrong
    """
    fixed = {"/": (_page(model_info, examples, max_bytes), "text/html"), "/card": (_card(model_info), "text/html")}
    fixed |= {f"/{f.name}": (f.read_bytes(), KINDS[f.suffix]) for f in PAGE.iterdir() if f.suffix in KINDS}
    fixed |= {f"/examples/{i}.jpg": (image, "image/jpeg") for i, image in enumerate(examples.values())}
    routes = [Route(path, partial(_fixed, *content)) for path, content in fixed.items()]
    routes.append(Route("/predict", PredictHandler(respond, max_bytes, log).handle, methods=["POST"]))
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _http_error}), host)


async def _fixed(content, kind, request):
    return Response(content, media_type=kind)


async def _http_error(request, error):
    why = "There is nothing at this address." if error.status_code == 404 else f"{error.detail}."
    return refusal(error.status_code, why)


class PredictHandler:
    """Handles uploaded images, one after another; see `make` for the parameters."""

    def __init__(self, respond, max_bytes, log):
        self._respond, self._max_bytes, self._log = respond, max_bytes, log
        self._pending, self._turn, self._worker = 0, asyncio.Lock(), ThreadPoolExecutor(1)

    async def handle(self, request):
        """The response to a request whose body is an image."""
        if int(request.headers.get("content-length", 0)) > self._max_bytes:
            return self._too_large()
        if self._pending >= MAX_PENDING:
            return refusal(503, "Too many images at once; try again in a moment.", **{"Retry-After": "3"})
        self._pending += 1
        try:
            return await self._receive(request)
        except TimeoutError:
            return refusal(408, f"The image was not received within {TIMEOUT} seconds.")
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        finally:
            self._pending -= 1

    async def _receive(self, request):
        content = bytearray()
        async with asyncio.timeout(TIMEOUT):
            async for part in request.stream():
                content += part
                if len(content) > self._max_bytes:
                    return self._too_large()
        if not content:
            return refusal(422, "The file is empty.")
        wanted = {key: request.query_params.get(key) == "1" for key in ("whole", "preview")}
        async with self._turn:
            if await request.is_disconnected():  # while it waited
                return Response(status_code=400)
            work = partial(self._predict, bytes(content), wanted)
            return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def _predict(self, content, wanted):
        try:
            return JSONResponse(self._respond(content, **wanted))
        except AgeEnsembleError as error:
            return refusal(422, str(error))
        except Exception as error:  # the server goes on, whatever one image leads to
            self._log(f"an image failed: {type(error).__name__}: {error}")
            return refusal(500, "Internal error; see the terminal in which the server was started.")

    def _too_large(self):
        return refusal(413, f"The file is too large: the maximum upload size is {self._max_bytes / 1e6:g} MB.")


def _page(model_info, examples, max_bytes):
    buttons = "\n".join(
        f'<button type="button" class="example"><img src="/examples/{i}.jpg" alt="" height="62">{escape(name)}</button>'
        for i, name in enumerate(examples)
    )
    texts = {"name": escape(model_info["name"]), "scores": escape(model_info["scores"])}
    return _filled("index.html", examples=buttons, max_bytes=max_bytes, megabytes=f"{max_bytes / 1e6:g}", **texts)


def _card(model_info):
    """The model card; a stranger may have written it, so no HTML of its own is let through."""
    return _filled(
        "card.html", name=escape(model_info["name"]), card=MarkdownIt("js-default").render(model_info["card"])
    )


def _filled(file, **texts):
    return Template((PAGE / file).read_text(encoding="utf-8")).substitute(texts)
