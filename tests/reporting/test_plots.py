"""Images show the numbers they are given, with any name, and nothing covers anything else."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.predicted import bells, both_parts, certain, guessed
from PIL import Image

from ageensemble import ages
from ageensemble.evaluation import calibration
from ageensemble.evaluation.conformal import conformalize
from ageensemble.evaluation.predictions import Predictions
from ageensemble.reporting import plots, run_report
from ageensemble.reporting.plots.figure import figure_of

HOSTILE = "a $x^2 [b]model[/b] \x1b[31m" + "with-a-name-that-does-not-end" * 3


@pytest.fixture
def drawn(tmp_path):
    """Draw a plot by its name; what comes back is the figure, after it was written and read again."""

    def draw(name, *arguments):
        module = import_module(f"ageensemble.reporting.plots.{name}")
        drawn = getattr(module, f"draw_{name}")(*arguments)
        plots.save(drawn, tmp_path / "plot.png")
        with Image.open(tmp_path / "plot.png") as image:
            assert image.format == "PNG"
            assert len(np.unique(np.asarray(image.convert("L")))) > 20
        return drawn

    return draw


def line(axis, label):
    [found] = [one for one in axis.lines if one.get_label() == label]
    return found.get_xydata()


def texts(figure):
    return "\n".join(text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text")))


# --- error by age -----------------------------------------------------------------------------------------------


def test_error_and_bias_by_age(drawn):
    age = np.repeat([20, 40, 60], 30)
    predicted = age + np.tile([3, -1], 45)
    figure = drawn("age_error", Predictions(certain(predicted), age), "a run")
    axis, below = figure.axes
    for label, value in (("mean absolute error", 2), ("mean predicted minus true", 1)):
        points = line(axis, label)
        known = points[np.isfinite(points[:, 1])]
        assert known[:, 0].tolist() == [a + d for a in (20, 40, 60) for d in range(-2, 3)]
        assert known[:, 1] == pytest.approx(value)
    band = axis.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (pytest.approx(2, abs=0.6), pytest.approx(2, abs=0.6))
    assert band.y0 < 2 < band.y1
    assert below.patches[40].get_height() == 30


def test_too_few_photographs_of_an_age_make_no_mean(drawn):
    age = np.arange(0, 90, 10)
    figure = drawn("age_error", Predictions(certain(age), age), HOSTILE)
    assert np.isnan(line(figure.axes[0], "mean absolute error")[:, 1]).all()


# --- reliability ------------------------------------------------------------------------------------------------


def test_reliability_before_and_after(drawn):
    before, after, found = calibration.scaled(*both_parts(said=3.0))
    figure = drawn("reliability", before, after, found, ages.DEFAULT_AGE_GROUPS, HOSTILE)
    curve = calibration.group_curve(before, ages.DEFAULT_AGE_GROUPS)
    assert line(figure.axes[0], "as predicted") == pytest.approx(100 * curve[:, :2])
    after_label = f"temperature {found:.2f}, from out-of-fold"
    gap = {name: np.abs(np.diff(line(figure.axes[1], name), axis=1)).mean() for name in ("as predicted", after_label)}
    assert gap["as predicted"] > 10
    assert gap[after_label] < 4
    assert f"{curve[0, 2]:.0f}" in texts(figure)


def test_reliability_of_a_refit_and_of_ranges(drawn):
    y = np.array(ages.AGE_GROUPS["adience"].ranges)[np.arange(40) % 8]
    figure = drawn("reliability", Predictions(bells(y[:, 0], 5), y), None, None, ages.AGE_GROUPS["adience"], "refit")
    assert "from out-of-fold" not in texts(figure)
    assert len(figure.axes) == 1  # no panel of intervals, which could only be empty


# --- coverage ---------------------------------------------------------------------------------------------------


def test_coverage_by_age_group(drawn):
    oof, test = both_parts(n=2000)
    found = conformalize(oof, 0.9, "0-59,60+", test)
    figure = drawn("coverage", found, HOSTILE)
    axis, below = figure.axes
    every, young, old = found.subgroups[:3]
    conditional = next(c for c in axis.containers if c.get_label() == "label-conditional")
    shown = conditional.lines[0].get_ydata()
    assert shown == pytest.approx([100 * row["conditional"]["share"] for row in (every, young, old)])
    widths = [bar.get_height() for bar in below.patches[:3]]
    assert widths == [row["conditional"]["mean_width"] for row in (every, young, old)]
    assert f"60+ ({old['plain']['items']})" in texts(figure)
    assert line(axis, "stated: 90 %")[:, 1].tolist() == [90, 90]


# --- weights ----------------------------------------------------------------------------------------------------

MEMBERS = [
    {"model": "svm", "weight": 0.2, "loss_without": {"mae": [0.05, 0.01, 0.09], "accuracy": [0, -1, 1]}},
    {"model": "xgboost", "weight": 0.0, "loss_without": {"mae": [-0.01, -0.02, 0.01]}},
    {"model": HOSTILE, "weight": 0.7, "loss_without": {"mae": [0.3, 0.2, 0.4]}},
]


def test_weights_and_what_is_lost_without_each(drawn):
    weights, losses = drawn("weights", MEMBERS, "stack").axes
    assert [bar.get_width() for bar in weights.patches] == [0, 0.2, 0.7]
    assert [label.get_text() for label in weights.get_yticklabels()][:2] == ["xgboost", "svm"]
    shown = [one.get_xydata().tolist() for one in losses.lines[:6]]
    assert shown[1::2] == [[[-0.01, 0]], [[0.05, 1]], [[0.3, 2]]]
    assert shown[::2] == [[[-0.02, 0], [0.01, 0]], [[0.01, 1], [0.09, 1]], [[0.2, 2], [0.4, 2]]]


def test_weights_of_a_stack_whose_members_were_not_left_out_one_by_one(drawn):
    bare = [{"model": member["model"], "weight": 1 / 3} for member in MEMBERS]
    assert len(drawn("weights", bare, "mean").axes) == 1
    half = [*bare[:1], MEMBERS[1] | {"loss_without": {"f1_weighted": [0.1, 0.0, 0.2]}}]
    assert "f1_weighted, without minus with" in texts(drawn("weights", half, "mean"))


# --- time against error -----------------------------------------------------------------------------------------


def table_of(names, seconds, error):
    columns = {"model": names, "fit_seconds": seconds, "oof_mae": error, "oof_f1_weighted": np.nan}
    table = pd.DataFrame(columns)
    return table.assign(oof_mae_low=table["oof_mae"] - 0.1, oof_mae_high=table["oof_mae"] + 0.1)


def test_names_cover_neither_each_other_nor_a_dot(drawn):
    rng = np.random.default_rng(0)
    names = [f"model-{i} C={i}" for i in range(14)] + ["mobilenetv2_100 mean=0.5 std=0.5 weights=x.safetensors"]
    figure = drawn("time_error", table_of(names, np.exp(rng.normal(5, 1, 15)), rng.normal(5, 0.3, 15)), "many")
    [axis] = figure.axes
    boxes = [text.get_window_extent() for text in axis.texts]
    dots = axis.transData.transform(axis.lines[0].get_xydata())
    assert len(boxes) == 15
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :]), names[i]
        assert not any(box.contains(*dot) for dot in dots), names[i]
        assert box.x0 > 0
        assert box.x1 < figure.bbox.x1


def test_runs_in_one_place_are_drawn_all_the_same(drawn):
    figure = drawn("time_error", table_of([HOSTILE] * 25, np.full(25, 100.0), np.full(25, 5.0)), HOSTILE)
    assert len(figure.axes[0].texts) == 25


def test_the_floor_and_runs_of_unknown_time_or_error_are_left_out(drawn, tmp_path):
    table = table_of(["prior", "svm", "import", "refit"], [1, 100, np.nan, 50], [15, 5, 4, np.nan])
    axis = drawn("time_error", table, "few").axes[0]
    assert [text.get_text() for text in axis.texts] == ["svm"]
    assert axis.get_ylabel() == "out-of-fold MAE, years"
    assert plots.draw_time_error(table.iloc[[0, 2]], "none") is None
    assert plots.draw_time_error(table.iloc[:0], "none") is None


def test_without_exact_ages_the_groups_are_compared(drawn):
    table = table_of(["svm", "cnn"], [100, 1000], [np.nan, np.nan])
    table = table.assign(oof_f1_weighted=[0.4, 0.5], oof_f1_weighted_low=0.3, oof_f1_weighted_high=0.6)
    assert drawn("time_error", table, "ranges").axes[0].get_ylabel() == "out-of-fold weighted F1"


# --- the older ones ---------------------------------------------------------------------------------------------


def test_the_confusion_matrix_and_true_against_predicted_take_any_name(drawn):
    age, distribution = guessed(300)
    confusion = drawn("confusion", Predictions(distribution, age), ages.DEFAULT_AGE_GROUPS, HOSTILE)
    assert f"0-2  ({(age <= 2).sum()})" in texts(confusion)
    shown = drawn("true_predicted", Predictions(distribution, age), HOSTILE)
    assert line(shown.axes[0], "predicted = true")[0].tolist() == [0, 0]
    assert "\x1b" not in texts(shown) + texts(confusion)


def test_a_plot_has_the_same_bytes_each_time(tmp_path):
    age, distribution = guessed(100)
    data = plots.PlotData("a run", ages.DEFAULT_AGE_GROUPS, Predictions(distribution, age))
    for n in range(2):
        plots.plots()["age_error"].save(data, tmp_path / f"{n}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


# --- the registry -----------------------------------------------------------------------------------------------


def test_plots_apply_where_their_data_is_known():
    age, distribution = guessed(100)
    nothing = plots.PlotData("refit", ages.DEFAULT_AGE_GROUPS)
    oof = plots.PlotData("a run", ages.DEFAULT_AGE_GROUPS, Predictions(distribution, age))
    assert [name for name, plot in plots.plots().items() if plot.applies(nothing)] == []
    applicable = [name for name, plot in plots.plots().items() if plot.applies(oof)]
    assert applicable == ["true_predicted", "confusion", "age_error", "reliability", "coverage"]


def test_a_plot_of_ones_own_appears_in_the_report(tmp_path, monkeypatch):
    class Mine(plots.Plot):
        title = "predicted ages"

        def applies(self, data):
            return data.predictions is not None

        def draw(self, data):
            figure, axis = figure_of(4, 3)
            axis.hist(data.predictions.median)
            return figure

    monkeypatch.setattr(plots.PLOTS, "_registered", {"mine": Mine})
    age, distribution = guessed(100)
    run = SimpleNamespace(
        title="a run",
        kind="folds",
        metadata={},
        oof_and_test=(Predictions(distribution, age, part="oof"), None),
        fold_files=lambda pattern: [],
    )
    files = run_report.draw(run, ages.DEFAULT_AGE_GROUPS, tmp_path)
    assert files[tmp_path / "mine.png"] == "predicted ages"
    assert (tmp_path / "mine.png").exists()
    assert tmp_path / "mine.png" not in run_report.draw(run, ages.DEFAULT_AGE_GROUPS, tmp_path, brief=True)
