from ...ages import MAX_AGE
from .base import Filter, whole_number


class AgeRange(Filter):
    """Leaves out ages beyond LOW-HIGH years: mistakes often, and too few to learn from.

    A label that is a range goes where none of its years is among those that stay.
    """

    example = "age-range=1-90"

    @classmethod
    def parse(cls, text):
        what = f"a range of whole years, LOW-HIGH, within 0-{MAX_AGE}"
        low, dash, high = text.partition("-")
        youngest, oldest = whole_number(low, what, 0, MAX_AGE), whole_number(high, what, 0, MAX_AGE)
        if not dash or youngest > oldest:
            raise ValueError(f"'{text}' is not {what}")
        return youngest, oldest

    def mask(self, dataset, random_state=0, progress=None):
        youngest, oldest = self.value
        return (dataset.age_range[:, 1] < youngest) | (dataset.age_range[:, 0] > oldest)

    def reason(self):
        return f"age not from {self.value[0]} to {self.value[1]} years"
