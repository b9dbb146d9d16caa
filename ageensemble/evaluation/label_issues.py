"""Label issues: labels that out-of-fold predictions contradict, for people to check by eye.

The idea is that of confident learning (Northcutt, Jiang & Chuang 2021, JAIR 70): who was predicted by a model that did
not see the label, and surely as something else, may be labeled wrong. Classes that are ages have an order, though, and
an image taken for a year older is no issue. So what counts is not the probability of the label, but how far out it lies
in the predicted distribution, as residuals over their spread do for numbers (Zhou, Mueller, Tibshirani & Northcutt
2023, arXiv 2305.16583). The test part is not looked at: who mends it by a model's errors flatters that model.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import ages
from .._utils.console import counted
from .._utils.render import Column, ShownAsTable, Table
from ..ages import range_text
from . import conformal
from .predictions import Predictions, groups_of

LISTED = 10  # labels of one group, at most


@dataclass(frozen=True, repr=False)
class LabelIssues(ShownAsTable):
    """The labels that a model contradicts most.

    Attributes
    ----------
    name : str
        of the model
    items : int
        how many labels were looked at
    frame : pandas.DataFrame
        `rank`, of the group by its worst item, from 1; `group`; `item_id`; `age_min`, `age_max`, the label, years;
        `median`, `low`, `high`: what was predicted and its central 90 %, years; `tail` and `years`, see
        `label_tail_probability`; `others`, the labels of other items in the group
    """

    name: str
    items: int
    frame: pd.DataFrame

    def table(self, most: int = 20) -> Table:
        """The first of them, for people."""
        rows = self.frame.head(most).to_dict("records")
        for row, text in zip(rows, issue_texts(self.frame.head(most)), strict=True):
            row["label"], row["predicted"] = text
            others = f" (others in its group: {row['others']})" if row["others"] else ""
            row["item"] = f"{row['item_id']}{others}"
        columns = [
            Column("rank", right=True),
            Column("label", right=True),
            Column("predicted", right=True),
            Column("tail", format="{:.4f}".format, right=True),
            Column("item", "image"),
        ]
        note = (
            "predicted: median and central 90 %; tail: probability of an age at least as far out as the label. "
            "Nothing was removed, and a model can be wrong where a label is right: look first."
        )
        title = f"{self.name}: the {counted(len(self.frame), 'label')} of {counted(self.items, 'item')} that its "
        return Table(columns, rows, [note], title + "out-of-fold predictions contradict most")


def find_label_issues(predictions: Predictions, count: int = 100) -> LabelIssues:
    """Find the items whose labels a model contradicts most, group by group, the worst first.

    Parameters
    ----------
    predictions : Predictions
        out-of-fold, with labels; groups of items that show one person stand together
    count : int
        items

    Examples
    --------
    >>> find_label_issues(run.predictions("oof"), count=50).frame
    """
    y, groups = predictions.age_range, groups_of(predictions)
    tail, years = label_tail_probability(predictions.proba, y)
    chosen = np.lexsort((-years, tail))[: max(count, 0)]
    rank = pd.factorize(groups[chosen])[0] + 1  # groups in the order in which they come up
    order = np.argsort(rank, kind="stable")
    chosen, rank = chosen[order], rank[order]
    ids = np.arange(len(predictions)) if predictions.item_id is None else predictions.item_id
    predicted = predictions[chosen]
    low, high = (ages.quantile(predicted.proba, q) for q in (0.05, 0.95))
    frame = pd.DataFrame({"rank": rank, "group": groups[chosen], "item_id": ids[chosen]})
    frame["age_min"], frame["age_max"] = y[chosen].T
    frame["median"], frame["low"], frame["high"] = predicted.median, low, high
    frame["tail"], frame["years"] = tail[chosen], years[chosen]
    frame["others"] = _others(chosen, groups, y)
    return LabelIssues(predictions.name, len(predictions), frame)


def label_tail_probability(distribution, y):
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
        prediction: what lies below is that histogram's, and no knowledge of the image
    years : (n,) int array
        from the median to the label, which orders the items whose tails are equal
    """
    tail = np.maximum(1 - 2 * conformal.own_scores(distribution, y), ages.FLOOR_MIX)
    blocks = range(0, len(y), conformal.BLOCK)
    median = np.concatenate([ages.median(distribution[start : start + conformal.BLOCK]) for start in blocks])
    return tail, np.maximum(np.maximum(y[:, 0] - median, median - y[:, 1]), 0)


def issue_texts(frame):
    """Label and prediction of each row as texts, such as `25-32` and `40 (35-45)`."""
    rows = zip(frame["age_min"], frame["age_max"], frame["median"], frame["low"], frame["high"], strict=True)
    return [(range_text(first, last), f"{median} ({low}-{high})") for first, last, median, low, high in rows]


def _others(chosen, groups, y):
    """For each chosen item the labels of the other items in its group, in words; cut short where they are many."""
    rows = pd.Series(np.arange(len(groups))).groupby(groups).indices
    texts = []
    for row in chosen:
        mates = [mate for mate in rows[groups[row]] if mate != row]
        more = [f"and {len(mates) - LISTED} more"] if len(mates) > LISTED else []
        texts.append(", ".join([range_text(*y[mate]) for mate in mates[:LISTED]] + more))
    return texts
