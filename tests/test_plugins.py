"""Adding a model or a feature set touches one new file, and these tests cover it without being told."""

import json
import os
import sys
from functools import cache

import numpy as np
import pytest
from helpers import photographs
from helpers.commands import BRIGHTNESS, MINE, apart
from helpers.own_plugins import TRANSFORM
from typer.testing import CliRunner

from ageensemble import models
from ageensemble._utils import registry
from ageensemble._utils.params import describe_parameters, parameter_defaults
from ageensemble.apps.cli import runs
from ageensemble.data import transforms
from ageensemble.errors import DataError, UsageError
from ageensemble.features import FEATURES

ITEMS = 80
NAMES = [*models.names(), "test_resnet"]  # a network of timm stands for all of them
QUICK = {"epochs": 1, "size": "32", "pretrained": False, "precision": "fp32"}


def items(name, folder):
    """Made-up features, or photographs for a model that wants them, ages and inner parts of a cell's training items."""
    if models.load(name).takes_images:
        squares, y, inner = photographs.ageing(ITEMS, 32)
        return photographs.stored(squares, folder), y, inner
    rng = np.random.default_rng(0)
    age = rng.integers(5, 70, ITEMS)
    x = (rng.normal(size=(ITEMS, 30)) + age[:, None] / 20).astype(np.float32)
    return x, np.stack([age, age], 1), np.arange(ITEMS) % 10


def first(x, n):
    return x.take(np.arange(n)) if hasattr(x, "take") and hasattr(x, "shapes") else x[:n]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """(model, its x) of a name, fitted once for all tests here, or again."""

    @cache
    def fit(name, again=0):
        cls, folder = models.load(name), tmp_path_factory.mktemp("fitted")
        x, y, inner = items(name, folder)
        more = {"checkpoint_dir": folder} if models.load(name).takes_images else {}
        quick = {key: value for key, value in QUICK.items() if more and key in parameter_defaults(cls)}
        return cls(**quick).fit(x, y, cv=inner, **more), x

    return fit


each_model = pytest.mark.parametrize("name", NAMES)


@each_model
def test_a_model_gives_age_distributions_and_the_same_again_after_saving(name, fitted, tmp_path):
    model, x = fitted(name)
    rows = model.predict_proba(first(x, 33))
    assert rows.shape == (33, 121)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert rows.min() >= 0
    model.save(tmp_path)
    np.testing.assert_array_equal(models.load(name).load(tmp_path).predict_proba(first(x, 33)), rows)


@each_model
def test_a_model_fitted_twice_with_one_seed_predicts_the_same(name, fitted):
    (one, x), (other, _) = fitted(name), fitted(name, again=1)
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))


@each_model
def test_a_model_looks_at_each_photograph_alone(name, fitted):
    model, x = fitted(name)
    np.testing.assert_allclose(model.predict_proba(first(x, 1)), model.predict_proba(first(x, 5))[:1], atol=1e-5)


@each_model
def test_a_model_says_what_it_is_and_what_memory_it_needs(name):
    cls = models.load(name)
    assert len(registry.summary(cls)) > 20
    assert registry.summary(cls).endswith(".")
    assert cls().fit_bytes(20_000, 14_000) < 100e9
    assert all(name in vars(cls()) for name in parameter_defaults(cls)), "__init__ stores its parameters"
    for feature in filter(None, cls.features.split("+")):
        assert feature.partition(":")[0] in FEATURES.names()


@each_model
def test_every_parameter_of_a_model_is_explained(name):
    for row in describe_parameters(models.load(name)):
        assert row["type"], row["name"]
        assert len(row["description"]) > 3, row["name"]


def test_unknown_names_are_answered_with_the_known_and_the_nearest():
    with pytest.raises(UsageError, match=r"known: .*prior.*; did you mean 'prior'\?"):
        models.load("proir")
    with pytest.raises(UsageError, match=r"any name of timm's such as resnet50; did you mean 'test_resnet'\?"):
        models.load("test_resnt")


def test_every_built_in_names_its_version():
    models.version("test_resnet")
    for package, names in {models: models.names, transforms: transforms.TRANSFORMS.names}.items():
        assert all(isinstance(package.version(name), int) for name in names())


def test_a_file_is_told_by_its_content(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(TRANSFORM)
    same = tmp_path / "same.py"
    same.write_text(file.read_text())
    other = tmp_path / "other.py"
    other.write_text(TRANSFORM.replace("image[..., ::-1]", "255 - image"))
    version = transforms.version(str(file))
    assert version == transforms.version(str(same)) != transforms.version(str(other))


def listed(*words):
    """What `ageensemble list` prints, without the start of a process."""
    done = CliRunner().invoke(runs.list_app, words)
    return done.stdout if done.exception is None else done.exception


@pytest.mark.parametrize("name", ["svm", "embedding", "test_resnet"])
def test_parameters_are_listed_with_their_defaults_and_words(name):
    known = parameter_defaults(FEATURES.load(name) if name == "embedding" else models.load(name))
    about = json.loads(listed("parameters", name, "--json"))
    known |= {} if name == "embedding" else {"preprocess": ""}  # of every model that sees photographs
    assert {row["name"]: row["default"] for row in about["parameters"]} == known
    lines = listed("parameters", name).splitlines()
    assert lines[0] == f"{name}: {about['summary']}"
    assert len(lines) == 1 + len(known)


def test_preprocess_is_listed_with_its_values_for_models_that_see_photographs_alone():
    for name in ("knn", "cnn", "svm"):
        assert "clahe, equalize, gray" in listed("parameters", name).splitlines()[-1]
    for name in ("prior", "hog"):
        assert "preprocess" not in listed("parameters", name)


def test_parameters_of_a_file_are_listed_and_of_nothing_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "brightness.py").write_text(BRIGHTNESS)
    assert "sleep=0.0" in listed("parameters", "./mine.py")
    assert "power=1.0" in listed("parameters", "./brightness.py")
    assert str(listed("parameters", "hogg")) == "no model or feature set called 'hogg'; did you mean 'hog'?"


def test_listed_models_have_a_line_each():
    lines = listed("models").splitlines()
    assert [line.split()[0] for line in lines[:-1]] == models.names()
    assert "Every network of timm is a model by its name" in lines[-1]
    assert not any("Parameters:" in line for line in lines)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("1/0", "does not load: ZeroDivisionError"),
        ("def", "does not load: SyntaxError"),
        ("raise SystemExit", "does not load: SystemExit"),
        ("x = 1", "must be one class derived from AgeEstimator; there are 0"),
        (MINE + MINE.replace("Mine", "Other"), "there are 2"),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_one_line(tmp_path, content, complaint):
    file = tmp_path / "mine.py"
    file.write_text(content)
    with pytest.raises(UsageError, match=complaint):
        models.load(str(file))


def test_two_files_of_one_name_in_different_folders_are_two_models(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(MINE.replace("As likely", folder))
    described = [registry.summary(models.load(str(tmp_path / folder / "mine.py"))) for folder in ("a", "b")]
    assert [text[0] for text in described] == ["a", "b"]


def test_an_installed_entry_point_is_a_model_like_any_other(tmp_path):
    (tmp_path / "other_package.py").write_text(MINE)
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ageensemble.models]\ntheirs = other_package\nprior = nowhere\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    listed = apart("list", "models", PYTHONPATH=path)
    assert "theirs" in listed.stdout
    assert "As likely as among" in listed.stdout
    assert "the floor of every table" in listed.stdout, "what others install does not hide ours"


def test_data_errors_exit_with_three_and_usage_errors_with_two():
    assert (DataError.exit_code, UsageError.exit_code) == (3, 2)
