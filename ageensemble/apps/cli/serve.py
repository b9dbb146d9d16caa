"""The verb `serve`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import Console
from . import options
from .options import examples

app = typer.Typer()


@app.command(
    epilog=examples(
        "ageensemble serve --model runs/models/svm",
        "ageensemble serve --model runs/models/stack --detector yunet --open",
        "ageensemble serve --model runs/models/stack --port 9000 --max-mb 50",
    )
)
def serve(
    model: Annotated[Path, typer.Option(help="A model folder.")],
    detector: options.Detector = "auto",
    device: options.Device = "auto",
    cache: options.Cache = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 0.0.0.0 is open to the whole network.")
    ] = "127.0.0.1",
    port: Annotated[
        Optional[int], typer.Option(min=0, max=65535, help="Port; by default 8765, or the next that is free.")
    ] = None,
    max_mb: Annotated[float, typer.Option(min=0.001, max=500, help="Maximum upload size, MB.")] = 20,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
):
    """Serve a local web page that shows the predicted ages of the faces in an image; nothing is stored.

    Ctrl-C ends it, with exit code 0.
    """
    from ..._utils.cache import default_folder
    from .. import web

    web.require()
    from ..web import app as page
    from ..web import security, server, startup
    from ..web.examples import examples as synthetic

    console, images = Console(), synthetic()
    sock = server.listening(host, port)
    first = next(iter(images.values()))
    respond, model_info = startup.prepare(model, device, detector, cache or default_folder(), first, console)
    application = page.make(respond, model_info, images, host, int(max_mb * 1e6), console.say)
    if not security.loopback(host):
        console.say(f"warning: at {host}, anyone in the network can use this page; uploads are not encrypted")
    address = server.address(host, sock)
    console.say(f"{model_info['name']}: {address} (Ctrl-C ends it)")
    if open_:
        typer.launch(address)
    server.serve(application, sock)
    console.say("ended")
