"""Confusion matrix of age groups."""

import numpy as np

from .base import Plot, PlotData
from .figure import figure_of, head


def draw_confusion(predictions, age_groups, title):
    """Confusion matrix of age groups, rows (true) in per cent, counts beside the labels.

    Parameters
    ----------
    predictions : Predictions
    age_groups : AgeGroups
    title : str
    """
    label = age_groups.of(predictions.age_range)
    inside = label >= 0
    answer = age_groups.probabilities(predictions.proba[inside]).argmax(1)
    g = len(age_groups)
    table = np.bincount(label[inside] * g + answer, minlength=g * g).reshape(g, g)
    count = table.sum(1)
    share = 100 * table / np.maximum(count, 1)[:, None]
    side = max(4.2, 2.2 + 0.42 * len(age_groups))
    figure, axis = figure_of(side + 0.6, side)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axis.set_xticks(range(len(age_groups)), age_groups.labels, rotation=60, ha="right", rotation_mode="anchor")
    axis.set_yticks(
        range(len(age_groups)), [f"{name}  ({n:,})" for name, n in zip(age_groups.labels, count, strict=True)]
    )
    if len(age_groups) <= 20:  # beyond that the numbers are no longer readable
        for row, column in zip(*np.nonzero(share >= 0.5), strict=True):
            color = "white" if share[row, column] > 55 else "black"
            axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", fontsize=8, color=color)
    axis.set(xlabel="predicted age group", ylabel="true age group (items)")
    head(axis, f"{title}\nper cent of the true group", side)
    return figure


class Confusion(Plot):
    """Always of interest; essential where ages are ranges."""

    title = "confusion of age groups"
    order = 20

    def applies(self, data: PlotData) -> bool:
        return data.predictions is not None

    def essential(self, data: PlotData) -> bool:
        return not data.predictions.exact

    def draw(self, data: PlotData):
        return draw_confusion(data.predictions, data.age_groups, data.title)
