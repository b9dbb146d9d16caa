from ._sharpness import sharpness
from .base import Filter, number


class Blur(Filter):
    """Leaves out blurred images: variance of their Laplacian below VALUE, 6 unless given.

    By the image as stored, at most 256 pixels a side, so that large ones are judged by the same measure. A dark or pale
    image has little variance too, so look at what goes.
    """

    example = "blur=10"
    default = "6"  # a choice, by looking at a few dozen images: 0.7 % of UTKFace go; at 10 it would be 7.7 %
    needs_images = True

    @classmethod
    def parse(cls, text):
        return number(text, "a variance of gray values, 0 or more")  # squared gray values of 0..255

    def mask(self, dataset, random_state=0, progress=lambda what: lambda done, total: None):
        return sharpness(dataset.image_store, progress("looking for blur"))[dataset.items["image"]] < self.value

    def reason(self):
        return f"blurred, variance of the Laplacian below {self.value:g}"
