"""A model's full name says everything that decides its predictions."""

import pytest
from helpers.commands import BRIGHTNESS, MINE

from ageensemble.errors import UsageError
from ageensemble.experiments.config import parse_models
from ageensemble.models import spec as specs


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
    spec = specs.parse("svm C=30 pca=64 route=age_groups")
    assert spec.params["C"] == 30.0
    assert isinstance(spec.params["C"], float)
    assert spec.params["pca"] == 64
    assert spec.params["route"] == "age_groups"


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
    assert specs.parse("prior", "lbp").features == ()


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


NUMBERS = '''"""As many numbers as the file has lines."""

from ageensemble.features import FeatureExtractor


class Numbers(FeatureExtractor):
    argument = "file"
    file_parameters = {"file": ".txt", "more": ""}
    accepts_extra_kwargs = True

    def __init__(self, *, file="", more="", size=0, scale=1.0, **extra_kwargs):
        self.file, self.more, self.size, self.scale, self.extra_kwargs = file, more, size, scale, extra_kwargs

    def extract(self, batch):
        return batch.float().mean((2, 3))
'''


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """A folder to be in, with the features `numbers.py`, which take an argument, and files for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbers.py").write_text(NUMBERS)
    for name in ("a.txt", "b.txt", "with blank.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_an_argument_is_short_for_a_parameter(numbers):
    spec = specs.parse("svm@numbers.py:a.txt")
    assert spec.name == "svm@numbers.py:a.txt"
    assert spec.features[0][1]["file"] == str(numbers / "a.txt")
    assert specs.parse("svm@numbers.py numbers.file=a.txt").config == spec.config
    assert specs.parse("svm@numbers.py:name").features[0][1]["file"] == "name", "no ending of a file, so it is none"


def test_two_sets_of_one_kind_share_what_a_key_sets(numbers):
    spec = specs.parse("svm@hog+numbers.py:a.txt+numbers.py:b.txt numbers.scale=2 hog.size=64")
    assert spec.name == "svm@hog+numbers.py:a.txt+numbers.py:b.txt hog.size=64 numbers.scale=2"
    assert [params.get("scale") for _, params in spec.features] == [None, 2.0, 2.0]
    with pytest.raises(UsageError, match="each once"):
        specs.parse("svm@numbers.py:a.txt+numbers.py:a.txt")


def test_files_count_by_their_content_and_show_their_last_part(numbers):
    spec = specs.parse(f"svm@numbers.py:{numbers}/a.txt 'numbers.more={numbers}/with blank.txt'")
    assert spec.name == "svm@numbers.py:a.txt numbers.more=with blank.txt"
    before = spec.config
    assert str(numbers / "a.txt") not in str(before)
    (numbers / "a.txt").rename(numbers / "c.txt")
    assert specs.parse("svm@numbers.py:c.txt 'numbers.more=with blank.txt'").config == before
    (numbers / "c.txt").write_text("other")
    assert specs.parse("svm@numbers.py:c.txt 'numbers.more=with blank.txt'").config != before
    with pytest.raises(UsageError, match="No such file"):
        _ = spec.config  # whose file is gone


def test_a_model_may_take_files_and_pass_on_what_it_does_not_know(mine, monkeypatch):
    text = MINE.replace(
        'features = ""', 'features = ""\n    file_parameters = {"flag": ""}\n    accepts_extra_kwargs = True'
    )
    mine.write_text(text.replace('flag="")', 'flag="", **more)'))
    monkeypatch.chdir(mine.parent)
    spec = specs.parse("./mine.py flag=mine.py depth=3 kind=same on=True rate=0.5 list=[1,2]")
    assert spec.params["flag"] == str(mine)
    wanted = {"depth": 3, "kind": "same", "on": True, "rate": 0.5, "list": [1, 2]}
    assert {key: spec.params[key] for key in wanted} == wanted
    assert spec.name == "mine.py depth=3 flag=mine.py kind=same list=[1, 2] on=true rate=0.5"
    with pytest.raises(UsageError, match=r"mine.py has no parameter 'slep'; .*; did you mean 'sleep'\?"):
        specs.parse("./mine.py slep=3")


def test_what_must_be_settled_is_and_the_name_stays(mine):
    resolve = """
    @classmethod
    def resolve(cls, params, *, cache, device, threads, say):
        say(f"{device} {threads} {cache}")
        return params | {"sleep": 0.5}
"""
    mine.write_text(MINE + resolve)
    spec, aloud = specs.parse(str(mine)), []
    done = spec.resolve("here", "cpu", 2, aloud.append)
    assert aloud == ["cpu 2 here"]
    assert (done.name, done.params["sleep"], spec.params["sleep"]) == ("mine.py", 0.5, 0.0)
    assert done.config != spec.config


def test_names_of_timm_are_models():
    spec = specs.parse("test_resnet epochs=3 pretrained=false global_pool=max")
    assert spec.name == "test_resnet epochs=3 global_pool=max pretrained=false"
    assert spec.features == ()
    assert specs.parse("test_resnet.r160_in1k").config != specs.parse("test_resnet").config
    assert specs.parse("hf-hub:somebody/faces@main epochs=3").name == "hf-hub:somebody/faces@main epochs=3"
    with pytest.raises(UsageError, match="did you mean 'epochs'"):
        specs.parse("test_resnet epocs=3")


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
        ("svm@hog:64", "'hog' take no argument"),
        ("prior@hog", "prior takes no features"),
        ("cnn@hog", "cnn takes no features"),
        ("test_resnet weights=nowhere.pth", "no such file: nowhere.pth"),
    ],
)
def test_what_does_not_exist_or_fit_is_refused_with_what_would_be_right(text, complaint):
    with pytest.raises(UsageError) as caught:
        specs.parse(text)
    assert complaint in str(caught.value)


def test_a_value_that_the_model_refuses_is_refused_at_once():
    with pytest.raises(UsageError, match="'C' parameter"):
        specs.parse("svm C=-1")
    with pytest.raises(UsageError, match="size=-5"):
        specs.parse("svm@hog hog.size=-5")


def test_two_files_of_one_name_are_two_models(tmp_path):
    for folder in ("a b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.py").write_text(MINE + f"\n# in {folder}\n")
    texts = [f"'{tmp_path}/a b/mine.py'", f"{tmp_path}/c/mine.py", "svm", "svm"]
    wanted = parse_models(texts)
    assert [spec.name for spec in wanted] == ["mine.py", "mine.py", "svm"]
