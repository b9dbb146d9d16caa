"""Images in rows."""

from ..._utils.io import atomic_write


def save_contact_sheet(file, photos, rows, captions, title, columns=10, side=96):
    """Images in rows with text below each.

    Parameters
    ----------
    file : path
        JPEG
    photos : ImageStore
    rows : sequence of int
        rows of `photos`
    captions : sequence of str
        of one line or several, cut short where the image has no more room
    title : str
    columns : int
    side : int, pixels
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(columns, len(rows)))
    lines = -(-len(rows) // columns)
    below = 14 * max((caption.count("\n") + 1 for caption in captions), default=1) + 4
    cell = side + below
    sheet = Image.new("RGB", (max(columns * (side + 6) + 6, 420), lines * cell + 28), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((6, 8), title, fill="black")
    for place, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        image = Image.fromarray(photos[row])
        image.thumbnail((side, side))
        left, top = 6 + place % columns * (side + 6), 28 + place // columns * cell
        sheet.paste(image, (left + (side - image.width) // 2, top + side - image.height))
        text = "\n".join(_fitting(draw, line, side) for line in caption.split("\n"))
        draw.multiline_text((left + 2, top + side + 2), text, fill="black", spacing=2)
    with atomic_write(file) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)


def _fitting(draw, line, width):
    """A line that the width has room for: letters that the font may lack are ?, and what is too long loses its middle.

    The end of a file's name stays, in which many differ.
    """
    line = line.encode("latin-1", "replace").decode("latin-1")
    half = len(line)
    shown = line
    while half > 1 and draw.textlength(shown) > width:
        half = min(half, len(line) // 2) - 1
        shown = f"{line[:half]}..{line[-half:]}"
    return shown
