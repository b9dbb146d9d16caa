"""A server on this machine that speaks as much of Kaggle's and Hugging Face's interfaces as a download needs."""

import base64
import hashlib
import http.server
import io
import json
import threading
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import huggingface_hub
from helpers.commands import ageensemble
from huggingface_hub import constants, file_download

from ageensemble.data.download import SOURCES

VERSION = 7  # of the data set on Kaggle
FACES = {  # twice, as Kaggle's archive has them
    f"{folder}/{name}": name.encode() * 300
    for folder in ("face_age", "face_age/face_age")
    for name in ("001/1.png", "001/20.png", "110/3.PNG")
}
CHIPS = {"26_1_2_20170116191425302.jpg.chip.jpg": b"a" * 500, "1_0_0_20161219190000000.jpg.chip.jpg": b"b" * 400}
UTKFACE = {f"utk_faces_images/{name}": content for name, content in CHIPS.items()} | {
    "__MACOSX/utk_faces_images/._26_1_2_20170116191425302.jpg.chip.jpg": b"no photograph",
    "utk_faces_images/.DS_Store": b"no photograph",
}


def archive(files):
    """The bytes of a zip file with these contents by name."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


class Hubs:
    """What the server has, how it behaves, and what was asked of it.

    `cut` is how many bytes it sends before it breaks off, the first `cuts` times; `refuse` is the code that it answers
    everything with, `after` what it is once these times are over; `md5` and `sha256` are what it says of the archive.
    """

    def __init__(self, content):
        self.content, self.asked = content, []
        self.cut, self.cuts, self.refuse, self.after = None, 0, None, None
        self.md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
        self.sha256 = hashlib.sha256(content).hexdigest()

    @contextmanager
    def serving(self):
        """Yields the address."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Answers", (_Answers,), {"hubs": self}))
        server.daemon_threads = True
        threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


@contextmanager
def served(name, content, tmp_path, monkeypatch):
    """A data set on a server; yields what has `name`, `hubs` and `get(*words)`, the command that fetches it."""
    hubs = Hubs(content)
    with hubs.serving() as address:
        more = {"HOME": str(tmp_path), "KAGGLE_CONFIG_DIR": str(tmp_path), "KAGGLE_API_TOKEN": "", "NO_PROXY": ""}
        if name == "facial-age":  # its library reaches servers that are not Kaggle's at http://localhost only
            more |= {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", "http_proxy": address, "no_proxy": ""}
        else:
            more |= {"no_proxy": "127.0.0.1,localhost", "HF_TOKEN": "hf_secret"}
            template = address + "/{repo_id}/resolve/{revision}/{filename}"
            monkeypatch.setattr(constants, "ENDPOINT", address)
            monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
            monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)  # between its tries
            monkeypatch.setitem(SOURCES, "utkface", replace(SOURCES["utkface"], sha256=hubs.sha256))
            huggingface_hub.close_session()
        how = {"cwd": tmp_path} | more
        yield SimpleNamespace(
            name=name, hubs=hubs, get=lambda *words, **more: ageensemble("data", "get", name, *words, **how | more)
        )


class _Answers(http.server.BaseHTTPRequestHandler):
    hubs = None

    def do_POST(self):  # Kaggle's interface is all of POST
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        call = self.path.rpartition("/")[2]
        self.hubs.asked.append((call, f"{body['ownerSlug']}/{body['datasetSlug']}"))
        if self.refused():
            return
        if call == "GetDataset":
            self.answer(200, json.dumps({"currentVersionNumber": VERSION}).encode(), "application/json")
        else:
            self.answer(302, b"", Location="http://localhost/archive")

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.removeprefix("http://localhost")
        self.hubs.asked.append((self.command, path, self.headers.get("Range"), self.headers.get("Authorization")))
        if self.refused():
            return
        if path == "/archive":
            self.send_archive()
        else:  # the address of a large file at Hugging Face leads to another server
            about = {"X-Repo-Commit": path.split("/")[-2], "X-Linked-Size": str(len(self.hubs.content))}
            about |= {"X-Linked-Etag": f'"{self.hubs.sha256}"'}
            self.answer(302, b"", Location=f"http://localhost:{self.server.server_port}/archive", **about)

    def refused(self):
        if self.hubs.refuse:
            self.answer(self.hubs.refuse, b'{"message": "no"}', "application/json")
        return bool(self.hubs.refuse)

    def send_archive(self):
        hubs = self.hubs
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        body = hubs.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={hubs.md5}")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(hubs.content) - 1}/{len(hubs.content)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            if hubs.cuts:
                hubs.cuts -= 1
                body = body[: hubs.cut]
                hubs.refuse = None if hubs.cuts else hubs.after
            self.wfile.write(body)

    def answer(self, code, body, kind="text/plain", **headers):
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def log_message(self, *words):
        pass
