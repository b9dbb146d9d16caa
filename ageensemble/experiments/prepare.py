"""What a benchmark works on, as the command line asks for it: photographs read, cleaned, and split by a split."""

from pathlib import Path

import numpy as np

from .._utils.console import counted
from .._utils.hardware import cores
from ..data import concat, filters
from ..data.dataset import load_dataset
from ..errors import DataError, UsageError
from ..splits import protocols
from ..splits.split import N_FOLDS, leaking_rows, make_split, read_split, split_with_test, subsample


def prepare(
    here,
    data,
    format=None,
    limit=None,
    folds=None,
    seed=0,
    split_file=None,
    allow_leak=False,
    test_data=(),
    protocol=None,
    clean=(),
):
    """Dataset and split of one set or several.

    Parameters
    ----------
    here : benchmark.Settings
    data, test_data : sequence of str or path
        sets, see `dataset.build`; the items of the second are the test part, the whole of it
    format : str, optional
        source format to insist on
    limit : int, optional
        about as many items are taken, those of `test_data` apart, which are all taken
    folds : int, optional
        `splits.FOLDS` unless the split has others of its own
    seed : int
    plan_file : path, optional
        see `splits.read`
    allow_leak : bool
        whether a split may part groups
    protocol : str, optional
        see `protocols`
    clean : sequence of str
        see `cleaning.parse`

    Returns
    -------
    Dataset, Split, dict
        the last says what a reader of results must know: `leaks`, the number of items whose group the split parts;
        `limited`, the number of items asked for where there are more; and where it was asked for, `protocol`, `sets`
        and `test_sets` (names), `cleaned` (a dict for each step)

    Raises
    ------
    UsageError
        Options that contradict each other, or a name that is not known.
    DataError
        Bad data, or a split that leaks and was not insisted on.
    """
    data, test_data, steps = list(data), list(test_data), filters.parse_filters(clean)
    _refuse_contradictions(split_file, protocol, limit, test_data, steps)
    protocol = protocols.PROTOCOLS.resolve(protocol) if protocol else None
    if protocol:
        protocols.PROTOCOLS.load(protocol)  # complains before anything is read
    names = concat.names([*data, *test_data])
    about, test_sets = {"leaks": 0, "limited": 0}, names[len(data) :]
    with here.console.progress() as bar:
        dataset = load_dataset([*data, *test_data], format, here.cache, cores(), bar)
    called = concat.heading(names, test_sets)
    say_excluded(dataset, here.console, called)
    read = len(dataset.excluded)
    if steps:
        dataset, about["cleaned"] = _cleaned(dataset, steps, seed, here.console)
    if split_file:
        split, dataset = read_split(Path(split_file), dataset)
    elif protocol:
        split, dataset = protocols.apply_protocol(protocol, dataset, seed, folds or N_FOLDS)
        about["protocol"] = protocol
    else:
        split, dataset, about["limited"] = _own_split(dataset, test_sets, limit, folds or N_FOLDS, seed)
    if folds not in (None, split.n_folds):
        here.console.say(f"--folds {folds} changes nothing: this split has {split.n_folds} of its own, {split.source}")
    if len(dataset.excluded) > read:
        done = {"cleaning": steps, f"--split {split_file}": split_file, f"--protocol {protocol}": protocol}
        done |= {"leaving out what is also in the test data": test_sets, f"--limit {limit}": about["limited"]}
        say_excluded(dataset, here.console, f"after {' and '.join(filter(done.get, done))}")
    about |= {"sets": names} if len(names) > 1 else {}
    about |= {"test_sets": test_sets} if test_sets else {}
    about["leaks"] = len(leaking_rows(split, dataset.groups))
    if about["leaks"] and not allow_leak:
        what = f"the split {split_file}" if split_file else f"the protocol {protocol}"
        raise DataError(
            f"{what} leaks: {counted(about['leaks'], 'item')} with photographs of the same group (person, duplicate "
            "or moment) in another part; --allow-leak uses it all the same and says so in the table"
        )
    return dataset, split, about


def _refuse_contradictions(split_file, protocol, limit, test_data, steps):
    """Raise UsageError where an option would change what another one fixes."""
    fixed = "--split" if split_file else "--protocol"
    changing = {"--limit": limit, "--test-data": test_data}
    changing |= {"--protocol": protocol, "--filter": steps} if split_file else {}
    for option, value in changing.items():
        if value and (split_file or protocol):
            raise UsageError(f"{option} would change the split that {fixed} gives; use one of them")


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
        raise DataError(f"{error}; {left_out} left out as also in the test data, by photograph or person") from None
    return split, dataset, limit if len(chosen) < len(others) else 0


def _refuse_empty(dataset, test_sets):
    """Raise DataError where the header would name a set that nothing is tested on."""
    left = set(dataset.items["dataset"])
    for name in test_sets:
        if name not in left:
            raise DataError(f"--filter leaves no photograph of the test data {name}; clean less")


def say_excluded(dataset, console, what):
    """One line on how many items can be used, and why others can't; `what` they are, or what was done to them."""
    groups = counted(len(np.unique(dataset.groups)), "group")
    console.say(f"{what}: {counted(len(dataset), 'usable photograph')} in {groups}")
    if len(dataset.excluded):
        listed = ", ".join(f"{count} {reason}" for reason, count in dataset.reasons.items())
        console.say(f"excluded {len(dataset.excluded):,}: {listed}")
