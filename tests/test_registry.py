"""Adding a model or a feature set touches one new file, and these tests cover it without being told."""

import inspect
import os
import sys
from functools import cache

import numpy as np
import pytest
from commands import BRIGHTNESS, MINE, ageensemble

from ageensemble import features, models, registry
from ageensemble.errors import AgeEnsembleError, DataError, UsageError

ITEMS = 80


def items():
    """Random features, ages and inner parts of a cell's training items."""
    rng = np.random.default_rng(0)
    age = rng.integers(5, 70, ITEMS)
    x = (rng.normal(size=(ITEMS, 30)) + age[:, None] / 20).astype(np.float32)
    return x, np.stack([age, age], 1), np.arange(ITEMS) % 10


@cache
def fitted(name, again=0):
    x, y, inner = items()
    model = models.load(name)()
    return model.fit(x, y, inner, seed=0, threads=1, device="cpu")


@pytest.mark.parametrize("name", models.names())
def test_a_model_gives_age_distributions_and_the_same_again_after_saving(name, tmp_path):
    x = items()[0]
    model = fitted(name)
    rows = model.predict(x[:33])
    assert rows.shape == (33, 121)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert rows.min() >= 0
    model.save(tmp_path)
    np.testing.assert_array_equal(models.load(name).load(tmp_path).predict(x[:33]), rows)


@pytest.mark.parametrize("name", models.names())
def test_a_model_fitted_twice_with_one_seed_predicts_the_same(name):
    first, second = fitted(name), fitted(name, again=1)
    np.testing.assert_array_equal(first.predict(items()[0]), second.predict(items()[0]))


@pytest.mark.parametrize("name", models.names())
def test_a_model_looks_at_each_photograph_alone(name):
    model, x = fitted(name), items()[0]
    np.testing.assert_allclose(model.predict(x[:1]), model.predict(x[:5])[:1], atol=1e-5)


@pytest.mark.parametrize("name", models.names())
def test_a_model_says_what_it_is_and_what_memory_it_needs(name):
    cls = models.load(name)
    assert len(registry.summary(cls)) > 20
    assert registry.summary(cls).endswith(".")
    assert cls().fit_bytes(20_000, 14_000) < 100e9
    assert all(name in vars(cls()) for name in registry.defaults(cls.__init__)), "__init__ stores its parameters"
    for feature in filter(None, cls.features.split("+")):
        assert feature in features.names()


@pytest.mark.parametrize("name", features.names())
def test_features_are_one_finite_row_for_each_photograph_seen_alone(name):
    params = registry.defaults(features.load(name))
    squares = np.random.default_rng(0).integers(0, 256, (5, params["size"], params["size"], 3), dtype=np.uint8)
    rows = features.extract(name, params, squares, "cpu")
    assert rows.shape == (5, features.dimension(name, params))
    assert rows.dtype == np.float32
    np.testing.assert_allclose(features.extract(name, params, squares[2:3], "cpu")[0], rows[2], atol=1e-6)


@pytest.mark.parametrize("name", features.names())
def test_features_say_what_they_are(name):
    module = inspect.getmodule(features.load(name))
    assert len(registry.summary(module)) > 20


def test_unknown_names_are_answered_with_the_known_and_the_nearest():
    with pytest.raises(UsageError, match=r"known: .*floor.*; did you mean 'floor'\?"):
        models.load("flor")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("1/0", "does not load: ZeroDivisionError"),
        ("def", "does not load: SyntaxError"),
        ("raise SystemExit", "does not load: SystemExit"),
        ("x = 1", "must be one class with fit; there are 0"),
        (MINE + MINE.replace("Mine", "Other"), "there are 2"),
        (MINE.replace("def predict", "def answer"), "lacks: predict"),
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


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("return batch.float().mean()", "a row for each of 4"),
        ("return batch.float().flatten(1) * float('nan')", "finite"),
        ("return batch.nothing", "AttributeError"),
        ("raise ValueError('size is odd')", "size is odd"),
    ],
)
def test_features_that_fail_are_named(tmp_path, body, complaint):
    file = tmp_path / "bad.py"
    file.write_text(f"def extract(batch, *, size=8):\n    {body}\n")
    with pytest.raises(AgeEnsembleError, match=complaint):
        features.extract(str(file), {"size": 8}, np.zeros((4, 8, 8, 3), np.uint8), "cpu")


def test_the_matrix_of_features_has_a_row_for_each_item_and_is_made_once(tmp_path, manifest):
    file = tmp_path / "brightness.py"
    file.write_text(BRIGHTNESS)
    made = features.matrix_file(str(file), {"size": 16, "power": 1.0}, manifest, tmp_path, "cpu")
    assert np.load(made).shape == (len(manifest), 1)
    before = made.stat().st_mtime_ns
    assert features.matrix_file(str(file), {"size": 16, "power": 1.0}, manifest, tmp_path, "cpu") == made
    assert made.stat().st_mtime_ns == before
    file.write_text(BRIGHTNESS.replace("mean(", "amax("))
    assert features.matrix_place(str(file), {"size": 16, "power": 1.0}, manifest, tmp_path, "cpu") != made


def test_half_a_matrix_of_a_killed_process_is_cleared_away(tmp_path, manifest):
    file = tmp_path / "brightness.py"
    file.write_text(BRIGHTNESS)
    place = features.matrix_place(str(file), {"size": 16, "power": 1.0}, manifest, tmp_path, "cpu")
    place.parent.mkdir()
    left = place.with_name(f".{place.name}.12345.tmp")
    left.write_bytes(b"half")
    features.matrix_file(str(file), {"size": 16, "power": 1.0}, manifest, tmp_path, "cpu")
    assert not left.exists()


def test_an_installed_entry_point_is_a_model_like_any_other(tmp_path):
    (tmp_path / "other_package.py").write_text(MINE)
    info = tmp_path / "other_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ageensemble.models]\ntheirs = other_package\nfloor = nowhere\n")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    listed = ageensemble("list", "models", PYTHONPATH=path)
    assert "theirs" in listed.stdout
    assert "As likely as among" in listed.stdout
    assert "the floor of every table" in listed.stdout, "what others install does not hide ours"


def test_data_errors_exit_with_three_and_usage_errors_with_two():
    assert (DataError.exit_code, UsageError.exit_code) == (3, 2)
