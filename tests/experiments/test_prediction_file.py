"""Tables of answers: whose they are is found out, what they say is read as people write it, nothing is guessed."""

import numpy as np
import pandas as pd
import pytest

from ageensemble import ages
from ageensemble.errors import DataError
from ageensemble.experiments import prediction_file

ITEMS = pd.DataFrame({"item_id": ["a", "b", "c", "d"], "path": ["x/a.jpg", "x/b.jpg", "x/same.jpg", "y/same.jpg"]})
THREE = ages.parse_age_groups("0-17,18-64,65+")


def read(folder, text, age_groups=THREE, encoding="utf-8"):
    file = folder / "preds.csv"
    file.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return prediction_file.read_predictions(file, ITEMS, age_groups)


def years(found):
    assert found.kind == "age"
    return [None if np.isnan(value) else float(value) for value in found.values]


WRITTEN = {
    "by id": "item_id,age\na,20\nb,30.5\nd,41",
    "in another order": "item_id,age\nd,41\nb,30.5\na,20",
    "by path": "path,age\nx/a.jpg,20\nx/b.jpg,30.5\ny/same.jpg,41",
    "by file name, where only one has it": "File Name,age\na.jpg,20\nb.jpg,30.5\ny/same.jpg,41",
    "from another machine": "file,age\n/home/x/a.jpg,20\n/home/x/b.jpg,30.5\n/home/y/same.jpg,41",
    "from Windows": "file,age\r\nC:\\faces\\x\\a.jpg,20\r\n.\\b.jpg,30.5\r\ny\\same.jpg,41\r\n",
    "with other columns": ",image,score,pred\n0,a.jpg,9,20\n1,b.jpg,9,30.5\n2,y/same.jpg,9,41",
    "with the truth beside it": "item_id,age,predicted_age\na,1,20\nb,2,30.5\nd,3,41",
    "with semicolons and decimal commas": "item_id;age\na;20,0\nb;30,5\nd;41",
    "with tabs and a blank line": "item_id\tage\na\t20\n\nb\t30.5\nd\t41\n",
    "with an empty answer": "item_id,age\na,20\nb,30.5\nc,\nd,41",
    "with answers that say there is none": "item_id,age\na,20\nb,30.5\nc,NaN\nd,41",
}


@pytest.mark.parametrize("way", WRITTEN)
def test_ages_are_read_however_they_are_written(way, tmp_path):
    found = read(tmp_path, WRITTEN[way])
    assert years(found) == [20, 30.5, None, 41]
    assert found.given.tolist() == [True, True, False, True]
    assert found.metadata["unknown"] == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_the_encodings_that_spreadsheets_write_are_read(encoding, tmp_path):
    assert years(read(tmp_path, "item_id;age;who\na;20;Zoë\n", encoding=encoding))[0] == 20


def test_parquet_is_read_too(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"item_id": ["a", "b"], "pred": [20.25, None]}).to_parquet(tmp_path / "preds.parquet")
    assert years(prediction_file.read_predictions(tmp_path / "preds.parquet", ITEMS, THREE)) == [
        20.25,
        None,
        None,
        None,
    ]


def test_the_same_file_name_in_a_folder_of_the_file_alone_is_nobody(tmp_path):
    found = read(tmp_path, "file,age\np/a.jpg,1\nq/a.jpg,2\nb.jpg,30")
    assert years(found) == [None, 30, None, None]
    assert (found.metadata["unknown"], found.metadata["example"]) == (2, "p/a.jpg")


def test_rows_of_no_item_are_counted_and_their_answers_not_looked_at(tmp_path):
    found = read(tmp_path, "item_id,age\na,20\nzoe,very old\n")
    assert years(found) == [20, None, None, None]
    assert found.metadata == {"column": "age", "rows": 2, "unknown": 1, "example": "zoe", "scaled": 0}


@pytest.mark.parametrize("spelled", ["18-64", "18–64", "(18, 64)", " 18 - 64 "])
def test_a_group_is_read_by_its_label(spelled, tmp_path):
    found = read(tmp_path, f'item_id,prediction\na,"{spelled}"\nb,65+\nc,65-120\n')
    assert found.kind == "group"
    assert found.values[:3].tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    assert found.given.tolist() == [True, True, True, False]


def test_a_column_of_groups_is_one_even_where_the_labels_are_numbers(tmp_path):
    text = "item_id,{}\na,1\nb,0\n"
    assert read(tmp_path, text.format("group"), ages.parse_age_groups("0,1,2+")).values[0].tolist() == [0, 1, 0]
    assert read(tmp_path, text.format("age"), ages.parse_age_groups("0,1,2+")).kind == "age"


@pytest.mark.parametrize("name", ["p{}", "p_{}", "{}", "P{}"])
def test_a_distribution_is_read_from_columns_of_years(name, tmp_path):
    header = ",".join(name.format(year) for year in range(121))
    rows = np.zeros((2, 121))
    rows[0, [30, 31]], rows[1, 120] = [0.25, 0.75], 1
    body = "\n".join(f"{i}," + ",".join(map(str, row)) for i, row in zip("ab", rows, strict=True))
    found = read(tmp_path, f"item_id,{header}\n{body}\n")
    assert found.kind == "distribution"
    assert np.array_equal(found.values[:2], rows)
    assert found.given.tolist() == [True, True, False, False]


def test_a_distribution_over_fewer_years_leaves_no_probability_for_the_others(tmp_path):
    found = read(tmp_path, "item_id,p21,p20,p22\na,0.5,0.2,0.3\nb,,,")
    assert found.values.shape == (4, 121)
    assert found.values[0, 20:23].tolist() == [0.2, 0.5, 0.3]
    assert found.values[0].sum() == 1
    assert not found.given[1:].any()


def test_probabilities_of_groups_are_read_from_columns_with_their_labels(tmp_path):
    found = read(tmp_path, "item_id;65+;0-17;18-64;age\na;0,1;0,2;0,7;33\n")
    assert found.kind == "group probabilities"
    assert found.values[0] == pytest.approx([0.2, 0.7, 0.1])


def test_probabilities_that_were_rounded_are_scaled_and_counted(tmp_path):
    found = read(tmp_path, "item_id,p0,p1\na,0.5,0.4995\nb,0.47,0.47\nc,-1e-9,1\n")
    assert found.values[:3].sum(1) == pytest.approx(1, abs=1e-12)
    assert found.values[1, :2].tolist() == [0.5, 0.5]
    assert found.values.min(initial=0, where=~np.isnan(found.values)) == 0
    assert found.metadata["scaled"] == 1


REFUSED = {
    "": "not a readable table",
    "item_id,age\n": "has a header but no rows",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "no table of text",
    b"\xff\xd8\xff\xe1 no zero among these bytes": "no column for the item",
    "who,age\na,1": r"no column for the item; call it item_id or file \(columns seen: who, age\)",
    "item_id,score\na,1": r"no column of answers; call it prediction, .* \(columns seen: item_id, score\)",
    "item_id,pred,predicted_age\na,1,1": "either 'pred' or 'predicted_age' may be the answer",
    "item_id,age\nA,1\nB,2": "not one row of its 2 is of an item of this split; it says 'A' where the split has 'a'",
    "item_id,age\na,1\nb,2\na,1": "'a' is answered twice, in lines 2 and 4",
    "file,age\na.jpg,1\nx/a.jpg,2": "'x/a.jpg' is answered twice, in lines 2 and 3",
    "file,age\nsame.jpg,1": "'same.jpg' may be x/same.jpg or y/same.jpg; give the item_id",
    "item_id,age\na,1\n,2\n,3": r"line 3 names no item \(2 such lines\)",
    "item_id,age\na,1\nb,-1\nc,-1": "'b' is -1, no age of 0 to 120 years; leave the cell empty.*; and in 1 more row",
    "item_id,age\na,121": "'a' is 121, no age of 0 to 120 years",
    "item_id,age\na,inf": "'a' is inf, no age of 0 to 120 years",
    "item_id,age\na,1e999": "'a' is inf, no age",
    "item_id,age\na,young": "'a' is 'young', which is neither an age in years nor one of the groups",
    "item_id,age\na,18-22\nb,23-27": "'a' is '18-22', which is neither an age in years nor one of the groups '0-17,18",
    "item_id,group\na,1": r"'a' is '1', none of the groups .* \(0-17, 18-64, 65\+\); --age-groups names others",
    "item_id,pred\na,0-17\nb,18": "'b' is '18', none of the groups",
    "item_id,0-17,65+\na,1,0": "lacks columns of the groups '0-17,18-64,65+': 18-64",
    "item_id,p0,p2\na,1,0": "columns for 2 years between 0 and 2; a distribution needs every year",
    "item_id,p120,p121\na,1,0": "columns for 2 years between 120 and 121",
    "item_id,p0,p1\na,50,50": "'a' has probabilities that sum to 100, not 1",
    "item_id,p0,p1\na,0,0": "'a' has probabilities that sum to 0, not 1",
    "item_id,p0,p1\na,inf,0": "'a' has probabilities that sum to inf, not 1",
    "item_id,p0,p1\na,-0.5,1.5": "'a' has the negative probability -0.5",
    "item_id,p0,p1\na,1,": "'a' lacks 1 of its 2 probabilities",
    "item_id,p0,p1\na,1,x": "'a' is 'x', which is no probability",
    "item_id,p0,p" + "9" * 5000 + "\na,1,1": "no column of answers",
}


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_cannot_be_meant_is_refused_in_one_line(number, tmp_path):
    text, message = list(REFUSED.items())[number]
    with pytest.raises(DataError, match=message.replace("65+'", r"65\+'")) as refused:
        read(tmp_path, text)
    assert "preds.csv" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    for file in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            prediction_file.read_predictions(file, ITEMS, THREE)
