"""Is a run as sure of itself as it is right? On the test part, before and after one temperature from out-of-fold.

Where a split has no test part: out-of-fold, the temperature of each fold from the other folds.
"""

import numpy as np

from .. import ages
from .._utils.console import plain
from ..ensembles.pooling import Pool, logs
from ..splits.split import WHERE
from . import conformal, metrics, temperature

LEVEL = 0.9  # of the central interval whose coverage is measured
BINS = np.linspace(0, 1, 11)  # of the picture
NAMES = {"calibration_error": "calibration error", "crps": "CRPS, years", "log_loss": "log loss, nats"}


def report(run, experiment, age_groups):
    """Calibration of a complete run on the part that is judged, see `Split.judged`.

    Returns
    -------
    dict
        `run`, `model`, `part`, `items`; `temperature` (None for a run without out-of-fold predictions), `before` and
        `after` it (None as well): the metrics of `NAMES`, and `coverage` and `width` (mean, years) of the central 90 %
        interval of the distributions themselves; NaN in years where labels are ranges
    """
    part = experiment.split.judged
    y = experiment.y[experiment.split.rows(part)]
    before, after, found = distributions(run, experiment)
    content = {"run": run.folder.name, "model": run.title, "part": part, "items": len(y), "temperature": found}
    return content | {
        "before": _row(before, y, age_groups),
        "after": None if after is None else _row(after, y, age_groups),
    }


def distributions(run, experiment):
    """Predictions of the part that is judged as they are, with the temperature of others, and that of all out-of-fold.

    Returns
    -------
    before, after : (n, A) float32 array
        the second None for a run without out-of-fold predictions
    temperature : float or None
    """
    split = experiment.split
    before = run.proba(split.judged)
    if "oof" not in run.parts:
        return before, None, None
    known, y, fold = logs(run.proba("oof")), experiment.y[split.rest], split.part[split.rest]
    found = temperature.fit(known, y)
    if split.judged == "test":
        return before, _tempered(before, found), found
    after = np.empty_like(before)
    for k in range(split.folds):
        after[fold == k] = _tempered(before[fold == k], temperature.fit(known[fold != k], y[fold != k]))
    return before, after, found


def _tempered(distribution, degree):
    """Distributions raised to the power 1 / degree, `(n, A)` float32."""
    return Pool("log", np.ones(1), np.array([degree]))([distribution])


def _row(distribution, y, age_groups):
    score = metrics.score(distribution, y, age_groups)
    low, high = (ages.quantile(distribution, q) for q in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    exact = np.all(y[:, 0] == y[:, 1])
    hit = ((low <= y[:, 0]) & (y[:, 0] <= high)).mean() if exact else np.nan
    return {name: score[name] for name in NAMES} | {"coverage": float(hit), "width": float((high - low).mean())}


def group_curve(distribution, y, age_groups):
    """Confidence in the answered age group against how often it is right, `(bins, 3)`: both, and the items.

    A bin without items is left out.
    """
    label = age_groups.of(y)
    p = age_groups.probabilities(distribution[label >= 0])
    confidence, right = p.max(1), p.argmax(1) == label[label >= 0]
    bin_ = np.clip(np.digitize(confidence, BINS) - 1, 0, len(BINS) - 2)
    rows = [(confidence[bin_ == b].mean(), right[bin_ == b].mean(), (bin_ == b).sum()) for b in np.unique(bin_)]
    return np.array(rows, float).reshape(-1, 3)


def interval_curve(distribution, y, levels):
    """Share of exactly known ages within the central interval of each level, `(len(levels),)`."""
    own = 2 * conformal.own_scores(distribution, y)
    return (own <= np.asarray(levels)[:, None]).mean(1)


def view(contents):
    """Reports of several runs, for a terminal.

    Parameters
    ----------
    contents : list of dict
        from `report`
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    title = f"Calibration {WHERE[contents[0]['part']]}"
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    table.add_column("model", overflow="fold")
    for title in ("temper-\nature", *NAMES.values(), f"{100 * LEVEL:.0f} % coverage", "width"):
        table.add_column(title, justify="right")
    for content in contents:
        table.add_row(plain(content["model"]), "none", *_cells(content["before"]))
        if content["after"]:
            table.add_row("", f"{content['temperature']:.2f}", *_cells(content["after"]))
    note = (
        "Temperature: the one number that makes the out-of-fold predictions likeliest; below 1, they were too unsure. "
        "Coverage and mean width in years: of the central interval of the distributions as they are, no conformal one."
    ) + ("" if contents[0]["part"] == "test" else " Below: each fold with that of the other folds.")
    return Group(table, Text(note, style="dim"))


def _cells(row):
    return [in_words(row, name) for name in row]


def in_words(row, name):
    """A number of a report as text, empty where it is not defined."""
    if np.isnan(row[name]):
        return ""
    forms = {"coverage": f"{100 * row[name]:.1f} %", "width": f"{row[name]:.1f}"}
    return forms.get(name, f"{row[name]:.3f}")
