"""`--dry-run` says what would run and writes no runs."""

import json
from types import SimpleNamespace

import pytest
import timm
import torch
from helpers.commands import MINE, WATCHER, benchmark, fitted

from ageensemble.data import image_array
from ageensemble.errors import DataError
from ageensemble.experiments import benchmark as bench
from ageensemble.experiments import estimate
from ageensemble.experiments.config import BenchmarkConfig, Resources
from ageensemble.models import spec
from ageensemble.splits.split import make_split


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


def test_a_dry_run_writes_no_runs_and_knows_no_times_yet(utkface, cache, tmp_path, mine):
    done = benchmark(utkface, tmp_path / "runs", cache, "--model", mine, "--dry-run")
    assert done.returncode == 0
    assert "seconds, several fits at once: unknown (no timing" in done.stdout
    assert "GB free" in done.stdout
    assert not (tmp_path / "runs").exists()


def test_times_come_from_earlier_runs_and_what_is_done_is_not_counted(utkface, cache, tmp_path, mine):
    words = [utkface, tmp_path / "runs", cache, "--model", f"{mine} sleep=0.5"]
    assert benchmark(*words).returncode == 0
    done = json.loads(benchmark(*words, "--dry-run", "--json").stdout)
    assert (done["rows"][0]["fits"], done["rows"][0]["left"], done["seconds"]) == (3, 0, 0)
    another = json.loads(benchmark(*words, "--seed", 1, "--dry-run", "--json").stdout)
    assert another["rows"][0]["left"] == 3
    assert 1.4 < another["rows"][0]["seconds"] < 2.5
    assert another["seconds"] == pytest.approx(another["rows"][0]["seconds"] / 2, abs=0.1)


def test_a_feature_matrix_that_is_not_made_yet_takes_disk(utkface, tmp_path):
    words = [utkface, tmp_path / "runs", tmp_path / "cache", "--model", "svm@lbp", "--dry-run", "--json"]
    found = json.loads(benchmark(*words).stdout)
    assert found["disk_bytes"] > 123 * 4 * 500
    assert found["rows"][0]["memory_bytes"] > 1e8
    assert found["free_disk_bytes"] > 0
    assert found["free_memory_bytes"] > 0


@pytest.fixture
def watcher(tmp_path):
    file = tmp_path / "watcher.py"
    file.write_text(WATCHER)
    return file


def estimated(dataset, text, out, cache, seed=0):
    config = BenchmarkConfig(models=(text,), out=out, resources=Resources(cache, 2, "cpu"), random_state=seed)
    return estimate.estimate(config, dataset, make_split(dataset, 3, 0))


def test_squares_that_are_not_made_yet_take_disk_and_hardly_any_memory(dataset, cache, tmp_path, watcher):
    here = tmp_path / "runs", cache
    before = estimated(dataset, f"{watcher} size=33", *here)
    native = estimated(dataset, f"{watcher} size=native", *here)
    image_array.resized_file(dataset, "33", cache)
    after = estimated(dataset, f"{watcher} size=33", *here)
    assert before["disk_bytes"] - after["disk_bytes"] == 123 * 33 * 33 * 3
    assert after["disk_bytes"] == native["disk_bytes"]
    assert before["rows"][0]["memory_bytes"] == 500_000_000  # the interpreter, and what the model says: nothing


@pytest.mark.parametrize("name", ["test_resnet weights={}", "svm@embedding:test_resnet embedding.weights={}"])
def test_weights_of_another_network_are_refused_as_a_fit_would(dataset, cache, tmp_path, name):
    here = tmp_path / "runs", cache
    for network, file in (("test_vit", tmp_path / "other.pth"), ("test_resnet", tmp_path / "right.pth")):
        torch.save(timm.create_model(network).state_dict(), file)
    with pytest.raises(DataError, match=r"other\.pth is of another network"):
        estimated(dataset, name.format(tmp_path / "other.pth"), *here)
    assert estimated(dataset, name.format(tmp_path / "right.pth"), *here)["rows"][0]["left"] == 3


def test_an_onnx_file_that_is_none_is_refused_as_a_fit_would(dataset, cache, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(DataError, match=r"broken\.onnx"):
        estimated(dataset, f"svm@embedding:{tmp_path / 'broken.onnx'}", tmp_path, cache)


SETTLING = (
    WATCHER
    + """

def resolve(cls, params, *, cache, device, threads, say):
    say("a pause is taken")
    return params | {"pause": 0.01}


Watcher.resolve = classmethod(resolve)
"""
)


@pytest.mark.slow
def test_what_a_model_settles_on_is_in_its_configuration_and_an_estimate_knows_its_run(
    dataset, cache, tmp_path, watcher, caplog
):
    watcher.write_text(SETTLING)
    here = tmp_path / "runs", cache
    assert estimated(dataset, str(watcher), *here)["rows"][0]["left"] == 3
    assert "a pause is taken" not in caplog.text
    split, resources = make_split(dataset, 3, 0), Resources(cache, 2, "cpu")
    with caplog.at_level("INFO"):
        runs = fitted(dataset, split, [str(watcher)], here[0], resources).runs
    assert caplog.text.count("a pause is taken") == 1
    assert [run.name for run in runs] == ["watcher.py", "prior"]
    assert runs[0].config["params"]["pause"] == 0.01
    row = estimated(dataset, str(watcher), *here)["rows"][0]
    assert (row["left"], row["seconds"]) == (0, 0)
    row = estimated(dataset, str(watcher), *here, seed=1)["rows"][0]
    assert (row["left"], row["seconds"]) == (3, 13.5)  # the model claims 4.5 s a fit
    both = [str(watcher), f"{watcher} pause=0.01"]
    assert len(fitted(dataset, split, both, here[0], resources).runs) == 2


GIGABYTE = 1_000_000_000


@pytest.mark.parametrize(
    ("device", "memory", "gpu", "jobs"),
    [
        ("cpu", 100, 0, 4),  # as many as asked for
        ("cpu", 9, 0, 2),  # 7.2 GB in processes of 3.5
        ("cpu", 1, 0, 1),
        ("cuda", 100, 80, 4),
        ("cuda", 100, 24, 3),  # 12 GB for networks of 4
        ("cuda", 100, 5, 1),
        ("cuda", 9, 24, 2),
    ],
)
def test_fits_at_once_are_as_many_as_fit_into_memory_and_into_that_of_the_gpu(monkeypatch, device, memory, gpu, jobs):
    class Network:
        takes_images = True

        def fit_bytes(self, n, d):
            assert (n, d) == (1000, 3 * 64 * 64)
            return 3 * GIGABYTE

        def gpu_bytes(self):
            return 4 * GIGABYTE

    said = []
    console = SimpleNamespace(say=said.append, detail=lambda text: None)
    monkeypatch.setattr(bench, "available_memory", lambda: memory * GIGABYTE)
    monkeypatch.setattr(bench, "available_gpu_memory", lambda: gpu * GIGABYTE)
    network = SimpleNamespace(model_class=lambda size: Network(), params={"size": "64"}, features=())
    network.model_class.takes_images, network.model_class.gpu_bytes = True, Network.gpu_bytes
    resources = SimpleNamespace(n_jobs=4, device=device)
    found = bench._jobs_in_memory({1: network, 2: spec.parse("prior")}, 1000, resources, console)
    assert min(found, 4) == jobs
    assert bool(said) == (jobs < 4)
    assert all("at once" in line for line in said)
