"""Whatever ends a benchmark early, the same command goes on from there and gives the same numbers."""

import contextlib
import gc
import json
import os
import random
import signal
import subprocess
import time

import pytest
from helpers.commands import (
    MINE,
    WATCHER,
    ageensemble,
    apart,
    benchmark,
    benchmark_words,
    command,
    environment,
    experiment,
    metrics,
    predictions,
    said,
)


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.fixture
def watcher(tmp_path):
    file = tmp_path / "watcher.py"
    file.write_text(WATCHER)
    return file


@pytest.fixture
def mount(tmp_path):
    """Mounts a tmpfs; skips where that is not permitted."""
    folders = []

    def mounted(name, options):
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
        folders.append(folder)
        return folder

    try:
        yield mounted
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    finally:
        gc.collect()  # what is mapped into memory is in use
        for folder in folders:
            subprocess.run(["umount", folder], check=True)


def start(*words):
    """A benchmark in a process group of its own, as a terminal would run it."""
    return subprocess.Popen(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment(),
    )


def end(process, number):
    """Send a signal to the whole group and wait; what it printed to the error stream."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    _, err = process.communicate(timeout=30)
    return err


def members(group):
    """Living processes of a process group."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(group) and "Z" not in line.split()[1]]


def wait_for(pattern, out, seconds=60):
    """Wait until there is a file; what has been made by then."""
    until = time.monotonic() + seconds
    while not (found := list(out.glob(pattern))):
        assert time.monotonic() < until, f"{pattern} did not appear"
        time.sleep(0.02)
    return found


@pytest.mark.parametrize(
    "moment", ["*/experiment.json", pytest.param("*/*/fold-*/.lock", marks=pytest.mark.slow), "*/*/fold-*/record.json"]
)
def test_ctrl_c_ends_in_one_line_that_says_how_to_go_on(utkface, cache, tmp_path, mine, moment):
    out = tmp_path / "runs"
    words = benchmark_words(utkface, out, cache, "--model", f"{mine} sleep=0.7")
    process = start(*words)
    wait_for(moment, out)
    err = end(process, signal.SIGINT)
    assert process.returncode == 130
    assert err.splitlines()[-1] == "error: interrupted; what is done is kept, the same command goes on from there"
    for noise in ("Traceback", "resource_tracker", "KeyboardInterrupt", "Exception in thread"):
        assert noise not in err
    assert not members(process.pid)
    kept = {f: f.stat().st_mtime_ns for f in out.glob("*/*/fold-*/record.json")}
    if kept:
        assert ageensemble(*words).returncode == 0
        assert {f: f.stat().st_mtime_ns for f in kept} == kept


@pytest.mark.slow
def test_workers_end_when_the_process_that_waits_for_them_is_killed(utkface, cache, tmp_path, mine):
    out = tmp_path / "runs"
    process = start(*benchmark_words(utkface, out, cache, "--model", f"{mine} sleep=30"))
    wait_for("*/mine.py-*/fold-*/.lock", out)
    process.kill()
    process.communicate(timeout=30)
    until = time.monotonic() + 5
    while members(process.pid):
        assert time.monotonic() < until, "a worker outlived the benchmark"
        time.sleep(0.1)


def began_after(out):
    """After how many epochs each cell of the watcher went on."""
    files = sorted(out.glob("*/watcher.py-*/fold-*/record.json"))
    return [json.loads(file.read_text())["model"]["began_after"] for file in files]


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGKILL, id="kill -9", marks=pytest.mark.slow)],
)
def test_a_training_goes_on_at_its_last_epoch_and_predicts_the_same(utkface, cache, tmp_path, watcher, number):
    model = ["--model", f"{watcher} epochs=4 pause=0.3"]
    assert benchmark(utkface, tmp_path / "calm", cache, *model).returncode == 0
    words = benchmark_words(utkface, tmp_path / "runs", cache, *model)
    process = start(*words)
    wait_for("*/watcher.py-*/fold-*/checkpoints/state.json", tmp_path / "runs")
    err = end(process, number)
    assert "Traceback" not in err
    assert not list(tmp_path.glob("runs/*/watcher.py-*/fold-0/record.json"))
    assert ageensemble(*words).returncode == 0
    assert began_after(tmp_path / "calm") == [0, 0, 0]
    assert max(began_after(tmp_path / "runs")) > 0
    assert predictions(tmp_path / "runs") == predictions(tmp_path / "calm")
    assert not list(tmp_path.glob("runs/*/*/fold-*/checkpoints"))


@pytest.mark.slow
def test_a_training_that_nobody_waits_for_any_more_ends_without_a_record_and_can_go_on(
    utkface, cache, tmp_path, watcher
):
    out = tmp_path / "runs"
    words = benchmark_words(utkface, out, cache, "--model", f"{watcher} epochs=4 pause=0.4")
    process = start(*words)
    wait_for("*/watcher.py-*/fold-*/checkpoints/state.json", out)
    process.kill()
    process.communicate(timeout=30)
    until = time.monotonic() + 5
    while members(process.pid):
        assert time.monotonic() < until, "a worker outlived the benchmark"
        time.sleep(0.1)
    assert not list(out.glob("*/watcher.py-*/fold-*/record.json"))
    assert ageensemble(*words).returncode == 0
    assert max(began_after(out)) > 0


def test_a_disk_that_checkpoints_fill_is_not_the_fault_of_the_model(utkface, cache, tmp_path, watcher, mount):
    out = mount("runs", "size=400k")
    words = [utkface, out, cache, "--model", f"{watcher} trouble=fill"]
    full = benchmark(*words)
    assert full.returncode == 4
    assert "No space left on device; what is done is kept" in said(full)
    assert list(out.glob("*/watcher.py-*/fold-*/checkpoints/state.json"))
    assert not list(out.glob("*/watcher.py-*/fold-*/record.json"))
    subprocess.run(["mount", "-o", "remount,size=20m", out], check=True)
    assert benchmark(*words).returncode == 0
    assert max(began_after(out)) == 1


def killed_at_random(words, times, longest, seed):
    """Kill -9 the whole group that many times."""
    dice = random.Random(seed)
    for _ in range(times):
        process = start(*words)
        time.sleep(dice.uniform(0.2, longest))
        end(process, signal.SIGKILL)


def test_kills_change_no_digit(utkface, cache, tmp_path, mine):
    models = ["--model", f"{mine} sleep=0.2", "--model", mine]
    assert benchmark(utkface, tmp_path / "calm", cache, *models).returncode == 0
    words = benchmark_words(utkface, tmp_path / "killed", tmp_path / "cache", *models)
    killed_at_random(words, 3, 3, 0)
    assert ageensemble(*words).returncode == 0
    assert predictions(tmp_path / "killed") == predictions(tmp_path / "calm")
    assert metrics(tmp_path / "killed") == metrics(tmp_path / "calm")
    assert not list((tmp_path / "killed").rglob("*.tmp"))


@pytest.mark.slow
def test_twenty_kills_of_the_built_in_benchmark_change_no_digit(cache, tmp_path):
    calm = benchmark_words("demo", tmp_path / "calm", cache, "--models", "svm,xgboost")
    begun = time.monotonic()
    assert apart(*calm, timeout=3000).returncode == 0
    longest = (time.monotonic() - begun) / 4
    words = benchmark_words("demo", tmp_path / "killed", tmp_path / "cache", "--models", "svm,xgboost")
    killed_at_random(words, 20, longest, 0)
    assert apart(*words, timeout=3000).returncode == 0
    assert predictions(tmp_path / "killed") == predictions(tmp_path / "calm")
    assert metrics(tmp_path / "killed") == metrics(tmp_path / "calm")


@pytest.mark.slow
def test_two_at_once_in_one_folder_do_not_hurt_each_other(utkface, cache, tmp_path, mine):
    assert benchmark(utkface, tmp_path / "alone", cache, "--model", mine).returncode == 0
    words = benchmark_words(utkface, tmp_path / "shared", cache, "--model", mine)
    both = [start(*words) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert predictions(tmp_path / "shared") == predictions(tmp_path / "alone")
    assert metrics(tmp_path / "shared") == metrics(tmp_path / "alone")


@pytest.mark.parametrize("size", ["60k", "250k"])
def test_a_full_disk_is_one_line_and_after_making_room_the_command_completes(
    utkface, cache, tmp_path, mine, mount, size
):
    out = mount("runs", f"size={size}")
    words = [utkface, out, cache, "--model", mine, "--models", "prior"]
    full = benchmark(*words)
    assert full.returncode == 4
    assert "No space left on device; what is done is kept" in said(full)
    assert not list(out.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=20m", out], check=True)
    assert benchmark(*words).returncode == 0
    [table] = json.loads(ageensemble("results", out, "--json").stdout)
    assert {row["state"] for row in table["rows"]} == {"complete"}


@pytest.mark.slow
def test_a_cache_too_full_for_squares_is_one_line_and_after_making_room_the_command_completes(
    utkface, tmp_path, watcher, mount
):
    cache = mount("cache", "size=2m")
    words = [utkface, tmp_path / "runs", cache, "--model", f"{watcher} size=128 epochs=1"]
    full = benchmark(*words)
    assert full.returncode == 4
    assert "No space left on device" in said(full)
    assert not list(cache.glob("pixels/*.npy"))
    subprocess.run(["mount", "-o", "remount,size=100m", cache], check=True)
    assert benchmark(*words).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("size", "feature"), [("40k", ""), ("1m", "lbp")], ids=["photographs", "features"])
def test_a_full_cache_is_one_line_and_after_making_room_the_command_completes(utkface, tmp_path, mount, size, feature):
    (tmp_path / "mine.py").write_text(MINE.replace('features = ""', f'features = "{feature}"'))
    cache = mount("cache", f"size={size}")
    words = [utkface, tmp_path / "runs", cache, "--model", tmp_path / "mine.py"]
    full = benchmark(*words)
    assert full.returncode == 4
    assert "No space left on device" in said(full)
    subprocess.run(["mount", "-o", "remount,size=100m", cache], check=True)
    assert benchmark(*words).returncode == 0


def test_a_read_only_folder_is_one_line(utkface, cache, tmp_path, mine, mount):
    out = mount("runs", "size=1m,ro")
    refused = benchmark(utkface, out, cache, "--model", mine)
    assert refused.returncode == 4
    assert "Read-only file system" in said(refused)
    refused = benchmark(utkface, tmp_path / "runs", out, "--model", mine)
    assert refused.returncode == 4
    assert "Read-only file system" in said(refused)


def test_finished_runs_on_a_read_only_disk_can_be_read(utkface, cache, tmp_path, mine, mount):
    out = mount("runs", "size=20m")
    assert benchmark(utkface, out, cache, "--model", mine).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", out], check=True)
    shown = ageensemble("results", out)
    assert shown.returncode == 0
    assert "mine" in shown.stdout
    assert experiment(out).name in ageensemble("runs", "list", "--out", out).stdout
