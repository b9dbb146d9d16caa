"""What a benchmark works on: images read, filtered, and split."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._utils.console import counted
from .._utils.hardware import cores
from ..data import concat, filters
from ..data.dataset import Dataset, load_dataset
from ..errors import DataError
from ..splits import protocols
from ..splits.split import N_FOLDS, Split, leaking_rows, make_split, read_split, split_with_test, subsample


class PreparedData(NamedTuple):
    """What models are fitted on.

    Attributes
    ----------
    dataset : Dataset
    split : Split
    metadata : dict
        what a reader of results must know: `leaks`, the number of items whose group the split parts; `limited`, the
        number of items asked for where there are more; and where it was asked for, `protocol`, `sets` and `test_sets`
        (names), `cleaned` (a dict for each filter)
    """

    dataset: Dataset
    split: Split
    metadata: dict


def prepare(config, console):
    """Read the images and labels, leave out what filters say, and split.

    Parameters
    ----------
    config : BenchmarkConfig
    console : Console or LogConsole

    Returns
    -------
    PreparedData

    Raises
    ------
    DataError
        Bad data, or a split that leaks and was not insisted on.
    """
    asked, seed = config.data, config.random_state
    steps, n_folds = filters.parse_filters(asked.filters), asked.n_folds or N_FOLDS
    names = concat.names([*asked.data, *asked.test_data])
    metadata, test_sets = {"leaks": 0, "limited": 0}, names[len(asked.data) :]
    with console.progress() as bar:
        dataset = load_dataset(
            [*asked.data, *asked.test_data],
            format=asked.format,
            cache=config.resources.cache,
            n_jobs=cores(),
            on_progress=bar,
        )
    say_excluded(dataset, console, concat.heading(names, test_sets))
    read = len(dataset.excluded)
    if steps:
        dataset, metadata["cleaned"] = _cleaned(dataset, steps, seed, console)
    if asked.split:
        split, dataset = read_split(Path(asked.split), dataset)
    elif asked.protocol:
        split, dataset = protocols.apply_protocol(asked.protocol, dataset, seed, n_folds)
        metadata["protocol"] = asked.protocol
    else:
        split, dataset, metadata["limited"] = _own_split(dataset, test_sets, asked.limit, n_folds, seed)
    if asked.n_folds not in (None, split.n_folds):
        own = f"this split has {split.n_folds} of its own, {split.source}"
        console.say(f"--folds {asked.n_folds} changes nothing: {own}")
    if len(dataset.excluded) > read:
        done = {"cleaning": steps, f"--split {asked.split}": asked.split}
        done |= {f"--protocol {asked.protocol}": asked.protocol}
        done |= {"leaving out what is also in the test data": test_sets, f"--limit {asked.limit}": metadata["limited"]}
        say_excluded(dataset, console, f"after {' and '.join(filter(done.get, done))}")
    metadata |= {"sets": names} if len(names) > 1 else {}
    metadata |= {"test_sets": test_sets} if test_sets else {}
    what = f"the split {asked.split}" if asked.split else f"the protocol {asked.protocol}"
    metadata["leaks"] = count_leaks(dataset, split, what, asked.allow_leak)
    return PreparedData(dataset, split, metadata)


def count_leaks(dataset, split, what="the split", allow_leak=False):
    """Number of items that have somebody of their group in another part.

    Raises
    ------
    DataError
        There are some, and that is not allowed.
    """
    leaks = len(leaking_rows(split, dataset.groups))
    if leaks and not allow_leak:
        raise DataError(
            f"{what} leaks: {counted(leaks, 'item')} with images of the same group (person, duplicate or moment) "
            "in another part; --allow-leak uses it all the same and says so in the table"
        )
    return leaks


def _cleaned(dataset, steps, seed, console):
    """The dataset after the cleaning steps, and what they report."""
    with console.progress() as bar:
        dataset, report = filters.apply_filters(dataset, steps, seed, bar)
    for line in filters.report_lines(report):
        console.say(line)
    return dataset, report


def _own_split(dataset, test_sets, limit, folds, seed):
    """A split from the seed, its dataset, and the limit where that left something out."""
    if test_sets:
        return _around(dataset, test_sets, limit, folds, seed)
    taken = subsample(dataset, limit, seed) if limit else dataset
    return make_split(taken, folds, seed), taken, limit if len(taken) < len(dataset) else 0


def _around(dataset, test_sets, limit, folds, seed):
    """The same where whole sets are the test part; the limit is of the others.

    An item of another set that shows somebody of them is left out: it would have to be in two parts at once.
    """
    _refuse_empty(dataset, test_sets)
    of_test = dataset.items["dataset"].isin(test_sets).to_numpy()
    reaching = np.isin(dataset.groups, dataset.groups[of_test]) & ~of_test
    others = dataset.take(np.flatnonzero(~of_test & ~reaching))
    chosen = subsample(others, limit, seed) if limit else others
    dataset = dataset.take(np.flatnonzero(~reaching), "also in the test data")
    of_test = dataset.items["dataset"].isin(test_sets).to_numpy()
    kept = of_test | dataset.items["item_id"].isin(chosen.items["item_id"]).to_numpy()
    dataset = dataset.take(np.flatnonzero(kept))
    try:
        split = split_with_test(dataset, of_test[kept], folds, seed)
    except DataError as error:
        if not reaching.any():
            raise
        left_out = counted(np.count_nonzero(reaching), "item")
        raise DataError(f"{error}; {left_out} left out as also in the test data, by image or person") from None
    return split, dataset, limit if len(chosen) < len(others) else 0


def _refuse_empty(dataset, test_sets):
    """Raise DataError where the header would name a set that nothing is tested on."""
    left = set(dataset.items["dataset"])
    for name in test_sets:
        if name not in left:
            raise DataError(f"--filter leaves no image of the test data {name}; filter less")


def say_excluded(dataset, console, what):
    """One line on how many items can be used, and why others can't; `what` they are, or what was done to them."""
    groups = counted(len(np.unique(dataset.groups)), "group")
    console.say(f"{what}: {counted(len(dataset), 'usable image')} in {groups}")
    if len(dataset.excluded):
        listed = ", ".join(f"{count} {reason}" for reason, count in dataset.reasons.items())
        console.say(f"excluded {len(dataset.excluded):,}: {listed}")
