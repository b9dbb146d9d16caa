"""The documentation is true: its plug-ins work, its commands exist, its examples run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from helpers.commands import ageensemble

from ageensemble.apps.cli.main import app
from ageensemble.evaluation.metrics import METRICS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
EXTENDING = (DOCS / "extending.md").read_text()
EXAMPLES = sorted(file for file in (DOCS / "examples").glob("*") if file.suffix in (".py", ".ipynb"))
COMMANDS = sorted({line for page in PAGES for line in re.findall(r"^\$ (ageensemble .*)$", page.read_text(), re.M)})


def blocks():
    """The plug-ins of the page on extending: {file name: text}."""
    return dict(re.findall(r'```python title="(.*?)"\n(.*?)```', EXTENDING, re.S))


@pytest.mark.parametrize("line", COMMANDS)
def test_command_in_the_docs_exists_with_its_options(line):
    words = shlex.split(line)[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands") and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert not hasattr(command, "commands"), f"{line} names no command"
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known


@pytest.fixture(scope="module")
def photos(utkface, tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "photos"
    folder.mkdir()
    for file in sorted(utkface.iterdir())[::3]:
        shutil.copy(file, folder)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "./nearest.py k=5"],
        ["--model", "ordinal@hog+./brightness.py"],
        ["--filter", "./minors.py=18", "--protocol", "./halves.py", "--model", "ordinal preprocess=./swap.py"],
    ],
    ids=["model", "feature", "filter, protocol and transform"],
)
def test_own_plugins_of_the_docs_work(words, photos, cache, tmp_path):
    for name, text in blocks().items():
        (tmp_path / name).write_text(text)
    folds = [] if "--protocol" in words else ["--folds", "2"]
    done = ageensemble(
        "benchmark", "--data", photos, *words, *folds, "--no-stack", cwd=tmp_path, XDG_CACHE_HOME=str(cache)
    )
    assert done.returncode == 0, done.stderr


def test_metric_of_the_docs_loads_from_its_file(tmp_path):
    (tmp_path / "cs3.py").write_text(blocks()["cs3.py"])
    assert METRICS.load(str(tmp_path / "cs3.py")).name == "cs3"


@pytest.mark.examples
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_example_runs(file, tmp_path):
    if file.suffix == ".ipynb":
        client = pytest.importorskip("nbclient")
        nbformat = pytest.importorskip("nbformat")
        client.NotebookClient(nbformat.read(file, as_version=4), timeout=600, kernel_name="python3").execute()
        return
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(file)], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
