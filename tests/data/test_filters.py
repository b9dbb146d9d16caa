"""Cleaning leaves out what was asked for and nothing else, and says how many that were and how the ages changed."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import AGES, utk_name
from helpers import own_plugins
from helpers.commands import ageensemble
from scipy import ndimage

from ageensemble._utils import registry
from ageensemble._utils.console import as_json
from ageensemble.data import filters
from ageensemble.data.dataset import COLUMNS, Dataset
from ageensemble.data.filters import _sharpness
from ageensemble.data.image_store import ImageStore
from ageensemble.errors import DataError, UsageError


def made(ages, groups=None, photos=None, **columns):
    """A dataset of items `0`, `1`, ... with these ages, `(n,)` or `(n, 2)` years."""
    y = np.asarray(ages)
    y = np.stack([y, y], 1) if y.ndim == 1 else y
    items = pd.DataFrame(index=range(len(y)), columns=COLUMNS, dtype=object)
    items["item_id"] = items["path"] = [str(i) for i in range(len(y))]
    items["age_min"], items["age_max"] = y.T
    items["image"], items["group"] = np.arange(len(y)), np.arange(len(y)) if groups is None else groups
    nothing = pd.DataFrame(columns=["item_id", "path", "reason"])
    return Dataset("made", Path(), items.assign(**columns), nothing, {}, photos or SimpleNamespace())


def left(dataset, *texts, seed=0):
    """The ids that stay after these steps, as one text with blanks."""
    return " ".join(filters.apply_filters(dataset, filters.parse_filters(texts), seed)[0].items["item_id"])


# --- what is asked for ------------------------------------------------------------------------------------------


def test_steps_are_read_in_the_order_given_with_their_defaults_filled_in():
    steps = filters.parse_filters(
        ["min-image-size=100", "conflicting-labels", "age-range=1-90", "gender-balance", "face_score=-0.5"]
    )
    assert [(step.text, step.value) for step in steps] == [
        ("min-image-size=100", 100),
        ("conflicting-labels=0", 0),
        ("age-range=1-90", (1, 90)),
        ("gender-balance", None),
        ("face-score=-0.5", -0.5),
    ]
    assert filters.parse_filters(None) == filters.parse_filters([]) == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "min-sise=3",
            r"no filter called 'min-sise'; known: age-range, blur, .*; did you mean 'min-image-size'\?",
        ),
        ("./mine.py", "no such file: mine.py"),
        ("__init__", "no filter called"),
        ("", "no filter called ''"),
        ("min-image-size", "--filter min-image-size needs a value, such as min-image-size=100"),
        ("min-image-size=", "'' is not a whole number of pixels, 1 or more, such as min-image-size=100"),
        ("min-image-size=0", "'0' is not a whole number of pixels, 1 or more"),
        ("min-image-size=9.5", "'9.5' is not a whole number of pixels"),
        ("age-range=30", "'30' is not a range|'' is not a range"),
        ("age-range=90-1", "'90-1' is not a range of whole years, LOW-HIGH, within 0-120, such as age-range=1-90"),
        ("age-range=1-200", "is not a range of whole years"),
        ("age-range=-5-90", "is not a range of whole years"),
        ("conflicting-labels=-1", "'-1' is not a number of years, 0 or more, such as conflicting-labels=2"),
        ("blur=sharp", "'sharp' is not a variance"),
        ("blur=nan", "'nan' is not a variance"),
        ("face-score=inf", "'inf' is not a number"),
        ("label-deviation=", "'' is not a number of years"),
        ("gender-balance=1", "--filter gender-balance=1: it takes no value, such as gender-balance"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_says_what_would_be_right(text, complaint):
    with pytest.raises(UsageError, match=complaint):
        filters.parse_filters([text])


def test_a_step_given_twice_is_refused_whatever_its_values():
    with pytest.raises(
        UsageError,
        match=r"--filter age-range is given more than once \(age-range=1-90 and age-range=5-80\); give it once",
    ):
        filters.parse_filters(["age-range=1-90", "conflicting-labels", "age-range=5-80"])
    with pytest.raises(UsageError, match=r"gender-balance and gender-balance"):
        filters.parse_filters(["gender-balance", "balance_gender"])


@pytest.mark.parametrize("name", filters.FILTERS.names())
def test_every_step_explains_itself_and_its_example_asks_for_it(name):
    cls = filters.FILTERS.load(name)
    assert registry.summary(cls).startswith("Leaves out ")
    [step] = filters.parse_filters([cls.example])
    assert step.name == name
    assert ":" not in step.reason(), "the excluded are counted by what stands before a colon"


def test_the_steps_are_listed():
    listed = json.loads(ageensemble("list", "filters", "--json").stdout)
    assert list(listed) == filters.FILTERS.names() == sorted(listed)
    assert {
        "age-range",
        "gender-balance",
        "blur",
        "conflicting-labels",
        "label-deviation",
        "face-score",
        "min-image-size",
    } <= set(listed)


# --- each step --------------------------------------------------------------------------------------------------


def test_ages_beyond_the_range_go_and_its_ends_stay():
    assert left(made([0, 1, 50, 90, 91]), "age-range=1-90") == "1 2 3"


def test_a_labeled_range_goes_only_where_none_of_its_years_may_stay():
    assert left(made([[0, 2], [60, 120], [91, 95], [90, 95]]), "age-range=1-90") == "0 1 3"


def test_low_face_scores_go_and_items_without_a_score_stay_and_are_counted():
    items = made([20] * 5, face_score=[-np.inf, 0.9, 1.0, 4.0, np.nan])
    cleaned, [row] = filters.apply_filters(items, filters.parse_filters(["face-score=1"]))
    assert cleaned.items["item_id"].tolist() == ["2", "3", "4"]
    assert (row["removed"], row["unknown"]) == (2, 1)


def test_ages_that_people_disagree_on_go():
    assert left(made([20] * 4, age_deviation=[3, 5, 5.1, np.nan]), "label-deviation=5") == "0 1 3"


@pytest.mark.parametrize(
    ("text", "column"),
    [("face-score=1", "face_score"), ("label-deviation=5", "age_deviation"), ("gender-balance", "gender")],
)
def test_a_step_that_no_item_gives_anything_to_go_by_is_refused(text, column):
    complaint = f"--filter {text} goes by the column {column}, which no item of made has"
    for items in (made([20, 30]), made([20, 30], **{column: [None, None]})):
        with pytest.raises(DataError, match=complaint):
            left(items, text)


def test_small_photographs_go_by_their_size_in_the_file():
    original = np.array([[500, 99], [99, 500], [100, 100], [3000, 100]])
    assert left(made([20] * 4, photos=SimpleNamespace(original=original, folder="")), "min-image-size=100") == "2 3"


@pytest.mark.parametrize(
    ("text", "gone"), [("conflicting-labels", 2), ("conflicting-labels=29", 2), ("conflicting-labels=30", 0)]
)
def test_all_copies_of_a_picture_go_whose_ages_are_further_apart_than_allowed(dataset, text, gone):
    cleaned, [row] = filters.apply_filters(dataset, filters.parse_filters([text]))
    names = {utk_name(AGES[1], 1), utk_name(AGES[1] + 30, 201)}  # one picture, 30 years apart
    assert row["removed"] == gone
    assert set(dataset.items["item_id"]) - set(cleaned.items["item_id"]) == (names if gone else set())


@pytest.mark.parametrize("text", ["conflicting-labels", "min-image-size=100", "blur"])
def test_steps_that_look_at_photographs_are_refused_where_nobody_opened_them(text):
    with pytest.raises(DataError, match="needs the images, and these were not opened"):
        left(made([20, 30], photos=ImageStore.empty(2)), text)


# --- balance of gender ------------------------------------------------------------------------------------------


def test_the_more_frequent_gender_is_thinned_within_each_age_group():
    gender = ["male"] * 5 + ["female"] * 2 + ["male", "female", "female", "female", None, "other"]
    cleaned, [row] = filters.apply_filters(
        made([20] * 7 + [45] * 6, gender=gender), filters.parse_filters(["gender-balance"])
    )
    counts = cleaned.items.fillna({"gender": "?"}).groupby(["age_min", "gender"]).size().to_dict()
    assert counts == {
        (20, "male"): 2,
        (20, "female"): 2,
        (45, "male"): 1,
        (45, "female"): 1,
        (45, "?"): 1,
        (45, "other"): 1,
    }
    assert (row["removed"], row["unknown"]) == (5, 1)


def test_a_gender_that_a_group_has_alone_goes_from_it():
    assert left(made([20, 20, 45, 45], gender=["male", "male", "male", "female"]), "gender-balance") == "2 3"


def test_a_balance_that_leaves_nobody_of_known_gender_is_warned_of():
    men = made([20, 20, 45], gender=["male", "male", None])
    _, report = filters.apply_filters(men, filters.parse_filters(["gender-balance"]))
    warning = "warning: gender-balance removed every item of known gender; the 1 item that stays does not say it"
    assert warning in list(filters.report_lines(report))
    both = made([20, 20, 45], gender=["male", "female", None])
    _, report = filters.apply_filters(both, filters.parse_filters(["gender-balance"]))
    assert not any("warning" in line for line in filters.report_lines(report))


def test_genders_of_other_names_are_said_instead_of_nothing_being_done():
    with pytest.raises(DataError, match="between female and male, and no item of made is; seen: homme"):
        left(made([20, 20], gender=["homme", None]), "gender-balance")


def test_who_goes_is_drawn_by_the_seed():
    items = made([20] * 60, gender=["male"] * 40 + ["female"] * 20)
    drawn = [left(items, "gender-balance", seed=seed) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_clusters_stay_whole_and_end_near_balance():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 900, 2000)  # people, of one gender each, two thirds of them men, at several ages
    gender = np.where(np.arange(900) % 3 == 0, "female", "male")[group]
    items = made(20 + rng.integers(0, 4, 2000) * 10, group, gender=gender)
    cleaned, _ = filters.apply_filters(items, filters.parse_filters(["gender-balance"]))
    before, after = (set(one.items["group"]) for one in (items, cleaned))
    kept = items.items["group"].isin(after).to_numpy()
    assert kept.sum() == len(cleaned)
    assert len(after) < len(before)
    counts = cleaned.items.groupby(["age_min", "gender"]).size().unstack()
    assert (counts["male"] - counts["female"]).abs().max() < 0.15 * len(cleaned) / 4


def test_a_cluster_goes_only_where_most_of_it_is_too_much():
    items = made(
        [20, 20, 20, 45, 45, 45], [0, 0, 0, 1, 1, 1], gender=["male", "male", "female"] + ["male"] * 2 + [None]
    )
    # The couple of photographs with a woman brings 20 nearer to balance by 1, the other brings 45 nearer by 2
    with pytest.raises(DataError, match="--filter gender-balance would leave out every one of 6 items"):
        left(items, "gender-balance")
    with_somebody = made([20, 45, 45, 45], [0, 1, 1, 1], gender=[None, "male", "male", None])
    _, [row] = filters.apply_filters(with_somebody, filters.parse_filters(["gender-balance"]))
    assert (row["removed"], row["unknown"]) == (3, 1)  # the one that goes with the two men does not stay
    even = made([20] * 4, [0, 0, 1, 1], gender=["male", "female", "male", "female"])
    assert left(even, "gender-balance") == "0 1 2 3"


# --- blur -------------------------------------------------------------------------------------------------------


class Store(list):
    """Photographs in memory where `Photos` has a folder."""

    def __init__(self, folder, images):
        super().__init__(images)
        self.folder = folder / "store"
        self.folder.mkdir()
        self.shape = np.array([image.shape[:2] for image in images])


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    smooth = ndimage.uniform_filter(noise, (9, 9, 0))
    unusable, strip = np.zeros((0, 0, 3), np.uint8), noise[:, :2]
    return Store(tmp_path, [noise, smooth, noise[:20] // 2, unusable, strip])


def test_sharpness_is_the_variance_of_the_laplacian_inside(store):
    found = _sharpness.sharpness(store)
    weights = [0.299, 0.587, 0.114]  # ITU-R BT.601, as Pillow's
    for image, value in zip(store[:3], found[:3], strict=True):
        laplacian = ndimage.laplace(np.rint(image @ weights))[1:-1, 1:-1]
        assert value == pytest.approx(laplacian.var(), rel=0.01)
    assert found[0] > 20 * found[1]
    assert np.isnan(found[3])
    assert found[4] == 0


def test_sharpness_is_measured_once_and_again_where_the_file_is_damaged_or_photographs_came_to_be_usable(
    store, monkeypatch
):
    measured, counted = _sharpness._measured, []
    monkeypatch.setattr(_sharpness, "_measured", lambda *given: counted.append(1) or measured(*given))
    first = _sharpness.sharpness(store)
    np.testing.assert_array_equal(_sharpness.sharpness(store), first)
    assert len(counted) == 1
    (store.folder / _sharpness.FILE).write_bytes(b"nothing")
    _sharpness.sharpness(store)
    assert len(counted) == 2
    store[3], store.shape[3] = store[0], (40, 30)
    assert _sharpness.sharpness(store)[3] == first[0]
    assert len(counted) == 3


def test_blurred_photographs_go(store):
    limit = 2 * float(_sharpness.sharpness(store)[1])
    items = made([20] * 3, photos=store, photo=[0, 1, 2])
    assert left(items, f"blur={limit}") == "0 2"
    assert left(items, "blur=0") == "0 1 2"


def test_photographs_of_files_are_measured_too(dataset):
    cleaned, [row] = filters.apply_filters(dataset, filters.parse_filters(["blur"]))
    assert (len(cleaned), row["removed"], row["value"]) == (len(dataset), 0, "6")


# --- the report -------------------------------------------------------------------------------------------------


def test_each_step_works_on_what_the_one_before_left_and_reports_the_ages_before_and_after():
    items = made([1, 20, 20, 20, 95], gender=["male", "male", "male", "female", "male"])
    cleaned, report = filters.apply_filters(items, filters.parse_filters(["age-range=2-90", "gender-balance"]))
    first, second = report
    assert [row["removed"] for row in report] == [2, 1]
    assert (first["name"], first["value"], second["value"]) == ("age-range", "2-90", "")
    assert {group: count for group, count in first["before"].items() if count} == {"0-2": 1, "18-22": 3, "81+": 1}
    assert first["after"] == second["before"]
    assert second["after"]["18-22"] == len(cleaned) == 2
    assert len(first["before"]) == 14
    assert json.loads(as_json(report)) == report


def test_the_other_order_leaves_others():
    items = made([1, 1, 20], gender=["male", "female", "male"], face_score=[9, 0, 9])
    assert left(items, "face-score=1") == "0 2"
    with pytest.raises(DataError, match="every one of 2 items"):
        left(items, "face-score=1", "gender-balance")
    assert left(items, "gender-balance", "face-score=1") == "0"


def test_what_goes_is_listed_with_its_reason_and_counted_by_step():
    items = made([1, 20, 30], age_deviation=[1, 2, 9])
    cleaned, _ = filters.apply_filters(items, filters.parse_filters(["age-range=2-90", "label-deviation=3"]))
    assert cleaned.excluded["item_id"].tolist() == ["0", "2"]
    assert cleaned.excluded["reason"].tolist() == [
        "cleaned by age-range=2-90: age not from 2 to 90 years",
        "cleaned by label-deviation=3: people's guesses deviate by more than 3 years",
    ]
    assert cleaned.reasons == {"cleaned by age-range=2-90": 1, "cleaned by label-deviation=3": 1}


def test_without_steps_nothing_happens(dataset):
    cleaned, report = filters.apply_filters(dataset, ())
    assert cleaned is dataset
    assert report == list(filters.report_lines(report)) == []


def test_the_lines_spare_the_ages_where_nothing_went():
    _, report = filters.apply_filters(made([20, 30]), filters.parse_filters(["age-range=1-90"]))
    first, second = filters.report_lines(report)
    assert (first, second.split()[:2]) == ("cleaning left out 0 of 2 items; 2 stay", ["age-range=1-90", "0"])


def test_the_lines_say_what_went_and_how_the_ages_changed():
    items = made([1, 20, 20, 95], face_score=[5, 0, np.nan, 5])
    _, report = filters.apply_filters(items, filters.parse_filters(["age-range=1-90", "face-score=1"]))
    assert list(filters.report_lines(report)) == [
        "cleaning left out 2 of 4 items; 2 stay",
        "  age-range=1-90         1  age not from 1 to 90 years",
        "  face-score=1           1  face score below 1; 1 stay that do not say it",
        "      age           before            after",
        "      0-2        1  25.0 %        1  50.0 %",
        "    18-22        2  50.0 %        1  50.0 %",
        "      81+        1  25.0 %        0   0.0 %",
    ]


# --- filters of one's own ---------------------------------------------------------------------------------------


def test_filter_from_a_file_leaves_out_what_it_says(tmp_path):
    file = own_plugins.write(tmp_path, own_plugins.FILTER)
    cleaned, [row] = filters.apply_filters(made([9, 10, 11, 15]), filters.parse_filters([f"{file}=5"]))
    assert cleaned.items["item_id"].tolist() == ["0", "2"]
    assert (row["name"], row["value"], row["reason"]) == (file, "5", "age a multiple of 5")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("return dataset.age_range[:, 0]", "return dataset.nothing"), "failed: AttributeError"),
        (("% self.value == 0", "% self.value"), "must return a bool for each of 3 items"),
    ],
)
def test_filter_that_fails_is_named_in_one_line(tmp_path, change, complaint):
    file = own_plugins.write(tmp_path, own_plugins.FILTER.replace(*change))
    with pytest.raises(DataError, match=complaint):
        left(made([9, 10, 11]), f"{file}=5")
