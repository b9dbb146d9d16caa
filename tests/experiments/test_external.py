"""Answers from outside are scored as they were given, know nothing of what they are scored on, and lose no item."""

import json

import numpy as np
import pytest

from ageensemble import ages
from ageensemble._utils.io import file_hash
from ageensemble.ages import FOURTEEN
from ageensemble.errors import DataError, UsageError
from ageensemble.evaluation import bootstrap, metrics
from ageensemble.experiments import external
from ageensemble.experiments.experiment import PlanFolder
from ageensemble.reporting import leaderboard
from ageensemble.splits import split


@pytest.fixture
def plan_folder(manifest, tmp_path):
    """A plan of three folds over 123 photographs, without runs."""
    about = {"leaks": 0, "limited": 0}
    return PlanFolder.create(tmp_path / "runs", manifest, split.make(manifest, 0, 3), about)


def answered(plan_folder, answer, rows=None, header="item_id,prediction"):
    """A CSV file of `answer(row)` for some rows of the manifest, all unless said."""
    ids = plan_folder.items["item_id"]
    lines = [f"{ids[row]},{answer(row)}" for row in (range(len(ids)) if rows is None else rows)]
    file = plan_folder.folder.parent / "preds.csv"
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


def put(plan_folder, file, name="theirs", out_of_fold=False, groups=FOURTEEN):
    said = []
    return external.put(file, name, plan_folder, groups, out_of_fold, said.append), "\n".join(said)


def scores(run, plan_folder, part="test", groups=FOURTEEN):
    plan = plan_folder.plan
    rows = plan.test if part == "test" else plan.rest
    return metrics.score(run.predictions(part), plan_folder.y[rows], groups)


def three_too_old(plan_folder):
    return lambda row: min(plan_folder.y[row, 0] + 3.2, 120)


def test_ages_are_scored_as_they_were_given(plan_folder):
    run, _ = put(plan_folder, answered(plan_folder, three_too_old(plan_folder)))
    found = scores(run, plan_folder)
    assert (found["mae"], found["bias"], found["cs5"]) == (3, 3, 1)
    assert found["rmse"] == pytest.approx(3, abs=0.01)  # but for the mix with the histogram
    years = scores(run, plan_folder, groups=ages.SCHEMES["years"])
    assert years["accuracy"] == 0  # no answer is right to the year


def test_the_group_of_an_age_is_its_own_under_any_scheme(plan_folder):
    rows = ages.finish(external.bells(), ages.histogram(plan_folder.y))
    for groups in (FOURTEEN, *map(ages.scheme, ("years", "decades", "coarse", "0-18,19,20+"))):
        own = groups.lookup >= 0
        assert np.array_equal(groups.probabilities(rows)[own].argmax(1), groups.lookup[own])


@pytest.mark.parametrize("out_of_fold", [False, True])
def test_the_mae_is_the_plain_mae_of_the_rounded_answers(plan_folder, out_of_fold):
    rng, y = np.random.default_rng(0), plan_folder.y
    # noisy, shrunken to the middle and far too old: known errors would mend that
    given = np.clip(30 + 0.5 * y[:, 0] + rng.normal(0, 6, len(y)), 0, 120)
    run, _ = put(plan_folder, answered(plan_folder, lambda row: given[row]), out_of_fold=out_of_fold)
    plan = plan_folder.plan
    for part, rows in {"oof": plan.rest, "test": plan.test}.items():
        if part in run.parts:
            assert np.array_equal(ages.median(run.predictions(part)), np.rint(given[rows]))
            assert scores(run, plan_folder, part)["mae"] == np.abs(np.rint(given[rows]) - y[rows, 0]).mean()


def test_groups_of_imported_ages_are_those_of_the_ages_themselves(plan_folder):
    rng, y = np.random.default_rng(0), plan_folder.y
    given = np.clip(np.rint(y[:, 0] + rng.normal(0, 8, len(y))), 0, 120).astype(int)
    mine = ages.scheme("0-12,13,14-17,18-19,20-64,65+")
    run, _ = put(plan_folder, answered(plan_folder, lambda row: given[row]), out_of_fold=True, groups=mine)
    for groups in (mine, *ages.SCHEMES.values()):
        for part, rows in {"oof": plan_folder.plan.rest, "test": plan_folder.plan.test}.items():
            inside = rows[groups.lookup[given[rows]] >= 0]
            found = groups.probabilities(run.predictions(part))[np.isin(rows, inside)].argmax(1)
            assert np.array_equal(found, groups.lookup[given[inside]])
    plain = external.ages.from_numbers(given[plan_folder.plan.rest] * 1.0, given * 1.0, y[:, 0])
    wins = FOURTEEN.probabilities(plain).argmax(1) == FOURTEEN.lookup[given[plan_folder.plan.rest]]
    assert wins.mean() < 0.9  # by errors alone they are not


def test_what_is_not_declared_brings_its_test_items_alone(plan_folder):
    file = answered(plan_folder, three_too_old(plan_folder))
    run, said = put(plan_folder, file)
    assert (run.kind, run.parts, run.title) == ("import", ("test",), "theirs (import)")
    assert not (run.folder / "oof.npy").exists()
    left_out = len(plan_folder.plan.rest)
    assert f"left out: {left_out} answers for items outside the test part; --out-of-fold declares" in said
    record = run.about()
    assert (record["declared"], record["left_out"]) == ("nothing", left_out)
    assert record["file"] == {"name": "preds.csv", "sha256": file_hash(file)}
    assert set(record["costs"].values()) == {None}
    assert "assumed bell of 8 years" in record["note"]


def test_what_is_declared_out_of_fold_brings_both_parts_and_says_so(plan_folder):
    run, _ = put(plan_folder, answered(plan_folder, three_too_old(plan_folder)), out_of_fold=True)
    assert run.parts == ("oof", "test")
    assert run.predictions("oof").shape == (len(plan_folder.plan.rest), 121)
    assert run.about()["declared"] == "out-of-fold"
    assert run.about()["note"].startswith("declared out-of-fold by who imported it")
    assert run.about()["spread"] == "errors of the nearest answers of other folds"


def test_known_errors_make_the_distributions_of_what_is_declared(plan_folder):
    y = plan_folder.y
    file = answered(plan_folder, lambda row: np.clip(y[row, 0] + (-10, 0, 10)[row % 3], 0, 120))
    run, _ = put(plan_folder, file, out_of_fold=True)
    rows = run.predictions("test")
    given = ages.median(rows)
    inside = np.flatnonzero((given > 20) & (given < 100))
    near = np.mean(
        [[rows[i, given[i] + off - 2 : given[i] + off + 3].sum() for off in (-10, -5, 0, 5, 10)] for i in inside], 0
    )
    assert near == pytest.approx([1 / 3, 0, 1 / 3, 0, 1 / 3], abs=0.06)


def with_labels(plan_folder, rows, ages_there):
    """The same plan where these items have other labels."""
    other = PlanFolder(plan_folder.folder)
    table = other.items.copy()
    for end in ("age_min", "age_max"):
        table.loc[rows, end] = ages_there
    other.items = table
    return other


@pytest.mark.parametrize("what", ["age", "group", "distribution"])
@pytest.mark.parametrize("part", ["test", "fold"])
def test_no_distribution_knows_a_label_of_its_own_part(plan_folder, what, part):
    plan, y = plan_folder.plan, plan_folder.y
    wrong = np.clip(y[:, 0] + np.random.default_rng(0).integers(-9, 9, len(y)), 0, 120)
    header, answer = "item_id,prediction", lambda row: wrong[row]
    if what == "group":
        answer = lambda row: FOURTEEN.labels[FOURTEEN.lookup[wrong[row]]]  # noqa: E731
    if what == "distribution":
        header, answer = "item_id,p0,p1", lambda row: "0.5,0.5"
    rows = plan.test if part == "test" else plan.held_out(1)
    missing = rows[::4]  # answered by the floor
    file = answered(plan_folder, answer, np.setdiff1d(np.arange(len(y)), missing), header)
    place = (lambda run: run.predictions("test")) if part == "test" else lambda run: run.predictions("oof")[inside]
    inside = np.isin(plan.rest, rows)
    before = np.array(place(put(plan_folder, file, out_of_fold=True)[0]))
    other = with_labels(plan_folder, rows, 120 - y[rows, 0])
    assert np.array_equal(place(put(other, file, out_of_fold=True)[0]), before)
    elsewhere = with_labels(plan_folder, plan.held_out(0), 120 - y[plan.held_out(0), 0])
    assert not np.array_equal(place(put(elsewhere, file, out_of_fold=True)[0]), before)  # or nothing was tested


def test_items_without_an_answer_are_counted_and_scored_with_the_floor_s(plan_folder):
    plan, y = plan_folder.plan, plan_folder.y
    missing = np.r_[plan.test[:4], plan.rest[:3]]
    file = answered(plan_folder, three_too_old(plan_folder), np.setdiff1d(np.arange(len(y)), missing))
    run, said = put(plan_folder, file, out_of_fold=True)
    assert run.about()["missing"] == {"oof": 3, "test": 4}
    for line in (said, run.about()["note"]):
        assert f"no answer for 4 of {len(plan.test)} test items, which get the floor's" in line
        assert f"no answer for 3 of {len(plan.rest)} items outside the test part" in line
    floor = ages.histogram(y[plan.rest])
    assert np.allclose(run.predictions("test")[:4], floor, atol=1e-6)
    middle = ages.median(floor[None])[0]
    errors = [*np.abs(middle - y[plan.test[:4], 0]), *[3] * (len(plan.test) - 4)]
    assert scores(run, plan_folder)["mae"] == np.mean(errors)


def test_rows_of_no_item_are_counted(plan_folder):
    file = answered(plan_folder, three_too_old(plan_folder))
    file.write_text(file.read_text() + "nobody.jpg,30\n")
    run, said = put(plan_folder, file)
    assert run.about()["unknown"] == 1
    assert "left out: 1 row of no item of this plan; first: nobody.jpg" in said


def test_ages_of_items_labelled_by_ranges_are_scored_by_group(plan_folder):
    y = plan_folder.y.copy()
    other = PlanFolder(plan_folder.folder)
    low, high = np.array(FOURTEEN.groups)[FOURTEEN.lookup[y[:, 0]]].T
    other.items = plan_folder.items.assign(age_min=low, age_max=high)
    run, _ = put(other, answered(plan_folder, lambda row: y[row, 0]), out_of_fold=True)
    assert run.about()["spread"] == "bell of 8 years"
    assert scores(run, other)["accuracy"] == scores(run, other, "oof")["accuracy"] == 1


def test_few_known_errors_are_not_gone_by(plan_folder):
    rows = np.r_[plan_folder.plan.test, plan_folder.plan.rest[:20]]
    run, _ = put(plan_folder, answered(plan_folder, three_too_old(plan_folder), rows), out_of_fold=True)
    assert run.about()["spread"] == "bell of 8 years"


def test_groups_are_scored_as_they_were_given(plan_folder):
    y = plan_folder.y
    right = FOURTEEN.of(y)
    given = np.where(np.arange(len(y)) % 2, right, (right + 1) % 14)  # every other one
    file = answered(plan_folder, lambda row: FOURTEEN.labels[given[row]])
    run, _ = put(plan_folder, file)
    test = plan_folder.plan.test
    assert scores(run, plan_folder)["accuracy"] == (test % 2 == 1).mean()
    medians = ages.median(run.predictions("test"))
    assert np.array_equal(FOURTEEN.lookup[medians], given[test])
    assert "groups only" in run.about()["note"]


def test_distributions_are_taken_as_they_are(plan_folder):
    file = answered(plan_folder, lambda row: "0.2,0.8", header="item_id,p30,p31")
    run, _ = put(plan_folder, file)
    assert run.predictions("test")[:, [30, 31]] == pytest.approx(
        np.tile([0.2, 0.8], (len(plan_folder.plan.test), 1)), abs=2e-4
    )
    assert run.about()["note"] == ""


def test_the_label_in_place_of_an_answer_is_noticed(plan_folder):
    file = answered(plan_folder, lambda row: plan_folder.y[row, 0], header="item_id,age")
    run, said = put(plan_folder, file)
    assert "every answer is the true age: is 'age' the label?" in said
    assert "is 'age' the label?" in run.about()["note"]


def test_an_import_is_a_row_of_the_table(plan_folder):
    file = answered(plan_folder, three_too_old(plan_folder))
    put(plan_folder, file, "theirs")
    put(plan_folder, file, "also theirs", out_of_fold=True)
    table = leaderboard.rows(plan_folder, FOURTEEN).set_index("model")
    assert list(table.index) == ["also theirs (import)", "theirs (import)"]
    assert set(table["state"]) == {"complete"}
    assert table["test_mae"].tolist() == [3, 3]
    assert table["oof_mae"].isna().tolist() == [False, True]
    assert table["fit_seconds"].isna().all()


def test_the_next_import_of_a_name_replaces_it(plan_folder):
    put(plan_folder, answered(plan_folder, lambda row: 30))
    run, said = put(plan_folder, answered(plan_folder, three_too_old(plan_folder)))
    assert "the earlier import 'theirs' is replaced" in said
    assert [r.folder.name for r in plan_folder.runs] == ["import-theirs"] == [run.folder.name]
    assert scores(run, plan_folder)["mae"] == 3
    damaged = run.folder / "run.json"
    damaged.write_text("{")
    assert put(plan_folder, answered(plan_folder, lambda row: 30))[0].state(3) == ("complete", "")


def test_a_refused_file_leaves_the_earlier_import_as_it_is(plan_folder):
    run, _ = put(plan_folder, answered(plan_folder, three_too_old(plan_folder)))
    with pytest.raises(DataError):
        put(plan_folder, answered(plan_folder, lambda row: "x"))
    assert run.state(3) == ("complete", "")
    assert scores(run, plan_folder)["mae"] == 3


@pytest.mark.parametrize(
    "name",
    ["", " ", ".", "../up", "a/b", "a\nb", "x" * 51, "-x", "x-", "a  b", "имя", "mean", "Stack", "svm", "svm C=3"],
)
def test_a_name_that_is_no_name_or_that_of_a_model_is_refused(plan_folder, name):
    with pytest.raises(UsageError, match=r"is no name for an import|reads like a model of ours"):
        put(plan_folder, answered(plan_folder, lambda row: 30), name)
    assert not plan_folder.runs


def test_two_names_do_not_share_a_folder(plan_folder):
    file = answered(plan_folder, lambda row: 30)
    put(plan_folder, file, "their model")
    with pytest.raises(UsageError, match="'their model' would lie in the same folder as 'their-model'"):
        put(plan_folder, file, "their-model")


@pytest.mark.parametrize("answers_only", ["rest", "test"])
def test_a_part_without_one_answer_is_refused(plan_folder, answers_only):
    plan = plan_folder.plan
    file = answered(plan_folder, lambda row: 30, plan.rest if answers_only == "rest" else plan.test)
    where = "outside the test part" if answers_only == "test" else "in the test part"
    with pytest.raises(DataError, match=f"has no answer for any item {where}; it should have"):
        put(plan_folder, file, out_of_fold=True)


def test_the_record_is_plain_json_and_intervals_can_be_drawn(plan_folder):
    run, _ = put(plan_folder, answered(plan_folder, three_too_old(plan_folder)))
    json.dumps(run.about())
    test = plan_folder.plan.test
    decoded = [bootstrap.answers(run.predictions("test"), FOURTEEN)]
    [bars] = bootstrap.headline(decoded, plan_folder.y[test], test, FOURTEEN)
    assert bars["mae"].interval() == (3, 3)
