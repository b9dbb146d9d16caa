"""Each method finds weights that are worth having, and is not led astray by members that are worth nothing."""

import numpy as np
import pytest
from helpers.predicted import bells, exact

from ageensemble import ages
from ageensemble.ensembles import Greedy, Mean, Pool, Stacking, greedy, stacking
from ageensemble.evaluation.calibration import fit_temperature, log_proba


def people(n, seed, errors, said=None, noise=0):
    """Logarithmic distributions, `(M, n, A)`, of members who err by so many years, then of mere noise; and labels."""
    rng = np.random.default_rng(seed)
    age = rng.integers(25, 90, n)
    members = [bells(age + rng.normal(0, e, n), s) for e, s in zip(errors, said or errors, strict=True)]
    members += [bells(rng.permutation(age) + rng.normal(0, 5, n), 5) for _ in range(noise)]
    return np.stack([log_proba(member) for member in members]), exact(age)


def fitted(method, members, y):
    """A pool fitted as a stack does it: temperatures first."""
    found = np.array([fit_temperature(member, y) for member in members])
    pool = method.fit_pool(members / found[:, None, None].astype(np.float32), y, np.arange(len(y)))
    return Pool(pool.kind, pool.weights, found, pool.biases, pool.shrinkage)


def errors_of(pool, members, y):
    return np.abs(ages.median(pool.of_logs(members)) - y[:, 0])


each_method = pytest.mark.parametrize("method", [Mean(), Greedy(), Stacking()], ids=["mean", "greedy", "stack"])


@each_method
def test_two_equals_are_better_together(method):
    members, y = people(1500, 0, [6, 6])
    pool = fitted(method, members, y)
    assert pool.weights[0] == pytest.approx(pool.weights[1], abs=0.11)
    new, labels = people(3000, 1, [6, 6])
    alone = errors_of(Pool("log", np.array([1.0, 0.0]), np.ones(2)), new, labels).mean()
    assert alone == pytest.approx(6 * np.sqrt(2 / np.pi), rel=0.03)
    assert errors_of(pool, new, labels).mean() == pytest.approx(alone / np.sqrt(2), rel=0.04)


def test_the_stack_knows_that_independent_members_sharpen_each_other():
    members, y = people(2000, 0, [6, 6, 6])
    pool = fitted(Stacking(), members, y)
    assert pool.weights.sum() == pytest.approx(3, rel=0.1)  # the product of three, not its root
    assert fit_temperature(np.log(pool.of_logs(people(2000, 1, [6, 6, 6])[0])), y=people(2000, 1, [6, 6, 6])[1]) < 1.1


@pytest.mark.parametrize("method", [Greedy(), Stacking()])
def test_a_member_that_only_blurs_another_adds_nothing(method):
    rng = np.random.default_rng(0)
    age = rng.integers(25, 90, 1500)
    seen = age + rng.normal(0, 5, 1500)
    members = np.stack([log_proba(bells(seen, 5)), log_proba(bells(seen + rng.normal(0, 5, 1500), 5 * np.sqrt(2)))])
    weights = fitted(method, members, exact(age)).weights
    assert weights[0] == pytest.approx(1, abs=0.08)
    assert weights[1] < 0.08


@pytest.mark.parametrize("method", [Greedy(), Stacking()])
def test_twenty_members_of_noise_do_no_harm(method):
    members, y = people(500, 0, [5], noise=20)
    pool = fitted(method, members, y)
    new, labels = people(3000, 1, [5], noise=20)
    good = errors_of(Pool("log", np.r_[1.0, np.zeros(20)], np.ones(21)), new, labels)
    difference = errors_of(pool, new, labels) - good
    assert difference.mean() < 2 * difference.std() / np.sqrt(len(labels)) + 0.02
    assert pool.weights[1:].sum() < 0.06 * pool.weights[0]  # one step of greedy's twenty


def test_twenty_members_on_two_hundred_items_are_not_overfitted():
    skill = [5 + 0.5 * i for i in range(20)]
    members, y = people(200, 0, skill)
    pool = fitted(Stacking(), members, y)
    divided = pool.temperatures[:, None, None].astype(np.float32)
    free = stacking.fit_log_pool(members / divided, y, 1e-3)  # next to no shrinkage
    new, labels = people(2000, 1, skill)
    ideal = stacking.log_pool_losses(
        new, labels, np.r_[np.ones(20), np.zeros(14)]
    ).mean()  # the product of independent bells
    excess = [
        stacking.log_pool_losses(new / divided, labels, x).mean() - ideal
        for x in (np.r_[pool.weights, pool.biases], free)
    ]
    assert 0 < excess[0] < 0.03
    assert excess[1] > 0.05


def test_a_member_twice_counts_as_one_with_both_weights():
    members, y = people(1500, 0, [5, 7])
    pair, triple = fitted(Stacking(), members, y), fitted(Stacking(), members[[0, 0, 1]], y)
    assert triple.weights[0] == pytest.approx(triple.weights[1], abs=1e-3)
    assert np.abs(triple.of_logs(members[[0, 0, 1]]) - pair.of_logs(members)).max() < 0.01


@each_method
def test_who_is_far_too_sure_is_taken_at_his_worth(method):
    members, y = people(1500, 0, [6, 6], said=[6, 4])
    pool = fitted(method, members, y)
    assert pool.temperatures == pytest.approx([1, 2.25], rel=0.1)
    assert pool.weights[0] == pytest.approx(pool.weights[1], abs=0.11)


def test_a_bias_mends_what_is_too_rare():
    rng = np.random.default_rng(0)
    age = np.where(rng.random(1500) < 0.8, 62, 59)
    unsure = np.zeros((1500, ages.N_AGES))
    unsure[:, [59, 62]] = 0.5
    pool = fitted(Stacking(), np.stack([log_proba(unsure)] * 2), exact(age))
    assert pool.of_logs(np.stack([log_proba(unsure)] * 2))[0, [59, 62]] == pytest.approx([0.2, 0.8], abs=0.03)


def test_fewer_items_are_shrunk_more():
    members, y = people(60, 3, [6, 6.5, 7, 6])
    weights = {strength: stacking.fit_log_pool(members, y, strength)[:4] for strength in (1e6, 1.0)}
    assert np.ptp(weights[1e6]) < 0.01
    assert np.ptp(weights[1.0]) > 0.1
    assert weights[1e6].sum() == pytest.approx(weights[1.0].sum(), rel=0.3)  # which is left free


def test_members_that_know_less_than_the_histogram_are_not_heard():
    members, y = people(500, 0, [5, 9], noise=3)
    found = np.array([fit_temperature(member, y) for member in members], np.float32)
    assert stacking.informative(members / found[:, None, None], y).tolist() == [0, 1]
    assert stacking.informative(members[2:], y).tolist() == [0, 1, 2]  # somebody must speak


def test_greedy_adds_the_best_first_and_counts_how_often():
    members, y = people(800, 0, [5, 5, 30])
    weights = fitted(Greedy(), members, y).weights
    assert weights.sum() == pytest.approx(1)
    assert weights[2] < 0.2
    steps = next(n for n in range(1, greedy.STEPS + 1) if np.allclose(weights * n, np.rint(weights * n)))
    assert steps > 1
    alone = fitted(Greedy(), people(800, 0, [5, 40])[0], y).weights
    assert alone[0] > 0.9


def test_of_all_steps_of_greedy_the_best_counts(monkeypatch):
    scripted = [[1.0, 2.0], [2.0, 0.5], [0.9, 3.0], [0.7, 3.0]]
    monkeypatch.setattr(greedy, "STEPS", 4)
    monkeypatch.setattr(greedy, "_losses_of_adding", lambda scores, total, y, step: np.array(scripted[step - 1]))
    members, y = people(10, 0, [5, 5])
    assert Greedy().fit_pool(members, y, np.arange(10)).weights.tolist() == [0.5, 0.5]


# --- the fit of a log-pool --------------------------------------------------------------------------------------


def problem(labels):
    members, y = people(300, 5, [5, 8, 12])
    if labels == "ranges":
        y = np.stack([y[:, 0] // 7 * 7, y[:, 0] // 7 * 7 + 6], 1)
    x = np.r_[0.5, 0.2, 0.6, np.random.default_rng(0).normal(0, 0.3, 14)]
    return members, y, x


@pytest.mark.parametrize("labels", ["exact", "ranges"])
def test_the_gradient_is_that_of_finite_differences(labels):
    members, y, x = problem(labels)
    value, slope, _ = stacking.derivatives(members, y, x)
    assert value == pytest.approx(stacking.log_pool_losses(members, y, x).mean())
    for i, step in enumerate(1e-2 * np.eye(len(x))):
        difference = (
            stacking.log_pool_losses(members, y, x + step).mean()
            - stacking.log_pool_losses(members, y, x - step).mean()
        )
        assert slope[i] == pytest.approx(difference / 2e-2, abs=5e-4)


def test_the_curvature_is_that_of_finite_differences_of_the_gradient():
    members, y, x = problem("exact")
    curvature = stacking.derivatives(members, y, x)[2]
    for i, step in enumerate(1e-2 * np.eye(len(x))):
        above, below = (stacking.derivatives(members, y, point)[1] for point in (x + step, x - step))
        assert curvature[i] == pytest.approx((above - below) / 2e-2, abs=2e-3)


@pytest.mark.parametrize("labels", ["exact", "ranges"])
@pytest.mark.parametrize("shrinkage", [1.0, 300.0])
def test_the_fit_ends_where_no_allowed_direction_leads_down(labels, shrinkage):
    members, y, _ = problem(labels)
    members = np.concatenate([members, members[:1, ::-1]])  # one that would like a weight below zero, or none
    x = stacking.fit_log_pool(members, y, shrinkage)
    slope = stacking.derivatives(members, y, x)[1] + stacking.penalty(4, shrinkage / 300) @ x
    assert x[:4].min() >= 0
    free = np.r_[x[:4] > 0, np.ones(14, bool)]
    assert np.abs(slope[free]).max() < 2e-3
    assert np.all(slope[~free] > -1e-3)


def test_the_penalty_by_hand():
    matrix = stacking.penalty(2, 3.0)
    x = np.r_[0.9, 0.1, 2.0, np.zeros(13)]
    assert x @ matrix @ x / 2 == pytest.approx(1.5 * (0.16 + 0.16 + 4), rel=1e-5)
