"""Suspects: labels that a run is sure are wrong, by its out-of-fold predictions, for people to check by eye.

The idea is that of confident learning (Northcutt, Jiang & Chuang 2021, JAIR 70): who was predicted by a model that did
not see the label, and surely as something else, may be labeled wrong. Classes that are ages have an order, though, and
a photograph taken for a year older is no suspect. So what counts is not the probability of the label, but how far out
it lies in the predicted distribution, as residuals over their spread do for numbers (Zhou, Mueller, Tibshirani &
Northcutt 2023, arXiv 2305.16583). The test part is not looked at: who mends it by a model's errors flatters that model.
"""

import numpy as np
import pandas as pd

from .. import ages
from .._utils.console import counted, plain
from .._utils.io import write_csv
from ..data.quality.audit import label
from ..errors import DataError, UsageError
from ..reporting.plots import save_contact_sheet
from . import conformal, leaderboard

COUNT = 100
SHOWN = 200  # photographs in a contact sheet, at most
LISTED = 10  # labels of one group, at most


def find(experiment, run, count=COUNT):
    """The items whose labels a run contradicts most, group by group, the most suspect first.

    Parameters
    ----------
    experiment : Experiment
    run : Run
        complete, with out-of-fold predictions
    count : int
        items

    Returns
    -------
    pandas.DataFrame
        `rank`, of the group by its most suspect item, from 1; `group`; `item_id`, `path`; `age_min`, `age_max`, the
        label, years; `median`, `low`, `high`: what was predicted and its central 90 %, years; `tail` and `years`, see
        `contradicted`; `others`, the labels of other items in the group

    Raises
    ------
    UsageError
        The run is not complete, or has no out-of-fold predictions.
    UnequalError
        See `scores.states`.
    """
    distribution = _predictions(experiment, run)
    rest = experiment.split.development
    y, items = experiment.y[rest], experiment.items.iloc[rest]
    tail, years = contradicted(distribution, y)
    chosen = np.lexsort((-years, tail))[: max(count, 0)]
    rank = pd.factorize(items["group"].to_numpy()[chosen])[0] + 1  # groups in the order in which they come up
    order = np.argsort(rank, kind="stable")
    chosen, rank = chosen[order], rank[order]
    table = items.iloc[chosen][["group", "item_id", "path", "age_min", "age_max"]].reset_index(drop=True)
    table.insert(0, "rank", rank)
    predicted = np.asarray(distribution[chosen])
    table["median"] = ages.median(predicted)
    table["low"], table["high"] = ages.quantile(predicted, 0.05), ages.quantile(predicted, 0.95)
    table["tail"], table["years"] = tail[chosen], years[chosen]
    table["others"] = _others(table, experiment.items)
    return table


def _predictions(experiment, run):
    state, why = {r.folder.name: (state, why) for r, state, why in leaderboard.states(experiment)}[run.folder.name]
    if state != "complete":
        raise UsageError(f"{run.title} is {state} and shows no suspects: {why}")
    if "oof" not in run.parts:
        raise UsageError(f"{run.title} has no out-of-fold predictions, by which suspects are found")
    return run.proba("oof")


def contradicted(distribution, y):
    """How far out each label lies in what was predicted.

    Parameters
    ----------
    distribution : (n, A) array
    y : (n, 2) int array, years
        a range counts as that of its ages that is least far out

    Returns
    -------
    tail : (n,) float array
        probability of an age at least as far out as the label, to either side, half of the label's own counted; 1 in
        the middle of the distribution. No less than `ages.FLOOR_MIX`, the share of the training histogram in every
        prediction: what lies below is that histogram's, and no knowledge of the photograph
    years : (n,) int array
        from the median to the label, which orders the items whose tails are equal
    """
    tail = np.maximum(1 - 2 * conformal.own_scores(distribution, y), ages.FLOOR_MIX)
    blocks = range(0, len(y), conformal.BLOCK)
    median = np.concatenate([ages.median(distribution[start : start + conformal.BLOCK]) for start in blocks])
    return tail, np.maximum(np.maximum(y[:, 0] - median, median - y[:, 1]), 0)


def _others(table, items):
    """For each suspect the labels of the other items in its group, in words; empty where it is alone."""
    several = items[items["group"].isin(table["group"]) & items["group"].duplicated(keep=False)]
    mates = dict(list(several.groupby("group")))
    pairs = zip(table["item_id"], table["group"], strict=True)
    return [_labels(mates[group], item) if group in mates else "" for item, group in pairs]


def _labels(mates, item):
    """The labels of a group's items but one, cut short where they are many."""
    others = mates.loc[mates["item_id"] != item, ["age_min", "age_max"]].to_numpy()
    more = [f"and {len(others) - LISTED} more"] if len(others) > LISTED else []
    return ", ".join([label(*ends) for ends in others[:LISTED]] + more)


def save(experiment, run, table, dataset=None):
    """Write `suspects.csv` into the report of a run, and `suspects.jpg` where the photographs are at hand.

    In the sheet no photograph comes twice.

    Parameters
    ----------
    experiment : Experiment
    run : Run
    table : pandas.DataFrame
        from `find`
    dataset : Dataset, optional
        of the photographs that the run was made on; it may hold more

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    DataError
        The dataset lacks one of the photographs that are to be shown, or has another one of that name.
    """
    folder = run.folder / "report"
    folder.mkdir(exist_ok=True)
    files = [folder / "suspects.csv"]
    write_csv(files[0], table, float_format="%.4f")
    if dataset is not None:
        files.append(folder / "suspects.jpg")
        shown = table.head(SHOWN)
        _sheet(files[1], run, shown, dataset.photos, _rows(shown, experiment.items, dataset))
    return files


def _rows(table, known, dataset):
    """Rows in the dataset's photographs of the items in a table, which must be the very files of the split."""
    there = dataset.items.set_index("item_id")[["photo", "sha256"]].reindex(table["item_id"])
    same = there["sha256"].to_numpy() == known.set_index("item_id")["sha256"].loc[table["item_id"]].to_numpy()
    if not same.all():
        first = plain(table["item_id"].iloc[int(np.argmin(same))])
        what = "another" if first in there.dropna().index else "no usable"
        raise DataError(f"{dataset.name} has {what} photograph {first}; give the data that the run was made on")
    return there["photo"].astype(int).to_numpy()


def _sheet(file, run, table, photos, rows):
    """Photographs with rank, label, prediction and name; of those of equal pixels the first alone."""
    _, first = np.unique(photos.pixels[rows], axis=0, return_index=True)
    first = np.sort(first)
    table, rows = table.iloc[first], rows[first]
    texts = [f"{label(*ends)} -> {m} ({a}-{b})" for ends, m, a, b in _shown(table)]
    named = zip(table["rank"], texts, table["path"], strict=True)
    captions = [f"{rank}: {text}\n{plain(path.rpartition('/')[2])}" for rank, text, path in named]
    title = f"{run.title}: labels it contradicts most; rank: labeled -> predicted (central 90 %)"
    save_contact_sheet(file, photos, rows, captions, plain(title), columns=8, side=120)


def _shown(table):
    ends = table[["age_min", "age_max"]].to_numpy()
    return zip(ends, table["median"], table["low"], table["high"], strict=True)


def lines(table, experiment, run, most=20):
    """The first suspects, and what can be done about them, as lines of text."""
    of = counted(len(experiment.split.development), "item")
    yield plain(
        f"{run.title}: the {counted(len(table), 'label')} of {of} that its out-of-fold predictions contradict most"
    )
    yield f"{'rank':>5}  {'label':>7}  {'predicted':>14}  {'tail':>6}  photograph"
    first = table.head(most)
    for row, (ends, median, low, high) in zip(first.itertuples(), _shown(first), strict=True):
        others = f" (others in its group: {row.others})" if row.others else ""
        predicted = f"{median} ({low}-{high})"
        yield plain(f"{row.rank:>5}  {label(*ends):>7}  {predicted:>14}  {row.tail:>6.4f}  {row.item_id}{others}")
    yield "predicted: median and central 90 %; tail: probability of an age at least as far out as the label"
    yield (
        "Nothing was removed, and a model can be wrong where a label is right: look first. To leave some out, delete "
        f"their lines from a copy of {plain(experiment.folder / 'split.csv')} and give it to benchmark with --split. "
        "Errors without them are lower for that alone, so compare only models that were fitted on that split."
    )
