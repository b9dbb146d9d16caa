"""Tables compare only what is equal, say what they leave out, and can be read."""

import csv
import io
import json
import re
import shutil

import pytest
from helpers.commands import MINE, ageensemble, benchmark, experiment, said
from PIL import Image


@pytest.fixture(scope="module")
def runs(utkface, cache, tmp_path_factory):
    """The runs of three models, one of which fails, and a refit; only read."""
    folder = tmp_path_factory.mktemp("tables")
    mine = folder / "mine.py"
    mine.write_text(MINE)
    benchmark(utkface, folder / "runs", cache, "--model", mine, "--model", f"{mine} trouble=raise")
    fixed = ["--data", utkface, "--out", folder / "runs", "--cache", cache, "--folds", 3, "--device", "cpu"]
    fitted = ageensemble("fit", "--model", mine, *fixed)
    assert fitted.returncode == 0, fitted.stderr
    assert "no model folder: mine.py is a model from a file of yours" in fitted.stderr
    return folder / "runs"


def lines(runs, *words, **more):
    return ageensemble("results", runs, *words, **more).stdout.splitlines()


def test_a_later_fit_shares_the_folder_and_is_scored_on_the_test_part_only(runs):
    assert len(list(runs.glob("*/experiment.json"))) == 1
    [table] = json.loads("\n".join(lines(runs, "--json")))
    refit = {row["model"]: row for row in table["rows"]}["mine.py (refit)"]
    assert refit["state"] == "complete"
    assert refit["oof_mae"] is None
    assert refit["test_mae"] > 0


def test_the_best_row_is_marked_and_what_failed_comes_last_with_its_reason(runs):
    text = "\n".join(lines(runs))
    assert text.count("*best") == 2  # the row, and the note that explains it
    order = [text.index(name) for name in ("prior", "mine.py ", "mine.py (refit)", "mine.py trouble=raise")]
    assert order == sorted(order)
    assert "mine.py trouble=raise failed: 3 of 3 fold fits; fold 0: RuntimeError: no luck" in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_table_fits_the_terminal(runs, width):
    shown = lines(runs, COLUMNS=str(width))
    ruler = next(i for i, line in enumerate(shown) if line.startswith("───"))
    body = shown[ruler - 1 : ruler + 7]
    assert all(len(line.rstrip()) <= width for line in body)
    assert "OOF MAE" in body[0]
    assert ("test F1" in body[0]) == (width >= 80)
    assert any("Left out as the terminal is narrow" in line for line in shown)


def test_a_wide_terminal_shows_every_column(runs):
    text = "\n".join(lines(runs, COLUMNS="130"))
    assert "MB" in text
    assert "Left out" not in text


def test_the_csv_has_every_metric_of_every_run_and_says_the_plan(runs):
    rows = list(csv.DictReader(io.StringIO("\n".join(lines(runs, "--csv")))))
    assert [row["model"] for row in rows] == ["prior", "mine.py", "mine.py (refit)", "mine.py trouble=raise"]
    assert {row["split"] for row in rows} == {experiment(runs).name}
    assert float(rows[0]["oof_mae_low"]) < float(rows[0]["oof_mae"]) < float(rows[0]["oof_mae_high"])
    assert rows[3]["why"].startswith("3 of 3 fold fits")


def test_groups_with_gaps_say_how_many_items_lie_outside(runs):
    noted = " ".join(lines(runs, "--age-groups", "adience"))
    assert re.search(r"In no age group, left out of the metrics by group: \d+ items aged 3, 7, 14, ", noted)
    assert "In no age group" not in " ".join(lines(runs, "--age-groups", "decades"))


def test_groups_act_on_the_table_alone(runs):
    before = {f: f.stat().st_mtime_ns for f in runs.rglob("*") if f.is_file()}
    default, two = (list(csv.DictReader(lines(runs, "--csv", "--age-groups", g))) for g in ("default", "0-30,31+"))
    assert default[0]["oof_mae"] == two[0]["oof_mae"]
    assert default[0]["oof_accuracy"] != two[0]["oof_accuracy"]
    assert {f: f.stat().st_mtime_ns for f in runs.rglob("*") if f.is_file()} == before


def test_the_markdown_table_has_as_many_cells_in_each_row(runs):
    rows = [line for line in lines(runs, "--markdown") if line.startswith("|")]
    assert len(rows) == 6
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


def test_an_export_shows_on_github(runs, tmp_path):
    drawn = ("confusion", "true_predicted")
    assert ageensemble("results", runs, "--export", tmp_path / "out", pictures=drawn).returncode == 0
    readme = (tmp_path / "out" / "README.md").read_text()
    links = re.findall(r"!\[[^]]+\]\(([^)]+)\)", readme)
    assert "mine.py-confusion.png" in links
    assert "mine.py-refit-true_predicted.png" in links
    for link in links:
        assert re.fullmatch(r"[\w.=+@-]+", link)
        with Image.open(tmp_path / "out" / link) as picture:
            assert min(picture.size) > 300
    assert "ageensemble benchmark --data faces --folds 3 --seed 0 --model mine.py" in readme
    assert json.loads((tmp_path / "out" / "results.json").read_text())["rows"]
    assert (tmp_path / "out" / "results.csv").read_text().startswith("model,run,state,why,")
    before = {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()}
    ageensemble("results", runs, "--export", tmp_path / "out", pictures=drawn)
    assert {f.name: f.read_bytes() for f in (tmp_path / "out").iterdir()} == before, "again the same bytes"


def test_another_plan_is_another_table_and_is_exported_beside(runs, utkface, cache, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    done = benchmark(utkface, tmp_path / "runs", cache, "--models", "prior", "--seed", 1)
    assert done.returncode == 0
    assert len(list((tmp_path / "runs").glob("*/experiment.json"))) == 2
    assert len(json.loads("\n".join(lines(tmp_path / "runs", "--json")))) == 2
    ageensemble("results", tmp_path / "runs", "--export", tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("README.md"))) == 2


def test_a_run_of_another_plan_is_refused(runs, utkface, cache, tmp_path):
    shutil.copytree(runs, tmp_path / "runs")
    benchmark(utkface, tmp_path / "other", cache, "--models", "prior", "--seed", 1)
    [stranger] = (tmp_path / "other").glob("*/prior-*")
    shutil.copytree(stranger, experiment(tmp_path / "runs") / stranger.name)
    refused = ageensemble("results", tmp_path / "runs")
    assert refused.returncode == 3
    assert "was made on another split" in said(refused)
    assert "move it out" in said(refused)


def test_a_plan_folder_without_runs_is_an_empty_table(runs, tmp_path):
    shutil.copytree(experiment(runs), tmp_path / "split", ignore=shutil.ignore_patterns("mine*", "prior*", "refit*"))
    assert ageensemble("results", tmp_path / "split").returncode == 0
    assert json.loads("\n".join(lines(tmp_path / "split", "--json")))[0]["rows"] == []
