"""Leaves out photographs whose shorter side has fewer than VALUE pixels in the file."""

from ._values import whole

EXAMPLE = "min-image-size=100"
PHOTOGRAPHS = True


def value(text):
    """Fewest pixels that stay."""
    return whole(text, "a whole number of pixels, 1 or more", 1)


def left_out(dataset, value, *, seed, progress):
    """By the size in the file, before it was reduced to what is stored."""
    return dataset.photos.original[dataset.items["photo"]].min(1) < value


def reason(value):
    """What those that go have in common."""
    return f"shorter side below {value} pixels"
