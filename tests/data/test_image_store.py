"""Decoding: any bytes under any name give upright RGB pixels or one clear reason, and nothing is decoded twice."""

import io
import os
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
from conftest import face
from PIL import Image

from ageensemble.data import image_array, image_io, image_store


def decoded(tmp_path, *files):
    return image_store.decode([str(file) for file in files], tmp_path / "cache")


def problem(tmp_path, file):
    return decoded(tmp_path, file).problem[0]


def pixels(tmp_path, image, name="a.png", **options):
    image.save(tmp_path / name, **options)
    photos = decoded(tmp_path, tmp_path / name)
    assert photos.problem[0] == ""
    return photos[0]


def test_a_photograph_comes_back_as_it_was_saved(tmp_path):
    image = face(40, 0)
    assert np.array_equal(pixels(tmp_path, image), np.asarray(image))


def test_a_large_photograph_is_reduced_and_its_size_remembered(tmp_path):
    Image.new("RGB", (2001, 1000), (10, 200, 30)).save(tmp_path / "a.jpg", quality=95)
    photos = decoded(tmp_path, tmp_path / "a.jpg")
    assert photos.shape.tolist() == [[128, 256]]
    assert photos.original.tolist() == [[1000, 2001]]
    assert np.abs(photos[0].astype(int) - (10, 200, 30)).max() <= 2


def test_strips_of_a_huge_photograph_join_without_a_seam(tmp_path):
    ramp = np.linspace(0, 255, 2100).astype(np.uint8)
    down = pixels(tmp_path, Image.fromarray(np.repeat(ramp[:, None], 1500, 1)))[:, 90, 0]
    assert down.shape == (256,)
    assert np.abs(down - np.linspace(0, 255, 256)).max() <= 2


@pytest.mark.parametrize("turn", image_io.TURNS)
@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
def test_the_exif_tag_turns_a_photograph_upright(tmp_path, turn, kind):
    upright_ = Image.new("RGB", (48, 32))
    upright_.paste((255, 255, 255), (0, 0, 24, 16))  # bright in the upper left corner
    undo = {"ROTATE_90": "ROTATE_270", "ROTATE_270": "ROTATE_90"}
    name = image_io.TURNS[turn]
    as_taken = upright_.transpose(Image.Transpose[undo.get(name, name)])
    exif = Image.Exif()
    exif[0x0112] = turn
    seen = pixels(tmp_path, as_taken, f"a.{kind}", exif=exif)
    photos = decoded(tmp_path, tmp_path / f"a.{kind}")
    assert photos.original.tolist() == [[32, 48]]
    assert seen.shape == (32, 48, 3)
    bright = seen.mean(2) > 128
    assert bright[:14, :22].all()
    assert not bright[18:].any()
    assert not bright[:, 26:].any()


def test_what_was_turned_once_is_not_turned_again(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    face(30, 0).resize((48, 32)).save(tmp_path / "a.jpg", exif=exif)
    with open(tmp_path / "a.jpg", "rb") as stream:
        once, _ = image_io.read_image(stream)
    assert once.size == (32, 48)
    assert np.array_equal(np.asarray(image_io.upright(once)), np.asarray(once))


def test_a_damaged_exif_tag_loses_no_photo(tmp_path):
    face(30, 0).save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + bytes(range(200)))
    assert problem(tmp_path, tmp_path / "a.jpg") == ""


def test_gray_of_16_bits_is_scaled_not_clipped(tmp_path):
    gray = np.full((32, 32), 32768, np.uint16)
    assert (pixels(tmp_path, Image.fromarray(gray)) == 127).all()
    assert (pixels(tmp_path, Image.fromarray(gray.astype(np.int32)), "a.tif") == 127).all()
    assert (pixels(tmp_path, Image.fromarray(gray.astype(np.float32)), "b.tif") == 127).all()
    slope = np.arange(0, 65536, 32, dtype=np.uint16).reshape(64, 32)  # taller than the strips that it is scaled in
    expected = (slope * (255 / 65535)).astype(np.uint8)
    np.testing.assert_array_equal(pixels(tmp_path, Image.fromarray(slope), "c.tif"), np.stack([expected] * 3, 2))


def test_floats_that_are_not_finite_are_black_not_a_crash(tmp_path):
    assert (pixels(tmp_path, Image.fromarray(np.full((32, 32), np.nan, np.float32)), "a.tif") == 0).all()


def test_cmyk_palette_gray_and_one_bit_images_become_rgb(tmp_path):
    red = Image.new("RGB", (32, 32), (255, 0, 0))
    assert np.abs(pixels(tmp_path, red.convert("CMYK"), "a.jpg", quality=95).astype(int) - (255, 0, 0)).max() < 20
    assert (pixels(tmp_path, red.quantize(4), "b.png") == (255, 0, 0)).all()
    assert (pixels(tmp_path, Image.new("L", (32, 32), 77), "c.png") == 77).all()
    assert (pixels(tmp_path, Image.new("1", (32, 32), 1), "d.png") == 255).all()


def test_what_is_transparent_becomes_gray_not_black(tmp_path):
    assert (pixels(tmp_path, Image.new("RGBA", (32, 32), (255, 0, 0, 0))) == 128).all()
    assert (pixels(tmp_path, Image.new("LA", (32, 32), (255, 0)), "b.png") == 128).all()
    palette = Image.new("RGB", (32, 32), (9, 8, 7)).quantize(4)
    assert (pixels(tmp_path, palette, "c.png", transparency=palette.getpixel((0, 0))) == 128).all()
    assert (pixels(tmp_path, Image.new("RGB", (32, 32), (9, 8, 7)), "d.png", transparency=(9, 8, 7)) == 128).all()


@pytest.mark.parametrize("kind", ["gif", "png", "webp"])
def test_of_an_animation_the_first_picture_counts(tmp_path, kind):
    first, second = (Image.new("RGB", (32, 32), color) for color in ((250, 0, 0), (0, 0, 250)))
    seen = pixels(tmp_path, first, f"a.{kind}", save_all=True, append_images=[second])
    assert seen[..., 0].min() > 240
    assert seen[..., 2].max() < 20


def test_what_is_no_photograph_says_why(tmp_path):
    whole = io.BytesIO()
    face(30, 0).save(whole, "jpeg")
    for name, content in {
        "text.jpg": b"<html>404</html>",
        "empty.jpg": b"",
        "zeros.jpg": bytes(1000),
        "cut.jpg": whole.getvalue()[:700],
        "header.jpg": whole.getvalue()[:100],
        "drawing.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\nshowpage\n",
    }.items():
        (tmp_path / name).write_bytes(content)
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Image.new("RGB", (9, 4000)).save(tmp_path / "line.png")
    (tmp_path / "folder.jpg").mkdir()
    assert problem(tmp_path, tmp_path / "text.jpg") == "not an image"
    assert problem(tmp_path, tmp_path / "empty.jpg") == "empty file"
    assert problem(tmp_path, tmp_path / "zeros.jpg") == "not an image"
    assert problem(tmp_path, tmp_path / "cut.jpg").startswith("does not decode: image file is truncated")
    assert problem(tmp_path, tmp_path / "header.jpg") != ""
    assert problem(tmp_path, tmp_path / "drawing.jpg") == "not an image"
    assert problem(tmp_path, tmp_path / "dot.png") == "tiny: 1x1 pixels, at least 16 needed"
    assert problem(tmp_path, tmp_path / "line.png") == "tiny: 9x4000 pixels, at least 16 needed"
    assert problem(tmp_path, tmp_path / "folder.jpg") == "not a file"
    assert problem(tmp_path, tmp_path / "nowhere.jpg") == "cannot be read: No such file or directory"


def test_a_pipe_or_a_device_is_no_photograph_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert problem(tmp_path, tmp_path / "pipe.jpg") == "not a file"
    assert problem(tmp_path, "/dev/zero") == "not a file"


def test_a_file_of_gigabytes_is_not_read(tmp_path):
    with open(tmp_path / "a.jpg", "wb") as stream:
        stream.truncate(20_000_000_000)  # a hole, no disk
    assert problem(tmp_path, tmp_path / "a.jpg") == "too large: 20,000,000,000 bytes, at most 500,000,000"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_says_so(tmp_path):
    face(30, 0).save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    assert problem(tmp_path, tmp_path / "a.png") == "cannot be read: Permission denied"


@pytest.mark.parametrize("side", [10_001, 50_000, 2**31 - 1])
def test_a_decompression_bomb_takes_neither_memory_nor_time(tmp_path, side):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    started = time.perf_counter()
    tracemalloc.start()
    assert problem(tmp_path, tmp_path / "a.png") == "too large: it claims more than 100 megapixels"
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()
    assert time.perf_counter() - started < 2


def test_no_files_make_an_empty_store(tmp_path):
    photos = decoded(tmp_path)
    assert len(photos) == 0
    assert photos.dhash.shape == (0, 32)


@pytest.fixture
def several(tmp_path, monkeypatch):
    """Seven files in shards of three, one of them broken."""
    monkeypatch.setattr(image_store, "SHARD", 3)
    files = [tmp_path / f"{i}.png" for i in range(7)]
    for i, file in enumerate(files):
        face(10 * i, i, 20 + i).save(file)
    files[4].write_text("broken")
    return files


def test_photographs_of_any_size_come_back_from_their_shards(tmp_path, several):
    photos = decoded(tmp_path, *several)
    for i in (6, 0, 3, 5, 1):
        assert np.array_equal(photos[i], np.asarray(face(10 * i, i, 20 + i)))
    assert photos[4].shape == (0, 0, 3)
    assert photos.problem.tolist() == [""] * 4 + ["not an image"] + [""] * 2


def test_an_interrupted_decoding_goes_on_at_the_first_missing_shard(tmp_path, several):
    told = []
    whole = decoded(tmp_path, *several)
    before = {file: file.stat().st_mtime_ns for file in whole.folder.iterdir()}
    (whole.folder / "3.npz").unlink()
    again = image_store.decode(
        [str(f) for f in several], tmp_path / "cache", progress=lambda *counts: told.append(counts)
    )
    changed = {file.name for file, time_ in before.items() if file.stat().st_mtime_ns != time_}
    assert changed == {"3.npz", "3.u8"}
    assert told == [(4, 7), (7, 7)]
    assert np.array_equal(again.sha256, whole.sha256)
    assert not list(whole.folder.glob(".*"))


def test_what_could_not_be_read_is_tried_again(tmp_path, several):
    several.append(tmp_path / "nowhere.png")
    whole = decoded(tmp_path, *several)
    before = {file: file.stat().st_mtime_ns for file in whole.folder.iterdir()}
    decoded(tmp_path, *several)
    assert {file.name for file, time_ in before.items() if file.stat().st_mtime_ns != time_} == {"6.npz", "6.u8"}


def test_a_changed_file_is_decoded_anew_and_an_unchanged_one_is_not(tmp_path, several):
    first = decoded(tmp_path, *several)
    assert decoded(tmp_path, *several).folder == first.folder
    face(99, 99).save(several[0])
    assert decoded(tmp_path, *several).folder != first.folder


def test_processes_make_the_same_store(tmp_path, several):
    files = [str(file) for file in several]
    one, two = image_store.decode(files, tmp_path / "one"), image_store.decode(files, tmp_path / "two", jobs=2)
    assert np.array_equal(one.pixels, two.pixels)


def test_the_difference_hash_tells_where_the_picture_gets_brighter():
    rising = Image.fromarray(np.tile(np.arange(0, 255, 5, dtype=np.uint8), (51, 1)))
    assert np.unpackbits(image_store.difference_hash(rising)).all()
    assert not np.unpackbits(image_store.difference_hash(rising.transpose(Image.Transpose.FLIP_LEFT_RIGHT))).any()


def test_views_of_one_size_keep_the_order_asked_for(tmp_path, several):
    photos = decoded(tmp_path, *several)
    views = image_array.resized(photos, [5, 0], 20)
    assert views.shape == (2, 20, 20, 3)
    assert np.array_equal(views[1], np.asarray(face(0, 0, 20)))


@pytest.mark.parametrize("end", [".npz", ".u8"])
def test_a_damaged_shard_is_decoded_again(tmp_path, several, end):
    whole = decoded(tmp_path, *several)
    [shard] = (tmp_path / "cache" / "photos").glob(f"*/0{end}")
    shard.write_bytes(b"junk")
    again = decoded(tmp_path, *several)
    assert np.array_equal(again.sha256, whole.sha256)
    assert np.array_equal(again[0], np.asarray(face(0, 0, 20)))
