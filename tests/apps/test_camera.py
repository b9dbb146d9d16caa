"""Faces in a video are followed, framed and given ages that do not tremble; what cannot be watched is said."""

import io
import itertools
import os
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.commands import ageensemble, said
from PIL import Image

from ageensemble.ages import N_AGES
from ageensemble.apps.camera import loop, video, window
from ageensemble.apps.camera.recognizer import FaceRecognizer
from ageensemble.apps.camera.tracker import MAX_MISSED, TIME_CONSTANT, Track, Tracker
from ageensemble.data.faces import Face, detector
from ageensemble.data.synthetic.dataset import portrait
from ageensemble.inference import ModelPredictions

cv2 = pytest.importorskip("cv2")
WHICH = os.environ.get("AGEENSEMBLE_YUNET", "cascade")
WIDTH, HEIGHT, FRAMES = 320, 180, 12
SIDE = 90  # of the drawn faces


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A video of two drawn faces, a dark one that moves to the right and a bright one to the left."""
    file = tmp_path_factory.mktemp("film") / "film.avi"
    faces = [_drawn(30, 3) // 2, 80 + _drawn(25, 3) // 2]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 12.5, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        frame = np.full((HEIGHT, WIDTH, 3), (120, 130, 140), np.uint8)
        for face, (x, y) in zip(faces, places(number), strict=True):
            frame[y : y + SIDE, x : x + SIDE] = face
        writer.write(frame[..., ::-1])
    writer.release()
    return file


def _drawn(age, seed):
    return np.asarray(Image.open(io.BytesIO(portrait(age, seed))).convert("RGB").resize((SIDE, SIDE)))


def places(number):
    return (20 + 3 * number, 45), (200 - 3 * number, 55)


@pytest.fixture(scope="module")
def folder(utkface, cache, tmp_path_factory):
    """A model folder."""
    root = tmp_path_factory.mktemp("model")
    words = ["--data", utkface, "--out", root, "--cache", cache, "--device", "cpu"]
    done = ageensemble("fit", "--model", "svm@hog pca=8 hog.size=32 hog.cell=8", *words)
    assert done.returncode == 0, done.stderr
    [place] = (root / "models").iterdir()
    return place


def frames_of(file):
    capture, frames = cv2.VideoCapture(str(file)), []
    while (read := capture.read())[0]:
        frames.append(read[1].astype(int))
    return np.array(frames), capture.get(cv2.CAP_PROP_FPS)


def watch(folder, *words, **more):
    return ageensemble("camera", "--model", folder, "--detector", WHICH, "--device", "cpu", *words, **more)


# --- a whole video ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_the_annotated_video_has_the_same_frames_with_the_faces_framed(film, folder, tmp_path, ending):
    done = watch(folder, "--source", film, "--out", tmp_path / f"out{ending}", "--no-window")
    assert done.returncode == 0, done.stderr
    before, after = frames_of(film), frames_of(tmp_path / f"out{ending}")
    assert (after[0].shape, after[1]) == ((FRAMES, HEIGHT, WIDTH, 3), 12.5)
    changed = np.abs(after[0] - before[0]).max(3) > 60
    for number in range(FRAMES):
        near = np.zeros((HEIGHT, WIDTH), bool)
        for x, y in places(number):
            if number:
                assert changed[number, y - 20 : y + SIDE, x - 10 : x + SIDE + 10].sum() > 100
            near[y - 45 : y + SIDE + 30, max(0, x - 25) : x + SIDE + 25] = True
        assert not changed[number][~near].any()
    assert [line.split(":")[0] for line in sorted(done.stdout.splitlines())] == ["face 1", "face 2"]
    assert f"{FRAMES} frames, " in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == [f"out{ending}"]


def test_the_same_video_gives_the_same_ages(film, folder, tmp_path):
    runs = [watch(folder, "--source", film, "--out", tmp_path / f"{n}.avi", "--no-window") for n in (0, 1)]
    assert runs[0].stdout == runs[1].stdout != ""
    assert (tmp_path / "0.avi").read_bytes() == (tmp_path / "1.avi").read_bytes()


def test_frames_may_be_limited(film, folder, tmp_path):
    done = watch(folder, "--source", film, "--out", tmp_path / "out.avi", "--no-window", "--frames", 3)
    assert len(frames_of(tmp_path / "out.avi")[0]) == 3
    assert "3 frames, " in done.stderr
    assert "cut short" not in done.stderr


def test_ctrl_c_ends_with_what_was_seen_in_the_file(film, folder, tmp_path, monkeypatch):
    real, calls = FaceRecognizer.__call__, itertools.count()

    def interrupted(self, frame, at):
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(self, frame, at)

    monkeypatch.setattr(FaceRecognizer, "__call__", interrupted)
    done = watch(folder, "--source", film, "--out", tmp_path / "out.avi", "--no-window")
    assert done.returncode == 0, done.stderr
    assert "4 frames, " in done.stderr
    assert len(frames_of(tmp_path / "out.avi")[0]) == 4


def test_a_video_cut_short_is_watched_as_far_as_it_goes_and_that_is_said(film, folder, tmp_path):
    content = film.read_bytes()
    (tmp_path / "cut.avi").write_bytes(content[: len(content) // 2])
    done = watch(folder, "--source", tmp_path / "cut.avi", "--out", tmp_path / "out.avi", "--no-window")
    assert done.returncode == 0, done.stderr
    assert f"of {FRAMES} frames: it is damaged or cut short" in done.stderr


# --- ages over time --------------------------------------------------------------------------------------------------


class Brightness:
    """Stands in for a model: half the mean brightness of a crop, in years, give or take 3."""

    template = None

    def __init__(self):
        self.calls = 0

    def predict(self, crops):
        self.calls += 1
        wrong = 3 * (-1) ** self.calls
        years = [int(np.clip(crop.mean() / 2 + wrong, 2, N_AGES - 3)) for crop in crops]
        return ModelPredictions(np.eye(N_AGES, dtype=np.float32)[np.array(years, int)].reshape(-1, N_AGES))


def test_each_face_keeps_its_number_and_its_age_is_steadier_than_the_answers(film):
    model, source = Brightness(), video.Source(str(film))
    recognizer = FaceRecognizer(model, detector(WHICH, cache=film.parent), live=False)
    seen = {}
    for number, frame in enumerate(source):
        for face in recognizer(frame[..., ::-1], number / source.rate):
            seen.setdefault(face.number, []).append((face.age, face.box[0] + face.box[2] / 2))
    assert sorted(seen) == [1, 2]
    (dark, bright) = sorted(seen.values(), key=lambda rows: rows[0][1])
    for rows, direction in ((dark, 1), (bright, -1)):
        ages, middles = np.array(rows, float).T
        assert len(rows) >= FRAMES - 2
        assert np.ptp(ages[2:]) <= 6  # each answer is 3 years off, now up, now down
        assert direction * (middles[-1] - middles[0]) == pytest.approx(3 * (len(rows) - 1), abs=12)
    assert bright[-1][0] > dark[-1][0] + 15
    assert [face.frames >= FRAMES - 2 for face in recognizer.close()] == [True, True]


def test_answers_are_pooled_and_old_ones_fade():
    track, first, second = Track(1, (0, 0, 10, 10), True), np.array([1.0, 0, 0]), np.array([0, 1.0, 0])
    track.update_age(first, 0.0)
    np.testing.assert_allclose(track.proba, [1, 0, 0])
    track.update_age(second, 0.0)
    np.testing.assert_allclose(track.proba, [0.5, 0.5, 0])
    track.update_age(second, TIME_CONSTANT)  # what was known counts 1 / e
    np.testing.assert_allclose(track.proba, [0.5 / np.e, 1 - 0.5 / np.e, 0])


def test_boxes_that_overlap_most_are_one_face():
    tracks = Tracker()
    left, right = tracks.update([(0, 0, 100, 100), (60, 0, 100, 100)])
    assert tracks.update([(70, 0, 100, 100), (20, 0, 100, 100)]) == [right, left]
    assert [track.number for track in tracks.shown] == [1, 2]
    np.testing.assert_allclose(left.box, (10, 0, 100, 100))


def test_a_face_survives_some_frames_unseen_and_is_another_one_later():
    tracks, box = Tracker(), (0, 0, 50, 50)
    [first] = tracks.update([box])
    for _ in range(MAX_MISSED):
        tracks.update([])
    assert tracks.update([box]) == [first]
    for _ in range(MAX_MISSED + 1):
        tracks.update([])
    assert (tracks.now, tracks.past) == ([], [first])
    assert tracks.update([box])[0].number == 2


def test_what_is_not_found_three_times_on_end_is_not_shown():
    tracks, there, elsewhere = Tracker(), (0, 0, 50, 50), (200, 0, 50, 50)
    for boxes in ([], [there], [there], [], [there], [elsewhere]):
        tracks.update(boxes)
    assert (tracks.shown, [track.frames for track in tracks.now]) == ([], [3, 1])
    tracks.update([elsewhere])
    tracks.update([elsewhere])
    assert [track.number for track in tracks.shown] == [2]
    for _ in range(MAX_MISSED + 1):
        tracks.update([])
    assert [track.number for track in tracks.past] == [2]


def test_a_camera_does_not_wait_for_the_model():
    asked, go = threading.Event(), threading.Event()

    class Slow(Brightness):
        def predict(self, crops):
            asked.set()
            assert go.wait(10)
            return super().predict(crops)

    class Everywhere:
        key = "everywhere"

        def __call__(self, image):
            return [Face((10, 10, 40, 40), 0.9)]

    recognizer = FaceRecognizer(Slow(), Everywhere(), live=True)
    frame, started = np.full((60, 60, 3), 100, np.uint8), time.perf_counter()
    while not asked.is_set():
        recognizer(frame, time.perf_counter() - started)
        assert time.perf_counter() - started < 10
    [face] = recognizer(frame, 0)
    assert face.age is None  # the box is there, the age is not known yet
    go.set()
    while face.age is None:
        [face] = recognizer(frame, time.perf_counter() - started)
        assert time.perf_counter() - started < 10
    assert abs(face.age - 50) <= 3
    recognizer.close()


# --- window ----------------------------------------------------------------------------------------------------------


class Screen(SimpleNamespace):
    """OpenCV's windows, with keys pressed beforehand."""

    WINDOW_NORMAL = WINDOW_KEEPRATIO = WINDOW_GUI_NORMAL = WND_PROP_VISIBLE = 0
    error = cv2.error

    def __init__(self, keys):
        super().__init__(left=iter(keys), shown=0, closed=False)

    def namedWindow(self, title, *more):
        pass

    resizeWindow = namedWindow

    def imshow(self, title, frame):
        self.shown += 1

    def waitKey(self, milliseconds):
        key = next(self.left, -1)
        return ord(key) if isinstance(key, str) else key

    def getWindowProperty(self, title, kind):
        return 0.0 if self.closed else 1.0

    def destroyAllWindows(self):
        self.closed = True


@pytest.fixture
def screen(monkeypatch):
    def with_keys(*keys):
        screen = Screen(keys)
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr(window, "opencv", lambda: screen)
        return screen

    return with_keys


def test_q_quits_and_the_video_holds_what_was_shown(film, folder, tmp_path, screen):
    screen = screen(-1, -1, "q")
    done = watch(folder, "--source", film, "--out", tmp_path / "out.avi")
    assert done.returncode == 0, done.stderr
    assert (screen.shown, screen.closed) == (3, True)
    assert len(frames_of(tmp_path / "out.avi")[0]) == 3


def test_space_holds_the_picture_until_the_next(screen):
    screen = screen(" ", -1, -1, " ", -1, "q")
    shown = window.Window()
    frame = np.zeros((90, 160, 3), np.uint8)
    assert shown.show(frame)
    assert screen.shown == 4  # the frame, and three times while it was held
    held = shown.held
    assert held > 0
    assert shown.show(frame)
    assert shown.held - held < held + 0.01  # only a pause counts
    assert not shown.show(frame)
    assert frame.max() == 0  # what is written beside the image is only seen in the window


def test_closing_the_window_ends(screen):
    screen = screen()
    shown = window.Window()
    screen.closed = True
    assert not shown.show(np.zeros((90, 160, 3), np.uint8))


def test_a_slow_camera_is_written_as_long_as_it_took(monkeypatch):
    clock, written = itertools.count(0, 0.5), []
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(clock)))

    class Camera:
        camera, rate, frames = True, 10.0, 0

        def __iter__(self):
            return iter([np.full((50, 50, 3), (shade, 0, 0), np.uint8) for shade in (1, 2, 3)])

    class Blind:
        def __call__(self, frame, at):
            assert frame[0, 0, :2].tolist() == [0, 0]  # OpenCV has blue first, whoever looks at faces red
            return []

        def close(self):
            return []

    found = loop.run(Camera(), Blind(), written.append)
    assert found.frames == 3
    shades = [int(frame[0, 0, 0]) for frame in written]
    assert (len(shades), shades[5:12]) == (16, [1, 2, 2, 2, 2, 2, 3])  # seconds 0.5, 1.0 and 1.5 at ten a second


def test_a_pause_is_not_written(monkeypatch):
    clock, written = itertools.count(0, 0.1), []
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    pause = SimpleNamespace(held=0.0)

    class Camera:
        camera, rate, frames = True, 10.0, 0

        def __iter__(self):
            for _ in range(3):
                yield np.zeros((50, 50, 3), np.uint8)

    def show(frame):
        for _ in range(100):  # ten seconds on the clock
            next(clock)
        pause.held += 10.0
        return True

    pause.show = show
    loop.run(Camera(), type("Blind", (), {"__call__": lambda *_: [], "close": lambda _: []})(), written.append, pause)
    assert len(written) <= 5


# --- what cannot be watched ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"no video", "half"])
def test_a_broken_video_is_one_line(film, folder, tmp_path, content, capfd):
    file = tmp_path / "broken.avi"
    file.write_bytes(film.read_bytes()[:300] if content == "half" else content)
    done = watch(folder, "--source", file, "--out", tmp_path / "out.avi", "--no-window")
    assert (done.returncode, said(done)) == (3, f"Cannot read from {file}; it is damaged or no video")
    assert capfd.readouterr() == ("", "")
    assert [file.name for file in tmp_path.iterdir()] == ["broken.avi"]


def test_no_such_file_and_no_such_camera_are_one_line(folder, tmp_path, capfd):
    done = watch(folder, "--source", tmp_path / "none.mp4", "--out", tmp_path / "out.avi")
    assert (done.returncode, "no video at" in said(done)) == (3, True)
    done = watch(folder, "--source", 97, "--out", tmp_path / "out.avi")
    assert (done.returncode, "Cannot read from camera 97" in said(done)) == (3, True)
    assert capfd.readouterr() == ("", "")


def test_a_place_that_no_video_can_be_written_to_is_refused(film, folder, tmp_path):
    assert "ends in .mp4 or .avi" in said(watch(folder, "--source", film, "--out", tmp_path / "out.mov"))
    assert "is the video that is read" in said(watch(folder, "--source", film, "--out", film))
    assert "in the model folder" in said(watch(folder, "--source", film, "--out", folder / "out.avi"))
    assert "add --out VIDEO" in said(watch(folder, "--source", film, "--no-window"))
    assert len(frames_of(film)[0]) == FRAMES


def test_a_video_that_was_not_written_whole_is_not_kept(film, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(video, "_count", lambda file: 3)
    done = watch(folder, "--source", film, "--out", tmp_path / "out.avi", "--no-window", "--frames", 5)
    assert (done.returncode, "is the disk full" in said(done)) == (4, True)
    assert list(tmp_path.iterdir()) == []


def test_without_a_screen_it_is_said_what_can_be_done(film, folder, monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    done = watch(folder, "--source", film, DISPLAY="", WAYLAND_DISPLAY="")
    assert (done.returncode, said(done)[:9], "--out VIDEO" in said(done)) == (2, "no window", True)


def test_an_opencv_without_windows_is_said_with_what_to_install(film, folder, screen):
    def cannot(title, kind):
        raise cv2.error("The function is not implemented")

    screen().namedWindow = cannot
    done = watch(folder, "--source", film)
    assert (done.returncode, "pip install opencv-python" in said(done)) == (2, True)


def test_without_opencv_the_extra_is_named(film, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    done = watch(folder, "--source", film)
    assert (done.returncode, said(done)) == (2, "cameras and videos need OpenCV: pip install 'ageensemble[faces]'")
