"""Reliability before and after a temperature."""

import numpy as np

from ...evaluation import calibration
from .base import Plot, PlotData
from .figure import COOL, INK, WARM, figure_of, head, head_all

LEVELS = np.linspace(0.02, 0.98, 49)


def draw_reliability(before, after, temperature, age_groups, title):
    """How often the answered age group is right by its confidence, and of exact ages, intervals by their stated level.

    Parameters
    ----------
    before, after : Predictions
        `after` and `temperature` None where there is none
    temperature : float
    age_groups : AgeGroups
    title : str
    """
    lines = [("as predicted", before, COOL, "o", 3.2)]  # wide, to be seen where the second hides it
    if after is not None:
        lines.append((f"temperature {temperature:.2f}, from out-of-fold", after, WARM, "s", 1.4))
    exact = before.exact  # where ages are ranges, nobody knows whether an interval holds one
    width = 4.8 * (1 + exact)
    figure, axes = figure_of(width, 5.2, columns=1 + exact, squeeze=False)
    axes = axes[0]
    for name, predictions, color, marker, width in lines:
        _groups(axes[0], calibration.group_curve(predictions, age_groups), name, color, marker, width)
        if exact:
            held = calibration.interval_curve(predictions, LEVELS)
            axes[1].plot(100 * LEVELS, 100 * held, color=color, linewidth=width, label=name)
    for axis in axes:
        axis.plot([0, 100], [0, 100], color=INK, linewidth=0.8, linestyle=":", label="as sure as right")
        axis.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axis.grid(alpha=0.3)
        axis.legend(loc="upper left", fontsize=8)
    axes[0].set(xlabel="confidence in the answered age group, %", ylabel="how often it is right, %")
    head(axes[0], "age groups; numbers: images", 4.8)
    if exact:
        axes[1].set(xlabel="stated level of the central interval, %", ylabel="true ages in it, %")
        head(axes[1], "intervals", 4.8)
    head_all(figure, title, width)
    return figure


def _groups(axis, curve, name, color, marker, width):
    confidence, right, count = curve.T
    axis.plot(100 * confidence, 100 * right, color=color, linewidth=width, marker=marker, markersize=4, label=name)
    if marker == "o":
        for x, y, n in zip(100 * confidence, 100 * right, count, strict=True):
            shift = (-16, -12) if x > 90 else (5, -10 if y > 8 else 5)
            axis.annotate(f"{n:,.0f}", (x, y), shift, textcoords="offset points", fontsize=7, color=color)


class Reliability(Plot):
    """Of the test part; where there is none, fold by fold."""

    title = "reliability"
    order = 50

    def applies(self, data: PlotData) -> bool:
        return data.predictions is not None

    def draw(self, data: PlotData):
        scaled = calibration.scaled(data.oof, data.test)
        return draw_reliability(*scaled, data.age_groups, data.evaluated_title)
