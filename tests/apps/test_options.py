"""Options that cannot be are refused before any data are read, in one line that names what would be right."""

import pytest
from typer.testing import CliRunner

from ageensemble.apps.cli.main import app, modern_spelling
from ageensemble.errors import UsageError


def refused(words):
    """What is said of a command whose data and runs are nowhere, so that reading them would be another complaint."""
    done = CliRunner().invoke(app, words, standalone_mode=False)
    assert isinstance(done.exception, UsageError) or hasattr(done.exception, "format_message"), done.exception
    return done.exception.format_message() if hasattr(done.exception, "format_message") else str(done.exception)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["benchmark", "--data", "/nowhere", "--model", "svn"], "did you mean 'svm'?"),
        (["benchmark", "--data", "/nowhere", "--model", "svm C=much"], "C must be a number such as 10.0"),
        (["benchmark", "--data", "/nowhere", "--models", "svm", "--features", "hog+lpb"], "known: color_histogram"),
        (["benchmark", "--data", "/nowhere", "--age-groups", "ten"], "known: default, decades"),
        (["benchmark", "--data", "/nowhere", "--format", "zip"], "no data format called 'zip'; known: adience"),
        (["benchmark", "--data", "/nowhere", "--device", "tpu"], "known: auto, cpu, cuda"),
        (["benchmark", "--data", "/nowhere", "--split", "/nowhere.csv"], "'/nowhere.csv' does not exist"),
        (["benchmark", "--data", "/nowhere", "--folds", "many"], "valid integer"),
        (["benchmark", "--data", "/nowhere", "--protocol", "offical", "--model", "nobody"], "did you mean 'official'?"),
        (
            ["benchmark", "--data", "/nowhere", "--filter", "conflict", "--model", "nobody"],
            "did you mean 'conflicting-labels'?",
        ),
        (["benchmark", "--data", "/nowhere", "--model", "nobody", "--model", "svm@hgo"], "did you mean 'hog'?"),
        (["fit", "--data", "/nowhere", "--model", "svm@hgo"], "did you mean 'hog'?"),
        (["stack", "--out", "/nowhere", "--method", "mean,stak"], "did you mean 'stack'?"),
        (["stack", "--out", "/nowhere", "--age-groups", "0-12,5-20"], "overlaps the one before it"),
        (["compare", "a", "b", "--out", "/nowhere", "--age-groups", "ten"], "known: default, decades"),
        (["compare", "a", "b", "--out", "/nowhere", "--rope=-1"], "--rope"),
        (["intervals", "--out", "/nowhere", "--level", "abc"], "valid"),
        (["intervals", "--out", "/nowhere", "--level", "100"], "should lie between 0 and 100 per cent"),
        (["intervals", "--out", "/nowhere", "--age-groups", "ten"], "known: default, decades"),
        (["results", "/nowhere", "--by", "shoe-size"], "one of: gender, ethnicity, age-group"),
        (["results", "/nowhere", "--threshold", "121"], "an age from 1 to 120"),
        (["results", "/nowhere", "--age-groups", "ten"], "known: default, decades"),
    ],
)
def test_a_wrong_option_is_known_before_anything_is_read(words, right):
    said = refused(words)
    assert right in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("earlier", "now"),
    [
        ("benchmark --groups decades --clean=conflicts", "benchmark --age-groups decades --filter=conflicts"),
        ("benchmark --plan split.csv", "benchmark --split split.csv"),
        ("data suspects svm --json", "data label-issues svm --json"),
        ("list cleaning", "list filters"),
        ("list preprocessing", "list transforms"),
        ("list groups", "list age-groups"),
    ],
)
def test_spellings_of_0_1_mean_what_they_meant(earlier, now):
    assert modern_spelling(earlier.split()) == now.split()
