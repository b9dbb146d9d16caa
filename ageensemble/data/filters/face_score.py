import math

from .base import Filter, number


class FaceScore(Filter):
    """Leaves out images whose face score, in the source's own scale, lies below VALUE; one without a score stays."""

    example = "face-score=1.5"
    column = "face_score"

    @classmethod
    def parse(cls, text):
        return number(text, "a number in the scale of the dataset's face scores", -math.inf)

    def mask(self, dataset, random_state=0, progress=None):
        return (dataset.items[self.column] < self.value).to_numpy()

    def reason(self):
        return f"face score below {self.value:g}"
