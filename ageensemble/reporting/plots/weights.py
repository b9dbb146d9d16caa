"""Who contributes what to an ensemble."""

import numpy as np

from .base import Plot, PlotData
from .figure import COOL, INK, WARM, figure_of, head, head_all, wrapped


def draw_weights(members, title):
    """A bar for each member: its weight, and what the ensemble loses without it, with its 95 % interval.

    Parameters
    ----------
    members : list of dict
        `model`, `weight`, and where it was measured `loss_without`: {"mae": [difference, low, high]}
    title : str
    """
    members = sorted(members, key=lambda member: member["weight"])
    found = {metric for member in members for metric in member.get("loss_without") or ()}
    measured = "mae" if "mae" in found else min(found, default=None)
    place = np.arange(len(members))
    figure, axes = figure_of(9.6, 1.9 + 0.38 * len(members), columns=2 if measured else 1, sharey=True, squeeze=False)
    bars = axes[0, 0].barh(place, [member["weight"] for member in members], color=COOL, height=0.6)
    axes[0, 0].bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axes[0, 0].set_yticks(place, [wrapped(member["model"], 4) for member in members], parse_math=False)
    axes[0, 0].set(xlabel="weight")
    axes[0, 0].margins(x=0.12)
    if measured:
        _losses(axes[0, 1], members, measured)
    for axis, name in zip(axes[0], ("weight, an exponent", "loss without it"), strict=False):
        axis.grid(alpha=0.3, axis="x")
        axis.axvline(0, color=INK, linewidth=0.8)
        head(axis, name, 4)
    head_all(figure, title, 9.6)
    return figure


def _losses(axis, members, metric):
    """A dot with its interval for each member that was left out once."""
    for place, member in enumerate(members):
        if metric in (member.get("loss_without") or ()):
            value, low, high = member["loss_without"][metric]
            axis.plot([low, high], [place, place], color=WARM, linewidth=1.6)
            axis.plot(value, place, color=WARM, marker="o", markersize=5)
    axis.set(
        xlabel="MAE increase when this member is removed, years" if metric == "mae" else f"{metric}, without minus with"
    )


class Weights(Plot):
    """For ensembles."""

    title = "weights of the members"
    order = 30

    def applies(self, data: PlotData) -> bool:
        return data.predictions is not None and bool(data.members)

    def essential(self, data: PlotData) -> bool:
        return True

    def draw(self, data: PlotData):
        return draw_weights(data.members, data.name)
