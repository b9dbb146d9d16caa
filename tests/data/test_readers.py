"""Sources: UTKFace's names, CSV files as people write them, what is recognized and what is refused, in clear words."""

import math
import os

import pandas as pd
import pytest
from conftest import face, utk_name

from ageensemble.data import readers
from ageensemble.data.dataset import load_dataset
from ageensemble.data.quality import audit
from ageensemble.data.readers import READERS
from ageensemble.errors import DataError, UsageError
from ageensemble.reporting.data_report.summary import audit_lines

annotations, table_file, utkface = (READERS.load(name)() for name in ("annotations", "csv", "utkface"))


def named(tmp_path, *names):
    """The rows UTKFace's reader makes of files with these names, by name."""
    for name in names:
        (tmp_path / name).touch()
    return utkface.read(tmp_path).set_index("item_id")


def csv(folder, text, name="annotations.csv", encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return annotations.read(folder)


def ages(tmp_path, *texts):
    table = csv(tmp_path, "path;age\n" + "".join(f"{i}.jpg;{text}\n" for i, text in enumerate(texts)))
    return [
        problem.partition(":")[0] if problem else (low, high)
        for low, high, problem in zip(table["age_min"], table["age_max"], table["problem"], strict=True)
    ]


MALFORMED = {
    "39_1_20170116174525125.jpg.chip.jpg": (39, "female", None),
    "61_1_20170109150557335.jpg.chip.jpg": (61, "female", None),
    "61_3_20170109150557335.jpg.chip.jpg": (61, None, "Indian"),
    "24_0_1_20170116220224657 .jpg.chip.jpg": (24, "male", "Black"),
    "55_0_0_20170116232725357jpg.chip.jpg": (55, "male", "White"),
    "14_0_0_2017011022340900.jpg.chip.jpg": (14, "male", "White"),
    "28_1_2_201701161846515488.jpg.chip.jpg": (28, "female", "Asian"),
    "44_1_4_20170116235150272.pg.chip.jpg": (44, "female", "Others"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_missing_race_is_a_missing_value_not_a_lost_photo(tmp_path, name):
    row = named(tmp_path, name).loc[name].replace({math.nan: None})
    assert (row["age_min"], row["gender"], row["ethnicity"]) == MALFORMED[name]
    assert row["problem"] is None
    assert row["remark"].startswith("malformed name: ")


def test_only_names_that_are_not_as_they_should_be_get_a_remark(tmp_path):
    sound = ["26_1_2_20170116191425302.jpg", "26_1_2_20170116191425303.PNG", utk_name(30, 1, "20170116191425")]
    rows = named(tmp_path, *sound, *MALFORMED)
    assert rows["remark"].dropna().str.partition(": ")[2].to_dict() == {
        "39_1_20170116174525125.jpg.chip.jpg": "no race",
        "61_1_20170109150557335.jpg.chip.jpg": "no race",
        "61_3_20170109150557335.jpg.chip.jpg": "no gender",
        "24_0_1_20170116220224657 .jpg.chip.jpg": "the ending",
        "55_0_0_20170116232725357jpg.chip.jpg": "the ending",
        "14_0_0_2017011022340900.jpg.chip.jpg": "a time stamp of 16 digits",
        "28_1_2_201701161846515488.jpg.chip.jpg": "a time stamp of 18 digits",
        "44_1_4_20170116235150272.pg.chip.jpg": "the ending",
    }
    assert set(rows["problem"]) == {None}


def test_the_audit_counts_the_remarks_on_what_it_keeps(tmp_path):
    sound, impossible = utk_name(30, 1, "20170116191425"), "200_1_20170116174525125.jpg.chip.jpg"
    for name in [*MALFORMED, sound, impossible]:
        (tmp_path / name).touch()
    result = audit.audit(load_dataset(tmp_path, with_images=False))
    assert (result["items"], result["remarks"]) == (9, {"malformed name": 8})  # the tenth is no age, and excluded
    assert "  kept            8  malformed name" in audit_lines(result)


def test_a_file_with_another_name_among_the_photos_is_listed_with_the_reason(tmp_path):
    rows = named(tmp_path, utk_name(30, 1), "portrait.jpg", "notes.txt")
    assert rows.loc["portrait.jpg", "problem"] == "the name is not age_gender_race_timestamp"
    assert "notes.txt" not in rows.index  # no photograph, and not called one


def test_an_age_no_person_reached_is_a_problem_in_a_file_name_too(tmp_path):
    rows = named(tmp_path, utk_name(30, 1), utk_name(200, 2), utk_name(121, 3), utk_name(120, 4))
    assert sorted(rows["problem"].dropna()) == ["age impossible: 121", "age impossible: 200"]


def test_photos_in_subfolders_are_found_and_a_linked_folder_is_named_but_not_entered(tmp_path):
    inside, outside = tmp_path / "data" / "part1", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    (inside / utk_name(30, 1)).touch()
    (outside / utk_name(31, 2)).touch()
    (tmp_path / "data" / "more").symlink_to(outside)
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "itself").symlink_to("itself")
    assert readers.detect_format(tmp_path / "data") == "utkface"
    problem = utkface.read(tmp_path / "data").set_index("item_id")["problem"]
    assert list(problem.index) == ["loop", "more", f"part1/{utk_name(30, 1)}"]
    assert problem["more"] == problem["loop"] == "a folder that is a link or cannot be read"


def test_names_of_any_script_are_kept_and_bytes_that_are_no_text_are_spelled_out(tmp_path):
    os.close(os.open(os.fsencode(tmp_path) + b"/30_1_1_20170116174525125\xe9.jpg", os.O_CREAT))
    odd = "31_1_1_20170116174525126 \u4e09\u5341\n\x1b[31m.jpg"
    rows = named(tmp_path, odd)
    assert rows.loc["30_1_1_20170116174525125\\xe9.jpg", "problem"] == "the file's name is not UTF-8, rename it"
    assert rows.loc[odd, "age_min"] == 31


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / utk_name(30, 1)).touch()
    (tmp_path / "closed").mkdir(mode=0)
    problem = utkface.read(tmp_path).set_index("item_id")["problem"]
    assert problem["closed"] == "a folder that is a link or cannot be read"
    with pytest.raises(DataError, match="cannot be read"):
        readers.detect_format(tmp_path / "closed")


def test_ages_are_read_as_people_write_them(tmp_path):
    assert ages(tmp_path, "26", "26.7", "25-32", "(25, 32)", "25 to 32", "60+", "over 80", "more than 70", " 7 ") == [
        (26, 26), (26, 26), (25, 32), (25, 32), (25, 32), (60, 120), (81, 120), (70, 120), (7, 7),
    ]  # fmt: skip


def test_ages_that_are_missing_unreadable_or_impossible_say_so(tmp_path):
    assert ages(tmp_path, "", "NaN", "NA", "None", "7") == [*["age missing"] * 4, (7, 7)]
    assert ages(tmp_path, "old", "2,5", "20-", "twenty") == ["age unreadable"] * 4
    assert ages(tmp_path, "-1", "200", "inf", "40-30", "1e9", "121") == ["age impossible"] * 6
    assert ages(tmp_path, "120.9", "0") == [(120, 120), (0, 0)]


def test_age_min_and_age_max_make_a_range_also_as_floats(tmp_path):
    table = csv(tmp_path, "path,age_min,age_max\na.jpg,20.0,25.0\nb.jpg,30,30\nc.jpg,,40\nd.jpg,9,4\n")
    assert table["age_min"][:2].tolist() == [20, 30]
    assert table["age_max"][:2].tolist() == [25, 30]
    assert table["problem"][2:].tolist() == ["age missing", "age impossible: 9 to 4"]


def test_the_usual_column_names_and_values_are_understood(tmp_path):
    table = csv(tmp_path, "Image Path,Real Age,Sex,Race,Identity\na.jpg,26,F,nan,\nb.jpg,27,man,Asian,anna\n")
    assert table["gender"].tolist() == ["female", "male"]
    assert table["ethnicity"].tolist() == [None, "Asian"]
    assert table["subject"].tolist() == [None, "anna"]
    assert table["item_id"].tolist() == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_csv_file_is_read_whatever_program_wrote_it(tmp_path, separator, encoding, end):
    lines = ["path;age;subject", "zoë.jpg;26;Zoë", ";30;", "c.jpg;;"]
    table = csv(tmp_path, end.join(lines).replace(";", separator), encoding=encoding)
    assert table["path"].tolist() == ["zoë.jpg", None, "c.jpg"]
    assert table["subject"].tolist() == ["Zoë", None, None]
    assert table["problem"].tolist() == [None, "no path", "age missing"]


def test_a_separator_too_many_or_a_short_row_moves_no_column(tmp_path):
    assert csv(tmp_path, "path,age\na.jpg,26,\nb.jpg,27,\n")["path"].tolist() == ["a.jpg", "b.jpg"]
    assert csv(tmp_path, "path,age\na.jpg\nb.jpg,27\n")["problem"].tolist() == ["age missing", None]


@pytest.mark.parametrize("text", ["path,age\na,26,left\nb,27\n", "path,age\na,26,\nb,27,\n\nc,28,x\n"])
def test_a_cell_after_the_last_column_is_named_by_its_row(tmp_path, text):
    row = 1 + next(number for number, line in enumerate(text.splitlines()) if line.count(",") == 2 and line[-1] != ",")
    with pytest.raises(DataError, match=f"annotations.csv is not a readable table: row {row} has 3 cells, where 2 are"):
        csv(tmp_path, text)


@pytest.mark.parametrize(
    ("header", "name"), [("path,age,age", "age"), ("path,Age, AGE", "age"), ("age,img path,Img_Path", "img_path")]
)
def test_two_columns_of_one_name_are_not_chosen_from(tmp_path, header, name):
    with pytest.raises(DataError, match=rf"csv has 2 columns called '{name}': rename all but the one that counts"):
        csv(tmp_path, f"{header}\n1,2,3\n")


def test_two_columns_that_are_not_used_may_have_one_name(tmp_path):
    assert csv(tmp_path, "path,age,note,note\na.jpg,26,x,y\n")["age_min"].tolist() == [26]


def test_a_lone_table_with_two_ages_is_recognized_and_refused_with_the_reason(tmp_path):
    (tmp_path / "labels.csv").write_text("path,age,age\na.jpg,1,2\n")
    assert readers.detect_format(tmp_path) == "annotations"
    with pytest.raises(DataError, match=r"labels.csv has 2 columns called 'age'"):
        annotations.read(tmp_path)


def test_a_table_without_one_age_is_named_as_not_filled_in(tmp_path):
    text = "path,age\na.jpg,\n,\nb.jpg,NaN\n"
    with pytest.raises(DataError, match=r"/annotations.csv has no ages yet: fill in its column age, or move it away$"):
        csv(tmp_path, text)
    with pytest.raises(DataError, match=r"/annotations.csv has no ages yet: fill in its column age$"):
        table_file.read(tmp_path / "annotations.csv")
    assert csv(tmp_path, text + "c.jpg,old\n")["age_min"].isna().all()  # somebody wrote something


def test_a_blank_item_id_becomes_the_path(tmp_path):
    assert csv(tmp_path, "item_id,path,age\nx,a.jpg,1\n,b.jpg,2\n")["item_id"].tolist() == ["x", "b.jpg"]


def test_photos_are_found_in_the_folder_next_to_the_csv_file(annotated):
    table = annotations.read(annotated)
    assert table["path"][0] == "images/000.png"
    assert table["item_id"][0] == "000.png"


def test_a_single_csv_of_any_name_will_do(tmp_path):
    (tmp_path / "labels.csv").write_text("file,age\na.jpg,3\n")
    assert readers.detect_format(tmp_path) == "annotations"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "annotations.csv is not a readable table: it is empty"),
        (b"path;years_lived\na.jpg;3\n", "no column for the age; call it 'age' (columns seen: path, years_lived)"),
        (b"age,gender\n3,f\n", "no column for the photo's file; call it 'path' (columns seen: age, gender)"),
        (b'path,age\nb,2\n"a.jpg,3\nc,4\n', "table: a quotation mark is not closed, from row 3 on"),
        (b"path,age\na,1\nb,2,3,4\n", "table: row 3 has 4 cells, where 2 are expected"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "no column for the photo's file"),
        (b"\x1b[31m" + b"x" * 900, f"(columns seen: ?[31m{'x' * 75})"),
        (b"\xff\xfep", "annotations.csv is not a readable table"),
    ],
)
def test_a_bad_csv_file_is_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "annotations.csv").write_bytes(content)
    with pytest.raises(DataError) as error:
        annotations.read(tmp_path)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_parquet_manifest_reads_as_the_csv_one(tmp_path):
    pytest.importorskip("pyarrow")
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg", None], "age": [26.0, None, 3], "group": [7, 7, 8]})
    table.to_csv(tmp_path / "m.csv", index=False)
    table.to_parquet(tmp_path / "m.PARQUET")
    one, other = (table_file.read(tmp_path / name) for name in ("m.csv", "m.PARQUET"))
    pd.testing.assert_frame_equal(one, other)
    assert one["problem"].tolist() == [None, "age missing", "no path"]
    assert one["group"].tolist() == ["7", "7", "8"]


def test_a_file_that_is_no_parquet_is_refused_in_one_line(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "m.parquet").write_text("path,age\n")
    with pytest.raises(DataError, match=r"m\.parquet is not a readable table"):
        table_file.read(tmp_path / "m.parquet")


def test_what_is_not_there_is_empty_or_of_no_known_layout_says_so(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        readers.detect_format(tmp_path / "nowhere")
    with pytest.raises(DataError, match="is empty"):
        readers.detect_format(tmp_path)
    face(3, 0).save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"does not match any known dataset layout. Seen: 'a.jpg'. Add annotations.csv"):
        readers.detect_format(tmp_path)
    with pytest.raises(DataError, match=r"does not match any known dataset layout. Seen: 'a.jpg'"):
        readers.detect_format(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe cannot be read"):
        readers.detect_format(tmp_path / "pipe")
    with pytest.raises(DataError, match="cannot be read: File name too long"):
        readers.detect_format(tmp_path / ("a" * 5000))


def test_a_format_insisted_on_that_does_not_fit_says_so(tmp_path):
    (tmp_path / "a.csv").write_text("path,age\n")
    with pytest.raises(DataError, match=r"a.csv cannot be read: Not a directory"):
        utkface.read(tmp_path / "a.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        table_file.read(tmp_path)
    with pytest.raises(DataError, match=r"has no annotations.csv"):
        annotations.read(tmp_path / "a.csv")


def test_an_unknown_format_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"no data format called 'imdb'; known: .*annotations, .*csv, .*utkface"):
        READERS.load("imdb")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("imdb", "imdb_wiki"), ("IMDB-WIKY", "imdb_wiki"), ("fg-net", "fgnet"), ("MORPH-II", "morph")],
)
def test_a_format_that_is_nearly_right_is_asked_after(name, meant):
    with pytest.raises(UsageError, match=f"no data format called '{name}'; known: .*; did you mean '{meant}'\\?$"):
        READERS.load(name)


@pytest.mark.parametrize("name", ["imdb_wiki", "imdb-wiki", "IMDB-WIKI", " Imdb_Wiki"])
def test_a_format_may_be_spelled_in_any_way(name):
    assert READERS.load(name) is READERS.load("imdb_wiki")
    assert READERS.resolve(name) == "imdb_wiki"
