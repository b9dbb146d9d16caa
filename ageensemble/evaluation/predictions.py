"""Predictions of ages, with what is known of the items they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

import numpy as np

from .. import ages
from ..errors import UsageError
from ..splits.stratified_groups import assign_stratified_groups


@dataclass(frozen=True, eq=False)
class Predictions:
    """Age distributions of `n` items, and what is known of the items: what all evaluation takes.

    Attributes
    ----------
    proba : (n, 121) array
        P(age = 0), ..., P(age = 120); rows sum to 1
    age_range : (n, 2) int array or None
        the labels, first and last year that may be true; equal where the age is exact
    groups : (n,) array or None
        items of one group (a person, or copies of an image) are not independent
    attributes : mapping of str to (n,) array, or DataFrame
        such as gender and ethnicity; NaN or None where it is not known
    fold : (n,) int array or None
        the fold that held the item out; -1 in the test part
    item_id : (n,) array or None
    name : str
        what a table calls the model
    part : {"oof", "test", ""}
        "oof" where each item was predicted by a model that did not see it, "test" for the test part

    Examples
    --------
    >>> import numpy as np
    >>> predictions = Predictions(np.eye(121)[[20, 31]], age_range=[20, 30])
    >>> predictions.median
    array([20, 31])
    >>> predictions[1:].age_range
    array([[30, 30]])
    """

    proba: np.ndarray
    age_range: np.ndarray | None = None
    groups: np.ndarray | None = None
    attributes: Mapping[str, np.ndarray] = field(default_factory=dict)
    fold: np.ndarray | None = None
    item_id: np.ndarray | None = None
    name: str = ""
    part: str = ""

    def __post_init__(self):
        n = len(self.proba)
        attributes = {} if self.attributes is None else self.attributes
        given = {key: np.asarray(values, dtype=object) for key, values in attributes.items()}
        object.__setattr__(self, "attributes", given)
        for name in ("age_range", "groups", "fold", "item_id"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.asarray(getattr(self, name)))
        if self.age_range is not None and self.age_range.ndim == 1:
            object.__setattr__(self, "age_range", np.stack([self.age_range] * 2, axis=1))
        known = {"age_range": self.age_range, "groups": self.groups, "fold": self.fold, "item_id": self.item_id} | given
        for name, values in known.items():
            if values is not None and len(values) != n:
                raise UsageError(f"{len(values)} values of {name} do not match {n} predictions")

    def __len__(self) -> int:
        return len(self.proba)

    def __repr__(self):
        shown = ", ".join(map(str, self[:10].median)) + (", ..." if len(self) > 10 else "")
        return f"<{type(self).__name__} of {len(self)}{f' by {self.name}' if self.name else ''}, medians {shown}>"

    def __getitem__(self, rows) -> Predictions:
        """Some of the items; `rows` is a slice, a boolean mask or an array of places."""
        return replace(self, **{one.name: _rows(getattr(self, one.name), rows) for one in fields(self)})

    def take(self, rows) -> Predictions:
        """The same as `predictions[rows]`."""
        return self[rows]

    @cached_property
    def median(self) -> np.ndarray:
        """Ages with the smallest expected absolute error, `(n,)` int years."""
        return ages.median(self.proba)

    @cached_property
    def mean(self) -> np.ndarray:
        """Ages with the smallest expected squared error, `(n,)` float years."""
        return ages.mean(self.proba)

    @property
    def mode(self) -> np.ndarray:
        """Most probable ages, `(n,)` int years."""
        return ages.mode(self.proba)

    @cached_property
    def exact(self) -> bool:
        """Whether every label is a single year, as metrics in years need."""
        return self.age_range is not None and bool(np.all(self.age_range[:, 0] == self.age_range[:, 1]))

    def at_least(self, age: int) -> np.ndarray:
        """P(age >= `age`), `(n,)`."""
        return ages.at_least(self.proba, age)

    def age_group_proba(self, age_groups="default") -> tuple[list[str], np.ndarray]:
        """Names and probabilities `(n, G)` of age groups; the last is `other` where they leave years out.

        Parameters
        ----------
        age_groups : str
            a name, or `0-12,13-19,20-64,65+`
        """
        return ages.parse_age_groups(age_groups).sums(self.proba)

    def interval(self, level: float = 0.9) -> np.ndarray:
        """First and last year of the central interval of each distribution, `(n, 2)` int years.

        It is as good as the model; `ageensemble.conformalize` makes intervals with a guaranteed coverage.

        Raises
        ------
        UsageError
            `level` does not lie between 0 and 1.
        """
        if not 0 < level < 1:
            raise UsageError(f"a level of {level:g} does not lie between 0 and 1; give one such as 0.9")
        ends = [ages.quantile(self.proba, q) for q in ((1 - level) / 2, (1 + level) / 2)]
        return np.stack(ends, axis=1).reshape(-1, 2)


def groups_of(predictions: Predictions) -> np.ndarray:
    """Group of each item, `(n,)`; without groups every item is one."""
    return np.arange(len(predictions)) if predictions.groups is None else predictions.groups


def folds_of(predictions: Predictions, n_folds: int = 5, random_state: int = 0) -> np.ndarray:
    """Fold of each item, `(n,)`; without folds the items are divided anew, groups kept together."""
    if predictions.fold is not None:
        return predictions.fold
    same = np.zeros(len(predictions), int)
    return assign_stratified_groups(same, groups_of(predictions), [1 / n_folds] * n_folds, random_state)


def _rows(value, rows):
    if isinstance(value, Mapping):
        return {key: values[rows] if isinstance(values, np.ndarray) else values for key, values in value.items()}
    return value[rows] if isinstance(value, np.ndarray) else value
