"""Data sets are fetched with the hubs' own libraries, here from a server of our own; of others it is said where."""

import re
import shutil
import socket
import sys
from dataclasses import replace

import kagglehub
import pytest
from helpers.commands import ageensemble, apart
from helpers.hubs import CHIPS, FACES, UTKFACE, VERSION, Hubs, archive, served
from huggingface_hub import constants

from ageensemble._utils import io
from ageensemble.data import readers
from ageensemble.data.download import SOURCES


@pytest.fixture
def facial(tmp_path, monkeypatch):
    with served("facial-age", archive(FACES), tmp_path, monkeypatch) as result:
        yield result


@pytest.fixture
def chips(tmp_path, monkeypatch):
    with served("utkface", archive(UTKFACE), tmp_path, monkeypatch) as result:
        yield result


@pytest.fixture(params=["facial-age", "utkface"])
def either(request, tmp_path, monkeypatch):
    content = archive(FACES if request.param == "facial-age" else UTKFACE)
    with served(request.param, content, tmp_path, monkeypatch) as result:
        yield result


def held(folder):
    """Contents by name of the files in a folder."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def photographs(folder):
    return {name: content for name, content in held(folder).items() if name != "source.json"}


# --- what is fetched ----------------------------------------------------------------------------------------------


def test_facial_age_comes_from_kaggle_each_photograph_once(facial, tmp_path):
    ran = facial.get("--yes")
    assert (ran.returncode, ran.stdout.splitlines()[-2:]) == (
        0,
        ["3 images in facial-age", "next: ageensemble data check facial-age"],
    )
    assert photographs(tmp_path / "facial-age") == {
        name: name.encode() * 300 for name in ("001/1.png", "001/20.png", "110/3.PNG")
    }
    assert [f.name for f in tmp_path.iterdir()] == ["facial-age"]
    assert readers.detect_format(tmp_path / "facial-age") == "age_folders"
    about = io.read_json(tmp_path / "facial-age/source.json")
    assert about["from"] == f"https://www.kaggle.com/datasets/frabbisw/facial-age/versions/{VERSION}"


def test_utkface_comes_from_hugging_face_without_the_users_token(chips, tmp_path):
    ran = chips.get("--yes", "--to", "photos/utk")
    assert (ran.returncode, ran.stdout.splitlines()[-2]) == (0, "2 images in photos/utk")
    assert photographs(tmp_path / "photos/utk") == CHIPS
    assert readers.detect_format(tmp_path / "photos/utk") == "utkface"
    at = f"/datasets/nlphuji/utk_faces/resolve/{SOURCES['utkface'].revision}/utk_faces_images.zip"
    assert chips.hubs.asked == [
        ("HEAD", at, None, None),
        ("GET", at, None, None),
        ("GET", "/archive", None, None),
    ]
    about = io.read_json(tmp_path / "photos/utk/source.json")
    assert (about["set"], about["sha256"]) == ("utkface", chips.hubs.sha256)


def test_terms_are_shown_and_without_a_yes_nothing_is_asked_of_the_hub(either, tmp_path):
    source = SOURCES[either.name]
    no, nobody = either.get(typed="n\n"), either.get()
    assert (no.returncode, no.stdout.endswith("? [y/N]: nothing was downloaded\n")) == (0, True)
    assert f"terms: {source.license}\n       {source.page}\n" in no.stdout
    assert nobody.returncode == 2
    assert "nobody accepted the terms, so nothing was downloaded; --yes accepts them" in nobody.stderr
    assert (either.hubs.asked, list(tmp_path.iterdir())) == ([], [])
    assert either.get(typed="y\n").returncode == 0


def test_a_set_that_is_there_is_not_fetched_again(either):
    either.get("--yes")
    before = len(either.hubs.asked)
    ran = either.get()
    assert ran.stdout == (f"{either.name} is in {either.name} already\nnext: ageensemble data check {either.name}\n")
    assert (ran.returncode, len(either.hubs.asked)) == (0, before)


def test_a_folder_with_other_things_is_left_alone(either, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/1.txt").write_text("kept")
    for folder in ("mine", "mine/1.txt"):
        ran = either.get("--yes", "--to", folder)
        assert ran.returncode == 2
        assert f"{folder} is there, and not as {either.name}; --to takes a new folder" in ran.stderr
    assert (either.hubs.asked, held(tmp_path)) == ([], {"mine/1.txt": b"kept"})


def test_where_no_folder_can_be_made_the_one_that_was_asked_for_is_named(either, tmp_path):
    (tmp_path / "file").write_text("kept")
    ran = either.get("--yes", "--to", "file/photos")
    assert ran.returncode == 4
    where = tmp_path / "file/photos"
    assert f"error: {where} cannot be made: Not a directory; --to takes another folder\n" in ran.stderr
    assert (either.hubs.asked, held(tmp_path)) == ([], {"file": b"kept"})


def test_an_empty_folder_is_taken(either, tmp_path):
    (tmp_path / "mine").mkdir()
    assert either.get("--yes", "--to", "mine").returncode == 0
    assert len(photographs(tmp_path / "mine")) in (2, 3)


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_an_interrupted_download_goes_on_where_it_was(either, tmp_path, monkeypatch):
    hubs = either.hubs
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 100)  # less than that is forgotten; it is 10 MB else,
    monkeypatch.setattr(kagglehub.clients, "CHUNK_SIZE", 100)  # and here 1 MB
    hubs.cut, hubs.cuts, hubs.after = 450, 1, 503  # some of it, then a hub that is down
    broken = either.get("--yes")
    assert broken.returncode == 3
    assert "; what came so far is kept, and the same command goes on from there" in broken.stderr
    assert "nothing came" not in broken.stderr
    assert not (tmp_path / either.name).exists()
    hubs.refuse, hubs.asked[:] = None, []
    assert either.get("--yes").returncode == 0
    assert [call[2] for call in hubs.asked if call[1] == "/archive"][-1] == "bytes=400-"
    assert len(photographs(tmp_path / either.name)) in (2, 3)


@pytest.mark.parametrize("code", [403, 404, 500])
def test_a_hub_that_refuses_is_quoted_with_what_to_do(code, either, tmp_path):
    either.hubs.refuse = code
    hub = {"facial-age": "Kaggle", "utkface": "Hugging Face"}[either.name]
    why = {
        403: {
            "facial-age": "so log in there, accept what it asks, and give",
            "utkface": "so the set is not public any",
        },
        404: dict.fromkeys(("facial-age", "utkface"), "so the set is not there any more; see https://"),
        500: dict.fromkeys(("facial-age", "utkface"), "nothing came; try again later"),
    }[code][either.name]
    ran = either.get("--yes")
    assert (ran.returncode, ran.stderr.count("\n")) == (3, 2)
    assert re.search(f"\nerror: could not fetch {either.name} from {hub}: it answers {code}[;,] {why}", ran.stderr)
    assert not (tmp_path / either.name).exists()


def test_no_connection_is_said_in_one_line_with_the_page(either, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", nowhere + "/{repo_id}/{revision}/{filename}")
    ran = either.get("--yes", **({"http_proxy": nowhere} if either.name == "facial-age" else {}))
    hub, page = {"facial-age": "Kaggle", "utkface": "Hugging Face"}[either.name], SOURCES[either.name].page
    assert ran.returncode == 3
    assert f"error: could not fetch {either.name} from {hub}: Connection refused; nothing came; try again" in ran.stderr
    assert ran.stderr.endswith(f"; by hand: {page}\n")


def test_kaggles_archive_with_another_md5_is_refused_and_deleted(facial, tmp_path):
    right, facial.hubs.md5 = facial.hubs.md5, "A" * 22 + "=="
    ran = facial.get("--yes")
    assert ran.returncode == 3
    assert "damaged (its MD5 is not the one that Kaggle states); it was deleted, and the same command" in ran.stderr
    assert not list(tmp_path.rglob("*.archive"))
    facial.hubs.md5 = right
    assert facial.get("--yes").returncode == 0


def test_an_archive_of_the_right_length_that_a_kill_left_damaged_is_refused_and_deleted(facial, tmp_path):
    folder = tmp_path / ".facial-age.unfinished/datasets/frabbisw/facial-age"
    folder.mkdir(parents=True)
    (folder / f"{VERSION}.archive").write_bytes(b"x" * len(facial.hubs.content))  # kagglehub takes it for complete
    ran = facial.get("--yes")
    assert (ran.returncode, "what came from Kaggle is damaged (" in ran.stderr) == (3, True)
    assert facial.get("--yes").returncode == 0


def test_utkfaces_archive_with_another_hash_than_the_one_known_is_refused(chips, tmp_path, monkeypatch):
    stated = chips.hubs.sha256
    monkeypatch.setitem(SOURCES, "utkface", replace(SOURCES["utkface"], sha256="0" * 64))
    another = chips.get("--yes")
    assert another.returncode == 3
    assert "Hugging Face does not state the SHA-256 that utk_faces_images.zip of nlphuji/utk_faces" in another.stderr
    chips.hubs.sha256 = "0" * 64  # now it states the one that is known, and sends what has another
    lying = chips.get("--yes")
    assert lying.returncode == 3
    assert "is not the utk_faces_images.zip that is expected (its SHA-256 differs); it was deleted" in lying.stderr
    assert not list(tmp_path.rglob("*.zip"))
    monkeypatch.setitem(SOURCES, "utkface", replace(SOURCES["utkface"], sha256=stated))
    chips.hubs.sha256 = stated
    assert chips.get("--yes").returncode == 0


def test_what_is_longer_than_the_archive_is_no_part_of_it(chips, tmp_path):
    (tmp_path / ".utkface.unfinished").mkdir()
    (tmp_path / ".utkface.unfinished/utk_faces_images.zip").write_bytes(bytes(len(chips.hubs.content) + 1))
    assert chips.get("--yes").returncode == 0


def test_a_set_without_photographs_where_they_were_is_said_to_have_changed(tmp_path, monkeypatch):
    with served("facial-age", archive({"faces/1.png": b"moved"}), tmp_path, monkeypatch) as moved:
        ran = moved.get("--yes")
    assert ran.returncode == 3
    assert "facial-age came without images where they were: it was changed, or is damaged; see http" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_names_in_an_archive_lead_nowhere_else(tmp_path, monkeypatch):
    hostile = {"../../utk_faces_images/1_evil.jpg": b"x", "/utk_faces_images/2_evil.jpg": b"y"}
    inside = tmp_path / "inside"
    inside.mkdir()
    with served("utkface", archive(UTKFACE | hostile), inside, monkeypatch) as chips:
        assert chips.get("--yes").returncode == 0
    assert [f.name for f in tmp_path.iterdir()] == ["inside"]
    assert [f.name for f in inside.iterdir()] == ["utkface"]


def test_no_room_is_said_before_and_a_disk_that_fills_up_keeps_what_came(either, tmp_path, monkeypatch):
    if either.name == "utkface":
        usage = shutil.disk_usage(tmp_path)._replace(free=50_000_400)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
        ran = either.get("--yes")
        assert "utkface needs 0 MB more, and 50 MB are free; --to takes a folder on another disk" in ran.stderr
        assert [call[0] for call in either.hubs.asked] == ["HEAD"]
    else:
        folder = tmp_path / ".facial-age.unfinished/datasets/frabbisw/facial-age"
        folder.mkdir(parents=True)
        (folder / f"{VERSION}.archive").symlink_to("/dev/full")
        ran = either.get("--yes")
        assert "No space left on device; what is done is kept, the same command goes on from there" in ran.stderr
    assert ran.returncode == 4


def test_without_kagglehub_it_says_what_to_install(facial, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    ran = facial.get("--yes")
    assert ran.returncode == 2
    assert "facial-age comes from Kaggle: pip install 'ageensemble[get]'; or by hand: https://" in ran.stderr


def test_a_person_who_starts_it_against_another_endpoint_gets_what_the_known_hash_allows(tmp_path):
    hubs = Hubs(archive(UTKFACE))
    hubs.sha256 = SOURCES["utkface"].sha256  # a mirror that lies
    with hubs.serving() as address:
        ran = apart("data", "get", "utkface", "--yes", cwd=tmp_path, HF_ENDPOINT=address, HF_HOME=str(tmp_path / "hf"),
                    no_proxy="127.0.0.1,localhost")  # fmt: skip
    assert (ran.returncode, len(hubs.asked)) == (3, 3)
    assert "is not the utk_faces_images.zip that is expected (its SHA-256 differs)" in ran.stderr


# --- where others are ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if not source.hub])
def test_of_other_sets_it_says_where_and_how(name, tmp_path):
    ran = ageensemble("data", "get", name, "--yes", cwd=tmp_path, http_proxy="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    what, terms, where, then = ran.stdout.splitlines()
    assert ran.stderr == ""
    assert what.startswith(f"{name}: ")
    assert terms == f"terms: {readers.READERS.load(name).license}"
    assert where.startswith("where: https://")
    assert then == f"{name} is not downloaded by this program; with what is unpacked: ageensemble data check DIR"
    assert (ran.returncode, list(tmp_path.iterdir())) == (0, [])


@pytest.mark.parametrize("name", ["imdb_wiki", "imdb-wiki", "IMDB-WIKI"])
def test_a_set_may_be_called_as_its_format_is(name, tmp_path):
    ran = ageensemble("data", "get", name, cwd=tmp_path)
    assert ran.stdout.startswith("imdb-wiki: ")


@pytest.mark.parametrize(
    ("name", "meant"), [("imdb", "imdb-wiki"), ("utk_faces", "utkface"), ("FacialAges", "facial-age")]
)
def test_a_set_that_is_nearly_right_is_asked_after(name, meant, tmp_path):
    ran = ageensemble("data", "get", name, cwd=tmp_path)
    assert (ran.returncode, f"; did you mean '{meant}'?\n" in ran.stderr) == (2, True)


def test_a_set_that_nobody_knows_is_answered_with_those_that_are_known(tmp_path):
    ran = ageensemble("data", "get", "imagenet", cwd=tmp_path)
    assert ran.returncode == 2
    assert "no dataset called 'imagenet'; available for download: facial-age, utkface; where" in ran.stderr


def test_what_is_fetched_is_pinned_as_it_was_measured():
    assert SOURCES["utkface"].revision == "fb7f7d7102fd040c4211002b0c43e3ab727afffc"
    assert SOURCES["utkface"].sha256 == "938b68cafa61c4f58732f312d04caa808ddd420ff24a4c9cff0c2145e8255783"


def test_patterns_keep_photographs_and_nothing_else():
    for name, kept in [
        ("face_age/001/12.png", "001/12.png"),
        ("face_age/face_age/001/12.png", None),
        ("face_age/001/Thumbs.db", None),
    ]:
        match = SOURCES["facial-age"].images.fullmatch(name)
        assert (match and match["path"]) == kept
    for name in ("24_0_1_20170116220224657 .jpg.chip.jpg", "55_0_0_20170116232725357jpg.chip.jpg"):  # as they are
        assert SOURCES["utkface"].images.fullmatch(f"utk_faces_images/{name}")["path"] == name
