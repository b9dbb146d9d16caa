"""Error and bias by age."""

import numpy as np
from scipy.sparse import csr_array

from ... import ages
from ...evaluation import bootstrap
from ...evaluation.predictions import groups_of
from .base import Plot, PlotData
from .figure import COOL, INK, QUIET, WARM, figure_of, head

REACH = 2  # years to either side that are taken together
LEAST = 20  # items within reach, for a mean


def draw_age_error(predictions, title):
    """Mean absolute and mean signed error of the median by true age, 95 % bands; the images of each age below.

    Parameters
    ----------
    predictions : Predictions
        with exact ages
    title : str
    """
    age, groups = predictions.age_range[:, 0], groups_of(predictions)
    error = predictions.median - age
    figure, (axis, below) = figure_of(7.4, 5.4, rows=2, sharex=True, height_ratios=[4, 1])
    for name, values, color in (("absolute error", np.abs(error), COOL), ("predicted minus true", error, WARM)):
        center, mean, low, high = _by_age(values, age, groups)
        axis.plot(center, mean, color=color, linewidth=1.8, label=f"mean {name}")
        axis.fill_between(center, low, high, color=color, alpha=0.2, linewidth=0)
    axis.axhline(0, color=INK, linewidth=0.8)
    axis.set(ylabel="years")
    axis.grid(alpha=0.3)
    axis.legend(loc="upper left", fontsize=8)
    head(axis, f"{title}\nmeans within {REACH} years of a true age, with 95 % bands", 7.4)
    below.bar(np.arange(ages.N_AGES), np.bincount(age, minlength=ages.N_AGES), width=1, color=QUIET)
    below.set(xlabel="true age, years", ylabel="images", xlim=(-1, max(int(age.max()), 10) + 1))
    return figure


def _by_age(values, age, groups):
    """Means around each age that has enough images near, and their bands; gaps are NaN."""
    one_hot = csr_array((np.ones(len(age)), (np.arange(len(age)), age)), shape=(len(age), ages.N_AGES))
    sums = bootstrap.bootstrap_totals(one_hot.multiply(values[:, None]), groups)
    counts = bootstrap.bootstrap_totals(one_hot, groups)
    near = np.abs(np.arange(ages.N_AGES)[:, None] - np.arange(ages.N_AGES)) <= REACH
    count = near @ np.bincount(age, minlength=ages.N_AGES)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(count >= LEAST, near @ np.bincount(age, values, ages.N_AGES) / count, np.nan)
        low, high = np.transpose([bootstrap.interval(drawn) for drawn in ((sums @ near) / (counts @ near)).T])
    return np.arange(ages.N_AGES), mean, np.where(count >= LEAST, low, np.nan), np.where(count >= LEAST, high, np.nan)


class AgeError(Plot):
    """Needs exact ages."""

    title = "error by age"
    order = 40

    def applies(self, data: PlotData) -> bool:
        return data.predictions is not None and data.predictions.exact

    def draw(self, data: PlotData):
        return draw_age_error(data.predictions, data.title)
