"""Random changes of photographs."""

import numpy as np
import pytest
import torch

from ageensemble.models.neural.augmentation import augmented

NOTHING = {"flip": False, "rotate": 0.0, "crop": 0.0, "color": 0.0, "erase": 0.0}


def photographs(n=4, height=20, width=20):
    made = np.random.default_rng(0).integers(0, 256, (n, 3, height, width))
    return torch.tensor(made, dtype=torch.float32) / 255


def changed(batch, seed=0, **what):
    return augmented(batch.clone(), torch.Generator().manual_seed(seed), **NOTHING | what)


def test_without_changes_photographs_stay_as_they_are():
    batch = photographs()
    assert torch.equal(changed(batch), batch)


def test_the_same_seed_changes_alike_and_another_one_otherwise():
    what = {"flip": True, "rotate": 10.0, "crop": 0.1, "color": 0.2, "erase": 0.5}
    batch = photographs()
    assert torch.equal(changed(batch, 1, **what), changed(batch, 1, **what))
    assert not torch.equal(changed(batch, 1, **what), changed(batch, 2, **what))


def test_flips_mirror_about_half_of_the_photographs_exactly():
    batch = photographs(200)
    result = changed(batch, flip=True)
    same = (result - batch).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (result - batch.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert torch.all(same ^ mirrored)
    assert 70 < mirrored.sum() < 130


@pytest.mark.parametrize(("height", "width"), [(20, 20), (36, 30)])
def test_a_rotation_keeps_the_middle_and_distances(height, width):
    batch = torch.zeros(50, 3, height, width)
    batch[:, :, height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4] = 1.0
    result = changed(batch, rotate=180.0)
    # a square of 8 pixels covers as much after any turn, whatever the shape of the photograph
    np.testing.assert_allclose(result[:, 0].sum((1, 2)).numpy(), 64, rtol=0.06)


def test_each_photograph_of_a_batch_is_changed_in_its_own_way():
    batch = photographs(1).expand(6, -1, -1, -1)
    for what in ({"rotate": 20.0}, {"crop": 0.2}, {"color": 0.3}, {"erase": 1.0}):
        result = changed(batch, **what)
        assert all(not torch.equal(result[0], result[i]) for i in range(1, 6)), what


def test_erasing_grays_a_rectangle_of_the_size_that_was_said():
    batch = torch.ones(300, 3, 40, 40)
    share = (changed(batch, erase=1.0) == 0.5).float().mean((1, 2, 3))
    assert share.min() > 0.015
    assert share.max() < 0.22
    untouched = (changed(batch, erase=0.25) == 1).all(-1).all(-1).all(-1).float().mean().item()
    assert untouched == pytest.approx(0.75, abs=0.08)


def test_color_keeps_the_order_of_grays():
    ramp = torch.linspace(0, 1, 20).expand(1, 3, 20, 20).clone()
    row = changed(ramp, color=0.5)[0, 0, 0]
    assert torch.all(row.diff() > 0)
