from .base import Filter, whole_number


class MinImageSize(Filter):
    """Leaves out images whose shorter side has fewer than VALUE pixels in the file."""

    example = "min-image-size=100"
    needs_images = True

    @classmethod
    def parse(cls, text):
        return whole_number(text, "a whole number of pixels, 1 or more", 1)

    def mask(self, dataset, random_state=0, progress=None):
        return dataset.image_store.original[dataset.items["image"]].min(1) < self.value

    def reason(self):
        return f"shorter side below {self.value} pixels"
