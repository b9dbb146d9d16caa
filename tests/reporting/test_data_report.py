"""The page of `data check`: rounded ages, confounding, and one HTML file that shows them and does nothing else."""

import base64
import hashlib
import json
import os
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from conftest import AGES, PHOTOS, face, utk_name
from helpers.commands import ageensemble, said
from helpers.made_up import put

from ageensemble.data.dataset import load_dataset
from ageensemble.data.quality import audit
from ageensemble.data.quality.age_heaping import heaping
from ageensemble.data.quality.attribute_association import attributes, confounding, cramers_v, mutual_information
from ageensemble.experiments.experiment import Experiment
from ageensemble.reporting import data_report
from ageensemble.reporting.data_report import charts
from ageensemble.reporting.data_report import html as markup
from ageensemble.reporting.data_report.findings import findings
from ageensemble.reporting.data_report.label_issues import RunLabelIssues
from ageensemble.reporting.data_report.summary import audit_lines
from ageensemble.splits.split import make_split

FORTY = np.full(PHOTOS + 3, 40)
SCRIPT = "<script>document.title='hacked'</script>"


def exact(ages):
    return np.stack([ages, ages], 1)


def heaped(ages, groups=None):
    return heaping(exact(np.asarray(ages)), np.arange(len(ages)) if groups is None else groups)


def table_of(gender, ethnicity):
    return attributes(pd.DataFrame({"gender": gender, "ethnicity": ethnicity}, dtype=object))


class Read(HTMLParser):
    """The names of all elements, the attributes by element, and the text."""

    def __init__(self, html):
        super().__init__()
        self.names, self.given, self.text, self.open = [], [], "", []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.given.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data

    def every(self, tag, attribute):
        return [given[attribute] for name, given in self.given if name == tag and attribute in given]


# --- rounded ages ---------------------------------------------------------------------------------------------------


def test_evenly_spread_ages_have_an_index_of_one_and_no_peaks():
    found = heaped(np.repeat(np.arange(100), 20))
    for name in ("fives", "tens"):
        assert found[name]["index"] == pytest.approx(1)
        assert found[name]["low"] < 1 < found[name]["high"]
        assert found[name]["p"] == pytest.approx(1)
    assert found["peaks"] == []


def test_a_slope_is_no_heaping():
    ages = np.repeat(np.arange(100), np.arange(100, 0, -1))
    assert heaped(ages)["fives"]["index"] == pytest.approx(1, abs=0.01)


def test_multiples_of_ten_twice_as_frequent_as_their_neighbors_have_two_sixths_of_their_window():
    ages = np.repeat(np.arange(100), np.where(np.arange(100) % 10 == 0, 40, 20))
    found = heaped(ages)
    assert found["tens"]["share"] == pytest.approx(2 / 6)
    assert found["tens"]["index"] == pytest.approx(5 / 3)
    assert found["fives"]["index"] == pytest.approx((4 * 40 + 4 * 20) / (4 * 120 + 4 * 100) * 5)
    assert found["tens"]["low"] > 1
    assert found["tens"]["p"] < 1e-6
    assert found["tens"]["at"] == [{"age": age, "items": 40, "neighbors": 20.0} for age in (30, 40, 50, 60)]


def test_where_a_set_begins_and_ends_is_no_heaping_and_what_is_within_still_is():
    even = np.repeat(np.arange(21, 61), 300)  # 60 has two neighbors of four, 61 and 62 are not there
    found = heaped(even)
    assert (found["fives"]["index"], found["tens"]["index"], found["peaks"]) == (1, 1, [])
    assert [m["age"] for m in found["tens"]["at"]] == [30, 40, 50]
    rounded = heaped(np.repeat(np.arange(20, 61, 5), 300))
    assert rounded["fives"]["index"] == pytest.approx(5)
    assert sorted(peak["age"] for peak in rounded["peaks"]) == list(range(25, 60, 5))


def test_an_age_that_stands_out_is_named_whatever_its_digit():
    found = heaped(np.r_[np.repeat(np.arange(100), 20), np.full(60, 26)])
    assert found["peaks"] == [{"age": 26, "items": 80, "neighbors": 20.0}]


def test_copies_make_no_peak_and_widen_the_interval():
    ages = np.r_[np.repeat(np.arange(100), 20), np.full(60, 30)]
    alone, together = heaped(ages), heaped(ages, np.r_[np.arange(2000), np.full(60, 2000)])
    assert alone["peaks"]
    assert together["peaks"] == []
    assert together["fives"]["share"] == alone["fives"]["share"]
    assert together["fives"]["low"] < alone["fives"]["low"]
    assert together["fives"]["p"] > alone["fives"]["p"]


def test_ranges_and_few_items_say_nothing_of_rounding():
    assert heaping(np.array([[20, 30]] * 500), np.arange(500)) == {"fives": None, "tens": None, "peaks": []}
    assert heaped(np.full(99, 30))["fives"] is None


# --- confounding ----------------------------------------------------------------------------------------------------


def test_cramers_v_is_one_where_one_tells_the_other_and_nought_where_it_tells_nothing():
    assert cramers_v(np.array([[500, 0], [0, 500]])) == pytest.approx(1, abs=1e-3)
    assert cramers_v(np.array([[50, 50], [50, 50]])) == 0
    assert cramers_v(np.array([[5, 7]])) == 0
    # phi squared 0.36, less 1 of 99 for chance; over 1 - 1 / 99
    assert cramers_v(np.array([[40, 10], [10, 40]])) == pytest.approx(((0.36 - 1 / 99) / (1 - 1 / 99)) ** 0.5)


def test_mutual_information_is_one_bit_where_a_coin_tells_the_age():
    assert mutual_information(np.array([[50_000, 0], [0, 50_000]])) == pytest.approx(1, abs=1e-4)
    assert mutual_information(np.array([[50, 50], [50, 50]])) == 0


def test_mean_ages_by_gender_come_with_what_gender_alone_would_tell():
    y = exact(np.repeat([20, 24, 40, 44], 25))
    found = confounding(table_of(["f"] * 50 + ["m"] * 50, [None] * 100), y, np.arange(100))["gender"]
    female = found["values"]["f"]
    assert (female["items"], female["mean_age"]) == (50, 22)
    half = 1.96 * 2 / 49**0.5  # the standard deviation is 2 over n, the error that over the root of n - 1
    assert female["low"] == pytest.approx(22 - half)
    assert female["high"] == pytest.approx(22 + half)
    assert (found["constant_mae"], found["attribute_mae"]) == (10, 2)  # 32 and 22 or 42


def test_a_mean_of_few_persons_is_less_sure_than_of_many_photographs():
    y, known = exact(np.repeat([20, 24, 40, 44], 25)), table_of(["f"] * 50 + ["m"] * 50, [None] * 100)
    wide = confounding(known, y, np.repeat(np.arange(4), 25))["gender"]["values"]["f"]
    assert wide["high"] - wide["low"] == pytest.approx(2 * 1.96 * 2)  # two persons, 20 and 24


def test_what_is_not_known_is_no_value_and_a_single_value_is_no_attribute():
    found = confounding(table_of(["m", "m", None] * 20, ["a", "b", "a"] * 20), exact(np.arange(60)), np.arange(60))
    assert "gender" not in found
    assert found["between"] is None
    assert set(found["ethnicity"]["values"]) == {"a", "b"}


def test_attributes_that_no_item_says_both_of_have_nothing_between_them():
    known = table_of(["m", "f", None, None] * 9, [None, None, "a", "b"] * 9)
    found = confounding(known, exact(np.arange(36)), np.arange(36))
    assert {"gender", "ethnicity"} <= set(found)
    assert found["between"] is None


def test_a_thousand_ethnicities_are_told_apart_no_further_than_twenty():
    values, code = table_of([None] * 1000, [f"e{i}" for i in range(1000)])["ethnicity"]
    assert (len(values), values[-1], code.max()) == (20, "(others)", 19)


def test_photographs_that_grow_with_age_are_told(tmp_path, cache):
    for age in range(20, 30):
        face(age, age, side=age).save(tmp_path / f"{age}.png")
    (tmp_path / "annotations.csv").write_text("path,age\n" + "".join(f"{age}.png,{age}\n" for age in range(20, 30)))
    result = audit.audit(load_dataset(tmp_path, cache=cache))
    assert result["sizes"]["correlation_with_age"] == pytest.approx(1)
    assert result["sizes"]["shorter_side"] == {"16-31": 10}
    assert result["sizes"]["common"][0] == {"width": 20, "height": 20, "items": 1}
    assert any(sentence.startswith("The larger an image, the older the face") for sentence in findings(result))


# --- markup ---------------------------------------------------------------------------------------------------------


def test_text_is_escaped_in_elements_and_attributes_and_markup_is_not_escaped_twice():
    inner = markup.tag("b", SCRIPT, title='"><script>')
    hacked = "&lt;script&gt;document.title=&#x27;hacked&#x27;&lt;/script&gt;"
    expected = f'<p class="x"><b title="&quot;&gt;&lt;script&gt;">{hacked}</b>&amp;</p>'
    assert markup.tag("p", inner, "&", class_="x") == expected
    assert markup.tag("p", "a\u202eb\x1b") == "<p>a?b?</p>"


def test_bars_are_as_tall_as_their_counts():
    drawn = charts.histogram({0: 10, 9: 5}, "two ages", height=100)
    heights = dict(re.findall(r"<title>(\d+) years: \d+</title><rect y=\"[\d.]+\" height=\"([\d.]+)\"", drawn))
    assert heights == {"0": "100", "9": "50"}


@pytest.mark.parametrize("most", [1, 7, 40, 99, 100, 1800, 2_000_000])
def test_a_chart_has_a_few_lines_at_round_numbers(most):
    numbers = [
        int(n.replace(",", "")) for n in re.findall(r'halo end"[^>]*>([\d,]+)<', charts.histogram({5: most}, ""))
    ]
    assert 1 <= len(numbers) <= 5
    assert max(numbers) <= most


# --- the page -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checked(utkface, cache, tmp_path_factory):
    """`data check --html` of the faces: the page, and what was printed."""
    out = tmp_path_factory.mktemp("checked")
    done = ageensemble("data", "check", utkface, "--cache", cache, "--out", out, "--html", "--json")
    assert done.returncode == 0, done.stderr
    return (out / "check-faces" / "page.html").read_text(encoding="utf-8"), json.loads(done.stdout)


def test_the_page_has_what_the_audit_found(checked):
    html, result = checked
    text = Read(html).text
    for heading in ("What stands out", "Ages", "Rounded ages", "Age and gender", "Age and ethnicity", "Groups"):
        assert heading in text
    assert "1 group of images shows the same image with different ages, up to 30 years apart: of copies" in text
    assert "30 years apart" in text
    assert "2 groups show the same image more than once, with ages that agree" in text
    assert "Which: not an image" in text
    assert utk_name(33, 203) in text
    assert result["confounding"]["gender"]["values"]["male"]["items"] == 62
    copies = {"ages": [AGES[0]] * 2, "items": [utk_name(AGES[0], 0), utk_name(AGES[0], 200)]}
    assert copies in result["copies"]["largest"]
    assert sum(result["years"]["all"].values()) == 123


def test_the_page_is_one_file_that_may_do_nothing_but_show_itself(checked):
    read = Read(checked[0])
    assert not {"script", "link", "iframe", "object", "form", "base"} & set(read.names)
    assert all(source.startswith("data:image/jpeg;base64,") for source in read.every("img", "src"))
    assert not any(name in ("href", "style") or name.startswith("on") for _, given in read.given for name in given)
    [policy] = [given["content"] for tag, given in read.given if given.get("http-equiv")]
    style = re.search(r"<style>(.*?)</style>", checked[0], re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:;")


def test_pictures_and_charts_say_in_words_what_they_show(checked):
    read = Read(checked[0])
    pictures = [given for tag, given in read.given if tag in ("img", "svg")]
    assert pictures
    assert all(given.get("alt") or given.get("aria-label") for given in pictures)
    assert read.names.count("table") >= 5


def test_the_same_data_make_the_same_page(checked, utkface, cache, tmp_path):
    file = tmp_path / "pages" / "mine.html"
    words = ["data", "check", utkface, "--cache", cache, "--out", tmp_path, "--html", "--to", file]
    assert ageensemble(*words).returncode == 0
    assert file.read_text(encoding="utf-8") == checked[0]
    assert not (tmp_path / "check-faces" / "page.html").exists()


@pytest.fixture(scope="module")
def hostile(cache, tmp_path_factory):
    """Two images alike whose names, genders and set are scripts, and their page."""
    root = tmp_path_factory.mktemp("hostile") / "<script>a<b"
    root.mkdir()
    name = "<script>document.title='hacked'<\x1b\u202e>&\".png"
    face(20, 0).save(root / name)
    shutil.copy(root / name, root / f"b{name}")
    (root / "gone<svg onload=alert(1)>.png").write_bytes(b"")
    rows = {"path": sorted(os.listdir(root)), "age": [20, 60, 30], "gender": [SCRIPT, "</style>", "f"]}
    pd.DataFrame(rows).assign(ethnicity="x").to_csv(root / "annotations.csv", index=False)
    dataset = load_dataset(root, cache=cache)
    file = root.parent / "page.html"
    data_report.save(file, dataset, audit.audit(dataset) | {"cleaned": []})
    return file


def test_names_that_are_scripts_are_shown_and_do_nothing(hostile):
    html = hostile.read_text(encoding="utf-8")
    read = Read(html)
    assert not {"script", "iframe"} & set(read.names)
    assert "40 years apart" in read.text
    card = re.search('<section id="conflicts".*?</section>', html, re.DOTALL)[0]
    assert card.count('<span class="file">') == 2
    assert "b&lt;script&gt;document.title=&#x27;hacked&#x27;&lt;??&gt;&amp;&quot;.png</span>" in card
    assert "onload=alert(1)>.png" in read.text
    assert SCRIPT in read.text
    assert not re.search("[\x1b\u202e]", html)


def test_labels_alone_are_checked_before_the_photographs_are_there(tmp_path, cache):
    rows = [f"none/{i}.jpg,{20 + i % 50},{'mf'[i % 2]},p{i // 3}\n" for i in range(300)]
    (tmp_path / "labels.csv").write_text("path,age,gender,subject\n" + "".join(rows) + "none/x.jpg,old,m,\n")
    words = ["data", "check", tmp_path / "labels.csv", "--cache", cache / "none", "--out", tmp_path, "--labels-only"]
    done = ageensemble(*words, "--html", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["items"], result["groups"], result["sides"], result["conflicts"]) == (300, 100, None, [])
    assert result["links"] == {"same subject": {"groups": 100, "items": 300, "several_ages": 100}}
    assert result["excluded"] == {"age unreadable": 1}
    folder = tmp_path / "check-labels.csv"
    assert {f.name for f in folder.iterdir()} == {"dataset.csv", "excluded.csv", "conflicts.csv", "page.html"}
    assert "no image was opened" in (folder / "page.html").read_text()
    assert pd.read_csv(folder / "dataset.csv")["sha256"].isna().all()
    assert not (cache / "none").exists()


def test_what_cleaning_removed_is_on_the_page_and_in_the_lists(utkface, cache, tmp_path):
    words = ["data", "check", utkface, "--cache", cache, "--out", tmp_path, "--html"]
    done = ageensemble(*words, "--filter", "conflicts", "--filter", "age-range=10-60")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "check-faces").exists()  # where the lists of the whole set would be
    text = Read((tmp_path / "check-faces-cleaned" / "page.html").read_text()).text
    assert "age-range=10-60" in text
    assert "removed on request" in text
    assert "The same image, different ages" not in text
    reasons = pd.read_csv(tmp_path / "check-faces-cleaned" / "excluded.csv")["reason"].str.partition(":")[0]
    reasons = reasons.value_counts()
    assert reasons["cleaned by conflicting-labels=0"] == 2
    assert "cleaning left out" in done.stdout


@pytest.fixture(scope="module")
def runs(dataset, tmp_path_factory):
    """A split of the faces with a run, `forty`, that takes everybody for 40."""
    out = tmp_path_factory.mktemp("runs")
    put(Experiment.create(out, dataset, make_split(dataset, 3, 0), {"leaks": 0, "limited": 0}), "forty", FORTY)
    return out


def test_suspects_of_a_run_are_shown_with_their_labels_and_what_was_predicted(runs, utkface, cache):
    done = ageensemble("data", "check", utkface, "--cache", cache, "--out", runs, "--html", "--run", "forty")
    assert done.returncode == 0, done.stderr
    html = (runs / "check-faces" / "page.html").read_text()
    read = Read(html)
    assert "48 labels that forty (import) contradicts most" in read.text
    assert "1 → 40 (40-40)" in read.text
    section = re.search('<section id="label-issues".*?</section>', html, re.DOTALL)[0]
    assert section.count('<span class="file">') == 48
    assert f'<span class="file">{utk_name(AGES[0], 0)}</span>' in section


def test_a_photograph_that_is_another_by_now_is_no_suspect(runs, dataset):
    issues = RunLabelIssues(runs, "forty")
    first = issues.among(dataset)["item_id"].iloc[0]
    sha256 = dataset.items["sha256"].where(dataset.items["item_id"] != first, "another")
    changed = replace(dataset, items=dataset.items.assign(sha256=sha256))
    assert first not in issues.among(changed)["item_id"].tolist()
    assert len(issues.among(changed)) == len(issues.among(dataset)) == 48


def test_a_set_cleaned_of_every_suspect_has_none_and_is_still_the_runs(runs, dataset):
    issues = RunLabelIssues(runs, "forty")
    suspects = dataset.items["item_id"].isin(issues._table["item_id"]).to_numpy()
    assert issues.among(dataset.take(np.flatnonzero(~suspects))).empty


def test_suspects_of_other_photographs_are_refused(runs, annotated, cache):
    done = ageensemble("data", "check", annotated, "--cache", cache, "--out", runs, "--html", "--run", "forty")
    assert done.returncode == 3
    assert said(done) == "the run forty (import) was made on other images than those of annotated"


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["--to", "x.html"], "it goes with --html"),
        (["--run", "svm"], "it goes with --html"),
        (["--html", "--to", "/"], "--to / is a folder; name the page's file, such as /page.html"),
        (["--html", "--labels-only", "--run", "svm"], "images that are opened"),
        (["--filter", "blurr"], "did you mean 'blur'"),
        (["--html", "--run", "svm", "--out", "/nowhere"], "no runs in /nowhere"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_read(words, right):
    done = ageensemble("data", "check", "/nowhere-either", *words)
    assert right in said(done)


def test_the_help_says_that_suspects_need_the_page():
    shown = " ".join(ageensemble("data", "check", "--help").stdout.split())
    assert "With --html: a run in --out" in shown


def test_several_sets_are_checked_as_one(utkface, annotated, cache, tmp_path):
    words = ["data", "check", utkface, annotated, "--cache", cache, "--out", tmp_path, "--html", "--json"]
    done = ageensemble(*words)
    assert json.loads(done.stdout)["items"] == 123 + 60
    assert (tmp_path / "check-annotated+faces" / "page.html").exists()


def test_a_clean_set_has_little_to_say(annotated, cache):
    result = audit.audit(load_dataset(annotated, cache=cache))
    assert [sentence.partition(" ")[0] for sentence in findings(result)] == ["Age"]


def test_age_that_goes_with_gender_is_said_with_the_means_where_they_are_of_many(checked):
    y, codes = exact(np.repeat([20, 60], 60)), np.repeat(["f", "m"], 60)
    for few, expected in (
        (1, "Age goes with gender, mean ages 20.0 (f) to 60.0 (m). K"),
        (3, "Age goes with gender. K"),
    ):
        found = confounding(table_of(codes[::few], [None] * (120 // few)), y[::few], np.arange(120)[::few])
        said = findings(checked[1] | {"confounding": found})
        assert any(sentence.startswith(expected) for sentence in said)


def test_age_does_not_go_with_gender_where_gender_brings_the_error_down_by_nothing():
    y = exact(np.r_[np.repeat([20, 60], 60), np.full(120, 40)])  # either median is 40
    found = confounding(table_of(np.repeat(["f", "m"], 120), [None] * 240), y, np.arange(240))
    assert found["gender"]["cramers_v"] > 0.9
    assert found["gender"]["constant_mae"] == found["gender"]["attribute_mae"]
    nothing = {"fives": None, "tens": None, "peaks": []}
    result = {
        "conflicts": [],
        "links": {},
        "excluded": {},
        "heaping": nothing,
        "age_groups": {},
        "confounding": found,
    }
    result |= {"sizes": None, "subjects": {"items": 1}, "items": 1}
    assert findings(result) == []


@pytest.fixture(scope="module")
def adience(tmp_path_factory, cache):
    """A hundred labels of each of three of Adience's ranges, and their page."""
    root = tmp_path_factory.mktemp("ranges")
    rows = [f"{i}.jpg,{('8-12', '25-32', '60-100')[i % 3]},{'mf'[i % 2]}\n" for i in range(300)]
    (root / "labels.csv").write_text("path,age,gender\n" + "".join(rows))
    dataset = load_dataset(root / "labels.csv", cache=cache, with_images=False)
    result = audit.audit(dataset) | {"cleaned": []}
    data_report.save(root / "page.html", dataset, result)
    return result, (root / "page.html").read_text()


def test_labeled_ranges_are_the_groups_of_the_lines_the_findings_and_the_chart(adience):
    result, html = adience
    assert {name: count for name, count in result["age_groups"].items() if count} == {
        "8-13": 100,
        "25-32": 100,
        "60+": 100,
    }
    assert "      60+      100  ########################################" in audit_lines(result)
    [few] = [sentence for sentence in findings(result) if sentence.startswith("Age groups")]
    assert few.endswith("0-2 (0), 4-6 (0), 15-20 (0), 38-43 (0), 48-53 (0).")
    assert "300 labels are ranges, whole in the groups" in Read(html).text
    chart = re.search('<section id="ages".*?</svg>', html, re.DOTALL)[0]
    assert re.findall(r"<title>(60\+ years: \d+)</title>", chart) == ["60+ years: 100"]


def test_groups_are_not_called_small_where_ranges_stand_at_their_middle(adience):
    result = adience[0] | {"grouping": adience[0]["grouping"] | {"cuts": True}}
    assert not any(sentence.startswith("Age groups") for sentence in findings(result))


def test_years_below_two_charts_side_by_side_stay_inside_and_the_last_is_shown():
    drawn = charts.panel([0.5, 0.5, 0, 0], [0.25] * 4, 0.5, "to twenty")
    assert re.findall(r'class="tick (\w+)" x="([\d.]+)%"', drawn) == [("start", "0.00"), ("end", "100.00")]
    assert [charts.right_end(oldest) for oldest in (0, 19, 20, 60, 101, 120)] == [20, 20, 40, 80, 120, 120]


def test_an_interval_beyond_the_scale_is_cut_and_a_value_without_one_has_its_dot():
    drawn = charts.whisker(-50, 30, 150, (20, 40), 30, "few")
    assert 'x1="0.00%" x2="100.00%"' in drawn
    alone = charts.whisker(float("nan"), 25, float("nan"), (20, 40), 30, "one group")
    assert 'class="reach"' not in alone
    assert 'cx="25.00%"' in alone


# --- in a browser ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser():
    pytest.importorskip("playwright")
    from helpers.browser import FOUND, started

    if FOUND is None:
        pytest.skip("no browser on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = started(driver)
        yield browser
        browser.close()


@pytest.mark.parametrize("viewport", [(1280, 900), (390, 844), (320, 600)], ids=["desktop", "phone", "narrow phone"])
def test_the_page_fits_the_screen_draws_its_bars_and_complains_of_nothing(viewport, browser, checked, tmp_path):
    (tmp_path / "page.html").write_text(checked[0], encoding="utf-8")
    complaints = []
    opened = browser.new_page(viewport=dict(zip(("width", "height"), viewport, strict=True)))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on(
        "request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(("file:", "data:")) else 0
    )
    opened.goto((tmp_path / "page.html").as_uri())
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    box = opened.locator("#ages rect").nth(3).bounding_box()
    assert box["width"] > 1
    assert box["height"] > 20
    assert opened.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    opened.click("#ages summary")
    assert opened.is_visible("#ages table")
    assert complaints == []
    opened.close()


def test_in_a_browser_a_name_that_is_a_script_does_nothing(hostile, browser):
    opened = browser.new_page(color_scheme="dark")
    opened.goto(hostile.as_uri())
    assert opened.title().endswith(": a look at the data")
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 21, 25)"
    opened.close()
