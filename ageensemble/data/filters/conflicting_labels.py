import numpy as np

from ..quality import audit
from .base import Filter, number


class ConflictingLabels(Filter):
    """Leaves out every copy of an image whose copies differ in age by more than VALUE years, 0 unless given.

    All copies go, since nobody can tell which age is right.
    """

    example = "conflicting-labels=2"
    default = "0"
    needs_images = True

    @classmethod
    def parse(cls, text):
        return number(text, "a number of years, 0 or more")

    def mask(self, dataset, random_state=0, progress=None):
        ids = [item for group in audit.conflicts(dataset) if group["gap"] > self.value for item in group["items"]]
        return np.asarray(dataset.items["item_id"].isin(ids))

    def reason(self):
        return "the same image with different ages" + (f", more than {self.value:g} years apart" if self.value else "")
