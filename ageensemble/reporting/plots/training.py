"""Curves of training."""

import numpy as np

from .base import Plot, PlotData
from .figure import COOL, WARM, figure_of, head_all

CURVES = {"": ("training items", COOL), "validation_": ("validation part, not trained on", WARM)}


def draw_training(histories, title):
    """Loss and mean absolute error against the epoch: a thin line for each fold, a thick one for their mean.

    Parameters
    ----------
    histories : list of dict of str to (epochs,) float array
        one for each fold; nan where a value was not measured
    title : str
    """
    figure, axes = figure_of(9.6, 4.2, columns=2)
    for axis, what, label in zip(axes, ("loss", "mae"), ("loss", "MAE, years"), strict=True):
        for prefix, (name, color) in CURVES.items():
            lines = [history.get(prefix + what, np.empty(0)) for history in histories]
            _draw_curves(axis, [line for line in lines if np.isfinite(line).any()], name, color)
        last = max(len(line) for history in histories for line in history.values())
        axis.set(xlabel="epoch", ylabel=label, xlim=(0.5, last + 0.5))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    below = f"\nthin: {len(histories)} folds, thick: their mean" if len(histories) > 1 else ""
    head_all(figure, title + below, 11)
    return figure


def _draw_curves(axis, lines, name, color):
    if not lines:
        return
    together = min(map(len, lines))  # a mean of those that stopped later would jump
    if len(lines) > 1:
        for line in lines:
            axis.plot(np.arange(1, len(line) + 1), line, color=color, linewidth=0.8, alpha=0.5)
    mean = np.mean([line[:together] for line in lines], axis=0)
    marker = "o" if together == 1 else None  # a single point makes no line
    axis.plot(np.arange(1, together + 1), mean, color=color, linewidth=2.4, label=name, marker=marker)


class Training(Plot):
    """For networks."""

    title = "training"
    order = 70

    def applies(self, data: PlotData) -> bool:
        return bool(data.histories)

    def essential(self, data: PlotData) -> bool:
        return True

    def draw(self, data: PlotData):
        return draw_training(data.histories, f"{data.name}, training")
