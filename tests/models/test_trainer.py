"""The training loop: that it learns, comes out the same when killed and resumed, and says what went wrong."""

import itertools
import json
import threading

import numpy as np
import pytest
import torch
from helpers.photographs import ageing, stored

from ageensemble import models
from ageensemble.errors import DataError, DiskError, UsageError
from ageensemble.models.neural import checkpoint, dataloader, optim, precision, trainer
from ageensemble.models.neural.losses import LOSSES

CNN = models.load("cnn")
N, SIDE = 160, 32


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    photos, y, inner = ageing(N, SIDE)
    return stored(list(photos), tmp_path_factory.mktemp("photographs")), y, inner


def small(**params):
    """A network small enough for tests."""
    return CNN(**{"size": "32", "width": 4, "hidden": 16, "epochs": 3, "batch": 16, "precision": "fp32"} | params)


def fitted(data, keep, seed=0, tell=None, **params):
    model = small(**params)
    model.set_params(random_state=seed).fit(*data[:2], cv=data[2], checkpoint_dir=keep, on_progress=tell)
    return model


def test_training_learns_what_brightness_tells(data, tmp_path):
    model = fitted(data, tmp_path, epochs=15, lr=8e-3, rotate=0.0, crop=0.0, color=0.0, ema=0.9)
    ages = (model.predict_proba(data[0]).cumsum(1) < 0.5).sum(1)
    constant = np.abs(data[1][:, 0] - np.median(data[1][:, 0])).mean()
    assert np.abs(ages - data[1][:, 0]).mean() < 0.4 * constant
    assert model.history_[-1]["loss"] < model.history_[0]["loss"]
    assert model.history_[-1]["validation_mae"] < 0.5 * constant


def test_the_history_has_a_row_an_epoch_with_all_that_was_measured(data, tmp_path):
    history = fitted(data, tmp_path).history_
    assert [row["epoch"] for row in history] == [1, 2, 3]
    names = [
        "mae",
        "precision",
        "recall",
        "validation_loss",
        "validation_mae",
        "validation_precision",
        "validation_recall",
        "seconds",
    ]
    assert all(row[name] is not None for row in history for name in ["lr", "waiting", "images_per_second", *names])


def test_with_nothing_held_out_the_inner_columns_are_empty(data, tmp_path):
    assert fitted(data, tmp_path, hold=0, epochs=1).history_[0]["validation_mae"] is None


@pytest.mark.parametrize(
    "kind",
    [
        {"patience": 2, "dropout": 0.3, "norm": True},
        pytest.param({"optimizer": "sgd", "ema": 0.0}, marks=pytest.mark.slow),
    ],
)
def test_a_training_killed_after_any_epoch_goes_on_to_the_same_predictions(data, tmp_path, kind):
    whole = fitted(data, tmp_path / "whole", **kind).predict_proba(data[0])

    class Killed(BaseException):
        pass

    def kill(told):
        if told["epoch"] == epoch + 1:
            raise Killed

    for epoch in (1, 2):
        keep = tmp_path / f"killed-{epoch}"
        with pytest.raises(Killed):
            fitted(data, keep, tell=kill, **kind)
        told = []
        again = fitted(data, keep, tell=told.append, **kind)
        np.testing.assert_array_equal(again.predict_proba(data[0]), whole)
        assert told[0]["epoch"] == epoch + 1
        assert len(again.history_) == 3


def test_another_seed_gives_another_network(data, tmp_path):
    first, second = (fitted(data, tmp_path / str(seed), seed, epochs=1).predict_proba(data[0]) for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    "harm", ["cut", *(pytest.param(harm, marks=pytest.mark.slow) for harm in ("changed", "lost", "nonsense"))]
)
def test_a_broken_checkpoint_is_left_behind_and_the_record_says_so(data, tmp_path, harm):
    whole = fitted(data, tmp_path)
    [tensors] = tmp_path.glob("*.safetensors")
    content = tensors.read_bytes()
    if harm == "cut":
        tensors.write_bytes(content[: len(content) // 2])
    elif harm == "changed":
        tensors.write_bytes(content[:-4] + b"\0\0\xff\x7f")
    elif harm == "lost":
        tensors.unlink()
    else:
        (tmp_path / "checkpoint.json").write_text("{}")
    again = fitted(data, tmp_path)
    assert "training restarted" in again.fit_info_["checkpoint"]
    np.testing.assert_array_equal(again.predict_proba(data[0]), whole.predict_proba(data[0]))


@pytest.mark.parametrize("loss", ["softlabel", "smoothl1"])
def test_a_loss_that_is_no_number_is_an_error_that_says_what_helps(data, tmp_path, loss):
    with pytest.raises(DataError, match=r"loss is not a number any more in epoch 1; a smaller lr \(now 1e\+30\)"):
        fitted(data, tmp_path, lr=1e30, optimizer="sgd", warmup=0.0, loss=loss)


class Scarce(torch.nn.Module):
    """Runs out of memory beyond so many photographs."""

    def __init__(self, most):
        super().__init__()
        self.most, self.weight = most, torch.nn.Parameter(torch.ones(1))

    def forward(self, batch):
        if len(batch) > self.most and self.training:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return batch.flatten(1)[:, :8] * self.weight


def test_the_batch_halves_itself_when_memory_runs_out_and_the_record_says_so(data, tmp_path, monkeypatch):
    monkeypatch.setattr(CNN, "backbone", lambda self, pretrained: Scarce(5))
    model = fitted(data, tmp_path, epochs=1)
    assert model.fit_info_["batch"] == "halved to 4 at a time for want of memory; steps still have 16"


def test_half_batches_add_up_to_the_same_step(data, tmp_path, monkeypatch):
    plain = {"flip": False, "rotate": 0.0, "crop": 0.0, "color": 0.0}
    monkeypatch.setattr(CNN, "backbone", lambda self, pretrained: Scarce(100))
    whole = fitted(data, tmp_path / "whole", epochs=1, **plain).predict_proba(data[0])
    monkeypatch.setattr(CNN, "backbone", lambda self, pretrained: Scarce(5))
    halves = fitted(data, tmp_path / "halves", epochs=1, **plain).predict_proba(data[0])
    np.testing.assert_allclose(halves, whole, atol=1e-6)


def test_memory_that_does_not_hold_one_photograph_is_an_error(data, tmp_path, monkeypatch):
    monkeypatch.setattr(CNN, "backbone", lambda self, pretrained: Scarce(0))
    with pytest.raises(DataError, match="memory runs out with one image of 32x32 pixels"):
        fitted(data, tmp_path)


def test_other_errors_of_a_network_are_not_taken_for_want_of_memory():
    assert trainer.out_of_memory(
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    )
    assert not trainer.out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_early_stopping_keeps_the_best_epoch(data, tmp_path):
    model = fitted(data, tmp_path, patience=2, epochs=40, lr=0.03, schedule="constant", ema=0.0)
    best = min(model.history_, key=lambda row: row["validation_mae"])
    assert model.fit_info_["best_epoch"] == best["epoch"]
    assert len(model.history_) == best["epoch"] + 2
    held = data[2] == 0
    ages = (model.predict_proba(data[0].take(np.flatnonzero(held))).cumsum(1) < 0.5).sum(1)
    assert np.abs(ages - data[1][held, 0]).mean() == pytest.approx(best["validation_mae"], abs=0.2)


@pytest.mark.slow
def test_early_stopping_by_f1_or_recall_keeps_the_highest(data, tmp_path):
    for metric in ("f1", "recall"):
        model = fitted(data, tmp_path / metric, patience=1, epochs=6, lr=0.02, metric=metric)
        values = [row[f"validation_{metric}"] for row in model.history_]
        assert model.fit_info_["best_epoch"] == values.index(max(values)) + 1


def test_early_stopping_without_an_inner_part_is_refused():
    with pytest.raises(UsageError, match="patience=3 needs a validation part"):
        small(patience=3, hold=0).check_parameters()


def test_a_frozen_backbone_does_not_move_and_then_does(data, tmp_path):
    still = fitted(data, tmp_path / "still", freeze=3, norm=True, ema=0.0)
    torch.manual_seed(0)
    fresh = still._network(data[1], False, False)
    for name, value in fresh.backbone.state_dict().items():
        assert torch.equal(still.net_.backbone.state_dict()[name], value), name
    moved = fitted(data, tmp_path / "moved", freeze=1, norm=True, ema=0.0)
    assert not torch.equal(moved.net_.backbone[0].weight, fresh.backbone[0].weight)


@pytest.mark.slow
def test_group_weights_keep_the_predicted_shares_of_groups(tmp_path):
    """Nine tenths are 20 years old, the photographs say nothing: a weighted network must still say nine tenths."""
    rng = np.random.default_rng(0)
    photos = rng.integers(0, 256, (200, 16, 16, 3)).astype(np.uint8)
    age = np.where(np.arange(200) % 10 == 3, 60, 20)
    data = stored(list(photos), tmp_path), np.stack([age, age], 1), np.arange(200) // 10 % 10
    for weighting in ("none", "group"):
        rows = fitted(data, tmp_path / weighting, weighting=weighting, size="16", lr=1e-4).predict_proba(data[0])
        assert rows[:, 40:].sum(1).mean() == pytest.approx(0.1, abs=0.04), weighting


def test_photographs_of_many_shapes_train_together(tmp_path):
    photos, y, inner = ageing(60, 40)
    shapes = itertools.cycle([(40, 40), (32, 40), (24, 20)])
    mixed = [photo[:height, :width] for photo, (height, width) in zip(photos, shapes, strict=False)]
    mixed[7] = mixed[7][:18, :18]  # the only one of its shape
    data = stored(mixed, tmp_path), y, inner
    model = fitted(data, tmp_path / "keep", size="native", batch=8)
    rows = model.predict_proba(data[0])
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(data[0].take(np.array([7])))[0], rows[7], atol=1e-5)


def test_a_file_that_vanishes_while_it_is_read_ahead_is_an_error_and_no_thread_is_left(data, tmp_path):
    model = fitted(data, tmp_path / "keep", epochs=1)
    photos = np.zeros((40, 32, 32, 3), np.uint8)
    x = stored(list(photos), tmp_path)
    before = threading.active_count()
    assert len(model.predict_proba(x)) == 40
    (tmp_path / "photographs.u8").write_bytes(photos[:35].tobytes())
    with pytest.raises(DiskError, match=r"photographs.u8 is shorter than it was"):
        model.predict_proba(x)
    assert threading.active_count() == before


def test_a_plan_of_steps_has_every_photograph_once_and_full_batches_of_one_shape():
    shapes = np.array([[32, 32]] * 50 + [[20, 30]] * 21 + [[16, 16]] + [[18, 18]] * 2)
    split = dataloader.epoch_steps(shapes, 10, [0, 1])
    assert sorted(np.concatenate([rows for step in split for rows in step])) == list(range(74))
    assert all(len(np.unique(shapes[rows], axis=0)) == 1 for step in split for rows in step)
    assert sorted(sum(map(len, step)) for step in split) == [3, 7, 7, 7, *[10] * 5]  # the four rarest in one step
    again, other = dataloader.epoch_steps(shapes, 10, [0, 1]), dataloader.epoch_steps(shapes, 10, [0, 2])
    assert all(np.array_equal(a, b) for a, b in zip(split[0], again[0], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(split[0], other[0], strict=False))


def test_the_learning_rate_rises_and_falls_as_the_schedule_says():
    config = small(warmup=0.1, schedule="cosine")
    share = [optim.lr_share(step, 100, config) for step in range(100)]
    assert share[0] == pytest.approx(1 / 11)
    assert share[10] == 1
    assert share[55] == pytest.approx(0.5)
    assert share[-1] < 0.001
    falls = [optim.lr_share(step, 100, small(warmup=0.0, schedule="step")) for step in (0, 49, 50, 75)]
    assert falls == pytest.approx([1, 1, 0.1, 0.01])
    assert optim.lr_share(99, 100, small(schedule="constant")) == 1


def test_biases_norms_and_what_a_transformer_exempts_are_not_pulled_to_zero():
    model = models.load("test_vit")(pretrained=False, size="32", hidden=8, loss="ordinal", weight_decay=0.3)
    net = model._network(np.array([[20, 20], [40, 40]]), False, False)
    made = optim.make_optimizer(net, model)
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    pulled = {names[id(p)]: group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert len(pulled) == len(names)
    assert set(pulled.values()) == {0.0, 0.3}
    for name, decay in pulled.items():
        free = name.endswith((".bias", "cls_token", "pos_embed", "threshold")) or ".norm" in name
        assert decay == (0.0 if free else 0.3), name
    assert {"backbone.pos_embed", "backbone.cls_token", "head.1.weight"} <= set(pulled)


@pytest.mark.slow
def test_an_l1_penalty_pulls_weights_to_zero(data, tmp_path):
    free, held = (fitted(data, tmp_path / str(l1), l1=l1, optimizer="sgd", lr=0.01) for l1 in (0.0, 0.05))
    size = [model.net_.head[1].weight.abs().sum().item() for model in (free, held)]
    assert size[1] < 0.8 * size[0]


@pytest.mark.slow
def test_a_smaller_learning_rate_of_the_backbone_leaves_it_nearer_to_where_it_was(data, tmp_path):
    torch.manual_seed(0)
    start = small()._network(data[1], False, False).backbone[0].weight
    far, near = (
        (fitted(data, tmp_path / str(rate), backbone_lr=rate, ema=0.0).net_.backbone[0].weight - start).abs().sum()
        for rate in (1.0, 0.01)
    )
    assert near < 0.1 * far


def test_gradients_of_accumulated_batches_make_one_step(data, tmp_path):
    """Without norms and random changes, two batches of 8 are one of 16."""
    plain = {"flip": False, "rotate": 0.0, "crop": 0.0, "color": 0.0, "epochs": 1}
    one = fitted(data, tmp_path / "one", batch=16, **plain).predict_proba(data[0])
    two = fitted(data, tmp_path / "two", batch=8, accumulate=2, **plain).predict_proba(data[0])
    np.testing.assert_allclose(two, one, atol=1e-5)


def test_a_checkpoint_holds_no_pickle(data, tmp_path):
    fitted(data, tmp_path, epochs=1)
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert json.loads((tmp_path / "checkpoint.json").read_text())["epoch"] == 1
    (epoch, parts, _), trouble = checkpoint.load(tmp_path, "cpu")
    assert (epoch, trouble) == (1, "")
    assert {"net", "average", "optimizer"} <= set(parts)


def test_the_precision_is_tried_once_and_then_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "fast_bf16", lambda: True)
    tried = []
    monkeypatch.setattr(precision, "_tried", lambda *given: tried.append(given) or {"fp32": 100.0, "bf16": 130.0})
    said = []
    for _ in range(2):
        params = CNN.resolve(
            small(precision="auto").parameters(), cache=tmp_path, device="cpu", threads=1, say=said.append
        )
        assert params["precision"] == "bf16"
    assert len(tried) == 1
    assert "bf16" in said[0]
    assert (
        CNN.resolve(small().parameters(), cache=tmp_path, device="cpu", threads=1, say=said.append)["precision"]
        == "fp32"
    )


@pytest.mark.parametrize("n", [17, 33, 49, 97])
def test_no_step_is_left_with_a_single_photograph(n):
    split = dataloader.epoch_steps(np.full((n, 2), 32), 16, [0, 0])
    assert sum(len(rows) for [rows] in split) == n
    assert min(len(rows) for [rows] in split) >= 8
    assert max(len(rows) for [rows] in split) <= 16


def test_a_plan_of_fewer_photographs_than_a_batch_is_one_step():
    [[rows]] = dataloader.epoch_steps(np.full((3, 2), 32), 16, [0, 0])
    assert sorted(rows) == [0, 1, 2]


@pytest.mark.parametrize("loss", LOSSES.names())
def test_a_trial_of_precisions_times_both(tmp_path, monkeypatch, loss):
    monkeypatch.setattr(precision, "fast_bf16", lambda: True)
    model = small(loss=loss)
    chosen, speeds = precision.faster_precision(
        lambda bf16: model._network(np.array([[20, 20], [40, 40]]), False, bf16), 32, {}, cache=tmp_path, device="cpu",
        threads=1,
    )  # fmt: skip
    assert set(speeds) == {"fp32", "bf16"}
    assert chosen in speeds
    assert min(speeds.values()) > 0


def test_trained_without_a_trial_the_precision_is_fp32_and_the_record_says_so(data, tmp_path):
    assert fitted(data, tmp_path, epochs=1, precision="auto").fit_info_["precision"] == "fp32"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_training_gives_about_what_the_processor_gives(data, tmp_path):
    rows = []
    for device in ("cpu", "cuda"):
        model = small(epochs=2, flip=False, rotate=0.0, crop=0.0, color=0.0)
        model.set_params(device=device).fit(*data[:2], cv=data[2], checkpoint_dir=tmp_path / device)
        rows.append(model.predict_proba(data[0]))
    np.testing.assert_allclose(*rows, atol=1e-3)
