"""An export shows what came of the runs, not what is under way."""

import json

import numpy as np
import pandas as pd
import pytest
from helpers.made_up import experiment, put_cells

from ageensemble._utils.io import write_json
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.reporting import export, leaderboard


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(export.run_report, "draw", lambda *given, **more: {})  # images take long
    folder = experiment(tmp_path / "runs", np.arange(200) % 90)
    put_cells(folder, "whole", [np.arange(200) % 90 + 1] * 3)
    return folder


def begun(folder, name, failed):
    """A run that has not come further than its first cell."""
    (folder.folder / name / "fold-0").mkdir(parents=True)
    config = {"kind": "folds", "seed": 0} | folder.hashes
    about = {"name": name, "config": config, "threads": 1, "ageensemble": "0"}
    write_json(folder.folder / name / "run.json", about)
    if failed:
        write_json(folder.folder / name / "fold-0" / "record.json", {"error": "no luck"})


def exported(folder, target):
    found = export.write(folder, leaderboard.rows(folder, DEFAULT_AGE_GROUPS), DEFAULT_AGE_GROUPS, target)
    return (found / "README.md").read_text(), found


def test_incomplete_runs_are_counted_and_failed_ones_listed(folder, tmp_path):
    for name in ("one-under-way", "two-under-way"):
        begun(folder, name, failed=False)
    begun(folder, "broken", failed=True)
    text, target = exported(folder, tmp_path / "out")
    assert "Not listed: 2 incomplete runs." in text
    assert "under-way" not in text
    assert "failed: 1 of 3 fold fits; fold 0: no luck" in text
    assert "| whole \\*best |" in text
    assert pd.read_csv(target / "results.csv")["model"].tolist() == ["whole", "broken"]
    assert [row["model"] for row in json.loads((target / "results.json").read_text())["rows"]] == ["whole", "broken"]


def test_nothing_is_said_of_incomplete_runs_where_there_are_none(folder, tmp_path):
    assert "incomplete" not in exported(folder, tmp_path / "out")[0]
    begun(folder, "under-way", failed=False)
    assert "Not listed: 1 incomplete run." in exported(folder, tmp_path / "out")[0]
