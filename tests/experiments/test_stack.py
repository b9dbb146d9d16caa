"""Which runs ensembles are built from, when that is done again, and that one is whole or not there."""

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
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.ensembles import Mean
from ageensemble.errors import UnequalError, UsageError
from ageensemble.experiments.experiment import Experiment
from ageensemble.experiments.run import Run
from ageensemble.reporting import export, leaderboard


@pytest.fixture
def experiment(dataset, tmp_path):
    """A split of three folds over 123 photographs, with the runs `good` and `poor`."""
    return good_and_poor(dataset, tmp_path / "runs")


# --- when it is done and when done again ------------------------------------------------------------------------


def test_a_second_call_does_nothing(experiment, capsys):
    [run] = combine(experiment)
    before = (run.folder / "done.json").stat().st_mtime_ns
    capsys.readouterr()
    [same] = combine(again(experiment))
    assert (same.folder / "done.json").stat().st_mtime_ns == before
    assert capsys.readouterr().err == ""


def test_two_calls_give_the_same_predictions_to_the_last_digit(experiment, tmp_path):
    shutil.copytree(experiment.folder, tmp_path / "copy")
    one, other = combine(experiment, ALL), combine(Experiment(tmp_path / "copy"), ALL)
    for a, b in zip(one, other, strict=True):
        for part in ("oof", "test"):
            assert file_hash(a.folder / f"{part}.npy") == file_hash(b.folder / f"{part}.npy")


def test_a_new_member_makes_the_default_stack_again_in_its_place(experiment):
    [run] = combine(experiment)
    old = run.proba("test").copy()
    add(experiment, "third", 5)
    [run] = combine(experiment)
    assert members_of(run) == ["good", "poor", "third"]
    assert not np.array_equal(run.proba("test"), old)
    assert sorted(r.folder.name for r in experiment.runs) == ["good", "mean", "poor", "third"]


def test_a_member_fitted_anew_makes_the_stack_again(experiment):
    [run] = combine(experiment)
    old = run.proba("test").copy()
    add(experiment, "poor", 6)
    [run] = combine(experiment)
    assert not np.array_equal(run.proba("test"), old)


def test_other_code_or_another_seed_makes_the_stack_again(experiment, monkeypatch):
    done = experiment.folder / "mean" / "done.json"
    combine(experiment)
    first = done.stat().st_mtime_ns
    monkeypatch.setattr(Mean, "version", 99)
    combine(experiment)
    second = done.stat().st_mtime_ns
    combine(experiment, seed=1)
    assert first < second < done.stat().st_mtime_ns


@pytest.mark.parametrize("moment", ["write_rows", "_seal"])
def test_a_stack_that_was_cut_short_is_not_taken_for_one_and_is_made_again(experiment, monkeypatch, moment):
    from ageensemble.experiments import run as runs

    def interrupted(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((runs, moment) if moment == "write_rows" else (Run, moment)), interrupted)
        with pytest.raises(KeyboardInterrupt):
            combine(experiment)
    assert "mean" not in [run.folder.name for run in experiment.runs]
    [run] = combine(experiment)
    assert run.state(3) == ("complete", "")


def test_a_stack_is_kept_until_its_successor_is_complete(experiment, monkeypatch):
    [before] = combine(experiment)
    add(experiment, "third", 5)

    def full(*given):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Run, "_seal", full)
        with pytest.raises(OSError, match="No space"):
            combine(experiment)
    assert Run(before.folder).state(3) == ("complete", "")
    assert Run(before.folder).config == before.config


def test_a_damaged_stack_is_made_again(experiment):
    [run] = combine(experiment)
    (run.folder / "oof.npy").write_bytes(b"rubbish")
    assert combine(experiment)[0].state(3) == ("complete", "")


def test_chosen_members_have_a_folder_of_their_own(experiment):
    add(experiment, "third", 5)
    chosen = [Run(experiment.folder / name) for name in ("third", "good", "third")]
    [run] = combine(experiment, chosen=chosen)
    assert run.title == "mean of good, third"
    assert members_of(run) == ["good", "third"]
    assert run.folder.name.startswith("mean-")
    combine(experiment)
    assert combine(experiment, chosen=chosen[::-1])[0].folder == run.folder
    assert len([r for r in experiment.runs if r.kind == "stack"]) == 2


def combining_of(experiment):
    """The words of a process that combines all runs by all methods."""
    script = (
        "import sys; from ageensemble import ensembles; from ageensemble._utils.console import Console; "
        "from ageensemble.experiments import stack; from ageensemble.experiments.experiment import Experiment; "
        "stack.combine(Experiment(sys.argv[1]), None, ensembles.REGISTRY.names(), 0, Console())"
    )
    return [sys.executable, "-c", script, str(experiment.folder)]


@pytest.mark.slow
def test_two_processes_that_combine_at_once_leave_whole_stacks(experiment):
    both = [subprocess.Popen(combining_of(experiment), stderr=subprocess.PIPE, env=environment()) for _ in "ab"]
    for process in both:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    made = {run.folder.name: run.state(3) for run in experiment.runs if run.kind == "stack"}
    assert made == dict.fromkeys(sorted(ALL), ("complete", ""))
    assert not list(experiment.folder.glob(".new-*"))


def test_a_disk_that_is_full_leaves_the_earlier_stack_and_nothing_half_written(experiment):
    [before] = combine(experiment)
    add(experiment, "third", 5)
    # a limit on the size of files stands for a full disk: one of 20 kB cannot hold predictions
    words = command("stack", "--out", experiment.folder, "--method", "mean")
    small = ["bash", "-c", 'ulimit -f 20; "$@"', "-", *words]
    done = subprocess.run(small, capture_output=True, text=True, timeout=120, env=environment())
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert before.config == Run(before.folder).config
    assert before.state(3) == ("complete", "")
    assert sorted(run.folder.name for run in again(experiment).runs) == ["good", "mean", "poor", "third"]
    assert members_of(combine(experiment)[0]) == ["good", "poor", "third"]
    assert not list(experiment.folder.glob(".new-*"))


# --- which runs may be members ----------------------------------------------------------------------------------


def test_by_default_floors_stacks_refits_test_only_imports_and_unfinished_runs_stay_out(experiment, capsys):
    add(experiment, "prior", 30, model="prior")
    add(experiment, "refit", 2, kind="refit", parts=["test"])
    add(experiment, "theirs", 1, parts=["test"])
    (add(experiment, "half", 3).folder / "done.json").unlink()
    (add(experiment, "broken", 3).folder / "run.json").write_text("{")
    combine(experiment)
    [run] = combine(experiment)
    assert members_of(run) == ["good", "poor"]
    assert "left out of the ensembles: half is incomplete" in capsys.readouterr().err
    assert run.folder.name == "mean"


def refused(experiment, run, error=UsageError):
    with pytest.raises(error) as caught:
        combine(experiment, chosen=[run, Run(experiment.folder / "good")])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_a_member_is_refused_by_name(experiment):
    [made] = combine(experiment)
    assert "mean is an ensemble" in refused(experiment, made)
    assert "is a refit" in refused(experiment, add(experiment, "refit", 2, kind="refit", parts=["test"]))
    assert "--out-of-fold" in refused(experiment, add(experiment, "theirs", 1, parts=["test"]))
    half = add(experiment, "half", 3)
    (half.folder / "done.json").unlink()
    assert "half is incomplete" in refused(experiment, half)
    assert sorted(run.folder.name for run in experiment.runs if run.kind == "stack") == ["mean"]


def test_a_run_on_another_plan_is_refused_even_by_default(experiment):
    run = add(experiment, "third", 5)
    content = json.loads((run.folder / "run.json").read_text())
    content.pop("seal")
    content["config"]["split"] = "0" * 16
    write_json(run.folder / "run.json", content)
    files = {name: file_hash(run.folder / name) for name in ("run.json", "oof.npy", "test.npy", "record.json")}
    write_json(run.folder / "done.json", {"files": files})
    assert "another" in refused(experiment, Run(run.folder), UnequalError)
    with pytest.raises(UnequalError, match="third"):
        combine(experiment)


@pytest.mark.parametrize("chosen", [None, "good"])
def test_one_member_is_no_stack(experiment, chosen):
    shutil.rmtree(experiment.folder / "poor")
    with pytest.raises(UsageError, match=r"needs two members.*only good"):
        combine(experiment, chosen=chosen and [Run(experiment.folder / chosen)] * 2)


def test_an_unknown_method_is_refused_before_anything_is_made(experiment):
    with pytest.raises(UsageError, match=r"no ensemble called 'stak'.*did you mean 'stack'"):
        combine(experiment, ["mean", "stak"])
    assert not (experiment.folder / "mean").exists()


FIRST = """import numpy as np
from ageensemble.ensembles import Ensemble, Pool


class First(Ensemble):
    def fit_pool(self, scores, y, groups, like=None):
        return Pool("linear", np.eye(len(scores))[0], np.ones(len(scores)))
"""


def test_a_method_of_ones_own_is_a_file_and_where_that_lies_is_written_nowhere(experiment, tmp_path, monkeypatch):
    monkeypatch.setattr(export.run_report, "draw", lambda *given, **more: {})  # pictures take long
    file = tmp_path / "at-home" / "first.py"
    file.parent.mkdir()
    file.write_text(FIRST)
    for name in ("good", "poor"):  # exported, imports would say from which file they came
        shutil.rmtree(experiment.folder / name)
        put_cells(experiment, name, [np.clip(experiment.y[:, 0] + len(name), 0, 120)] * 3)
    [run] = combine(experiment, [str(file)])
    assert [member["weight"] for member in run.metadata["members"]] == [1, 0]
    assert run.folder.name == run.title == run.config["method"] == "first.py"
    [of_two] = combine(experiment, [str(file)], [Run(experiment.folder / name) for name in ("good", "poor")])
    assert of_two.title == "first.py of good, poor"
    export.write(experiment, leaderboard.rows(experiment, DEFAULT_AGE_GROUPS), DEFAULT_AGE_GROUPS, tmp_path / "out")
    assert "ageensemble stack --method first.py\n" in (tmp_path / "out" / "README.md").read_text()
    written = [f for folder in (experiment.folder, tmp_path / "out") for f in folder.rglob("*") if f.is_file()]
    assert len(written) > 10
    assert not [f.name for f in written if b"at-home" in f.read_bytes()]
    elsewhere = shutil.copy(file, tmp_path / "first.py")
    assert combine(experiment, [str(elsewhere)])[0].config == run.config  # the content tells, not the place
    file.write_text(FIRST + "# another\n")
    assert combine(experiment, [str(file)])[0].config != run.config
