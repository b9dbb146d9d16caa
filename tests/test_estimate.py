"""`--dry-run` says what would run and writes no runs."""

import json

import pytest
from commands import MINE, benchmark


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def test_a_dry_run_writes_no_runs_and_knows_no_times_yet(utkface, cache, tmp_path, mine):
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", mine, "--dry-run")
    assert done.returncode == 0
    assert "not known yet" in done.stdout
    assert "GB free" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_times_come_from_earlier_runs_and_what_is_done_is_not_counted(utkface, cache, tmp_path, mine):
    words = [utkface, tmp_path / "runs", cache, "--model", f"{mine} sleep=0.5"]
    assert benchmark(*words).returncode == 0
    done = json.loads(benchmark(*words, "--dry-run", "--json").stdout)
    assert (done["rows"][0]["cells"], done["rows"][0]["left"], done["seconds"]) == (3, 0, 0)
    another = json.loads(benchmark(*words, "--seed", 1, "--dry-run", "--json").stdout)
    assert another["rows"][0]["left"] == 3
    assert 1.4 < another["rows"][0]["seconds"] < 2.5
    assert another["seconds"] == pytest.approx(another["rows"][0]["seconds"] / 2, abs=0.1)


def test_a_feature_matrix_that_is_cached_takes_no_more_disk(utkface, cache, tmp_path, mine):
    words = [utkface, tmp_path / "runs", cache, "--model", "svm@lbp", "--dry-run", "--json"]
    estimate = json.loads(benchmark(*words).stdout)
    assert estimate["disk_bytes"] > 123 * 4 * 500
    assert estimate["rows"][0]["memory_bytes"] > 1e8
    assert estimate["free_disk_bytes"] > 0
    assert estimate["free_memory_bytes"] > 0
