"""Coverage and width of prediction intervals by age group."""

import numpy as np

from ...evaluation.conformal import conformalize
from .base import Plot, PlotData
from .figure import COOL, INK, WARM, figure_of, head

KINDS = {"conditional": ("label-conditional", WARM, "o", -0.15), "plain": ("plain", COOL, "s", 0.15)}


def draw_coverage(found, title):
    """Share of true ages inside their interval with its 95 % interval, and mean width, for each age group.

    Parameters
    ----------
    found : Conformalized
    title : str
    """
    subgroups = [row for row in found.subgroups if row["by"] in ("all", "age group")]
    place = np.arange(len(subgroups))
    width = max(6.4, 2.6 + 0.42 * len(subgroups))
    figure, (axis, below) = figure_of(width, 5.6, rows=2, sharex=True, height_ratios=[3, 2])
    for kind, (name, color, marker, shift) in KINDS.items():
        share, low, high = (100 * np.array([row[kind][end] for row in subgroups]) for end in ("share", "low", "high"))
        bars = [share - low, high - share]
        axis.errorbar(place + shift, share, bars, color=color, fmt=marker, markersize=4, linewidth=1.2, label=name)
        below.bar(place + shift, [row[kind]["mean_width"] for row in subgroups], 0.28, color=color)
    level = 100 * found.level
    axis.axhline(level, color=INK, linewidth=0.8, linestyle=":", label=f"stated: {level:g} %")
    axis.set(ylabel="true ages inside, %")
    figure.legend(*axis.get_legend_handles_labels(), fontsize=8, loc="outside lower center", ncols=3)
    shown = "test items" if found.part == "test" else "items"
    below.set(ylabel="mean width, years", xlabel=f"true age group ({shown})")
    labels = [f"{row['name']} ({row['plain']['items']:,})" for row in subgroups]
    below.set_xticks(place, labels, rotation=60, ha="right", rotation_mode="anchor")
    for one in (axis, below):
        one.grid(alpha=0.3, axis="y")
        one.axvline(0.5, color="lightgray", linewidth=0.8)
    head(axis, title, width)
    return figure


class Coverage(Plot):
    """Needs out-of-fold predictions."""

    title = "coverage of prediction intervals"
    order = 60

    def applies(self, data: PlotData) -> bool:
        return data.oof is not None

    def draw(self, data: PlotData):
        found = conformalize(data.oof, data.level, data.age_groups, data.test)
        part = data.evaluated_title.removeprefix(data.name)
        return draw_coverage(found, f"{data.name}, {100 * data.level:g} % prediction intervals{part}")
