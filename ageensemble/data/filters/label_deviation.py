from .base import Filter, number


class LabelDeviation(Filter):
    """Leaves out images on whose age people disagreed: standard deviation of their guesses above VALUE years."""

    example = "label-deviation=10"
    column = "age_deviation"

    @classmethod
    def parse(cls, text):
        return number(text, "a number of years, 0 or more")

    def mask(self, dataset, random_state=0, progress=None):
        return (dataset.items[self.column] > self.value).to_numpy()

    def reason(self):
        return f"people's guesses deviate by more than {self.value:g} years"
