"""What a stack does with next to nothing: few groups, one that is larger than the sample, members of no weight."""

import numpy as np
import pytest
from helpers.combined import combine, good_and_poor
from helpers.predicted import bells, exact

from ageensemble import ages
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.ensembles import Greedy, Mean, Pool, Stacking, cross_fit, stacking
from ageensemble.errors import DataError
from ageensemble.reporting import leaderboard


def drawn(groups, fold):
    """A sample of two members, the first of whom errs half as much."""
    n, rng = len(groups), np.random.default_rng(0)
    age = rng.integers(20, 60, n)
    members = [bells(age + rng.normal(0, error, n), error) for error in (4, 8)]
    return cross_fit.draw_sample(members, exact(age), np.asarray(groups), np.asarray(fold), 0)


@pytest.mark.parametrize(
    ("groups", "fold"),
    [
        ([0, 1, 2], [0, 1, 2]),  # one item each
        ([0, 0, 0, 1, 1, 1, 2, 2, 2], [0, 0, 0, 1, 1, 1, 2, 2, 2]),  # without a fold, two groups for five parts
        ([0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 2, 2]),  # none of fold 1; without a fold, one group
    ],
)
@pytest.mark.parametrize("ensemble", [Mean(), Greedy(), Stacking()])
def test_few_groups_still_make_pools(groups, fold, ensemble):
    found = cross_fit.cross_fit(ensemble, drawn(groups, fold))
    for pool in [found.pool, *found.pools]:
        assert np.isfinite(pool.weights).all()
        assert pool.weights.min() >= 0
    assert len(found.pools) == 3


def test_where_parts_have_nothing_to_tell_members_are_shrunk_most():
    one = drawn([7] * 30, np.arange(30) % 3)
    assert Stacking().fit_pool(one.logs, one.y, one.groups).shrinkage == stacking.STRENGTHS[0]
    many = drawn(np.arange(600), np.arange(600) % 3)
    assert Stacking().fit_pool(many.logs, many.y, many.groups).shrinkage < stacking.STRENGTHS[0]


def test_items_that_all_lie_in_one_fold_are_refused_in_one_line():
    with pytest.raises(DataError, match="lie in one fold"):
        cross_fit.cross_fit(Mean(), drawn([0, 1, 2], [1, 1, 1]))


def test_a_cluster_larger_than_the_sample_gives_way_to_those_that_fit():
    groups = np.r_[np.zeros(500, int), np.arange(1, 301)]
    for seed in range(5):
        rows = cross_fit.draw_groups(groups, 100, seed)
        large, small = (groups[rows] == 0).sum(), (groups[rows] > 0).sum()
        # it takes part only as one of the first twenty, as there must be some
        assert (large, small) in ((0, 100), (500, cross_fit.FEWEST - 1))
    alone = np.zeros(500, int)
    assert np.array_equal(cross_fit.draw_groups(alone, 100, 0), np.arange(500))


NOBODY = """import numpy as np
from ageensemble.ensembles import Ensemble, Pool


class Nobody(Ensemble):
    def fit_pool(self, scores, y, groups, like=None):
        return Pool("log", np.zeros(len(scores)), np.ones(len(scores)))
"""


def test_members_without_any_weight_leave_every_age_alike(dataset, tmp_path):
    experiment = good_and_poor(dataset, tmp_path / "runs")
    (tmp_path / "nobody.py").write_text(NOBODY)
    [run] = combine(experiment, [str(tmp_path / "nobody.py")])
    for part in run.parts:
        assert run.proba(part) == pytest.approx(1 / ages.N_AGES)
    record = run.metadata
    assert [member["weight"] for member in record["members"]] == [0, 0]
    assert [member["loss_without"]["mae"][0] for member in record["members"]] == [0, 0]
    assert record["costs"]["images_per_second"] is None  # nobody is asked
    row = leaderboard.rows(experiment, DEFAULT_AGE_GROUPS).set_index("run").loc["nobody.py"]
    assert (row["state"], row["size_mb"]) == ("complete", 0)
    assert np.isfinite(row["oof_mae"])
    assert Pool.from_json(record["pool"]).weights.tolist() == [0, 0]
