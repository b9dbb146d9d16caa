"""Pictures of results and of photographs: confusion matrix, true against predicted, training, contact sheets."""

import textwrap

import numpy as np

from . import ages, metrics
from .console import plain
from .files import writing


def _figure(width, height, panels=1):
    from matplotlib.figure import Figure  # no pyplot: nothing global, no display

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    return figure, figure.subplots(1, panels)


def _head(axis, title, width):
    """A title on as many lines as the width, in inches, asks for; a model's name is no formula."""
    lines = [textwrap.fill(plain(line), int(8 * width), break_on_hyphens=False) for line in title.splitlines()]
    axis.set_title("\n".join(lines), fontsize=11, parse_math=False)


def _save(figure, file):
    with writing(file) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})  # the same bytes with every version


def save_confusion(file, distribution, y, groups, title):
    """Confusion matrix of age groups, rows (true) in per cent, counts beside the labels.

    Parameters
    ----------
    file : path
        PNG
    distribution : (n, A) array
    y : (n, 2) int array, years
    groups : ages.Scheme
    title : str
    """
    label = groups.of(y)
    inside = label >= 0
    answer = groups.probabilities(distribution[inside]).argmax(1)
    table = metrics.confusion(label[inside], answer, len(groups))
    count = table.sum(1)
    share = 100 * table / np.maximum(count, 1)[:, None]
    side = max(4.2, 2.2 + 0.42 * len(groups))
    figure, axis = _figure(side + 0.6, side)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axis.set_xticks(range(len(groups)), groups.labels, rotation=60, ha="right")
    axis.set_yticks(range(len(groups)), [f"{name}  ({n:,})" for name, n in zip(groups.labels, count, strict=True)])
    if len(groups) <= 20:  # beyond that the numbers are no longer readable
        for row, column in zip(*np.nonzero(share >= 0.5), strict=True):
            colour = "white" if share[row, column] > 55 else "black"
            axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", fontsize=8, color=colour)
    axis.set(xlabel="predicted age group", ylabel="true age group (items)")
    _head(axis, f"{title}\nper cent of the true group", side)
    _save(figure, file)


def save_true_predicted(file, distribution, y, title):
    """True against predicted (median) age as density, with the median and 80 % band of predictions at a true age."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    age, predicted = y[:, 0], ages.median(distribution)
    figure, axis = _figure(6.2, 5.6)
    top = int(max(age.max(), predicted.max())) + 2
    colours = ListedColormap(colormaps["Blues"](np.linspace(0.2, 1, 256)))  # a single photograph is seen too
    density = axis.hexbin(age, predicted, gridsize=55, extent=(0, top, 0, top), bins="log", mincnt=1, cmap=colours)
    axis.plot([0, top], [0, top], color="black", linewidth=0.8, label="predicted = true")
    centre = np.array([a for a in range(top) if (np.abs(age - a) <= 2).sum() >= 20])
    if len(centre):
        near = [np.quantile(predicted[np.abs(age - a) <= 2], [0.1, 0.5, 0.9]) for a in centre]
        low, middle, high = np.transpose(near)
        axis.plot(centre, middle, color="crimson", linewidth=1.6, label="median of predictions")
        axis.plot(centre, low, centre, high, color="crimson", linewidth=1, linestyle=":")
        axis.plot([], [], color="crimson", linewidth=1, linestyle=":", label="80 % of predictions")
    axis.set(xlabel="true age, years", ylabel="predicted age, years", xlim=(0, top), ylim=(0, top))
    _head(axis, title, 6.2)
    axis.set_aspect("equal")
    axis.legend(loc="upper left", fontsize=8)
    figure.colorbar(density, ax=axis, label="photographs", shrink=0.8)
    _save(figure, file)


CURVES = {"": ("training items", "steelblue"), "inner_": ("inner part, not trained on", "crimson")}


def save_training(file, histories, title):
    """Loss and mean absolute error against the epoch: a thin line for each cell, a thick one for their mean.

    Parameters
    ----------
    file : path
        PNG
    histories : list of dict of str to (epochs,) float array
        one for each cell; nan where a value was not measured
    title : str
    """
    figure, axes = _figure(9.6, 4.2, panels=2)
    for axis, what, label in zip(axes, ("loss", "mae"), ("loss", "MAE, years"), strict=True):
        for prefix, (name, colour) in CURVES.items():
            lines = [history.get(prefix + what, np.empty(0)) for history in histories]
            _draw_curves(axis, [line for line in lines if np.isfinite(line).any()], name, colour)
        last = max(len(line) for history in histories for line in history.values())
        axis.set(xlabel="epoch", ylabel=label, xlim=(0.5, last + 0.5))
        axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=8)
    lines = textwrap.wrap(plain(title), 90, break_on_hyphens=False)
    lines += [f"thin: {len(histories)} cells, thick: their mean"] if len(histories) > 1 else []
    figure.suptitle("\n".join(lines), fontsize=11, parse_math=False)
    _save(figure, file)


def _draw_curves(axis, lines, name, colour):
    if not lines:
        return
    together = min(map(len, lines))  # a mean of those that stopped later would jump
    if len(lines) > 1:
        for line in lines:
            axis.plot(np.arange(1, len(line) + 1), line, color=colour, linewidth=0.8, alpha=0.5)
    mean = np.mean([line[:together] for line in lines], axis=0)
    marker = "o" if together == 1 else None  # a single point makes no line
    axis.plot(np.arange(1, together + 1), mean, color=colour, linewidth=2.4, label=name, marker=marker)


def save_contact_sheet(file, photos, rows, captions, title, columns=10, side=96):
    """Photographs in rows with a line of text below each.

    Parameters
    ----------
    file : path
        JPEG
    photos : Photos
    rows : sequence of int
        rows of `photos`
    captions : sequence of str
    title : str
    columns : int
    side : int, pixels
    """
    from PIL import Image, ImageDraw

    columns = max(1, min(columns, len(rows)))
    lines = -(-len(rows) // columns)
    cell = side + 18
    sheet = Image.new("RGB", (max(columns * (side + 6) + 6, 420), lines * cell + 28), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((6, 8), title, fill="black")
    for place, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        image = Image.fromarray(photos[row])
        image.thumbnail((side, side))
        left, top = 6 + place % columns * (side + 6), 28 + place // columns * cell
        sheet.paste(image, (left + (side - image.width) // 2, top + side - image.height))
        draw.text((left + 2, top + side + 2), caption, fill="black")
    with writing(file) as temporary:
        sheet.save(temporary, format="JPEG", quality=88)
