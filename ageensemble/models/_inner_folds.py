"""Out-of-fold predictions inside the training items of one cell: what calibration and residuals are learned from."""

import numpy as np


def out_of_fold(fit_predict, inner, folds):
    """Predict every training item by a fit that did not see it, nor anything in its group.

    Parameters
    ----------
    fit_predict : function (train_rows, held_rows) -> (len(held_rows), ...) array
        fits on the first rows and predicts the second; both are int row numbers
    inner : (n,) int array
        group-safe part of each training item, as handed over by the runner
    folds : int
        the parts are merged into that many, or fewer where there are fewer parts; a fit each

    Returns
    -------
    (n, ...) array

    Raises
    ------
    ValueError
        All items lie in one part, so nothing can be held out; see `can_hold_out`.
    """
    present, rank = np.unique(inner, return_inverse=True)
    if len(present) < 2:
        raise ValueError("out-of-fold predictions need at least two inner parts")
    fold = rank % min(folds, len(present))
    result = None
    for number in range(fold.max() + 1):
        held = np.flatnonzero(fold == number)
        predicted = np.asarray(fit_predict(np.flatnonzero(fold != number), held))
        if result is None:
            result = np.empty((len(inner), *predicted.shape[1:]), predicted.dtype)
        result[held] = predicted
    return result


def can_hold_out(inner):
    """Whether the training items fall into more than one inner part."""
    return bool(np.any(inner != inner[0]))
