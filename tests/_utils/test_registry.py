"""Plug-ins of every kind: listed, found by any spelling, from a file or an installed package, broken in one line."""

import re

import pytest
from helpers import own_plugins

from ageensemble._utils import registry
from ageensemble.data.filters import FILTERS
from ageensemble.data.readers import READERS
from ageensemble.data.transforms import TRANSFORMS
from ageensemble.errors import DataError, UsageError
from ageensemble.splits.protocols import PROTOCOLS

KINDS = [
    pytest.param(READERS, own_plugins.READER, id="readers"),
    pytest.param(FILTERS, own_plugins.FILTER, id="filters"),
    pytest.param(TRANSFORMS, own_plugins.TRANSFORM, id="transforms"),
    pytest.param(PROTOCOLS, own_plugins.PROTOCOL, id="protocols"),
]
each_kind = pytest.mark.parametrize(("kind", "own"), KINDS)


def misspelled(name):
    return name.upper().replace("_", "-") if "_" in name else name.upper().replace("-", "_")


@each_kind
def test_plugins_have_a_summary_and_any_spelling(kind, own):
    for name, summary in kind.summaries().items():
        assert len(summary) > 20
        assert kind.resolve(misspelled(name)) == kind.resolve(f" {name}") == name
        assert issubclass(kind.load(name), kind.base)


@each_kind
def test_aliases_lead_to_listed_names(kind, own):
    assert {kind.resolve(alias) for alias in kind.aliases} <= set(kind.names())


@each_kind
def test_unknown_name_lists_the_known_and_the_nearest(kind, own):
    name = kind.names()[-1]
    with pytest.raises(UsageError, match=f"no {kind.kind} called '{name}x'; known: .*did you mean '{name}'"):
        kind.load(f"{name}x")


@each_kind
def test_own_file_is_a_plugin_by_its_path(kind, own, tmp_path):
    file = own_plugins.write(tmp_path, own)
    assert issubclass(kind.load(file), kind.base)
    assert kind.load(file) is kind.load(file)
    assert kind.resolve(file) == file
    assert file not in kind.names()


@each_kind
def test_installed_plugin_is_listed_and_loaded(kind, own, tmp_path, monkeypatch):
    file = own_plugins.write(tmp_path, own)
    own_plugins.install(monkeypatch, kind.group, lambda: kind.load(file), "their_own")
    name = kind.resolve("their-own")
    assert name in kind.names()
    assert kind.load(name) is kind.load(file)
    assert kind.summaries()[name] == registry.summary(kind.load(file))


@each_kind
def test_installed_plugin_does_not_hide_ours(kind, own, monkeypatch):
    name = kind.names()[0]
    own_plugins.install(monkeypatch, kind.group, lambda: None, name)
    assert kind.load(name).__module__.startswith("ageensemble.")


@each_kind
def test_broken_file_is_refused_in_one_line(kind, own, tmp_path):
    method = re.findall(r"def (\w+)\(self, (?:root|dataset|image)", own)[-1]
    twice = own + own[own.index("class ") :].replace("class ", "class Other", 1)
    broken = {
        "1/0": "does not load: ZeroDivisionError",
        "def": "does not load: SyntaxError",
        "raise SystemExit": "does not load: SystemExit",
        "x = 1": "must be one class derived from .*; there are 0",
        twice: "there are 2",
        own.replace(f"def {method}(", "def another("): f"lacks: {method}",
    }
    for number, (text, complaint) in enumerate(broken.items()):
        with pytest.raises(UsageError, match=complaint) as error:
            kind.load(own_plugins.write(tmp_path, text, f"broken{number}.py"))
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="no such file"):
        kind.load(str(tmp_path / "nowhere.py"))


@each_kind
def test_broken_installed_plugin_is_a_line_of_the_list(kind, own, monkeypatch):
    def load():
        raise ImportError("no module named x")

    own_plugins.install(monkeypatch, kind.group, load, "theirs")
    assert kind.summaries()["theirs"] == "theirs does not load: ImportError: no module named x"


@each_kind
def test_installed_class_of_another_kind_is_refused(kind, own, monkeypatch):
    own_plugins.install(monkeypatch, kind.group, lambda: dict, "theirs")
    with pytest.raises(UsageError, match=f"is not derived from .*{kind.base.__name__}"):
        kind.load("theirs")


def test_entry_points_are_looked_up_once_for_a_group(monkeypatch):
    asked = []
    registry.installed.cache_clear()
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [])
    for _ in range(3):
        READERS.resolve("utkface")
    assert asked == ["ageensemble.readers"]
    registry.installed.cache_clear()


def test_guarded_names_others_plugins_and_leaves_ours_alone():
    with (
        pytest.raises(DataError, match=r"^the thing failed: ValueError: odd$"),
        registry.guarded(object(), "the thing"),
    ):
        raise ValueError("odd")
    with pytest.raises(ValueError, match="odd"), registry.guarded(READERS.load("utkface")(), "the reader"):
        raise ValueError("odd")
