"""The command line answers at once, explains itself and fails in one line."""

import json
import re
import subprocess
import sys
import time

import pytest
from helpers.commands import MINE, ageensemble, apart, benchmark, command, environment, experiment, said

from ageensemble._utils.console import as_json, plain

VERBS = [
    ["benchmark"],
    ["fit"],
    *([verb] for verb in ("predict", "serve", "camera")),
    *(["models", verb] for verb in ("save", "show", "onnx")),
    *([verb] for verb in ("results", "stack", "import", "compare", "intervals")),
    ["data", "check"],
    ["data", "label-issues"],
    ["data", "formats"],
    ["runs", "list"],
    ["runs", "remove"],
    ["cache", "show"],
    ["cache", "clear"],
    *(
        ["list", what]
        for what in ("models", "features", "parameters", "age-groups", "formats", "filters", "transforms", "protocols")
    ),
]


def test_importing_the_command_line_pulls_in_nothing_heavy():
    heavy = ["torch", "sklearn", "pandas", "matplotlib", "numpy", "scipy", "xgboost", "PIL", "joblib"]
    code = f"import sys, ageensemble.apps.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("word", ["--version", "--help"])
def test_version_and_help_take_well_under_a_second_of_work(word):
    start = time.perf_counter()
    code = (
        "import resource, sys; sys.argv[1:] = [sys.argv[1]]\nfrom ageensemble.apps.cli.main import main\ntry: main()\n"
    )
    code += "finally: print('cpu', sum(resource.getrusage(resource.RUSAGE_SELF)[:2]), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, env=environment())
    assert done.returncode == 0
    assert float(done.stderr.split("cpu")[1]) < 0.8
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_command_has_a_sentence_examples_and_exit_codes(verb):
    shown = ageensemble(*verb, "--help")
    assert shown.returncode == 0
    text = " ".join(shown.stdout.split())
    assert re.search(r"\[OPTIONS\].*? [A-Z][^.]+\.", text)
    assert f"Examples: ageensemble {' '.join(verb)}" in text
    assert "Exit codes: 0 done; 1 done but" in text


def test_without_a_verb_the_help_is_shown():
    assert "benchmark" in ageensemble().stdout
    assert ageensemble("runs").returncode == 2


@pytest.mark.parametrize("words", ["list groups --json", "benchmark --folds 1", "results nowhere"])
def test_a_process_of_its_own_says_what_the_call_says_and_ends_with_its_exit_code(words, tmp_path):
    process, call = (run(*words.split(), cwd=tmp_path) for run in (apart, ageensemble))
    assert (process.returncode, process.stdout, process.stderr) == (call.returncode, call.stdout, call.stderr)


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        ("nonsense", 2, "No such command 'nonsense'"),
        ("benchmark --nonsense", 2, "No such option"),
        ("benchmark --folds many", 2, "--folds"),
        ("benchmark --folds 1", 2, "--folds"),
        ("benchmark --jobs 0", 2, "--jobs"),
        ("benchmark --models svn", 2, "did you mean 'svm'?"),
        ("benchmark --models prior --age-groups ages", 2, "no age groups called 'ages'"),
        ("benchmark --models prior --age-groups 5-3", 2, "age group 5-3"),
        ("benchmark --models prior --device gpu", 2, "known: auto, cpu, cuda"),
        ("benchmark --models prior --device cpu --data utk --format xml", 2, "no data format called 'xml'"),
        ("benchmark --models prior --device cpu --data nowhere", 3, "no such file or folder: nowhere"),
        ("benchmark --models prior --device cpu --data empty", 3, "empty"),
        ("benchmark --models prior --device cpu --data file/below", 3, "Not a directory"),
        ("benchmark --models prior --device cpu --data utk --out file", 4, "file"),
        ("benchmark --models prior --device cpu --data utk --split nowhere.csv", 2, "'nowhere.csv' does not exist"),
        ("benchmark --models prior --device cpu --data utk --split file", 3, "file"),
        ("benchmark --models prior --device cpu --data utk --split file --limit 9", 2, "use one of them"),
        ("benchmark --models prior --device cpu --data utk --limit 3", 3, "fewer --folds"),
        ("fit", 2, "Missing option '--model'"),
        ("fit --model ./nowhere.py", 2, "no such file"),
        ("results nowhere", 4, "no runs in nowhere"),
        ("results --csv --json", 2, "exclude each other"),
        ("runs list --out nowhere", 4, "no runs in nowhere"),
        ("data check nowhere", 3, "no such file or folder"),
    ],
)
def test_a_bad_input_is_one_line_and_its_exit_code(words, code, complaint, tmp_path, utkface, cache):
    (tmp_path / "utk").symlink_to(utkface)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("a file\n")
    words = words.split() + (["--cache", str(cache)] if words.startswith("benchmark") else [])
    done = ageensemble(*words, cwd=tmp_path)
    assert complaint in said(done)
    assert done.returncode == code
    assert done.stdout == ""


@pytest.mark.parametrize("what", ["models", "features", "age-groups", "formats"])
def test_lists_describe_each_name(what):
    rows = json.loads(ageensemble("list", what, "--json").stdout)
    assert rows
    assert all(rows.values())
    assert len(ageensemble("list", what).stdout.splitlines()) == len(rows)


def test_data_check_prints_json_and_leaves_its_lists(utkface, cache, tmp_path):
    done = ageensemble("data", "check", utkface, "--cache", cache, "--out", tmp_path, "--json")
    assert json.loads(done.stdout)["items"] == 123
    assert {"dataset.csv", "excluded.csv", "conflicts.csv", "sheet.jpg"} <= {
        f.name for f in (tmp_path / "check-faces").iterdir()
    }


def test_a_limit_and_another_seed_are_other_splits(utkface, cache, tmp_path):
    for words in (["--limit", 60], ["--seed", 1]):
        assert benchmark(utkface, tmp_path / "runs", cache, "--models", "prior", *words).returncode == 0
    assert len(list((tmp_path / "runs").glob("*/experiment.json"))) == 2
    shown = " ".join(ageensemble("results", tmp_path / "runs").stdout.split())
    assert "a part of a larger set" in shown
    assert "(seed 1)" in shown


@pytest.mark.slow
def test_more_jobs_than_fits_and_models_that_come_later_join_the_table(utkface, cache, tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    benchmark(utkface, tmp_path / "runs", cache, "--models", "prior", "--jobs", 50, cells="apart")
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", "./mine.py", "--json", "--jobs", 1, cwd=tmp_path)
    assert [row["model"] for row in json.loads(done.stdout)["rows"]] == ["prior", "mine.py"]
    assert len(list(experiment(tmp_path / "runs").glob("prior-*"))) == 1


def test_a_split_from_a_file_is_obeyed_and_a_leaking_one_refused_unless_insisted_on(utkface, cache, tmp_path, dataset):
    items, groups = dataset.items["item_id"], dataset.groups
    parts = ["test", "0", "1"]
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("item_id,part\n" + "".join(f"{i},{parts[c % 3]}\n" for i, c in zip(items, groups, strict=True)))
    bad.write_text("item_id,part\n" + "".join(f"{i},{parts[k % 3]}\n" for k, i in enumerate(items)))
    words = [utkface, tmp_path / "runs", cache, "--models", "prior", "--split"]
    assert "file good.csv" in benchmark(*words, good).stdout
    refused = benchmark(*words, bad)
    assert refused.returncode == 3
    assert "leaks" in said(refused)
    insisted = benchmark(*words, bad, "--allow-leak")
    assert insisted.returncode == 0
    assert "LEAKS" in insisted.stdout


def test_names_of_files_cannot_steer_the_terminal(utkface, cache, tmp_path):
    nasty = tmp_path / "[red]\x1b[31mphotos\x07"
    nasty.symlink_to(utkface)
    (tmp_path / "mine.py").write_text(MINE)
    model = "./mine.py flag=[bold]\x1b[2J"
    done = benchmark(nasty, tmp_path / "runs", cache, "--model", model, cwd=tmp_path)
    shown = ageensemble("results", tmp_path / "runs")
    listed = ageensemble("runs", "list", "--out", tmp_path / "runs")
    for text in (done.stdout, done.stderr, shown.stdout, listed.stdout, listed.stderr):
        assert "\x1b" not in text
        assert "\x07" not in text
    assert "[bold]" in shown.stdout


def test_plain_text_has_no_control_characters():
    assert plain("a\x1b[31mb\nc\u202ed\udcff") == "a?[31mb?c?d?"


def test_json_for_programs_is_plain_ascii_and_has_no_nan():
    text = as_json({"name": "\udcff é", "score": float("nan"), "rows": [float("inf"), 1.5]})
    assert text.isascii()
    assert json.loads(text) == {"name": "\udcff é", "score": None, "rows": [None, 1.5]}


def test_a_reader_who_has_seen_enough_gets_no_traceback():
    lister = subprocess.Popen(command("list", "age-groups"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lister.stdout.close()
    assert "Traceback" not in lister.stderr.read()
    lister.wait()
    lister.stderr.close()
