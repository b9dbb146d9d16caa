"""Every command of the README works: those of the shell are run by .ci/run, those of the package here, on tiny data.

Benchmarks of photographs get two folds in place of five, to be done soon.
"""

import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import timm
from helpers.commands import ageensemble, command, environment
from helpers.onnx_files import onnx
from helpers.served import ask
from safetensors.torch import save_file

README = (Path(__file__).parent.parent / "README.md").read_text()
LINES = [line.strip() for line in README.splitlines() if re.match(r" {4}ageensemble ", line)]
DRY = re.compile(r"mobilenetv2_100|resnet|embedding:|more/|--protocol|--filter")  # weights, or hours
CELLS = [cell for row in re.findall(r"^\| (`ageensemble .*?) \|", README, re.M) for cell in re.findall(r"`(.*?)`", row)]


def test_the_readme_has_commands_to_try():
    assert len(LINES) >= 4
    assert len(CELLS) >= 4


@pytest.fixture(scope="module")
def photos(utkface, tmp_path_factory):
    """Some photographs of `utkface`, enough for a command to have something to do, and others in `more` beside them."""
    folder = tmp_path_factory.mktemp("few") / "photos"
    for place, first in ((folder, 0), (folder.with_name("more"), 2)):
        place.mkdir()
        for file in sorted(utkface.iterdir())[first::5]:
            shutil.copy(file, place)
    return folder


@pytest.fixture(scope="module")
def runs(photos, cache, tmp_path_factory):
    """The runs of a small benchmark, for the verbs that look at what is there."""
    folder = tmp_path_factory.mktemp("compared")
    words = ["benchmark", "--data", photos, "--models", "svm,cnn", "--folds", "2"]
    done = ageensemble(*words, cwd=folder, XDG_CACHE_HOME=str(cache))
    assert done.returncode == 0, done.stderr
    assert ageensemble("models", "save", "stack", cwd=folder).returncode == 0
    return folder / "runs"


@pytest.mark.parametrize("line", LINES)
def test_a_command_of_the_readme_works(line, photos, cache, tmp_path, request):
    (tmp_path / "photos").symlink_to(photos)
    (tmp_path / "more").symlink_to(photos.with_name("more"))
    if "file.safetensors" in line:
        save_file(timm.create_model("mobilenetv2_100").state_dict(), tmp_path / "file.safetensors")
    onnx(tmp_path / "mobilefacenet.onnx")
    words = shlex.split(line)[1:] + ["--dry-run"] * bool(DRY.search(line))
    words += ["--folds", "2"] * (words[0] == "benchmark" and "--data" in words)
    if words[0] in ("results", "stack", "compare", "intervals", "models", "predict", "serve", "camera", "data"):
        shutil.copytree(request.getfixturevalue("runs"), tmp_path / "runs")
    if words[0] == "serve":
        return serves_until_ctrl_c(words, tmp_path, cache)
    if words[0] == "camera":
        film(tmp_path / "film.avi", photos)
    done = ageensemble(*words, cwd=tmp_path, XDG_CACHE_HOME=str(cache))
    assert done.returncode == 0, done.stderr


def serves_until_ctrl_c(words, cwd, cache):
    more = environment(XDG_CACHE_HOME=str(cache))
    process = subprocess.Popen(command(*words), stderr=subprocess.PIPE, text=True, cwd=cwd, env=more)
    said = next((line for line in iter(process.stderr.readline, "") if "http://127.0.0.1:" in line), "nothing")
    assert ask(int(said.split("127.0.0.1:")[1].split("/")[0]))[0] == 200
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (None, "ended\n")


def film(file, photos):
    """A video of a photograph, four frames long."""
    cv2 = pytest.importorskip("cv2")
    frame = cv2.resize(cv2.imread(str(next(photos.glob("1*.jpg")))), (96, 96))
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 10, (96, 96))
    for _ in range(4):
        writer.write(frame)
    writer.release()


@pytest.mark.parametrize("verb", CELLS)
def test_a_verb_of_the_readme_has_help(verb, tmp_path):
    words = [word for word in shlex.split(verb.removeprefix("ageensemble ")) if re.fullmatch("[a-z]+", word)]
    assert ageensemble(*words, "--help", cwd=tmp_path).returncode == 0


def test_the_python_of_the_readme_works(runs, photos, tmp_path, monkeypatch, capsys):
    [code] = re.findall(r"```python\n(.*?)```", README, re.S)
    shutil.copytree(runs, tmp_path / "runs")
    shutil.copy(next(photos.glob("1*.jpg")), tmp_path / "face.jpg")
    (tmp_path / "photos").symlink_to(photos)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert re.search(r"\[\d+\]\n$", capsys.readouterr().out)
