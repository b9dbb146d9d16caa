"""The leaderboard: differences to the best are paired, ties are told apart from what only looks alike."""

import shutil

import numpy as np
import pytest
from helpers.made_up import certain, experiment, put, put_cells

from ageensemble._utils.console import Console
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS, parse_age_groups
from ageensemble.errors import UsageError
from ageensemble.evaluation.leaderboard import leaderboard
from ageensemble.evaluation.metrics import headline
from ageensemble.evaluation.predictions import Predictions
from ageensemble.experiments import external
from ageensemble.experiments.stack import combine
from ageensemble.reporting import leaderboard as table_of

N = 600
AGE = np.full(N, 30)


def of(name, years, part="oof", age_range=AGE):
    return Predictions(certain(years), age_range, name=name, part=part)


@pytest.fixture(scope="module")
def board():
    """`good` is 2 years off on a bit more than half of the items, else 4, `twin` the other way round."""
    half = np.arange(N) < N // 2 + 2
    good = np.where(half, 32, 34)
    worse = good + (np.random.default_rng(0).random(N) < 0.1)
    models = {"good": good, "twin": np.where(half, 34, 32), "now-and-then-worse": worse}
    given = [of(name, years, part) for name, years in models.items() for part in ("oof", "test")]
    return leaderboard([*given, of("test-only", AGE, "test")])


def test_difference_to_the_best_is_that_of_the_scores(board):
    frame = board.frame
    assert board.best == "good"
    for part in ("oof", "test"):
        for name in (metric.name for metric in headline()):
            expected = frame[f"{part}_{name}"] - frame.loc["good", f"{part}_{name}"]
            found = frame[f"{part}_{name}_vs_best"]
            assert found.dropna().to_numpy() == pytest.approx(expected[found.notna()].to_numpy())
            ends = frame[[f"{part}_{name}_vs_best_low", f"{part}_{name}_vs_best_high"]].dropna()
            assert (ends.iloc[:, 0] <= found[ends.index]).all()
            assert (found[ends.index] <= ends.iloc[:, 1]).all()
    assert [frame.loc["good", f"oof_mae_vs_best{bar}"] for bar in ("", "_low", "_high")] == [0, 0, 0]


def test_tied_rows_are_alike_and_not_only_overlapping(board):
    assert board.tied == ["twin"]
    worse = board.frame.loc["now-and-then-worse"]
    assert worse["oof_mae_low"] < board.frame.loc["good", "oof_mae_high"]
    assert worse["oof_mae_vs_best_low"] > 0


def test_model_without_out_of_fold_is_compared_on_the_test_part(board):
    row = board.frame.loc["test-only"]
    assert np.isnan(row["oof_mae_vs_best"])
    assert row["test_mae_vs_best"] == -board.frame.loc["good", "test_mae"]
    assert board.frame.index[-1] == "test-only"


def test_twins_to_the_last_prediction_are_tied():
    board = leaderboard([of("one", AGE + 1), of("other", AGE + 1)])
    assert (board.best, board.tied) == ("one", ["other"])


def test_ranges_are_compared_by_weighted_f1():
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array(age_groups.ranges)[np.arange(N) % 8].T
    labels = np.stack([low, high], 1)
    half = np.where(np.random.default_rng(0).random(N) < 0.5, low, 45)
    board = leaderboard([of("half", half, age_range=labels), of("right", low, age_range=labels)], None, age_groups)
    assert list(board.frame.index) == ["right", "half"]
    assert board.frame["oof_mae_vs_best"].isna().all()
    assert board.frame.loc["half", "oof_f1_weighted_vs_best_high"] < 0
    assert (board.best, board.tied) == ("right", [])


def test_nothing_is_best_without_out_of_fold_or_rival():
    assert leaderboard({}).best is None
    assert leaderboard([of("theirs", AGE, "test")]).best is None
    given = [of("prior", AGE + 9), of("leaked", AGE)]
    assert leaderboard(given).best == "leaked"
    assert leaderboard(given, not_best=["leaked"]).best is None  # a baseline with nothing beside it


def test_two_predictions_of_one_name_and_part_are_refused():
    with pytest.raises(UsageError, match="two predictions of one"):
        leaderboard([of("one", AGE), of("one", AGE + 1)])


def test_leaderboard_renders_with_marks(board):
    text = board.table().markdown()
    assert "twin =best" in text
    assert "not significantly different from the best" in text
    assert "good *best" in board._repr_html_()


def test_table_of_runs_marks_the_best_and_the_tied(tmp_path):
    folder = experiment(tmp_path, AGE)
    for name, years in (("good", AGE + 2), ("twin", AGE - 2), ("worse", AGE + 3)):
        put_cells(folder, name, [years] * 3)
    put(folder, "test-only", AGE, parts=("test",))
    table = table_of.rows(folder, DEFAULT_AGE_GROUPS)
    assert dict(table_of.marked(table)) == {"good": "*best", "twin": "=best", "worse": "", "test-only (import)": ""}
    assert "3 clean, 0 suspicious, 1 not measured" in table_of.view(table, folder, DEFAULT_AGE_GROUPS).notes[0]
    row = table.set_index("run").loc["test-only"]
    assert (row["gap_state"], row["gap_why"]) == ("not measured", "no out-of-fold predictions")


# --- what must be said beside a row -----------------------------------------------------------------------------


def said(folder, age_groups=DEFAULT_AGE_GROUPS):
    """What the terminal shows beside each model, by its folder."""
    return table_of.rows(folder, age_groups).set_index("run")["why"].to_dict()


def test_what_leaked_is_not_the_best_however_good_it_looks_and_says_so_beside_its_name(tmp_path):
    rng = np.random.default_rng(0)
    age = rng.integers(3, 90, 1200)
    folder = experiment(tmp_path, age)
    part, seen = folder.split.fold, rng.random(1200) < 0.5
    errors = np.rint(rng.normal(0, 6, (3, 1200))).astype(int)
    put_cells(folder, "honest", list(age + errors))
    leaked = [age + np.where(seen & (part == fold), 0, errors[fold]) for fold in range(3)]
    put_cells(folder, "leaked", leaked)
    table = table_of.rows(folder, DEFAULT_AGE_GROUPS)
    assert table["model"].tolist() == ["leaked", "honest"]
    assert table_of.marked(table) == [("leaked", "!gap"), ("honest", "*best")]
    assert table["run"][table_of.best(table)] == "honest"
    text = table_of.view(table, folder, DEFAULT_AGE_GROUPS).markdown()
    assert "| leaked !gap |" in text
    assert "leaked: suspicious out-of-fold / test discrepancy" in text
    shutil.rmtree(folder.folder / "honest")
    assert table_of.best(table_of.rows(folder, DEFAULT_AGE_GROUPS)) is None


def test_a_stack_whose_member_is_gone_or_another_says_so_in_the_table(tmp_path):
    rng = np.random.default_rng(0)
    folder = experiment(tmp_path, np.arange(300) % 90)
    for name in ("one", "other"):
        put_cells(folder, name, [np.clip(np.arange(300) % 90 + rng.integers(-5, 6, 300), 0, 120)] * 3)
    combine(folder, None, ["mean"], 0, Console())
    assert said(folder) == {"one": "", "other": "", "mean": ""}
    shutil.rmtree(folder.folder / "one")
    put_cells(folder, "one", [np.arange(300) % 90] * 3)
    assert said(folder)["mean"].startswith("removed or made again since it was combined: one; 'ageensemble stack'")
    shutil.rmtree(folder.folder / "other")
    assert said(folder)["mean"].startswith("removed or made again since it was combined: one, other;")
    [warning] = table_of.view(table_of.rows(folder, DEFAULT_AGE_GROUPS), folder, DEFAULT_AGE_GROUPS).warnings
    assert warning.startswith("mean: removed or made again since it was combined: one, other")


def imported(folder, lines, age_groups, out_of_fold=False):
    file = folder.folder.parent / "answers.csv"
    ids = folder.items["item_id"]
    file.write_text("item_id,prediction\n" + "".join(f"{i},{a}\n" for i, a in zip(ids, lines, strict=True)))
    external.import_predictions(file, "theirs", folder, age_groups, out_of_fold, lambda text: None)


def test_groups_that_those_shown_cut_are_called_guesses(tmp_path):
    years = np.arange(300) % 90
    folder = experiment(tmp_path, years)
    imported(folder, [DEFAULT_AGE_GROUPS.labels[g] for g in DEFAULT_AGE_GROUPS.lookup[years]], DEFAULT_AGE_GROUPS)
    cut = "answered in the groups 'default', which those shown cut"
    assert cut not in said(folder)["import-theirs"]
    assert cut in said(folder, AGE_GROUPS["decades"])["import-theirs"]
    assert cut in said(folder, parse_age_groups("0-2,4-5,6+"))["import-theirs"]  # 3 of 3-5 lies in none
    assert cut not in said(folder, parse_age_groups("0-14,15-40,41+"))["import-theirs"]  # unions of what was given


def test_groups_of_imported_ages_that_rest_on_errors_are_said_to(tmp_path):
    years = np.arange(300) % 90
    folder = experiment(tmp_path, years)
    imported(folder, years + np.arange(300) % 3, DEFAULT_AGE_GROUPS, out_of_fold=True)
    mine = parse_age_groups("0-12,13-19,20+")
    assert "imported again with --age-groups 0-12,13-19,20+" in said(folder, mine)["import-theirs"]
    assert "imported again" not in said(folder, AGE_GROUPS["decades"])["import-theirs"]
    imported(folder, years + np.arange(300) % 3, mine, out_of_fold=True)
    assert "imported again" not in said(folder, mine)["import-theirs"]
    imported(folder, years, DEFAULT_AGE_GROUPS)  # a bare age is in its group under any scheme
    assert "imported again" not in said(folder, mine)["import-theirs"]
