"""The port, and serving until Ctrl-C."""

import errno
import socket
from contextlib import suppress

import uvicorn

from ...errors import UsageError

PORT, TRIED = 8765, 20  # the port where none is asked for, and how many from there on are tried
CONNECTIONS = 100  # at once; more are told to come again
ENDING = 3  # seconds that requests have to end after Ctrl-C


def listening(host, port=None):
    """A socket that listens; browsers that connect to it wait until it is served.

    Parameters
    ----------
    host : str
    port : int, optional
        0 for any that is free; unless given, `PORT` or one of the next

    Raises
    ------
    UsageError
        The port is in use or not allowed, or the host is none of this computer's.
    """
    for tried in range(PORT, PORT + TRIED) if port is None else [port]:
        try:
            family, _, _, _, place = socket.getaddrinfo(host, tried, type=socket.SOCK_STREAM)[0]
            return socket.create_server(place[:2], family=family, backlog=CONNECTIONS)
        except (OSError, UnicodeError) as error:
            if port is not None or getattr(error, "errno", 0) != errno.EADDRINUSE:
                raise UsageError(_why(error, host, tried)) from error
    raise UsageError(f"ports {PORT} to {PORT + TRIED - 1} are all in use; give another one with --port")


def _why(error, host, port):
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return f"no address called '{host}' for --host; leave it out, or give one of this computer's"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use; give another one with --port, or none for the next that is free"
    if error.errno == errno.EACCES:
        return f"port {port} is not allowed to you; those from 1024 on are"
    return f"cannot listen at --host {host}: {error.strerror}"


def address(host, sock):
    """Where a browser on this computer finds the page."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{sock.getsockname()[1]}/"


def server(app):
    """A server of an application, without access logs."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=ENDING,
        )
    )


def serve(app, sock):
    """Serve until Ctrl-C."""
    with sock, suppress(KeyboardInterrupt):  # uvicorn ends its work at Ctrl-C and then passes it on
        server(app).run(sockets=[sock])
