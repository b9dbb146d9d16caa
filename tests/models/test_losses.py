"""Losses: what they punish, and that each ends in an age distribution."""

import numpy as np
import pytest
import torch

from ageensemble import ages
from ageensemble.errors import DataError
from ageensemble.models.distribution import age_classes
from ageensemble.models.neural.losses import LOSSES

RANGES = [name for name in LOSSES.names() if not LOSSES.load(name).exact]


def labels(*years):
    return np.array([[year, year] if isinstance(year, int) else year for year in years])


TRAINED = labels(*[20, 30, 40, 50, 60] * 20)


def made(name, y=TRAINED, smoothing=0.0, correction=None):
    correction = np.ones(ages.N_AGES) if correction is None else correction
    loss = LOSSES.load(name)(y, age_groups=age_classes(y)[0], sigma=2.0, smoothing=smoothing, correction=correction)
    if loss.learns_residuals:
        loss.learn_residuals(torch.full((60,), 40.0), torch.arange(60) % 3 + 39)
    return loss


def punished(loss, output, *years):
    low, high = torch.tensor(labels(*years)).T
    return loss(torch.as_tensor(output, dtype=torch.float32), low, high)


@pytest.mark.parametrize("name", LOSSES.names())
def test_every_loss_reads_outputs_as_age_distributions(name):
    loss = made(name)
    rows = loss.distribution(torch.randn(7, loss.outputs)).detach().numpy()
    assert rows.shape == (7, 121)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)
    assert rows.min() >= 0


@pytest.mark.parametrize("name", LOSSES.names())
def test_going_down_the_slope_of_a_loss_brings_the_age_that_was_taught(name):
    loss = made(name)
    output = torch.zeros(2, loss.outputs, requires_grad=True)
    made_of = torch.optim.Adam([output], 0.05)
    for _ in range(400):
        made_of.zero_grad()
        punished(loss, output, 20, 60).sum().backward()
        made_of.step()
    near = {"ordinal": 6, "age_groups": 4}.get(name, 2)  # thresholds that all share; the middle of the group 51-60
    assert loss.years(output).tolist() == pytest.approx([20, 60], abs=near)


@pytest.mark.parametrize("name", [name for name in LOSSES.names() if LOSSES.load(name).exact])
def test_a_loss_that_needs_one_age_says_so_of_ranges(name):
    with pytest.raises(DataError, match=rf"loss={name} needs exact ages"):
        made(name, labels((0, 2), (4, 6)))


@pytest.mark.parametrize("name", RANGES)
def test_a_range_is_as_likely_as_its_years_together(name):
    loss = made(name, labels((0, 2), (4, 6), (8, 13)))
    wide = punished(loss, torch.zeros(1, loss.outputs), (4, 6))
    assert torch.isfinite(wide).all()
    assert loss.distribution(torch.zeros(1, loss.outputs)).sum().item() == pytest.approx(1, abs=1e-5)


def test_cross_entropy_is_minus_the_log_of_the_probability_of_the_true_age():
    loss = made("crossentropy")
    output = torch.randn(1, 121)
    row = loss.distribution(output)[0]
    assert punished(loss, output, 30).item() == pytest.approx(-np.log(row[30].item()), rel=1e-5)
    assert punished(loss, output, (30, 32)).item() == pytest.approx(-np.log(row[30:33].sum().item()), rel=1e-5)


def test_label_smoothing_spreads_a_share_over_all_ages():
    output = torch.randn(1, 121)
    plain, smooth = made("crossentropy"), made("crossentropy", smoothing=0.1)
    log = plain.distribution(output).log()
    expected = -(0.9 * log[0, 30] + 0.1 * log.mean())
    assert punished(smooth, output, 30).item() == pytest.approx(expected.item(), rel=1e-5)


def test_soft_labels_have_their_least_loss_at_the_blurred_label():
    loss = made("softlabel")
    bell = np.exp(-0.5 * ((np.arange(121) - 30) / 2) ** 2)
    bell /= bell.sum()
    entropy = -(bell * np.log(np.maximum(bell, 1e-300))).sum()
    perfect = torch.tensor(np.log(np.maximum(bell, 1e-30)))[None] - loss.prior
    assert punished(loss, perfect, 30).item() == pytest.approx(entropy, rel=1e-4)


def test_an_untrained_network_predicts_the_training_histogram():
    np.testing.assert_allclose(
        made("softlabel").distribution(torch.zeros(1, 121))[0].numpy(), ages.histogram(TRAINED), atol=1e-6
    )


def test_the_mean_variance_loss_adds_its_three_terms():
    loss, output = made("meanvariance"), torch.randn(1, 121)
    row = loss.distribution(output)[0].numpy()
    mean = (row * np.arange(121)).sum()
    variance = (row * (np.arange(121) - mean) ** 2).sum()
    expected = -np.log(row[30]) + 0.1 * (mean - 30) ** 2 + 0.05 * variance
    assert punished(loss, output, 30).item() == pytest.approx(expected, rel=1e-4)


def test_the_ordinal_loss_counts_every_step_between_the_ages():
    loss = made("ordinal")
    older = torch.sigmoid(loss.threshold)
    expected = -(torch.log(older[:30]).sum() + torch.log(1 - older[30:]).sum())
    assert punished(loss, torch.zeros(1, 1), 30).item() == pytest.approx(expected.item(), rel=1e-4)


def test_smooth_l1_is_the_error_less_half_a_year_beyond_one_year():
    loss = made("smoothl1")
    at = (33.0 - loss.scale[0]) / loss.scale[1]
    assert punished(loss, [[at]], 30).item() == pytest.approx(2.5, abs=1e-4)
    assert punished(made("l1"), [[at]], 30).item() == pytest.approx(3, abs=1e-4)
    assert punished(made("mse"), [[at]], 30).item() == pytest.approx(9 / loss.scale[1].item() ** 2, rel=1e-4)


def test_a_number_becomes_the_residuals_of_the_inner_part_around_it():
    loss = made("l1")
    row = loss.distribution(torch.tensor([[(50.0 - loss.scale[0]) / loss.scale[1]]]))[0].numpy()
    assert row[49:52].sum() > 0.75  # residuals -1, 0, 1, smoothed by a year
    assert row.argmax() == 50


def test_the_correction_takes_group_weights_back():
    correction = np.where(np.arange(ages.N_AGES) < 45, 2.0, 0.5)  # the young weighed half in training, the old double
    plain, corrected = made("softlabel"), made("softlabel", correction=correction)
    untrained = corrected.distribution(torch.zeros(1, 121))[0].numpy()
    np.testing.assert_allclose(untrained, ages.histogram(TRAINED), atol=1e-6)
    output = torch.randn(1, 121)
    taught = plain.distribution(output)[0].numpy() / correction  # what weights make of a network's answer
    again = corrected.distribution(torch.tensor(np.log(taught))[None] - corrected.prior)[0].numpy()
    np.testing.assert_allclose(again, plain.distribution(output)[0].numpy(), atol=1e-6)
