"""Answers from outside: any other system's predictions of the same items, as a run in the same table.

Ages, groups and probabilities all become age distributions here, and what was answered is read off them again: an age
is the median, and its group the most probable one under every named scheme and that of the import. Nobody but the user
knows whether the system saw an item when it was trained: what is not declared out-of-fold brings its test items only,
and no table chooses by those.
"""

import re
from pathlib import Path

import numpy as np

from .. import __version__, ages, models
from .._utils.console import counted
from .._utils.io import file_hash, slug
from ..errors import DataError, UsageError
from .prediction_file import read_predictions
from .run import Run

RESERVED = ("mean", "greedy", "stack")  # what `ageensemble stack` calls its rows
SPIKE = 0.51  # of a bare age is on its year: above a half, so that its median and any scheme's group are its own
BELL = 8.0  # years, standard deviation of where the rest lies
MOST = 0.499  # of a distribution on either side of an answered age; the mix with the histogram cannot make it a half
AHEAD = 1e-3  # of the answered group before any other, for the same reason
ENOUGH = 50  # answered items whose errors are known, to go by those in place of the bell


def import_predictions(file, name, experiment, age_groups, out_of_fold=False, say=lambda text: None) -> Run:
    """Bring the predictions of another system into the table of an experiment.

    Parameters
    ----------
    file : path
        see `prediction_file.read_predictions`
    name : str
        what the table calls the system
    experiment : Experiment
    age_groups : ages.AgeGroups
        of the groups in the file, if it names any
    out_of_fold : bool
        whether the user declares each answer outside the test part to come from a fit that saw neither the item nor
        its fold; otherwise the answers for the test part alone are taken
    say : callable
        told what is worth knowing, a line each

    Returns
    -------
    Run
        in the folder `import-NAME`; an earlier import of that name is replaced

    Raises
    ------
    UsageError
        A name that is no name, or taken.
    DataError
        See `read_predictions`; no answer for any item of a part.
    """
    file, place = Path(file), _place(name, experiment)
    split = experiment.split
    parts = [part for part in split.parts if out_of_fold or part == "test"]
    if not parts:
        raise UsageError(
            "this split has no test part, and outside of one only answers declared --out-of-fold are taken"
        )
    imported = read_predictions(file, experiment.items, age_groups)
    missing = {part: int((~imported.given[split.rows(part)]).sum()) for part in parts}
    _refuse_nothing(file, missing, split)
    spread = _spread(imported, experiment, out_of_fold)
    predictions = {part: _predictions(part, imported, experiment, age_groups, spread) for part in parts}
    left_out = 0 if out_of_fold else int(imported.given[split.development].sum())
    digest = file_hash(file)
    notes = _notes(imported, experiment, parts, missing, spread)
    record = {
        "costs": dict.fromkeys(("fit_seconds", "images_per_second", "peak_gb", "size_mb")),  # nobody knows
        "declared": "out-of-fold" if out_of_fold else "nothing",
        "file": {"name": file.name, "sha256": digest},
        "answers": imported.kind,
        "age_groups": age_groups.name,
        "spread": spread,
        "missing": missing,
        "left_out": left_out,
        "note": "; ".join(notes),
    }
    record |= {key: imported.metadata[key] for key in ("column", "rows", "unknown", "scaled")}
    _say(say, imported, file, left_out, split, notes, name if (experiment.folder / place).exists() else "")
    config = {
        "kind": "import",
        "parts": parts,
        "file": digest,
        "age_groups": age_groups.name,
        "ageensemble": __version__,
    }
    return experiment.put(place, name, config, predictions, record)


def _place(name, experiment):
    """The folder of an import.

    Raises
    ------
    UsageError
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 .=+_-]{0,49}", name) or slug(name) != name.replace(" ", "-"):
        raise UsageError(
            f"'{name[:60]}' is no name for an import; use letters, digits, blanks and .=+_- inside, up to 50 characters"
        )
    taken = [run.name for run in experiment.runs if run.kind != "import"]
    if name.lower().split()[0] in (*RESERVED, *models.names()) or name in taken:
        raise UsageError(f"'{name}' reads like a model of ours in the table; give the import another --name")
    place = f"import-{slug(name)}"
    other = Run(experiment.folder / place).name if (experiment.folder / place / "run.json").exists() else name
    if other not in (name, place):  # the second of one whose file is damaged
        raise UsageError(f"the import '{other}' would lie in the same folder as '{name}'; give it another --name")
    return place


def _refuse_nothing(file, missing, split):
    """An import without one answer for a part would be nothing but the prior baseline under another name."""
    for part, count in missing.items():
        if count == len(split.rows(part)):
            where = "in the test part" if part == "test" else "outside the test part"
            raise DataError(f"{file.name} has no answer for any item {where}; it should have {count:,}")


# --- answers become distributions -------------------------------------------------------------------------------


def _spread(imported, experiment, out_of_fold):
    """How the answers become distributions, in words that the record keeps."""
    if imported.kind == "distribution":
        return "as given"
    if imported.kind != "age":
        return "each group by the histogram of its items outside the test part"
    split, y = experiment.split, experiment.y
    fewest = min(imported.given[split.training(fold)].sum() for fold in range(split.n_folds))
    if out_of_fold and np.all(y[:, 0] == y[:, 1]) and fewest >= ENOUGH:
        return "errors of the nearest answers of other folds"
    return f"bell of {BELL:g} years"


def _predictions(part, imported, experiment, age_groups, spread):
    """Distributions of the items of a part, `(n, A)` float32.

    The labels of a fold take no part in the distributions of its own items, nor those of the test part in any.
    """
    split, y = experiment.split, experiment.y
    blocks = [(split.test, split.development)]
    if part == "oof":
        blocks = [(split.held_out(fold), split.training(fold)) for fold in range(split.n_folds)]
    result = np.empty((len(y), ages.N_AGES), np.float32)
    for rows, known in blocks:
        result[rows] = _block(imported, rows, known, y, age_groups, spread)
    return result[split.rows(part)]


def _block(imported, rows, known, y, age_groups, spread):
    """Distributions of the items `rows` by the items `known`; the prior where there is no answer."""
    given, values = imported.given[rows], imported.values[rows]
    result = np.tile(ages.histogram(y[known]), (len(rows), 1))
    if imported.kind == "distribution":
        result[given] = values[given]
    elif imported.kind != "age":
        result[given] = ages.distribution_from_age_groups(values[given], age_groups, y[known])
    elif spread.startswith("bell"):
        result[given] = bells()[np.rint(values[given]).astype(int)]
    else:
        known = known[imported.given[known]]
        result[given] = by_errors(values[given], imported.values[known], y[known, 0], age_groups)
    return ages.smooth_with_prior(result, ages.histogram(y[known]))


def bells(width=BELL):
    """What a bare age becomes, `(A, A)` float64, the row being the age: most on its year, the rest a bell around it.

    Whatever is decoded from it is the age itself: the median and the mode, the group under any scheme, and the mean,
    since the two sides of the bell are weighted against each other where an end of the axis cuts one short.
    """
    away = np.arange(ages.N_AGES) - np.arange(ages.N_AGES)[:, None]
    bell = np.exp(-0.5 * (away / width) ** 2)
    below, above = bell * (away < 0), bell * (away > 0)
    pull_down, pull_up = -(below * away).sum(1, keepdims=True), (above * away).sum(1, keepdims=True)
    sides = below * pull_up + above * pull_down
    sides[[0, -1], [0, -1]] = 1  # at the very ends nothing can be weighed up
    return SPIKE * np.eye(ages.N_AGES) + (1 - SPIKE) * sides / sides.sum(1, keepdims=True)


def by_errors(answered, known_answered, known_age, age_groups):
    """What ages become where errors of the system are known, `(n, A)`; the answer stays what is read off them.

    Parameters
    ----------
    answered : (n,) array, years
    known_answered, known_age : (m,) array, years
        answers of other folds, and the true ages
    age_groups : ages.AgeGroups
        that people will look at, beside the named ones
    """
    near = ages.distribution_from_residuals(answered, known_answered, known_age)
    return reading(near, np.rint(answered).astype(int), {*ages.AGE_GROUPS.values(), age_groups})


def reading(distribution, age, schemes):
    """Distributions with as little more on the given ages as makes these what is read off them.

    An outside system is scored by what it answered, so known errors widen and skew its answer, but do not mend it: the
    age is the median, and its group more probable than any other, which a narrow one beside a wide one seldom is.

    Parameters
    ----------
    distribution : (n, A) array
        rows sum to 1
    age : (n,) int array, years
    schemes : iterable of ages.AgeGroups
        under which that holds for the group, where the age lies in one

    Returns
    -------
    (n, A) array
    """
    years = np.arange(ages.N_AGES)
    below = (distribution * (years < age[:, None])).sum(1)
    above = (distribution * (years > age[:, None])).sum(1)
    share = 1 - MOST / np.maximum(np.maximum(below, above), MOST)
    for age_groups in schemes:
        share = np.maximum(share, _share_for_group(distribution, age, age_groups))
    result = distribution * (1 - share)[:, None]
    result[np.arange(len(age)), age] += share
    return result


def _share_for_group(distribution, age, age_groups):
    """How much of a distribution must go to the given age so that its group is ahead of all others, `(n,)`."""
    group, rows = age_groups.lookup[age], np.arange(len(age))
    mass = distribution @ age_groups.matrix
    own = mass[rows, group]
    mass[rows, group] = 0
    behind = np.maximum(mass.max(1) - own, -AHEAD)
    return np.where(group >= 0, (behind + AHEAD) / (1 + behind), 0)


# --- what people must know --------------------------------------------------------------------------------------


def _notes(imported, experiment, parts, missing, spread):
    """What a table should say of the run."""
    split = experiment.split
    notes = ["declared out-of-fold by who imported it"] if "oof" in parts else []
    for part, count in missing.items():
        if count:
            where = "test items" if part == "test" else "items outside the test part"
            notes.append(f"no answer for {count:,} of {len(split.rows(part)):,} {where}, scored as the prior")
    if spread.startswith("bell"):
        notes.append(f"ages only: its log loss, calibration and CRPS rest on an assumed {spread}")
    elif imported.kind == "age":
        notes.append("ages only: RMSE and probabilities rest on its out-of-fold errors")
    elif imported.kind == "group":
        notes.append("groups only: each counts as certain, its years are those of the items outside the test part")
    if _all_true(imported, experiment, np.concatenate([split.rows(part) for part in parts])):
        notes.append(f"every answer is the true age: is '{imported.metadata['column']}' the label?")
    return notes


def _all_true(imported, experiment, rows):
    """Whether ages are right to the year, every one: somebody gave the column of labels."""
    rows = rows[imported.given[rows]]
    truth = experiment.y[rows]
    return imported.kind == "age" and len(rows) > 10 and bool(np.all(np.rint(imported.values[rows])[:, None] == truth))


def _say(say, imported, file, left_out, split, notes, replaced):
    metadata = imported.metadata
    say(f"{file.name}: {counted(imported.given.sum(), 'answer')}, {imported.kind} in column {metadata['column']}")
    if metadata["unknown"]:
        say(f"left out: {counted(metadata['unknown'], 'row')} of no item of this split; first: {metadata['example']}")
    if left_out:
        say(
            f"left out: {counted(left_out, 'answer')} for items outside the test part; --out-of-fold declares that "
            "each comes from a fit that had not seen the item's fold"
        )
    if metadata["scaled"]:
        say(f"scaled to a sum of 1: {counted(metadata['scaled'], 'row')} of probabilities")
    for note in notes:
        say(note)
    if replaced:
        say(f"the earlier import '{replaced}' is replaced")
