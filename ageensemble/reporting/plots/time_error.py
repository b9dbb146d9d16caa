"""What a lower error costs in time."""

import numpy as np

from .figure import COOL, INK, QUIET, figure_of, head, wrapped

STEPS = 16  # directions in which there may be room for a name
DISTANCES = (9, 16, 26, 40, 58, 80, 105)  # points from its dot


def draw_time_error(table, title):
    """Seconds of fitting against out-of-fold error with its 95 % interval, a named dot for each run.

    Runs without either are left out, and so is the prior baseline, which costs nothing.

    Parameters
    ----------
    table : pandas.DataFrame
        from `tables.rows`
    title : str

    Returns
    -------
    matplotlib.figure.Figure or None
        None where there is nothing to draw
    """
    from matplotlib.ticker import LogLocator, NullLocator

    metric, label = "oof_mae", "out-of-fold MAE, years"
    if table[metric].isna().all():
        metric, label = "oof_f1_weighted", "out-of-fold weighted F1"
    table = table[(table["model"] != "prior") & table["fit_seconds"].gt(0) & table[metric].notna()]
    if table.empty:
        return None
    seconds, error = table["fit_seconds"].to_numpy(), table[metric].to_numpy()
    ends = [table[f"{metric}_{end}"].to_numpy() for end in ("low", "high")]
    figure, axis = figure_of(9.6, 6.0)
    axis.set_xscale("log")
    room = max((seconds.max() / seconds.min()) ** 0.2, 1.5)
    axis.set_xlim(seconds.min() / room, seconds.max() * room)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if seconds.max() > 20 * seconds.min() else (1, 2, 3, 5, 7)))
    axis.xaxis.set_major_formatter("{x:,.10g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.vlines(seconds, *ends, color=COOL, linewidth=1.2)
    axis.plot(seconds, error, color=COOL, marker="o", markersize=5, linewidth=0)
    axis.set(xlabel="seconds of fitting, all folds", ylabel=label)
    axis.margins(y=0.15)
    axis.grid(alpha=0.3)
    head(axis, title, 9.6)
    _name(figure, axis, seconds, error, ends, [wrapped(name, 4.5) for name in table["model"]])
    return figure


def _name(figure, axis, x, y, ends, names):
    """Write each name where it covers neither a dot, an error bar nor another name; a thin line leads to its dot."""
    figure.draw_without_rendering()  # settles where everything is
    figure.set_layout_engine("none")
    dots, low, high = (axis.transData.transform(np.column_stack([x, end])) for end in (y, *ends))
    taken = np.hstack([np.minimum(low, dots - 5), np.maximum(high, dots + 5)])
    for dot, name in zip(dots, names, strict=True):
        text = axis.text(0, 0, name, fontsize=8, color=INK, parse_math=False, transform=None)
        extent = text.get_window_extent()
        box = _room(dot, extent.size, taken, axis.get_window_extent(), figure.dpi / 72)
        text.set_position(box[:2] - extent.min)
        taken = np.vstack([taken, box])
        near = np.clip(dot, box[:2], box[2:])
        axis.plot(*np.transpose([dot, near]), color=QUIET, linewidth=0.6, transform=None, zorder=1)


def _room(dot, size, taken, inside, scale):
    """The nearest free place for a text, (left, bottom, right, top) in pixels; the least crowded where none is free."""
    turn = 2 * np.pi * np.arange(STEPS) / STEPS
    away = np.multiply(DISTANCES, scale)[:, None, None] + size / 2
    center = (dot + away * np.column_stack([np.cos(turn), np.sin(turn)])).reshape(-1, 2)
    boxes = np.hstack([center - size / 2, center + size / 2])
    apart = (boxes[:, None, :2] - 2 > taken[:, 2:]) | (boxes[:, None, 2:] + 2 < taken[:, :2])
    crowded = (~apart.any(-1)).sum(1)
    outside = ((boxes[:, :2] < inside.min) | (boxes[:, 2:] > inside.max)).any(1)
    return boxes[np.argmin(crowded + 10 * outside)]
