"""Which requests are accepted: to its own address, from its own page; and headers that tell a browser to keep to that.

A page from elsewhere must not get predictions from this one: not by sending images to it (its `Origin` is another), and
not by a name of its own that it lets point to this computer (DNS rebinding; the `Host` is another then).
"""

import ipaddress
import re
import socket

from starlette.responses import JSONResponse

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
NETLOC = re.compile(r"(\[[0-9a-f:.%]+\]|[a-z0-9._-]+)(:\d{1,5})?")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Wraps an ASGI application.

    Parameters
    ----------
    app : callable
    host : str
        that the server listens at
    """

    def __init__(self, app, host):
        self._app, self._names, self._open = app, names(host), not loopback(host)
        self._headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]

    async def __call__(self, scope, receive, send):
        """Answer a request, or refuse it."""

        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        why = self._objection(scope)
        app = refusal(403, why) if why else self._app
        await app(scope, receive, send_with_headers)

    def _objection(self, scope):
        """Why a request is refused, or None."""
        headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        place = NETLOC.fullmatch(host)
        if not place or not self._mine(place[1]):
            return "Unknown host name; use the address that 'ageensemble serve' printed."
        origin = headers.get(b"origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "Requests are accepted from this page only."
        return None

    def _mine(self, name):
        """Whether a name is one of this server's; where others may reach it, any address in numbers is."""
        return name in self._names or (self._open and _numeric(name))


def refusal(status, why, **headers):
    """An error response with its reason; nothing more is read from the client."""
    return JSONResponse({"error": why}, status, {"Connection": "close"} | headers)


def loopback(host):
    """Whether only this computer can reach a server that listens at `host`."""
    return host == "localhost" or (_numeric(host) and ipaddress.ip_address(host.strip("[]")).is_loopback)


def names(host):
    """What a browser may call a server that listens at `host`."""
    own = {host.lower(), f"[{host.lower()}]"}
    if not loopback(host):
        name = socket.gethostname().lower()
        own |= {name, f"{name}.local"}
    return own.union(LOOPBACK)


def _numeric(name):
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
