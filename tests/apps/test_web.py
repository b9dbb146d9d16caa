"""The page's server answers its own page and nobody else, takes no more than it should, and keeps nothing."""

import io
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress
from unittest import mock

import numpy as np
import pytest
from helpers.commands import ageensemble, command, environment, said
from helpers.served import MODEL_INFO, ask, models, served
from PIL import Image

from ageensemble import inference
from ageensemble._utils.console import Console
from ageensemble.apps.web import app, security, server, startup
from ageensemble.apps.web.examples import FRAME, GAP, MOUNT, SIDE, examples
from ageensemble.data import faces
from ageensemble.errors import UsageError
from ageensemble.inference import faces as looking

DRAWN = examples()
MB = 1_000_000


@pytest.fixture(scope="module")
def folders(utkface, cache, tmp_path_factory):
    return models(utkface, cache, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def prepared(folders, cache):
    """What looks at images with a stack, and texts on it."""
    return startup.prepare(folders[1], "cpu", "cascade", cache, DRAWN["a child"], Console())


@pytest.fixture(scope="module")
def port(prepared):
    """Of a server with the stack."""
    with served(*prepared) as port:
        yield port


@pytest.fixture(scope="module")
def echo():
    """Of a server that only says how many bytes came."""
    with served(lambda content, whole, preview: {"bytes": len(content)}) as port:
        yield port


# --- what the page is told --------------------------------------------------------------------------------------


def test_each_face_of_a_picture_is_found_where_it_is_and_answered_as_the_model_answers_its_crop(port, folders):
    status, _, answer = ask(port, "/predict", DRAWN["two faces"])
    assert status == 200
    assert (answer["level"], answer["calibrated"]) == (0.9, True)
    image = np.asarray(Image.open(io.BytesIO(DRAWN["two faces"])))
    assert (answer["height"], answer["width"]) == image.shape[:2]
    assert len(answer["faces"]) == 2
    for i, face in enumerate(answer["faces"]):  # in the middle of its frame, and half as wide as that or more
        left, _, width, _ = (part * answer["width"] for part in face["box"])
        middle = GAP + FRAME + MOUNT + SIDE / 2 + i * (SIDE + 2 * (FRAME + MOUNT) + GAP)
        assert left + width / 2 == pytest.approx(middle, abs=0.15 * SIDE)
        assert 0.4 * SIDE < width < 1.1 * SIDE

    model = inference.load_model(folders[1], "cpu")
    detector = faces.detector("cascade", cache=folders[0])
    template, found = looking.crop_template(model, detector), sorted(detector(image), key=lambda face: face.box)
    expected = model.predict([faces.crop(image, one, template) for one in found])
    for i, face in enumerate(answer["faces"]):
        np.testing.assert_allclose(face["distribution"], expected.proba[i], atol=1e-5)
        assert face["median"] == expected.median[i]
        assert face["interval"] == expected.interval(0.9)[i].tolist()
        assert face["at_least"] == [18, pytest.approx(expected.at_least(18)[i], abs=1e-4)]
        assert [member["name"] for member in face["members"]] == model.members
        assert [member["weight"] for member in face["members"]] == [0.5, 0.5]
        alone = [rows[i] for rows in expected.members.values()]
        np.testing.assert_allclose([member["distribution"] for member in face["members"]], alone, atol=1e-5)


def test_the_three_most_probable_groups_come_in_order(port):
    _, _, answer = ask(port, "/predict", DRAWN["a child"])
    [face] = answer["faces"]
    shares = [share for _, share in face["age_groups"]]
    assert len(shares) == 3
    assert shares == sorted(shares, reverse=True)
    low, high = map(int, face["age_groups"][0][0].split("-"))
    assert shares[0] == pytest.approx(sum(face["distribution"][low : high + 1]), abs=1e-3)


def test_a_picture_without_a_face_says_so_and_can_be_taken_as_one(port):
    plain = jpeg(Image.new("RGB", (300, 200), (90, 120, 150)))
    assert ask(port, "/predict", plain)[2]["faces"] == []
    [face] = ask(port, "/predict?whole=1", plain)[2]["faces"]
    assert face["box"] == [0, 0, 1, 1]
    assert sum(face["distribution"]) == pytest.approx(1, abs=1e-3)


def test_a_picture_turned_by_its_camera_is_answered_upright(port):
    upright = Image.open(io.BytesIO(DRAWN["an old man"]))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    lying, standing = io.BytesIO(), io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(lying, "PNG", exif=exif)
    upright.save(standing, "PNG")
    lying, standing = (
        [ask(port, f"/predict?whole={whole}", file.getvalue())[2] for whole in (0, 1)] for file in (lying, standing)
    )
    assert lying == standing
    assert len(lying[0]["faces"]) == 1


def test_a_picture_that_the_browser_cannot_show_comes_back_as_one_that_it_can(port):
    file = io.BytesIO()
    Image.open(io.BytesIO(DRAWN["a child"])).save(file, "TIFF")
    answer = ask(port, "/predict?preview=1", file.getvalue())[2]
    assert answer["preview"].startswith("data:image/jpeg;base64,")
    assert "preview" not in ask(port, "/predict", file.getvalue())[2]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<script>alert(1)</script>", "cannot be used as an image: not an image"),
        (b"", "The file is empty."),
        (DRAWN["a child"][:3000], "cannot be used as an image: does not decode"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(content, why, port):
    status, headers, answer = ask(port, "/predict", content)
    assert status == 422
    assert why in answer["error"]
    assert headers["Content-Type"] == "application/json"


def test_a_picture_too_small_for_a_face_is_refused_in_words(port):
    status, _, answer = ask(port, "/predict?whole=1", jpeg(Image.new("RGB", (8, 8))))
    assert (status, "at least 16 a side" in answer["error"]) == (422, True)


def test_a_small_file_that_claims_a_huge_picture_is_refused_without_memory_for_it(port):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, _, answer = ask(port, "/predict", claiming(20_000, 20_000))
    assert (status, "more than 100 megapixels" in answer["error"]) == (422, True)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # of the 1,200,000 kB it would take


def jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def claiming(width, height):
    """A black PNG of this size, which takes few bytes."""

    def part(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress(bytes((width + 1) * 100)) + zlib.compress(b"")
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


# --- how much it takes ------------------------------------------------------------------------------------------


def test_a_file_as_large_as_allowed_is_taken_and_one_byte_more_is_not(echo):
    assert ask(echo, "/predict", bytes(MB))[2] == {"bytes": MB}
    status, _, answer = ask(echo, "/predict", bytes(MB + 1))
    assert (status, answer["error"]) == (413, "The file is too large: the maximum upload size is 1 MB.")


def test_two_gigabytes_that_are_announced_are_refused_before_any_of_them_is_sent(echo):
    with socket.create_connection(("127.0.0.1", echo), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000000\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))  # until the server hangs up
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("announced", [True, False])
def test_two_gigabytes_that_are_sent_all_the_same_are_not_read_on_and_take_no_memory(echo, announced):
    before, sent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    length = b"Content-Length: 2000000000" if announced else b"Transfer-Encoding: chunked"
    part = bytes(MB) if announced else b"%x\r\n%b\r\n" % (MB, bytes(MB))
    with socket.create_connection(("127.0.0.1", echo), timeout=10) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\n" + length + b"\r\n\r\n")
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 2000:
                connection.sendall(part)
                sent += 1
    assert sent < 50  # MB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_a_picture_in_parts_of_unknown_number_is_taken_as_a_whole(echo):
    assert ask(echo, "/predict", iter([b"12", b"345", b"6"]))[2] == {"bytes": 6}


def test_a_picture_that_does_not_come_is_given_up():
    request = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
    with (
        mock.patch.object(app, "TIMEOUT", 0.2),
        served(lambda content, **wanted: {}) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
    ):
        connection.sendall(request)
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def until(something, seconds=9):
    """Wait for something; whether it came true is for the test to see."""
    end = time.monotonic() + seconds
    while not something() and time.monotonic() < end:
        time.sleep(0.01)


def test_pictures_are_looked_at_one_at_a_time_and_no_more_than_some_may_wait():
    go, at_once, most = threading.Event(), [], []

    def respond(content, **wanted):
        at_once.append(1)
        most.append(len(at_once))
        go.wait(10)
        at_once.pop()
        return {}

    answers = []
    with served(respond) as port:
        asking = [threading.Thread(target=lambda: answers.append(ask(port, "/predict", b"x")[0])) for _ in range(11)]
        for thread in asking:
            thread.start()
        until(lambda: answers.count(503) == 3)
        go.set()
        for thread in asking:
            thread.join()
        assert ask(port, "/predict", b"x")[0] == 200
    assert sorted(answers) == [200] * app.MAX_PENDING + [503] * 3
    assert max(most) == 1


def test_who_went_away_while_waiting_is_not_looked_at():
    go, seen = threading.Event(), []

    def respond(content, **wanted):
        seen.append(content)
        go.wait(10)
        return {}

    with served(respond) as port:
        first = threading.Thread(target=ask, args=(port, "/predict", b"first"))
        first.start()
        until(lambda: seen)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\ngone")
            time.sleep(0.2)
        time.sleep(0.2)
        go.set()
        first.join()
        ask(port, "/predict", b"last")
    assert seen == [b"first", b"last"]


def test_a_model_that_fails_is_no_end_of_the_page():
    told = []

    def respond(content, **wanted):
        if content == b"bad":
            raise ZeroDivisionError("no luck")
        return {}

    with served(respond, log=told.append) as port:
        status, _, answer = ask(port, "/predict", b"bad")
        assert (status, "no luck" in answer["error"]) == (500, False)
        assert told == ["an image failed: ZeroDivisionError: no luck"]
        assert ask(port, "/predict", b"good")[0] == 200


# --- whom it answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost@evil.example", "192.168.0.9", ""]
)
def test_a_name_that_somebody_lets_point_here_is_not_answered(echo, host):
    assert ask(echo, "/", Host=host)[0] == 403
    status, _, answer = ask(echo, "/predict", b"x", Host=host)
    assert (status, list(answer)) == (403, ["error"])


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:9000", "[::1]:8765"])
def test_the_names_of_this_computer_are_answered(echo, host):
    assert ask(echo, "/", Host=host)[0] == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "file://", "localhost"])
def test_another_page_cannot_send_pictures(echo, origin):
    status, _, answer = ask(echo, "/predict", b"x", Host="localhost:8765", Origin=origin)
    assert (status, answer["error"]) == (403, "Requests are accepted from this page only.")


def test_the_page_itself_can_send_pictures(echo):
    assert ask(echo, "/predict", b"x", Host="localhost:8765", Origin="http://localhost:8765")[0] == 200


def test_in_a_network_addresses_in_numbers_are_answered_and_foreign_names_are_not():
    with served(None, host="0.0.0.0") as port:
        asked = [
            ask(port, "/", Host=host)[0] for host in ("192.168.0.9:8765", "[fe80::1]", "localhost", "evil.example")
        ]
        assert asked == [200, 200, 200, 403]
        assert ask(port, "/", Host=f"{socket.gethostname()}:8765")[0] == 200


def test_only_what_cannot_be_reached_from_outside_counts_as_loopback():
    assert all(map(security.loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(security.loopback, ["0.0.0.0", "::", "192.168.0.9", "example.org"]))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/predict", 405),
        ("/examples/99.jpg", 404),
        ("/index.html", 404),
        ("/../pyproject.toml", 404),
        ("/page/../app.py", 404),
        ("/%2e%2e/app.py", 404),
        ("/<script>alert(1)</script>", 404),
    ],
)
def test_only_the_page_is_there(echo, path, status):
    found, headers, answer = ask(echo, path)
    assert found == status
    assert headers["Content-Type"] == "application/json"
    assert "script" not in answer["error"]


@pytest.mark.parametrize("path", ["/", "/card", "/page.js", "/examples/0.jpg", "/nothing", "/predict"])
def test_every_answer_tells_the_browser_to_keep_to_this_page_and_to_keep_nothing(echo, path):
    _, headers, _ = ask(echo, path)
    assert [headers[name] for name in security.HEADERS] == list(security.HEADERS.values())
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert "Server" not in headers


def test_the_page_has_no_script_style_or_address_from_elsewhere():
    for file in app.PAGE.iterdir():
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", "").replace("<!--", ""), file.name
    for file in app.PAGE.glob("*.html"):
        text = file.read_text()
        assert not re.search(r"<style|<[^>]* (style|on\w+)=", text)
        assert re.findall(r"<script([^>]*)>", text) in ([], [' type="module" src="/page.js"'])


def test_a_model_of_a_hostile_name_and_card_shows_both_as_text():
    hostile = "<script>alert(1)</script>"
    card = f"# {hostile}\n\n[a link](javascript:alert(1)) <img src=x onerror=alert(1)>"
    with served(None, MODEL_INFO | {"name": hostile + ' "$x"', "card": card}) as port:
        for path in ("/", "/card"):
            page = ask(port, path)[2].decode()
            assert "&lt;script&gt;alert(1)" in page
            assert page.count("<script") == (path == "/")
            assert "<img src=x" not in page
            assert 'href="javascript' not in page


def test_what_is_looked_at_leaves_nothing_behind(port, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    ask(port, "/predict", DRAWN["a child"], Content_Disposition='attachment; filename="<script>.jpg"')
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# --- the command ------------------------------------------------------------------------------------------------


def test_a_busy_port_is_an_error_where_it_was_asked_for_and_else_the_next_is_taken():
    with server.listening("127.0.0.1", 0) as busy:
        taken = busy.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {taken} is in use; give another one with --port"):
            server.listening("127.0.0.1", taken)
        with mock.patch.object(server, "PORT", taken), server.listening("127.0.0.1") as sock:
            assert taken < sock.getsockname()[1] <= taken + 20
            assert server.address("0.0.0.0", sock) == f"http://127.0.0.1:{sock.getsockname()[1]}/"
        with mock.patch.multiple(server, PORT=taken, TRIED=1), pytest.raises(UsageError, match="are all in use"):
            server.listening("127.0.0.1")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--host", "no.such.name.invalid"], "no address called 'no.such.name.invalid' for --host"),
        (["--host", "192.0.2.1"], "cannot listen at --host 192.0.2.1"),  # of the block kept for documentation
        (["--port", "70000"], "--port"),
        (["--max-mb", "0"], "--max-mb"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(words, complaint, folders):
    done = ageensemble("serve", "--model", folders[0], *words)
    assert done.returncode == 2
    assert complaint in said(done)


def test_a_model_that_is_not_there_is_said_in_one_line(tmp_path):
    done = ageensemble("serve", "--model", tmp_path / "none", "--port", 0, "--detector", "cascade")
    assert (done.returncode, str(tmp_path / "none") in said(done)) == (3, True)


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_it_is_said_how_to_get_it(missing, folders):
    with mock.patch.dict(sys.modules, {missing: None}):
        done = ageensemble("serve", "--model", folders[0])
    assert (done.returncode, "pip install 'ageensemble[serve]'" in said(done)) == (2, True)


def test_serving_a_network_warns(folders, cache):
    words = ["--model", folders[0], "--detector", "cascade", "--cache", cache, "--device", "cpu", "--port", 0]
    with mock.patch.object(server, "serve"):
        done = ageensemble("serve", *words, "--host", "0.0.0.0")
        assert "warning: at 0.0.0.0, anyone in the network can use this page" in done.stderr
        assert "warning" not in ageensemble("serve", *words).stderr


def test_the_command_serves_until_ctrl_c_and_ends_with_0(folders, cache):
    words = ["--model", folders[0], "--detector", "cascade", "--cache", cache, "--device", "cpu", "--port", 0]
    process = subprocess.Popen(command("serve", *words), stderr=subprocess.PIPE, text=True, env=environment())
    lines = iter(process.stderr.readline, "")
    line = next(line for line in lines if "Ctrl-C ends it" in line)
    port = int(line.split("127.0.0.1:")[1].split("/")[0])
    assert len(ask(port, "/predict", DRAWN["a young man"])[2]["faces"]) == 1
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert (process.wait(20), rest) == (0, "ended\n")
