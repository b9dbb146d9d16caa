"""Which runs are combined, when that is done again, and that a stack is whole or not there."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from helpers.combined import ALL, add, again, combine, good_and_poor, members_of
from helpers.commands import command, environment
from helpers.made_up import put_cells

from ageensemble._utils.io import file_hash, write_json
from ageensemble.ages import FOURTEEN
from ageensemble.errors import UnequalError, UsageError
from ageensemble.experiments import stack
from ageensemble.experiments.experiment import PlanFolder
from ageensemble.experiments.run import Run
from ageensemble.reporting import export, leaderboard


@pytest.fixture
def plan_folder(manifest, tmp_path):
    """A plan of three folds over 123 photographs, with the runs `good` and `poor`."""
    return good_and_poor(manifest, tmp_path / "runs")


# --- when it is done and when done again ------------------------------------------------------------------------


def test_a_second_call_does_nothing(plan_folder, capsys):
    [run] = combine(plan_folder)
    before = (run.folder / "done.json").stat().st_mtime_ns
    capsys.readouterr()
    [same] = combine(again(plan_folder))
    assert (same.folder / "done.json").stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


def test_two_calls_give_the_same_predictions_to_the_last_digit(plan_folder, tmp_path):
    shutil.copytree(plan_folder.folder, tmp_path / "copy")
    one, other = combine(plan_folder, ALL), combine(PlanFolder(tmp_path / "copy"), ALL)
    for a, b in zip(one, other, strict=True):
        for part in ("oof", "test"):
            assert file_hash(a.folder / f"{part}.npy") == file_hash(b.folder / f"{part}.npy")


def test_a_new_member_makes_the_default_stack_again_in_its_place(plan_folder):
    [run] = combine(plan_folder)
    old = run.predictions("test").copy()
    add(plan_folder, "third", 5)
    [run] = combine(plan_folder)
    assert members_of(run) == ["good", "poor", "third"]
    assert not np.array_equal(run.predictions("test"), old)
    assert sorted(r.folder.name for r in plan_folder.runs) == ["good", "mean", "poor", "third"]


def test_a_member_fitted_anew_makes_the_stack_again(plan_folder):
    [run] = combine(plan_folder)
    old = run.predictions("test").copy()
    add(plan_folder, "poor", 6)
    [run] = combine(plan_folder)
    assert not np.array_equal(run.predictions("test"), old)


def test_other_code_or_another_seed_makes_the_stack_again(plan_folder, monkeypatch):
    done = plan_folder.folder / "mean" / "done.json"
    combine(plan_folder)
    first = done.stat().st_mtime_ns
    monkeypatch.setattr(stack.registry, "content", lambda file: "other")
    combine(plan_folder)
    second = done.stat().st_mtime_ns
    combine(plan_folder, seed=1)
    assert first < second < done.stat().st_mtime_ns


@pytest.mark.parametrize("moment", ["write_rows", "_seal"])
def test_a_stack_that_was_cut_short_is_not_taken_for_one_and_is_made_again(plan_folder, monkeypatch, moment):
    from ageensemble.experiments import run as runs

    def interrupted(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((runs, moment) if moment == "write_rows" else (Run, moment)), interrupted)
        with pytest.raises(KeyboardInterrupt):
            combine(plan_folder)
    assert "mean" not in [run.folder.name for run in plan_folder.runs]
    [run] = combine(plan_folder)
    assert run.state(3) == ("complete", "")


def test_a_stack_is_kept_until_its_successor_is_complete(plan_folder, monkeypatch):
    [before] = combine(plan_folder)
    add(plan_folder, "third", 5)

    def full(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_seal", full)
        with pytest.raises(OSError, match="No space"):
            combine(plan_folder)
    assert Run(before.folder).state(3) == ("complete", "")
    assert Run(before.folder).config == before.config


def test_a_damaged_stack_is_made_again(plan_folder):
    [run] = combine(plan_folder)
    (run.folder / "oof.npy").write_bytes(b"rubbish")
    assert combine(plan_folder)[0].state(3) == ("complete", "")


def test_chosen_members_have_a_folder_of_their_own(plan_folder):
    add(plan_folder, "third", 5)
    chosen = [Run(plan_folder.folder / name) for name in ("third", "good", "third")]
    [run] = combine(plan_folder, chosen=chosen)
    assert run.title == "mean of good, third"
    assert members_of(run) == ["good", "third"]
    assert run.folder.name.startswith("mean-")
    combine(plan_folder)
    assert combine(plan_folder, chosen=chosen[::-1])[0].folder == run.folder
    assert len([r for r in plan_folder.runs if r.kind == "stack"]) == 2


def combining_of(plan_folder):
    """The words of a process that combines all runs by all methods."""
    script = (
        "import sys; from ageensemble import ensembles; from ageensemble._utils.console import Console; "
        "from ageensemble.experiments import stack; from ageensemble.experiments.experiment import PlanFolder; "
        "stack.combine(PlanFolder(sys.argv[1]), None, ensembles.names(), 0, Console())"
    )
    return [sys.executable, "-c", script, str(plan_folder.folder)]


def test_two_processes_that_combine_at_once_leave_whole_stacks(plan_folder):
    both = [subprocess.Popen(combining_of(plan_folder), stderr=subprocess.PIPE, env=environment()) for _ in "ab"]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    made = {run.folder.name: run.state(3) for run in plan_folder.runs if run.kind == "stack"}
    assert made == dict.fromkeys(sorted(ALL), ("complete", ""))
    assert not list(plan_folder.folder.glob(".new-*"))


def test_a_disk_that_is_full_leaves_the_earlier_stack_and_nothing_half_written(plan_folder):
    [before] = combine(plan_folder)
    add(plan_folder, "third", 5)
    # a limit on the size of files stands for a full disk: one of 20 kB cannot hold predictions
    words = command("stack", "--out", plan_folder.folder, "--method", "mean")
    small = ["bash", "-c", 'ulimit -f 20; "$@"', "-", *words]
    done = subprocess.run(small, capture_output=True, text=True, timeout=120, env=environment())
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert before.config == Run(before.folder).config
    assert before.state(3) == ("complete", "")
    assert sorted(run.folder.name for run in again(plan_folder).runs) == ["good", "mean", "poor", "third"]
    assert members_of(combine(plan_folder)[0]) == ["good", "poor", "third"]
    assert not list(plan_folder.folder.glob(".new-*"))


# --- which runs may be members ----------------------------------------------------------------------------------


def test_by_default_floors_stacks_refits_test_only_imports_and_unfinished_runs_stay_out(plan_folder, capsys):
    add(plan_folder, "floor", 30, model="floor")
    add(plan_folder, "refit", 2, kind="refit", parts=["test"])
    add(plan_folder, "theirs", 1, parts=["test"])
    (add(plan_folder, "half", 3).folder / "done.json").unlink()
    (add(plan_folder, "broken", 3).folder / "run.json").write_text("{")
    combine(plan_folder)
    [run] = combine(plan_folder)
    assert members_of(run) == ["good", "poor"]
    assert "left out of the stack: half is incomplete" in capsys.readouterr().err
    assert run.folder.name == "mean"


def refused(plan_folder, run, error=UsageError):
    with pytest.raises(error) as caught:
        combine(plan_folder, chosen=[run, Run(plan_folder.folder / "good")])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_a_member_is_refused_by_name(plan_folder):
    [made] = combine(plan_folder)
    assert "mean is a stack" in refused(plan_folder, made)
    assert "is a refit" in refused(plan_folder, add(plan_folder, "refit", 2, kind="refit", parts=["test"]))
    assert "--out-of-fold" in refused(plan_folder, add(plan_folder, "theirs", 1, parts=["test"]))
    half = add(plan_folder, "half", 3)
    (half.folder / "done.json").unlink()
    assert "half is incomplete" in refused(plan_folder, half)
    assert sorted(run.folder.name for run in plan_folder.runs if run.kind == "stack") == ["mean"]


def test_a_run_on_another_plan_is_refused_even_by_default(plan_folder):
    run = add(plan_folder, "third", 5)
    content = json.loads((run.folder / "run.json").read_text())
    content.pop("seal")
    content["config"]["plan"] = "0" * 16
    write_json(run.folder / "run.json", content)
    files = {name: file_hash(run.folder / name) for name in ("run.json", "oof.npy", "test.npy", "record.json")}
    write_json(run.folder / "done.json", {"files": files})
    assert "another" in refused(plan_folder, Run(run.folder), UnequalError)
    with pytest.raises(UnequalError, match="third"):
        combine(plan_folder)


@pytest.mark.parametrize("chosen", [None, "good"])
def test_one_member_is_no_stack(plan_folder, chosen):
    shutil.rmtree(plan_folder.folder / "poor")
    with pytest.raises(UsageError, match=r"needs two members.*only good"):
        combine(plan_folder, chosen=chosen and [Run(plan_folder.folder / chosen)] * 2)


def test_an_unknown_method_is_refused_before_anything_is_made(plan_folder):
    with pytest.raises(UsageError, match="no method called 'stak'; known: greedy, mean, stack; did you mean 'stack'"):
        combine(plan_folder, ["mean", "stak"])
    assert not (plan_folder.folder / "mean").exists()


FIRST = """import numpy as np
from ageensemble.stacking.pool import Pool


def fit(scores, y, clusters, *, seed):
    return Pool("linear", np.eye(len(scores))[0], np.ones(len(scores)))
"""


def test_a_method_of_ones_own_is_a_file_and_where_that_lies_is_written_nowhere(plan_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(export.reports, "draw", lambda *given, **more: [])  # pictures take long
    file = tmp_path / "at-home" / "first.py"
    file.parent.mkdir()
    file.write_text(FIRST)
    for name in ("good", "poor"):  # exported, imports would say from which file they came
        shutil.rmtree(plan_folder.folder / name)
        put_cells(plan_folder, name, [np.clip(plan_folder.y[:, 0] + len(name), 0, 120)] * 3)
    [run] = combine(plan_folder, [str(file)])
    assert [member["weight"] for member in run.about()["members"]] == [1, 0]
    assert run.folder.name == run.title == run.config["method"] == "first.py"
    [of_two] = combine(plan_folder, [str(file)], [Run(plan_folder.folder / name) for name in ("good", "poor")])
    assert of_two.title == "first.py of good, poor"
    export.write(plan_folder, leaderboard.rows(plan_folder, FOURTEEN), FOURTEEN, tmp_path / "out")
    assert "ageensemble stack --method first.py\n" in (tmp_path / "out" / "README.md").read_text()
    written = [f for folder in (plan_folder.folder, tmp_path / "out") for f in folder.rglob("*") if f.is_file()]
    assert len(written) > 10
    assert not [f.name for f in written if b"at-home" in f.read_bytes()]
    elsewhere = shutil.copy(file, tmp_path / "first.py")
    assert combine(plan_folder, [str(elsewhere)])[0].config == run.config  # the content tells, not the place
    file.write_text(FIRST + "# another\n")
    assert combine(plan_folder, [str(file)])[0].config != run.config
