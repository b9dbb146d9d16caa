"""What a benchmark works on, as the command line asks for it: photographs read, cleaned, and split by a plan."""

from pathlib import Path

import numpy as np

from .._utils.console import counted
from .._utils.hardware import cores
from ..data import concat, filters
from ..data.dataset import build
from ..errors import DataError, UsageError
from ..splits import protocols, split


def prepare(
    here,
    data,
    format=None,
    limit=None,
    folds=None,
    seed=0,
    plan_file=None,
    allow_leak=False,
    test_data=(),
    protocol=None,
    clean=(),
):
    """Manifest and plan of one set or several.

    Parameters
    ----------
    here : benchmark.Settings
    data, test_data : sequence of str or path
        sets, see `manifest.build`; the items of the second are the test part, the whole of it
    format : str, optional
        source format to insist on
    limit : int, optional
        about as many items are taken, those of `test_data` apart, which are all taken
    folds : int, optional
        `splits.FOLDS` unless the plan has others of its own
    seed : int
    plan_file : path, optional
        see `splits.read`
    allow_leak : bool
        whether a plan may part clusters
    protocol : str, optional
        see `protocols`
    clean : sequence of str
        see `cleaning.parse`

    Returns
    -------
    Manifest, Plan, dict
        the last says what a reader of results must know: `leaks`, the number of items whose cluster the plan parts;
        `limited`, the number of items asked for where there are more; and where it was asked for, `protocol`, `sets`
        and `test_sets` (names), `cleaned` (a dict for each step)

    Raises
    ------
    UsageError
        Options that contradict each other, or a name that is not known.
    DataError
        Bad data, or a plan that leaks and was not insisted on.
    """
    data, test_data, steps = list(data), list(test_data), filters.parse(clean)
    _refuse_contradictions(plan_file, protocol, limit, test_data, steps)
    chosen = protocols.module(protocol) if protocol else None  # complains of its name before anything is read
    names = concat.names([*data, *test_data])
    about, test_sets = {"leaks": 0, "limited": 0}, names[len(data) :]
    with here.console.progress() as bar:
        manifest = build([*data, *test_data], format, here.cache, cores(), bar)
    called = concat.heading(names, test_sets)
    say_excluded(manifest, here.console, called)
    read = len(manifest.excluded)
    if steps:
        manifest, about["cleaned"] = _cleaned(manifest, steps, seed, here.console)
    if plan_file:
        plan, manifest = split.read(Path(plan_file), manifest)
    elif chosen:
        plan, manifest = chosen.apply(manifest, seed, folds or split.FOLDS)
        about["protocol"] = protocol
    else:
        plan, manifest, about["limited"] = _own_plan(manifest, test_sets, limit, folds or split.FOLDS, seed)
    if folds not in (None, plan.folds):
        here.console.say(f"--folds {folds} changes nothing: this plan has {plan.folds} of its own, {plan.source}")
    if len(manifest.excluded) > read:
        done = {"cleaning": steps, f"--plan {plan_file}": plan_file, f"--protocol {protocol}": protocol}
        done |= {"leaving out what is also in the test data": test_sets, f"--limit {limit}": about["limited"]}
        say_excluded(manifest, here.console, f"after {' and '.join(filter(done.get, done))}")
    about |= {"sets": names} if len(names) > 1 else {}
    about |= {"test_sets": test_sets} if test_sets else {}
    about["leaks"] = len(split.parted(plan, manifest.clusters))
    if about["leaks"] and not allow_leak:
        what = f"the plan {plan_file}" if plan_file else f"the protocol {protocol}"
        raise DataError(
            f"{what} leaks: {counted(about['leaks'], 'item')} with photographs of the same cluster (person, duplicate "
            "or moment) in another part; --allow-leak uses it all the same and says so in the table"
        )
    return manifest, plan, about


def _refuse_contradictions(plan_file, protocol, limit, test_data, steps):
    """Raise UsageError where an option would change what another one fixes."""
    fixed = "--plan" if plan_file else "--protocol"
    changing = {"--limit": limit, "--test-data": test_data}
    changing |= {"--protocol": protocol, "--clean": steps} if plan_file else {}
    for option, value in changing.items():
        if value and (plan_file or protocol):
            raise UsageError(f"{option} would change the plan that {fixed} gives; use one of them")


def _cleaned(manifest, steps, seed, console):
    """The manifest after the cleaning steps, and what they report."""
    with console.progress() as bar:
        manifest, report = filters.apply(manifest, steps, seed, bar)
    for line in filters.lines(report):
        console.say(line)
    return manifest, report


def _own_plan(manifest, test_sets, limit, folds, seed):
    """A plan from the seed, its manifest, and the limit where that left something out."""
    if test_sets:
        return _around(manifest, test_sets, limit, folds, seed)
    taken = manifest.limited(limit, seed) if limit else manifest
    return split.make(taken, seed, folds), taken, limit if len(taken) < len(manifest) else 0


def _around(manifest, test_sets, limit, folds, seed):
    """The same where whole sets are the test part; the limit is of the others.

    An item of another set that shows somebody of them is left out: it would have to be in two parts at once.
    """
    _refuse_empty(manifest, test_sets)
    of_test = manifest.items["dataset"].isin(test_sets).to_numpy()
    reaching = np.isin(manifest.clusters, manifest.clusters[of_test]) & ~of_test
    others = manifest.take(np.flatnonzero(~of_test & ~reaching))
    chosen = others.limited(limit, seed) if limit else others
    manifest = manifest.take(np.flatnonzero(~reaching), "also in the test data")
    of_test = manifest.items["dataset"].isin(test_sets).to_numpy()
    kept = of_test | manifest.items["item_id"].isin(chosen.items["item_id"]).to_numpy()
    manifest = manifest.take(np.flatnonzero(kept))
    try:
        plan = split.around(manifest, of_test[kept], seed, folds)
    except DataError as error:
        if not reaching.any():
            raise
        left_out = counted(np.count_nonzero(reaching), "item")
        raise DataError(f"{error}; {left_out} left out as also in the test data, by photograph or person") from None
    return plan, manifest, limit if len(chosen) < len(others) else 0


def _refuse_empty(manifest, test_sets):
    """Raise DataError where the header would name a set that nothing is tested on."""
    left = set(manifest.items["dataset"])
    for name in test_sets:
        if name not in left:
            raise DataError(f"--clean leaves no photograph of the test data {name}; clean less")


def say_excluded(manifest, console, what):
    """One line on how many items can be used, and why others can't; `what` they are, or what was done to them."""
    clusters = counted(len(np.unique(manifest.clusters)), "cluster")
    console.say(f"{what}: {counted(len(manifest), 'usable photograph')} in {clusters}")
    if len(manifest.excluded):
        listed = ", ".join(f"{count} {reason}" for reason, count in manifest.reasons.items())
        console.say(f"excluded {len(manifest.excluded):,}: {listed}")
