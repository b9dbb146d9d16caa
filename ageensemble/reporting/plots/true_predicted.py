"""True against predicted age."""

import numpy as np

from .base import Plot, PlotData
from .figure import figure_of, head


def draw_true_predicted(predictions, title):
    """True against predicted (median) age as density, with the median and 80 % band of predictions at a true age."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    age, predicted = predictions.age_range[:, 0], predictions.median
    figure, axis = figure_of(6.2, 5.6)
    top = int(max(age.max(), predicted.max())) + 2
    colors = ListedColormap(colormaps["Blues"](np.linspace(0.2, 1, 256)))  # a single image is seen too
    density = axis.hexbin(age, predicted, gridsize=55, extent=(0, top, 0, top), bins="log", mincnt=1, cmap=colors)
    axis.plot([0, top], [0, top], color="black", linewidth=0.8, label="predicted = true")
    center = np.array([a for a in range(top) if (np.abs(age - a) <= 2).sum() >= 20])
    if len(center):
        near = [np.quantile(predicted[np.abs(age - a) <= 2], [0.1, 0.5, 0.9]) for a in center]
        low, middle, high = np.transpose(near)
        axis.plot(center, middle, color="crimson", linewidth=1.6, label="median of predictions")
        axis.plot(center, low, center, high, color="crimson", linewidth=1, linestyle=":")
        axis.plot([], [], color="crimson", linewidth=1, linestyle=":", label="80 % of predictions")
    axis.set(xlabel="true age, years", ylabel="predicted age, years", xlim=(0, top), ylim=(0, top))
    head(axis, title, 6.2)
    axis.set_aspect("equal")
    axis.legend(loc="upper left", fontsize=8)
    figure.colorbar(density, ax=axis, label="images", shrink=0.8)
    return figure


class TruePredicted(Plot):
    """Needs exact ages."""

    title = "true against predicted"
    order = 10

    def applies(self, data: PlotData) -> bool:
        return data.predictions is not None and data.predictions.exact

    def essential(self, data: PlotData) -> bool:
        return True

    def draw(self, data: PlotData):
        return draw_true_predicted(data.predictions, data.title)
