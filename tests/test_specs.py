"""A model's full name says everything that decides its predictions."""

import pytest
from commands import BRIGHTNESS, MINE

from ageensemble import benchmark, specs
from ageensemble.errors import UsageError


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def test_a_plain_name_means_all_defaults():
    spec = specs.parse("svm")
    assert spec.name == "svm"
    assert [name for name, _ in spec.features] == ["hog", "lbp"]
    assert spec.params["C"] == 10.0


def test_parameters_are_read_as_the_kind_of_their_default():
    spec = specs.parse("svm C=30 pca=64 route=groups")
    assert spec.params["C"] == 30.0
    assert isinstance(spec.params["C"], float)
    assert spec.params["pca"] == 64
    assert spec.params["route"] == "groups"


def test_the_name_is_the_shortest_text_that_gives_the_spec():
    assert specs.parse("svm@hog+lbp C=10 pca=64").name == "svm pca=64"
    assert specs.parse("svm@lbp  pca=64 C=3e1").name == "svm@lbp C=30 pca=64"
    again = specs.parse(specs.parse("svm@lbp C=0.5 lbp.grid=4").name)
    assert again == specs.parse("svm@lbp lbp.grid=4 C=.5".replace("=.5", "=0.5"))


def test_the_same_configuration_written_differently_is_the_same_spec():
    assert specs.parse("svm C=30") == specs.parse("svm C=30.0") == specs.parse("svm@hog+lbp C=3e1")


def test_a_key_with_a_dot_belongs_to_the_features():
    assert dict(specs.parse("svm@hog hog.cell=16").features)["hog"]["cell"] == 16


def test_settings_hold_for_every_model_but_its_own_text_goes_first():
    assert specs.parse("svm C=3", settings=["C=7", "pca=9"]).params["C"] == 3.0
    assert specs.parse("svm C=3", settings=["C=7", "pca=9"]).params["pca"] == 9


def test_default_features_fill_in_where_the_text_names_none():
    assert specs.parse("svm", "lbp").name == "svm@lbp"
    assert specs.parse("svm@hog", "lbp").name == "svm@hog"
    assert specs.parse("floor", "lbp").features == ()


def test_a_file_is_known_by_its_content(mine):
    before = specs.parse(f"{mine} sleep=1").config
    assert specs.parse(str(mine)).name == "mine.py"
    mine.write_text(MINE + "\n# edited\n")
    assert specs.parse(f"{mine} sleep=1").config != before


def test_features_may_be_a_file_too(tmp_path):
    file = tmp_path / "brightness.py"
    file.write_text(BRIGHTNESS)
    spec = specs.parse(f"svm@{file} brightness.power=2")
    assert spec.name == "svm@brightness.py brightness.power=2"
    assert spec.features == ((str(file), {"size": 16, "power": 2.0}),)
    before = spec.config
    file.write_text(BRIGHTNESS + "\n# edited\n")
    assert specs.parse(f"svm@{file} brightness.power=2").config != before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no model called ''"),
        ("smv", "did you mean 'svm'"),
        ("svm@hgo", "did you mean 'hog'"),
        ("svm@", "write features as in svm@hog"),
        ("svm@hog+hog", "each once"),
        ("svm c=3", "did you mean 'C'"),
        ("svm C", "is not key=value"),
        ("svm C=", "is not key=value"),
        ("svm C=much", "must be a number such as 10.0"),
        ("svm C=nan", "must be a number"),
        ("svm pca=2.5", "must be a whole number"),
        ("svm pca=true", "must be a whole number"),
        ("svm@lbp hog.cell=8", "features that 'svm@lbp hog.cell=8' does not use"),
        ("./nowhere.py", "no such file"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_with_what_would_be_right(text, complaint):
    with pytest.raises(UsageError) as caught:
        specs.parse(text)
    assert complaint in str(caught.value)


def test_a_value_that_the_model_refuses_is_refused_at_once():
    with pytest.raises(UsageError, match="C=-1"):
        specs.parse("svm C=-1")
    with pytest.raises(UsageError, match="size=-5"):
        specs.parse("svm@hog hog.size=-5")


def test_two_files_of_one_name_are_two_models(tmp_path):
    for folder in ("a b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(MINE + f"\n# in {folder}\n")
    texts = [f"'{tmp_path}/a b/mine.py'", f"{tmp_path}/c/mine.py", "svm", "svm"]
    wanted = benchmark.parse_models(None, texts, None, None)
    assert [spec.name for spec in wanted] == ["mine.py", "mine.py", "svm"]
