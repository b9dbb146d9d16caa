"""Plots, one class in one file each: a plot of a run appears in every report that it applies to.

    PlotData (predictions, members, training) -> PLOTS -> matplotlib figures

base.py           `Plot`, which every plot of a run derives from, and `PlotData`, what it is drawn from
figure.py         what all share: the figure, its title, the file
time_error.py     all runs of a leaderboard in one plot
contact_sheet.py  images in rows
"""

from ..._utils.registry import Registry
from .base import Plot, PlotData
from .contact_sheet import save_contact_sheet
from .figure import save
from .time_error import draw_time_error

PLOTS = Registry("plot", __name__, base=Plot, internal=("figure", "contact_sheet", "time_error"))


def plots() -> dict[str, Plot]:
    """All plots of a run by name, in the order of a report."""
    found = {name: PLOTS.load(name)() for name in PLOTS.names()}
    return dict(sorted(found.items(), key=lambda item: item[1].order))


__all__ = ["PLOTS", "Plot", "PlotData", "draw_time_error", "plots", "save", "save_contact_sheet"]
