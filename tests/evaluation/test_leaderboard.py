"""The numbers of a table: differences to the best are paired, ties are told apart from what only looks alike."""

import io
import shutil

import numpy as np
import pytest
from helpers.made_up import experiment, put, put_cells
from rich.console import Console as Rich

from ageensemble._utils.console import Console
from ageensemble.ages import AGE_GROUPS, DEFAULT_AGE_GROUPS, parse_age_groups
from ageensemble.evaluation import leaderboard
from ageensemble.experiments import external
from ageensemble.experiments.stack import combine
from ageensemble.reporting import leaderboard as table_of

N = 600


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """600 items aged 30; `good` is 2 years off on a bit more than half of them, else 4, `twin` the other way round."""
    folder = experiment(tmp_path_factory.mktemp("made-up"), np.full(N, 30))
    rng = np.random.default_rng(0)
    half = np.zeros(N, bool)
    half[folder.split.development[: len(folder.split.development) // 2 + 2]] = half[folder.split.test[::2]] = True
    put_cells(folder, "good", [np.where(half, 32, 34)] * 3)
    put_cells(folder, "twin", [np.where(half, 34, 32)] * 3)
    put_cells(folder, "now-and-then-worse", [np.where(half, 32, 34) + (rng.random(N) < 0.1)] * 3)
    put(folder, "test-only", np.full(N, 30), parts=("test",))
    return folder


@pytest.fixture(scope="module")
def table(folder):
    return table_of.rows(folder, DEFAULT_AGE_GROUPS).set_index("model", drop=False)


def test_the_difference_to_the_best_is_the_difference_of_the_scores(table):
    best = leaderboard.best(table)
    for part in ("oof", "test"):
        for name in ("mae", "cs5", "accuracy", "f1_weighted"):
            expected = table[f"{part}_{name}"] - table.loc[best, f"{part}_{name}"]
            found = table[f"{part}_{name}_vs_best"]
            assert found.dropna().to_numpy() == pytest.approx(expected[found.notna()].to_numpy())
            inside = table[[f"{part}_{name}_vs_best_low", f"{part}_{name}_vs_best_high"]].dropna()
            assert (inside.iloc[:, 0] <= found[inside.index]).all()
            assert (found[inside.index] <= inside.iloc[:, 1]).all()


def test_the_best_differs_from_itself_by_nothing(table):
    row = table.loc[leaderboard.best(table)]
    assert [row[f"oof_mae_vs_best{bar}"] for bar in ("", "_low", "_high")] == [0, 0, 0]


def test_what_is_alike_is_tied_and_what_is_a_little_worse_each_time_is_not_though_their_intervals_overlap(table):
    tied = dict(zip(table["model"], leaderboard.tied(table), strict=True))
    assert tied == {"good": False, "twin": True, "now-and-then-worse": False, "test-only (import)": False}
    row, worse = table.loc["good"], table.loc["now-and-then-worse"]
    assert worse["oof_mae_low"] < row["oof_mae_high"]
    assert worse["oof_mae_vs_best_low"] > 0


def test_a_run_without_out_of_fold_predictions_is_held_against_the_best_on_the_test_part_alone(table):
    row = table.loc["test-only (import)"]
    assert np.isnan(row["oof_mae_vs_best"])
    assert row["test_mae_vs_best"] == -table.loc[leaderboard.best(table), "test_mae"]
    assert row["gap_state"] == "not measured"
    assert row["gap_why"] == "no out-of-fold predictions"


def test_twins_to_the_last_answer_are_tied(tmp_path):
    folder = experiment(tmp_path, np.arange(200) % 90)
    for name in ("one", "other"):
        put(folder, name, np.arange(200) % 90 + 1)
    assert leaderboard.tied(table_of.rows(folder, DEFAULT_AGE_GROUPS)).tolist() == [False, True]


def test_ranges_are_compared_by_weighted_f1(tmp_path):
    age_groups = AGE_GROUPS["adience"]
    low, high = np.array(age_groups.ranges)[np.arange(400) % 8].T
    folder = experiment(tmp_path, np.stack([low, high], 1))
    rng = np.random.default_rng(0)
    put(folder, "right", low)
    put(folder, "half", np.where(rng.random(400) < 0.5, low, 45))
    table = table_of.rows(folder, age_groups).set_index("model", drop=False)
    assert leaderboard.chosen_by(table) == "oof_f1_weighted"
    assert list(table.index) == ["right (import)", "half (import)"]
    assert table["oof_mae_vs_best"].isna().all()
    assert table.loc["half (import)", "oof_f1_weighted_vs_best_high"] < 0
    assert leaderboard.tied(table).tolist() == [False, False]


def test_without_runs_or_with_refits_alone_nothing_is_best_and_nothing_tied(tmp_path):
    folder = experiment(tmp_path, np.arange(100))
    for _ in range(2):
        table = table_of.rows(folder, DEFAULT_AGE_GROUPS)
        assert leaderboard.best(table) is None
        assert not leaderboard.tied(table).any()
        put(folder, "theirs", np.arange(100), parts=("test",))


def test_the_table_marks_the_best_and_the_tied_and_says_what_that_means(folder):
    table = table_of.rows(folder, DEFAULT_AGE_GROUPS)
    text = table_of.markdown(table, folder, DEFAULT_AGE_GROUPS)
    marks = dict(table_of.marked(table))
    assert sorted(marks.values()) == ["", "", "*best", "=best"]
    assert text.count("=best |") == 1
    assert "training again may still change the order" in text.replace("\n", " ")
    assert "3 clean, 0 suspicious, 1 not measured" in text


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
    assert table["run"][leaderboard.best(table)] == "honest"
    text = table_of.markdown(table, folder, DEFAULT_AGE_GROUPS)
    assert "| leaked !gap |" in text
    assert "!gap: suspicious" in text
    shutil.rmtree(folder.folder / "honest")
    assert leaderboard.best(table_of.rows(folder, DEFAULT_AGE_GROUPS)) is None


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
    shown = Rich(width=200, file=io.StringIO())
    shown.print(table_of.rich_table(table_of.rows(folder, DEFAULT_AGE_GROUPS), folder, 200))
    assert "mean: removed or made again since it was combined: one, other" in shown.file.getvalue()


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
