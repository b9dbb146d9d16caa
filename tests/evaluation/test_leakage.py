"""Out-of-fold / test discrepancies: chance is no leak, a leak is, and an ensemble answers for its members."""

import numpy as np
import pytest
from helpers.made_up import experiment, put, put_cells

from ageensemble._utils.io import file_hash, read_json, write_json
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS, parse_age_groups
from ageensemble.ensembles.pooling import Pool
from ageensemble.evaluation import leakage
from ageensemble.evaluation.predictions import Predictions
from ageensemble.experiments import discrepancy
from ageensemble.reporting import leaderboard
from ageensemble.splits.split import TEST

N, FOLDS = 1200, 3
difference = leakage.stratified_difference


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Honest cells, cells that had seen half of what was held out from them or of the test part, and a good import."""
    rng = np.random.default_rng(0)
    age = rng.integers(3, 90, N)
    folder = experiment(tmp_path_factory.mktemp("gaps"), age, np.arange(N) // 2)
    part, seen = folder.split.fold, rng.random(N) < 0.5

    def cells(knows):
        errors = rng.normal(0, 6, (FOLDS, N))
        return [np.rint(age + np.where(knows(fold), 0, errors[fold])).astype(int) for fold in range(FOLDS)]

    put_cells(folder, "honest", cells(lambda fold: np.zeros(N, bool)))
    put_cells(folder, "leaked", cells(lambda fold: seen & (part == fold)))
    put_cells(folder, "saw-the-test", cells(lambda fold: seen & (part == TEST)))
    put(folder, "declared", cells(lambda fold: np.zeros(N, bool))[0])
    put(folder, "test-only", age, parts=("test",))
    return folder


def measured(folder, age_groups=DEFAULT_AGE_GROUPS):
    table = leaderboard.rows(folder, age_groups)
    return table.set_index("run")[leakage.COLUMNS].T.to_dict()


def test_a_leak_is_suspicious_whichever_way_and_honest_runs_are_clean(folder):
    found = measured(folder)
    states = {name: row["gap_state"] for name, row in found.items()}
    assert states == {
        "honest": "clean",
        "declared": "clean",
        "leaked": "suspicious",
        "saw-the-test": "suspicious",
        "test-only": "not measured",
    }
    assert found["leaked"]["gap_low"] > 0
    assert found["leaked"]["gap_why"].startswith("better out-of-fold than on the test part, as if it had seen items")
    assert found["saw-the-test"]["gap_high"] < 0
    assert found["saw-the-test"]["gap_why"].startswith("better on the test part than out-of-fold")
    assert found["test-only"]["gap_why"] == "no out-of-fold predictions"


def parts(spoilt, n=1500, seed=0):
    """Out-of-fold predictions, and those of three fold fits of the test part; `spoilt` years are added to errors."""
    rng = np.random.default_rng(seed)
    age, test = rng.integers(3, 90, n), np.arange(n) % 5 == 0

    def predicted(part, extra=0.0):
        years = np.clip(np.rint(age[part] + rng.normal(0, 6, part.sum()) * (1 + extra)), 0, 120).astype(int)
        groups, ids = np.flatnonzero(part), np.array([f"{i:04}" for i in np.flatnonzero(part)])
        return Predictions(np.eye(121)[years], age[part], groups, item_id=ids)

    return predicted(~test), [predicted(test, spoilt) for _ in range(3)]


@pytest.mark.parametrize(("spoilt", "state"), [(0, "clean"), (0.5, "suspicious"), (-0.5, "suspicious")])
def test_discrepancy_of_arrays_is_suspicious_where_a_part_is_better(spoilt, state):
    found = leakage.oof_test_discrepancy(*parts(spoilt))
    assert found.state == state
    assert found.low < found.value < found.high
    assert bool(found.why) == (state == "suspicious")


def test_discrepancy_does_not_depend_on_the_order_of_items():
    oof, test = parts(0)
    rows = np.random.default_rng(1).permutation(len(oof))
    assert leakage.oof_test_discrepancy(oof[rows], test) == leakage.oof_test_discrepancy(oof, test)
    assert leakage.oof_test_discrepancy(oof, []).why == "the split has no test part"


def test_a_bag_is_better_than_its_cells_and_that_is_no_gap(folder):
    table = leaderboard.rows(folder, DEFAULT_AGE_GROUPS).set_index("run")
    flattery = table.loc["honest", "test_mae"] - table.loc["honest", "oof_mae"]
    assert flattery < -1
    assert abs(table.loc["honest", "gap"]) < 0.6


def test_the_gap_is_the_plain_difference_where_all_ages_are_one(tmp_path):
    folder = experiment(tmp_path, np.full(N, 40))
    put_cells(folder, "one", np.full((FOLDS, N), 40) + np.where(folder.split.fold == TEST, 7, 5))
    row = measured(folder)["one"]
    assert (row["gap"], row["gap_low"], row["gap_high"]) == pytest.approx((2, 2, 2))


def test_more_old_people_in_the_test_part_are_no_gap():
    rng = np.random.default_rng(0)
    test = np.arange(2000) % 4 == 0
    old = rng.random(2000) < np.where(test, 0.6, 0.4)
    values = np.where(old, 10, 2) + rng.normal(0, 1, 2000)
    value, low, high = difference(values, test, old.astype(int), np.arange(2000))
    assert abs(value) < 0.1
    assert low < 0 < high
    assert difference(values, test, np.zeros(2000, int), np.arange(2000))[1] > 1  # without the strata


def test_the_more_runs_are_looked_at_the_wider_the_intervals():
    rng = np.random.default_rng(0)
    values, test = rng.normal(0, 1, 1000), np.arange(1000) % 5 == 0
    alone, family = (difference(values, test, np.zeros(1000, int), np.arange(1000), k) for k in (1, 10))
    assert alone[0] == family[0]
    ratio = (family[2] - family[1]) / (alone[2] - alone[1])
    assert ratio == pytest.approx(2.839 / 1.972, abs=0.001)  # Student's t of 199 degrees of freedom


def test_clusters_of_alike_items_count_once():
    rng = np.random.default_rng(0)
    values, test, zero = rng.normal(0, 1, 500), np.arange(500) % 5 == 0, np.zeros(500, int)
    once = difference(values, test, zero, np.arange(500))
    four = difference(np.repeat(values, 4), np.repeat(test, 4), np.repeat(zero, 4), np.repeat(np.arange(500), 4))
    assert four == pytest.approx(once, rel=2e-3)


def test_pairs_of_one_test_item_each_are_a_paired_comparison():
    rng = np.random.default_rng(0)
    low = []
    for _ in range(200):
        values, test = rng.normal(0, 1, 200), np.arange(200) % 2 == 0
        low += [difference(values, test, np.arange(200) // 2, np.arange(200))[1:]]
    assert 0.01 <= np.mean([a > 0 or b < 0 for a, b in low]) <= 0.1  # without counting the strata: 0.17


def test_too_few_clusters_are_not_measured(tmp_path):
    folder = experiment(tmp_path, np.arange(140) % 90)  # 28 of them are test items
    put(folder, "one", np.arange(140) % 90)
    assert measured(folder)["one"]["gap_why"] == "fewer than 30 groups"


def test_test_items_of_another_data_set_are_no_leak(tmp_path):
    age = np.arange(N) % 90
    folder = experiment(tmp_path, age)
    test = folder.split.fold == TEST
    put(folder, "one", age + np.where(test, 12, 5))
    assert measured(folder)["one"]["gap_state"] == "suspicious"
    folder.items["dataset"] = np.where(test, "other faces", "made up")
    row = measured(folder)["one"]
    assert (row["gap_state"], row["gap_why"]) == ("not measured", "the test part is of another data set")
    assert leaderboard.marked(leaderboard.rows(folder, DEFAULT_AGE_GROUPS)) == [("one (import)", leaderboard.BEST)]


def test_groups_that_hold_too_few_are_not_measured_where_they_are_what_is_scored(tmp_path):
    low, high = np.array([(0, 2), (4, 6)])[(np.arange(900) % 30 == 0).astype(int)].T
    folder = experiment(tmp_path, np.stack([low, high], 1))
    put(folder, "one", low)
    assert measured(folder, AGE_GROUPS["adience"])["one"]["gap_state"] == "clean"
    for text in ("4-6", "20-30"):  # which 30 items lie in, and none
        assert measured(folder, parse_age_groups(text))["one"]["gap_why"] == "fewer than 30 groups"


def test_rounding_is_no_gap():
    value, low, high = difference(np.full(900, 1 / 3), np.arange(900) % 5 == 0, np.zeros(900, int), np.arange(900))
    assert low < 0 < high
    assert abs(value) < 1e-12


def test_ranges_are_measured_by_accuracy(tmp_path):
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array([*age_groups.ranges, (21, 22)])[np.arange(900) % 9].T
    folder = experiment(tmp_path, np.stack([low, high], 1))
    rng = np.random.default_rng(0)
    wrong = rng.random(900) < 0.4
    put(folder, "honest", np.where(wrong, 100 - low, low))
    put(folder, "leaked", np.where(wrong & (folder.split.fold == TEST), 100 - low, low))
    found = measured(folder, age_groups)
    assert found["honest"]["gap_state"] == "clean"
    assert found["leaked"]["gap_high"] < 0
    assert found["leaked"]["gap_why"].startswith("better out-of-fold")


# --- stacks -----------------------------------------------------------------------------------------------------


def stack(folder, members, years):
    """A stack that is the mean of its members."""
    hashes = {name: file_hash(folder.folder / name / "done.json") for name in members}
    run = put(folder, "mean", years, kind="stack", members=hashes)
    pool = Pool("linear", np.full(len(members), 1 / len(members)), np.ones(len(members)))
    record = read_json(run.folder / "record.json") | {"pool": pool.to_json()}
    write_json(run.folder / "record.json", record)
    run._seal()
    return run


def test_a_stack_is_measured_by_pools_of_single_cells(folder):
    run = stack(folder, ["honest", "declared"], folder.y[:, 0])
    runs = folder.runs
    arrays = discrepancy.single_predictions(run, FOLDS, runs)
    cells = [np.load(folder.folder / "honest" / f"fold-{fold}" / "test.npy") for fold in range(FOLDS)]
    declared = np.load(folder.folder / "declared" / "test.npy")
    assert len(arrays) == FOLDS
    for array, cell in zip(arrays, cells, strict=True):
        assert array == pytest.approx((cell + declared) / 2, abs=1e-6)


def test_a_stack_of_a_suspicious_member_is_suspicious_whatever_its_own_gap(folder):
    stack(folder, ["honest", "leaked"], np.clip(folder.y[:, 0] + 4, 0, 120))
    row = measured(folder)["mean"]
    assert row["gap_state"] == "suspicious"
    assert row["gap_why"] == "made of suspicious leaked"
    warnings = leaderboard.view(leaderboard.rows(folder, DEFAULT_AGE_GROUPS), folder, DEFAULT_AGE_GROUPS).warnings
    [warning] = [text for text in warnings if text.startswith("mean: suspicious")]
    assert "made of suspicious leaked" in warning


def test_a_stack_whose_member_was_fitted_again_is_not_measured(folder):
    run = stack(folder, ["honest", "declared"], folder.y[:, 0])
    put(folder, "declared", folder.y[:, 0])
    assert discrepancy.single_predictions(run, FOLDS, folder.runs) == []
    row = measured(folder)["mean"]
    assert (row["gap_state"], row["gap_why"]) == ("not measured", "its members are no longer as they were")
    assert np.isnan(row["gap"])


def test_the_answers_that_are_compared_are_those_of_the_part(folder):
    run = next(run for run in folder.runs if run.folder.name == "honest")
    oof = {"honest": run.predictions("oof")}
    row = discrepancy.measured([run], folder, DEFAULT_AGE_GROUPS, oof)["honest"]
    cells = [np.load(run.fold_folder(fold) / "test.npy").argmax(1) for fold in range(FOLDS)]
    test = np.mean([np.abs(cell - folder.y[folder.split.test, 0]).mean() for cell in cells])
    own = np.abs(oof["honest"].median - folder.y[folder.split.development, 0]).mean()
    assert row["gap"] == pytest.approx(test - own, abs=0.15)  # but for the strata


def test_a_gap_is_what_it_is_where_strata_are_split_unalike():
    test = np.concatenate([np.arange(1000) < 900, np.arange(1000) < 50])  # of the young nearly all, of the old few
    strata = np.repeat([0, 1], 1000)
    values = 2.0 * test + 10 * strata + np.random.default_rng(0).normal(0, 0.5, 2000)
    value, low, high = difference(values, test, strata, np.arange(2000))
    assert value == pytest.approx(2, abs=0.1)
    assert low < 2 < high


def test_parts_without_common_strata_cannot_be_compared():
    test = np.arange(400) < 200
    found = difference(np.where(test, 10.0, 0.0), test, test.astype(int), np.arange(400))
    assert np.isnan(found).all()
    assert leakage.judge(*found[1:], True)[0] == leakage.NOT_MEASURED


def test_an_import_that_does_better_on_the_test_part_may_be_a_bag_and_one_that_does_worse_leaks():
    assert leakage.judge(-0.5, -0.1, True, several_models=True)[0] == leakage.NOT_MEASURED
    assert leakage.judge(0.1, 0.5, True, several_models=True)[0] == leakage.SUSPICIOUS
    assert leakage.judge(-0.5, -0.1, True)[0] == leakage.SUSPICIOUS
