"""Answers from outside are scored as they were given, know nothing of what they are scored on, and lose no item."""

import json

import numpy as np
import pytest

from ageensemble import ages
from ageensemble._utils.io import file_hash
from ageensemble.ages import DEFAULT_AGE_GROUPS
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import bootstrap, metrics
from ageensemble.experiments import external
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting import leaderboard
from ageensemble.splits.split import make_split


@pytest.fixture
def experiment(dataset, tmp_path):
    """A split of three folds over 123 photographs, without runs."""
    about = {"leaks": 0, "limited": 0}
    return Experiment.create(tmp_path / "runs", dataset, make_split(dataset, 3, 0), about)


def answered(experiment, answer, rows=None, header="item_id,prediction"):
    """A CSV file of `answer(row)` for some rows of the dataset, all unless said."""
    ids = experiment.items["item_id"]
    lines = [f"{ids[row]},{answer(row)}" for row in (range(len(ids)) if rows is None else rows)]
    file = experiment.folder.parent / "preds.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def put(experiment, file, name="theirs", out_of_fold=False, age_groups=DEFAULT_AGE_GROUPS):
    said = []
    return external.import_predictions(file, name, experiment, age_groups, out_of_fold, said.append), "\n".join(said)


def scores(run, experiment, part="test", age_groups=DEFAULT_AGE_GROUPS):
    return metrics.score(run.predictions(part), age_groups=age_groups)


def three_too_old(experiment):
    return lambda row: min(experiment.y[row, 0] + 3.2, 120)


def test_ages_are_scored_as_they_were_given(experiment):
    run, _ = put(experiment, answered(experiment, three_too_old(experiment)))
    found = scores(run, experiment)
    assert (found["mae"], found["bias"], found["cs5"]) == (3, 3, 1)
    assert found["rmse"] == pytest.approx(3, abs=0.01)  # but for the mix with the histogram
    years = scores(run, experiment, age_groups=ages.AGE_GROUPS["years"])
    assert years["accuracy"] == 0  # no answer is right to the year


def test_the_group_of_an_age_is_its_own_under_any_scheme(experiment):
    rows = ages.smooth_with_prior(external.bells(), ages.histogram(experiment.y))
    for age_groups in (DEFAULT_AGE_GROUPS, *map(ages.parse_age_groups, ("years", "decades", "coarse", "0-18,19,20+"))):
        own = age_groups.lookup >= 0
        assert np.array_equal(age_groups.probabilities(rows)[own].argmax(1), age_groups.lookup[own])


@pytest.mark.parametrize("out_of_fold", [False, True])
def test_the_mae_is_the_plain_mae_of_the_rounded_answers(experiment, out_of_fold):
    rng, y = np.random.default_rng(0), experiment.y
    # noisy, shrunken to the middle and far too old: known errors would mend that
    given = np.clip(30 + 0.5 * y[:, 0] + rng.normal(0, 6, len(y)), 0, 120)
    run, _ = put(experiment, answered(experiment, lambda row: given[row]), out_of_fold=out_of_fold)
    split = experiment.split
    for part, rows in {"oof": split.development, "test": split.test}.items():
        if part in run.parts:
            assert np.array_equal(ages.median(run.proba(part)), np.rint(given[rows]))
            assert scores(run, experiment, part)["mae"] == np.abs(np.rint(given[rows]) - y[rows, 0]).mean()


def test_groups_of_imported_ages_are_those_of_the_ages_themselves(experiment):
    rng, y = np.random.default_rng(0), experiment.y
    given = np.clip(np.rint(y[:, 0] + rng.normal(0, 8, len(y))), 0, 120).astype(int)
    mine = ages.parse_age_groups("0-12,13,14-17,18-19,20-64,65+")
    run, _ = put(experiment, answered(experiment, lambda row: given[row]), out_of_fold=True, age_groups=mine)
    for age_groups in (mine, *ages.AGE_GROUPS.values()):
        for part, rows in {"oof": experiment.split.development, "test": experiment.split.test}.items():
            inside = rows[age_groups.lookup[given[rows]] >= 0]
            found = age_groups.probabilities(run.proba(part))[np.isin(rows, inside)].argmax(1)
            assert np.array_equal(found, age_groups.lookup[given[inside]])
    plain = external.ages.distribution_from_residuals(given[experiment.split.development] * 1.0, given * 1.0, y[:, 0])
    wins = (
        DEFAULT_AGE_GROUPS.probabilities(plain).argmax(1)
        == DEFAULT_AGE_GROUPS.lookup[given[experiment.split.development]]
    )
    assert wins.mean() < 0.9  # by errors alone they are not


def test_what_is_not_declared_brings_its_test_items_alone(experiment):
    file = answered(experiment, three_too_old(experiment))
    run, said = put(experiment, file)
    assert (run.kind, run.parts, run.title) == ("import", ("test",), "theirs (import)")
    assert not (run.folder / "oof.npy").exists()
    left_out = len(experiment.split.development)
    assert f"left out: {left_out} answers for items outside the test part; --out-of-fold declares" in said
    record = run.metadata
    assert (record["declared"], record["left_out"]) == ("nothing", left_out)
    assert record["file"] == {"name": "preds.csv", "sha256": file_hash(file)}
    assert set(record["costs"].values()) == {None}
    assert "assumed bell of 8 years" in record["note"]


def test_what_is_declared_out_of_fold_brings_both_parts_and_says_so(experiment):
    run, _ = put(experiment, answered(experiment, three_too_old(experiment)), out_of_fold=True)
    assert run.parts == ("oof", "test")
    assert run.proba("oof").shape == (len(experiment.split.development), 121)
    assert run.metadata["declared"] == "out-of-fold"
    assert run.metadata["note"].startswith("declared out-of-fold by who imported it")
    assert run.metadata["spread"] == "errors of the nearest answers of other folds"


def test_known_errors_make_the_distributions_of_what_is_declared(experiment):
    y = experiment.y
    file = answered(experiment, lambda row: np.clip(y[row, 0] + (-10, 0, 10)[row % 3], 0, 120))
    run, _ = put(experiment, file, out_of_fold=True)
    rows = run.proba("test")
    given = ages.median(rows)
    inside = np.flatnonzero((given > 20) & (given < 100))
    near = np.mean(
        [[rows[i, given[i] + off - 2 : given[i] + off + 3].sum() for off in (-10, -5, 0, 5, 10)] for i in inside], 0
    )
    assert near == pytest.approx([1 / 3, 0, 1 / 3, 0, 1 / 3], abs=0.06)


def with_labels(experiment, rows, ages_there):
    """The same split where these items have other labels."""
    other = Experiment(experiment.folder)
    table = other.items.copy()
    for end in ("age_min", "age_max"):
        table.loc[rows, end] = ages_there
    other.items = table
    return other


@pytest.mark.parametrize("what", ["age", "group", "distribution"])
@pytest.mark.parametrize("part", ["test", "fold"])
def test_no_distribution_knows_a_label_of_its_own_part(experiment, what, part):
    split, y = experiment.split, experiment.y
    wrong = np.clip(y[:, 0] + np.random.default_rng(0).integers(-9, 9, len(y)), 0, 120)
    header, answer = "item_id,prediction", lambda row: wrong[row]
    if what == "group":
        answer = lambda row: DEFAULT_AGE_GROUPS.labels[DEFAULT_AGE_GROUPS.lookup[wrong[row]]]  # noqa: E731
    if what == "distribution":
        header, answer = "item_id,p0,p1", lambda row: "0.5,0.5"
    rows = split.test if part == "test" else split.held_out(1)
    missing = rows[::4]  # scored as the prior
    file = answered(experiment, answer, np.setdiff1d(np.arange(len(y)), missing), header)
    place = (lambda run: run.proba("test")) if part == "test" else lambda run: run.proba("oof")[inside]
    inside = np.isin(split.development, rows)
    before = np.array(place(put(experiment, file, out_of_fold=True)[0]))
    other = with_labels(experiment, rows, 120 - y[rows, 0])
    assert np.array_equal(place(put(other, file, out_of_fold=True)[0]), before)
    elsewhere = with_labels(experiment, split.held_out(0), 120 - y[split.held_out(0), 0])
    assert not np.array_equal(place(put(elsewhere, file, out_of_fold=True)[0]), before)  # or nothing was tested


def test_items_without_an_answer_are_counted_and_scored_as_the_prior(experiment):
    split, y = experiment.split, experiment.y
    missing = np.r_[split.test[:4], split.development[:3]]
    file = answered(experiment, three_too_old(experiment), np.setdiff1d(np.arange(len(y)), missing))
    run, said = put(experiment, file, out_of_fold=True)
    assert run.metadata["missing"] == {"oof": 3, "test": 4}
    for line in (said, run.metadata["note"]):
        assert f"no answer for 4 of {len(split.test)} test items, scored as the prior" in line
        assert f"no answer for 3 of {len(split.development)} items outside the test part" in line
    prior = ages.histogram(y[split.development])
    assert np.allclose(run.proba("test")[:4], prior, atol=1e-6)
    middle = ages.median(prior[None])[0]
    errors = [*np.abs(middle - y[split.test[:4], 0]), *[3] * (len(split.test) - 4)]
    assert scores(run, experiment)["mae"] == np.mean(errors)


def test_rows_of_no_item_are_counted(experiment):
    file = answered(experiment, three_too_old(experiment))
    file.write_text(file.read_text() + "nobody.jpg,30\n")
    run, said = put(experiment, file)
    assert run.metadata["unknown"] == 1
    assert "left out: 1 row of no item of this split; first: nobody.jpg" in said


def test_ages_of_items_labeled_by_ranges_are_scored_by_group(experiment):
    y = experiment.y.copy()
    other = Experiment(experiment.folder)
    low, high = np.array(DEFAULT_AGE_GROUPS.ranges)[DEFAULT_AGE_GROUPS.lookup[y[:, 0]]].T
    other.items = experiment.items.assign(age_min=low, age_max=high)
    run, _ = put(other, answered(experiment, lambda row: y[row, 0]), out_of_fold=True)
    assert run.metadata["spread"] == "bell of 8 years"
    assert scores(run, other)["accuracy"] == scores(run, other, "oof")["accuracy"] == 1


def test_few_known_errors_are_not_gone_by(experiment):
    rows = np.r_[experiment.split.test, experiment.split.development[:20]]
    run, _ = put(experiment, answered(experiment, three_too_old(experiment), rows), out_of_fold=True)
    assert run.metadata["spread"] == "bell of 8 years"


def test_groups_are_scored_as_they_were_given(experiment):
    y = experiment.y
    right = DEFAULT_AGE_GROUPS.of(y)
    given = np.where(np.arange(len(y)) % 2, right, (right + 1) % 14)  # every other one
    file = answered(experiment, lambda row: DEFAULT_AGE_GROUPS.labels[given[row]])
    run, _ = put(experiment, file)
    test = experiment.split.test
    assert scores(run, experiment)["accuracy"] == (test % 2 == 1).mean()
    medians = ages.median(run.proba("test"))
    assert np.array_equal(DEFAULT_AGE_GROUPS.lookup[medians], given[test])
    assert "groups only" in run.metadata["note"]


def test_distributions_are_taken_as_they_are(experiment):
    file = answered(experiment, lambda row: "0.2,0.8", header="item_id,p30,p31")
    run, _ = put(experiment, file)
    assert run.proba("test")[:, [30, 31]] == pytest.approx(
        np.tile([0.2, 0.8], (len(experiment.split.test), 1)), abs=2e-4
    )
    assert run.metadata["note"] == ""


def test_the_label_in_place_of_an_answer_is_noticed(experiment):
    file = answered(experiment, lambda row: experiment.y[row, 0], header="item_id,age")
    run, said = put(experiment, file)
    assert "every answer is the true age: is 'age' the label?" in said
    assert "is 'age' the label?" in run.metadata["note"]


def test_an_import_is_a_row_of_the_table(experiment):
    file = answered(experiment, three_too_old(experiment))
    put(experiment, file, "theirs")
    put(experiment, file, "also theirs", out_of_fold=True)
    table = leaderboard.rows(experiment, DEFAULT_AGE_GROUPS).set_index("model")
    assert list(table.index) == ["also theirs (import)", "theirs (import)"]
    assert set(table["state"]) == {"complete"}
    assert table["test_mae"].tolist() == [3, 3]
    assert table["oof_mae"].isna().tolist() == [False, True]
    assert table["fit_seconds"].isna().all()


def test_the_next_import_of_a_name_replaces_it(experiment):
    put(experiment, answered(experiment, lambda row: 30))
    run, said = put(experiment, answered(experiment, three_too_old(experiment)))
    assert "the earlier import 'theirs' is replaced" in said
    assert [r.folder.name for r in experiment.runs] == ["import-theirs"] == [run.folder.name]
    assert scores(run, experiment)["mae"] == 3
    damaged = run.folder / "run.json"
    damaged.write_text("{")
    assert put(experiment, answered(experiment, lambda row: 30))[0].state(3) == ("complete", "")


def test_a_refused_file_leaves_the_earlier_import_as_it_is(experiment):
    run, _ = put(experiment, answered(experiment, three_too_old(experiment)))
    with pytest.raises(DataError):
        put(experiment, answered(experiment, lambda row: "x"))
    assert run.state(3) == ("complete", "")
    assert scores(run, experiment)["mae"] == 3


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "../up", "a/b", "a\nb", "x" * 51, "-x", "x-", "a  b", "имя", "mean", "Stack", "svm", "svm C=3"],
)
def test_a_name_that_is_no_name_or_that_of_a_model_is_refused(experiment, name):
    with pytest.raises(UsageError, match=r"is no name for an import|reads like a model of ours"):
        put(experiment, answered(experiment, lambda row: 30), name)
    assert not experiment.runs


def test_two_names_do_not_share_a_folder(experiment):
    file = answered(experiment, lambda row: 30)
    put(experiment, file, "their model")
    with pytest.raises(UsageError, match="'their model' would lie in the same folder as 'their-model'"):
        put(experiment, file, "their-model")


@pytest.mark.parametrize("answers_only", ["rest", "test"])
def test_a_part_without_one_answer_is_refused(experiment, answers_only):
    split = experiment.split
    file = answered(experiment, lambda row: 30, split.development if answers_only == "rest" else split.test)
    where = "outside the test part" if answers_only == "test" else "in the test part"
    with pytest.raises(DataError, match=f"has no answer for any item {where}; it should have"):
        put(experiment, file, out_of_fold=True)


def test_the_record_is_plain_json_and_intervals_can_be_drawn(experiment):
    run, _ = put(experiment, answered(experiment, three_too_old(experiment)))
    json.dumps(run.metadata)
    [bars] = bootstrap.estimates([run.predictions("test")], metrics.select(["mae"]), DEFAULT_AGE_GROUPS)
    assert bars["mae"].interval() == (3, 3)
