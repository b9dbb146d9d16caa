"""Opening one image as people see it, whatever bytes the file may hold."""

import warnings

import numpy as np

LONG_SIDE = 256  # pixels; larger images are reduced to it
MOST_PIXELS = 100_000_000  # an image that claims more is taken for a decompression bomb
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF"]  # no EPS: opening one runs a program
TURNS = {  # what makes an image upright, by its EXIF orientation
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def read_image(stream, long_side=LONG_SIDE):
    """Open one image as people see it: first frame, turned by its EXIF tag, 8-bit RGB, at most `long_side`.

    Parameters
    ----------
    stream : binary file
    long_side : int, pixels

    Returns
    -------
    PIL.Image.Image, (height, width)
        the image, and its size before it was reduced

    Raises
    ------
    Exception
        whatever Pillow raises on a file that is damaged, no image, or too large
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, milder bomb warning, and notes on odd EXIF
        image = Image.open(stream, formats=_formats())
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise Image.DecompressionBombError
        image.draft("RGB", (2 * long_side, 2 * long_side))  # a JPEG far too large is reduced while it is decoded
        image.load()
        rgb = upright(image, long_side)
    swapped = _turn(image) in ("TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
    return rgb, (width, height) if swapped else (height, width)


def upright(image, long_side=LONG_SIDE):
    """An open image, `PIL.Image.Image`, turned by its EXIF tag, as 8-bit RGB, at most `long_side` pixels a side."""
    from PIL import Image

    turn, rgb = _turn(image), _reduced_rgb(image, long_side)
    if turn:
        rgb = rgb.transpose(Image.Transpose[turn])
    rgb.thumbnail((long_side, long_side), Image.Resampling.LANCZOS)
    rgb.info.clear()  # the tag above all: who reads it again would turn the image again
    return rgb


def _formats():
    """The formats this Pillow opens, of `FORMATS`."""
    from PIL import Image

    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _turn(image):
    """What makes the image upright, a name of `Image.Transpose`, by its EXIF tag; a damaged tag turns nothing."""
    try:
        return TURNS.get(image.getexif().get(0x0112))
    except Exception:
        return None


def _reduced_rgb(image, long_side):
    """RGB, averaged over squares of pixels down to twice `long_side` or more; strip by strip, to save memory."""
    from PIL import Image

    scale = _depth_scale(image)
    side = max(1, max(image.size) // (2 * long_side))
    if side == 1 and not scale:  # one that has a scale takes eight times the memory on its way
        return _to_rgb(image, scale)
    width, height = image.size
    result = Image.new("RGB", (-(-width // side), -(-height // side)))
    for top in range(0, height, 16 * side):
        strip = image.crop((0, top, width, min(top + 16 * side, height)))
        result.paste(_to_rgb(strip, scale).reduce(side), (0, top // side))
    return result


def _depth_scale(image):
    """Factor from gray values of more than 8 bits to 0..255, None for 8 bits; Pillow would clip them, not scale."""
    if image.mode.startswith("I;16"):
        return 255 / 65535
    if image.mode in ("I", "F"):
        return 255 / 65535 if image.getextrema()[1] > 255 else 1
    return None


def _to_rgb(image, scale):
    from PIL import Image

    if scale:
        values = np.nan_to_num(np.asarray(image, np.float64))
        image = Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        gray = Image.new("RGBA", image.size, (128, 128, 128, 255))
        image = Image.alpha_composite(gray, image)
    return image.convert("RGB")


def describe_error(error):
    """Say in a few words why an image did not open."""
    name = type(error).__name__
    if name == "UnidentifiedImageError":
        return "not an image"
    if name == "DecompressionBombError":
        return f"too large: it claims more than {MOST_PIXELS // 1_000_000} megapixels"
    return f"does not decode: {(str(error) or name).splitlines()[0][:120]}"
