"""The page in a real browser without a window: an image in, ages out, and words where something is wrong."""

import io
import threading

import pytest
from helpers.browser import BROWSERS, FOUND, started
from helpers.served import models, served
from PIL import Image
from playwright.sync_api import sync_playwright

from ageensemble._utils.console import Console
from ageensemble.apps.web import startup
from ageensemble.apps.web.examples import examples

pytestmark = pytest.mark.skipif(FOUND is None, reason=f"no browser on the PATH; looked for {', '.join(BROWSERS)}")
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
DESKTOP, PHONE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 844}, {"width": 360, "height": 640}
MOST = 2_000_000


@pytest.fixture(scope="module")
def address(utkface, cache, tmp_path_factory):
    """Of the page of a mean of two models."""
    _, mean = models(utkface, cache, tmp_path_factory.mktemp("page"))
    respond, model_info = startup.prepare(mean, "cpu", "cascade", cache, examples()["a child"], Console())
    with served(respond, model_info, max_bytes=MOST) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def driver():
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(driver):
    browser = started(driver, *CAMERA)
    yield browser
    browser.close()


@pytest.fixture
def visit(browser, address):
    """Open the page; whatever the browser complains of fails the test."""
    opened, complaints = [], []

    def visit(browser=browser, viewport=DESKTOP, **more):
        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **more)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if not local(asked.url, address) else None)
        page.goto(address)
        return page

    yield visit
    for context in opened:
        context.close()
    expected = "Failed to load resource"  # a refusal, which the browser logs too
    assert [text for text in complaints if expected not in text] == []


def local(url, address):
    return url.startswith((address, "blob:", "data:"))


def give(page, content, name="image.jpg", kind="image/jpeg"):
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": content})


def jpeg(image):
    file = io.BytesIO()
    image.save(file, "JPEG")
    return file.getvalue()


def texts(page, selector):
    return [text.strip() for text in page.locator(selector).all_inner_texts()]


def fits(page):
    """Whether nothing reaches beyond the right edge."""
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_an_uploaded_picture_shows_a_box_and_a_card_for_each_face(visit):
    page = visit()
    give(page, examples()["two faces"])
    page.wait_for_selector("#faces .card canvas")
    assert texts(page, ".box") == ["1", "2"]
    assert texts(page, "#faces h2") == ["Face 1", "Face 2"]
    numbers = texts(page, ".number")
    assert page.inner_text("#status") == f"2 faces: about {numbers[0]} and {numbers[1]} years."
    curve = page.locator(".curve-holder svg").first
    assert curve.get_attribute("aria-label").startswith(f"Age distribution: median {numbers[0]} years, 90 % interval ")
    assert texts(page, ".card:first-child .members .weight") == ["weight 0.50", "weight 0.50"]
    assert len(texts(page, ".card:first-child .groups li")) == 3
    assert "18 or older" in page.inner_text(".card:first-child .adult")

    frame, box = (page.locator(place).first.bounding_box() for place in (".frame img", ".box"))
    assert frame["x"] < box["x"] < box["x"] + box["width"] < frame["x"] + frame["width"]
    assert frame["y"] < box["y"] < box["y"] + box["height"] < frame["y"] + frame["height"]


def test_the_median_is_drawn_where_the_axis_has_its_year(visit):
    page = visit()
    page.click(".example >> nth=2")
    page.wait_for_selector(".curve-holder svg")
    year = int(page.inner_text(".number"))
    ticks = {int(t.text_content()): float(t.get_attribute("x")) for t in page.locator(".tick").all()[:11]}
    assert list(ticks) == list(range(0, 101, 10))
    expected = ticks[0] + year / 100 * (ticks[100] - ticks[0])
    assert float(page.locator(".curve-holder .median").get_attribute("x1")) == pytest.approx(expected, abs=0.01)


def test_pointing_at_the_curve_reads_it_out(visit):
    page = visit()
    page.click(".example >> nth=0")
    page.wait_for_selector(".curve-holder svg")
    page.locator(".curve-holder").scroll_into_view_if_needed()
    curve = page.locator(".curve-holder svg").bounding_box()
    page.mouse.move(curve["x"] + 10 + (curve["width"] - 20) * 0.3, curve["y"] + 60)
    assert page.locator(".curve-holder g text").text_content().startswith("30 years: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"just words", "This file cannot be used as an image: not an image."),
        (b"", "The file is empty."),
        (bytes(MOST + 1), "The file is too large: the maximum upload size is 2 MB."),
    ],
)
def test_a_file_that_cannot_be_used_gives_its_reason_and_the_page_goes_on(content, words, visit):
    page = visit()
    give(page, content, "<script>alert(1)</script>.txt", "text/plain")
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.inner_text("[role=alert]") == words
    assert page.inner_text("#status") == ""
    give(page, examples()["a child"])
    page.wait_for_selector("#faces .card canvas")
    assert page.is_hidden("#trouble")


def test_without_a_face_the_whole_picture_can_be_taken_as_one(visit):
    page = visit()
    give(page, jpeg(Image.new("RGB", (300, 200), (90, 120, 150))))
    page.click("text=Take the whole image as a face")
    page.wait_for_selector("#faces .card canvas")
    assert page.inner_text("#status").startswith("One face: about ")


def test_a_picture_that_the_browser_cannot_show_is_shown_all_the_same(visit):
    page, file = visit(), io.BytesIO()
    Image.open(io.BytesIO(examples()["an old man"])).save(file, "TIFF")
    give(page, file.getvalue(), "old.tif", "image/tiff")
    page.wait_for_selector("#faces .card canvas")
    assert page.evaluate("document.querySelector('.frame img').naturalWidth") == 240


@pytest.mark.parametrize("viewport", [PHONE, NARROW, DESKTOP], ids=["phone", "narrow phone", "desktop"])
def test_nothing_is_wider_than_the_screen(viewport, visit):
    page = visit(viewport=viewport)
    assert fits(page)
    for example in ("a child", "three faces"):
        page.click(f".example:has-text('{example}')")
        page.wait_for_selector("#status:has-text('about')")
        assert fits(page)
        assert page.locator(".curve-holder svg").first.bounding_box()["width"] < viewport["width"]
        page.evaluate("document.querySelector('#status').textContent = ''")
    page.goto(page.url + "card")
    assert fits(page)


def test_the_page_can_be_used_with_the_keyboard_alone(visit):
    page = visit()
    for _ in range(3):  # model card, file, camera
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "camera-open"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first example
    page.wait_for_selector(".box")
    for _ in range(5):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.ariaLabel").startswith("Face 1: ")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className").split()[0] == "card"


def test_a_pasted_and_a_dropped_picture_are_looked_at(visit):
    page = visit()
    for event in ("ClipboardEvent('paste', {clipboardData: data})", "DragEvent('drop', {dataTransfer: data})"):
        page.evaluate(
            """async () => {
                const blob = await (await fetch("/examples/0.jpg")).blob();
                const data = new DataTransfer();
                data.items.add(new File([blob], "a.jpg", {type: "image/jpeg"}));
                document.dispatchEvent(new EVENT);
            }""".replace("EVENT", event)
        )
        page.wait_for_selector("#status:has-text('One face')")
        page.evaluate("document.querySelector('#status').textContent = ''")


def test_a_picture_from_the_camera_is_looked_at_and_the_camera_let_go(visit):
    page = visit()
    page.click("text=Use the camera")
    page.wait_for_selector("#camera-take")
    page.evaluate("window.track = document.querySelector('#live').srcObject.getTracks()[0]")
    page.click("text=Take a photo")
    page.wait_for_selector("#result:not([hidden]) .frame img")
    assert page.evaluate("window.track.readyState") == "ended"
    assert page.is_hidden("#camera")
    page.click("text=Use the camera")
    page.click("text=Close the camera")
    assert page.is_hidden("#camera")


def test_a_camera_that_is_missing_is_said_in_words(driver, visit):
    browser = started(driver)  # without a camera
    page = visit(browser)
    page.click("text=Use the camera")
    page.wait_for_selector("#trouble:not([hidden])")
    said = page.inner_text("#trouble")
    assert "camera was" in said.lower()
    assert said.endswith("choose an image instead.") or said.endswith("choose an image.")
    assert page.is_enabled("#camera-open")
    browser.close()


def test_it_is_dark_where_the_system_is(visit):
    ground = "getComputedStyle(document.body).backgroundColor"
    assert visit(color_scheme="dark").evaluate(ground) == "rgb(19, 21, 25)"
    assert visit(color_scheme="light").evaluate(ground) == "rgb(244, 243, 239)"


def test_a_server_that_was_ended_is_said_in_words(visit):
    page = visit()
    page.route("**/predict**", lambda route: route.abort())
    give(page, examples()["a child"])
    page.wait_for_selector("#trouble:not([hidden])")
    assert "is 'ageensemble serve' still running" in page.inner_text("#trouble")


def test_of_two_pictures_the_later_is_shown(browser, visit):
    first = threading.Event()

    def slowly(route):
        if not first.is_set():
            first.set()
            return  # never answered: the page gives it up
        route.continue_()

    page = visit()
    page.route("**/predict**", slowly)
    give(page, examples()["three faces"])
    page.wait_for_selector("body.busy")
    page.wait_for_timeout(200)
    give(page, examples()["a child"])
    page.wait_for_selector("#faces .card canvas")
    assert page.inner_text("#status").startswith("One face")
    assert page.is_hidden("#trouble")
    assert not page.evaluate("document.body.classList.contains('busy')")


def test_a_file_too_large_ends_the_look_at_the_one_before(visit):
    page = visit()
    page.route("**/predict**", lambda route: None)  # never answered
    give(page, examples()["three faces"])
    page.wait_for_selector("body.busy")
    give(page, bytes(MOST + 1), "large.jpg", "image/jpeg")
    page.wait_for_selector("#trouble:not([hidden])")
    assert not page.evaluate("document.body.classList.contains('busy')")
