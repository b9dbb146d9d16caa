"""YuNet's file is fetched once, on request, and nothing but that very file is ever used."""

import hashlib
import http.server
import socket
import threading

import pytest
from helpers.detecting import red_yunet

from ageensemble._utils import cache
from ageensemble.data.faces import detector, detectors
from ageensemble.errors import DataError

pytest.importorskip("cv2")


class Server(http.server.BaseHTTPRequestHandler):
    content, asked = b"", []

    def do_GET(self):
        self.asked.append(self.path)
        if self.path == "/missing":
            return self.send_error(404)
        self.send_response(302 if self.path == "/moved" else 200)
        if self.path == "/moved":
            self.send_header("Location", "file:///etc/passwd")
        if self.path == "/endless":
            self.end_headers()
            for _ in range(40):
                self.wfile.write(bytes(1 << 16))
            return None
        length = {"/huge": 3_000_000_000, "/cut": 2 * len(self.content)}.get(self.path, len(self.content))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *words):
        pass


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A web server with the network of `detecting`, whose hash is the one expected; returns what was asked of it."""
    monkeypatch.setattr(Server, "content", red_yunet(tmp_path / "red.onnx").read_bytes())
    monkeypatch.setattr(Server, "asked", [])
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(detectors, "ADDRESS", f"http://127.0.0.1:{server.server_port}/yunet.onnx")
    monkeypatch.setattr(detectors, "SHA256", hashlib.sha256(Server.content).hexdigest())
    yield Server.asked
    server.shutdown()
    server.server_close()


def test_it_is_fetched_once_and_kept_in_the_cache(web, tmp_path):
    told = []
    first = detector("yunet", cache=tmp_path / "cache", progress=lambda *numbers: told.append(numbers))
    assert told[-1] == (len(Server.content), len(Server.content))
    assert first.name == "YuNet"
    assert detector("yunet", cache=tmp_path / "cache").key == first.key
    assert detector("auto", cache=tmp_path / "cache").key == first.key
    assert web == ["/yunet.onnx"]
    assert cache.contents(tmp_path / "cache") == {"detectors": (1, len(Server.content))}
    assert cache.clear(tmp_path / "cache") >= len(Server.content)


def test_a_damaged_copy_in_the_cache_is_fetched_anew(web, tmp_path):
    detector("yunet", cache=tmp_path / "cache")
    (tmp_path / "cache" / "detectors" / detectors.FILE).write_bytes(b"damaged")
    detector("yunet", cache=tmp_path / "cache")
    assert len(web) == 2


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("missing", "the server answers 404 Not Found"),
        ("cut", "it broke off after [0-9,]+ of [0-9,]+ bytes"),
        ("huge", "it is larger than the 1,000,000 bytes it may have"),
        ("endless", "it is larger than the 1,000,000 bytes it may have"),
        ("moved", "the server answers 302 .*"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line_with_a_way_out(path, why, web, tmp_path, monkeypatch):
    address = detectors.ADDRESS.replace("yunet.onnx", path)
    monkeypatch.setattr(detectors, "ADDRESS", address)
    with pytest.raises(DataError, match=f"^could not fetch {address}: {why}; --detector FILE takes [^\n]*$"):
        detector("yunet", cache=tmp_path / "cache")
    assert [f.name for f in (tmp_path / "cache" / "detectors").iterdir()] == ["lock"]


def test_another_file_than_the_expected_one_is_never_kept(web, tmp_path, monkeypatch):
    monkeypatch.setattr(detectors, "SHA256", "0" * 64)
    with pytest.raises(
        DataError, match=r"what came is not the file that was expected \(its SHA-256 differs\); --detector"
    ):
        detector("yunet", cache=tmp_path / "cache")
    assert not (tmp_path / "cache" / "detectors" / detectors.FILE).exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:{port}/x", "http://no-such-host.invalid/x"])
def test_no_connection_is_said_in_one_line(address, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("no_proxy", "127.0.0.1,no-such-host.invalid")
    monkeypatch.setattr(detectors, "ADDRESS", address.format(port=port))
    with pytest.raises(DataError, match=r"^could not fetch http://\S+: no connection \([^\n]+\); --detector FILE"):
        detector("yunet", cache=tmp_path)


def test_the_official_address_and_hash_are_those_of_opencvs_model_zoo():
    assert detectors.ADDRESS.startswith("https://media.githubusercontent.com/media/opencv/opencv_zoo/main/models/")
    assert detectors.ADDRESS.endswith("/face_detection_yunet_2023mar.onnx")
    assert detectors.SHA256 == "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
