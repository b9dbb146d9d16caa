"""Photographs in rows."""

from ..files import writing


def save_contact_sheet(file, photos, rows, captions, title, columns=10, side=96):
    """Photographs in rows with a line of text below each.

    Parameters
    ----------
    file : path
        JPEG
    photos : Photos
    rows : sequence of int
        rows of `photos`
    captions : sequence of str
    title : str
    columns : int
    side : int, pixels
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(columns, len(rows)))
    lines = -(-len(rows) // columns)
    cell = side + 18
    sheet = Image.new("RGB", (max(columns * (side + 6) + 6, 420), lines * cell + 28), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((6, 8), title, fill="black")
    for place, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        image = Image.fromarray(photos[row])
        image.thumbnail((side, side))
        left, top = 6 + place % columns * (side + 6), 28 + place // columns * cell
        sheet.paste(image, (left + (side - image.width) // 2, top + side - image.height))
        draw.text((left + 2, top + side + 2), caption, fill="black")
    with writing(file) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)
