"""Are the differences, intervals and gaps to be believed? Simulations in which the truth is known.

    python benchmarks/differences.py

Takes three minutes on one core; tests/test_differences.py is a smaller version. Expected: equal models are told apart
in 3 to 7 % of repetitions, 0.3 years are found in at least 95 %; items that are alike and yet resampled one by one give
several times as many false alarms. In a family of nine runs an honest one is suspicious in at most 5 %, and one that
had seen 15 % of what was held out from it in at least 90 %. Intervals of a mean need some 50 groups to cover what
they say. A stack of one good member with twenty of noise is as good as that one, to a hundredth of a year or two.
"""

import sys

import numpy as np
from scipy.sparse import csr_array

from ageensemble import ages, ensembles
from ageensemble.evaluation import bootstrap, leakage, metrics, subgroups
from ageensemble.evaluation.calibration import fit_temperature, log_proba
from ageensemble.evaluation.predictions import Predictions
from ageensemble.splits.split import TEST
from ageensemble.splits.stratified_groups import age_gender_strata, assign_stratified_groups

ITEMS, DEVIATION = 3800, 4.0  # of a test part like UTKFace's, and of the differences of two good models' errors there


def main():
    """Print a line for each simulation."""
    sys.stdout.reconfigure(line_buffering=True)
    print(f"two equal models: interval leaves out 0 in {found(0.0):.1%} of 1,000")
    print(f"0.3 years apart: found in {found(0.3):.1%}")
    print(f"0.1 / 0.2 years apart: found in {found(0.1):.1%} / {found(0.2):.1%}")
    for by_group in (True, False):
        alarms = found(0.0, per_group=4, alike=0.5, by_group=by_group)
        print(f"equal, items alike in fours, resampled by {'groups' if by_group else 'items'}: {alarms:.1%}")
    for name, share in headline_alarms(1000).items():
        print(f"equal, {name}: {share:.1%}")
    for groups in (10, 20, subgroups.LEAST_GROUPS, 50, 100):
        print(f"interval of a mean error, {groups} groups: holds the truth in {coverage(groups):.1%} of 2,000")
    for name, share in families(300).items():
        print(f"gaps of 9 runs, 300 times: {name}: {share:.1%}")
    for name, share in fitted(300).items():
        print(f"gap of one fitted model, 300 times: {name}: {share:.1%}")
    for name, losses in noise(20).items():
        error = 2 * losses.std(ddof=1) / np.sqrt(len(losses))
        between = f"95 % {losses.mean() - error:+.3f} to {losses.mean() + error:+.3f}, worst {losses.max():+.3f}"
        print(f"{name} of a good member and 20 of noise minus the good one, MAE: {losses.mean():+.3f} ({between})")


def found(gap, repetitions=1000, items=ITEMS, per_group=1, alike=0.0, by_group=True):
    """Share of repetitions in which the interval of the paired difference leaves out 0.

    Parameters
    ----------
    gap : float, years
        true difference
    repetitions, items, per_cluster : int
    alike : float
        correlation of the items of a group
    by_cluster : bool
        whether the bootstrap knows of the groups
    """
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(items // per_group), per_group)
    shared = rng.standard_normal((items // per_group, repetitions))[group]
    own = rng.standard_normal((items, repetitions))
    difference = gap + DEVIATION * (np.sqrt(alike) * shared + np.sqrt(1 - alike) * own)
    resampled = group if by_group else np.arange(items)
    return np.mean([_leaves_out_zero(e) for e in _means(difference, resampled)])


def _means(values, group):
    ones = np.ones(len(group))
    [totals] = bootstrap.subgroup_totals(csr_array(np.column_stack([ones, values])), group, None, 1)
    means = totals[:, 1:] / totals[:, :1]
    return [bootstrap.Estimate(float(column[0]), column[1:]) for column in means.T]


def _leaves_out_zero(estimate):
    low, high = estimate.interval()
    return low > 0 or high < 0


def headline_alarms(repetitions, items=1000, batch=50):
    """Share of pairs of equal models whose interval leaves out 0, for every headline metric."""
    rng = np.random.default_rng(0)
    age = _ages(rng, items)
    hard = rng.normal(0, 4, items)
    alarms = {metric.name: [] for metric in metrics.headline()}
    for _ in range(0, repetitions, batch):
        years = [np.clip(np.rint(age + hard + rng.normal(0, 4, items)), 0, 120).astype(int) for _ in range(2 * batch)]
        answered = [Predictions(np.eye(ages.N_AGES)[each], age) for each in years]
        scores = bootstrap.estimates(answered, metrics.headline(), ages.DEFAULT_AGE_GROUPS)
        for a, b in zip(scores[::2], scores[1::2], strict=True):
            for name, list_ in alarms.items():
                list_.append(_leaves_out_zero(a[name] - b[name]))
    return {name: np.mean(list_) for name, list_ in alarms.items()}


def coverage(groups, repetitions=2000):
    """How often the 95 % interval of a mean absolute error, of groups of one to three alike, holds the truth."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(groups), np.arange(groups) % 3 + 1)
    spread = np.exp(rng.normal(0, 0.5, (groups, repetitions)))[group]  # some faces are hard
    values = np.abs(5 * spread * rng.standard_normal((len(group), repetitions)))
    truth = 5 * np.exp(0.5**2 / 2) * np.sqrt(2 / np.pi)
    intervals = [estimate.interval() for estimate in _means(values, group)]
    return np.mean([low <= truth <= high for low, high in intervals])


# --- gaps -------------------------------------------------------------------------------------------------------


def families(repetitions, items=5000, honest=8, seen=0.15):
    """Eight honest runs and one that had seen a share of its held-out items, under a split like ours.

    Errors grow with age, some faces are hard for every model, and photographs of a group are alike.

    Returns
    -------
    dict of str to float
        shares of the repetitions; for comparison also with intervals that know nothing of strata
    """
    rng = np.random.default_rng(0)
    alarms = {"an honest one is suspicious": [], "the leaked one is": [], "the same, without strata": []}
    alarms["an honest one is, without strata"] = []
    alarms["a floor is"], alarms["a floor is, without strata"] = [], []
    for _ in range(repetitions):
        age, group, strata, test = _split(rng, items)
        hard = rng.normal(0, 1, group.max() + 1)[group] + rng.normal(0, 0.5, items)
        runs = [_errors(rng, age, hard, test, 0) for _ in range(honest)] + [_errors(rng, age, hard, test, seen)]
        floor = np.abs(age - np.median(age)).astype(float)
        for strata_, words in ((strata, ""), (np.zeros_like(strata), ", without strata")):
            flagged = [
                _suspicious(leakage.stratified_difference(v, test, strata_, group, honest + 1)) for v in [*runs, floor]
            ]
            alarms[f"an honest one is{words or ' suspicious'}"].append(any(flagged[:honest]))
            alarms["the same, without strata" if words else "the leaked one is"].append(flagged[honest])
            alarms[f"a floor is{words}"].append(flagged[-1])
    return {name: np.mean(list_) for name, list_ in alarms.items()}


def _split(rng, items):
    """Ages, groups of one to three, strata, and which items are in the test part."""
    group = np.repeat(np.arange(items), rng.choice([1, 2, 3], items, p=[0.9, 0.07, 0.03]))[:items]
    age = np.clip(_ages(rng, items)[group] + rng.integers(0, 3, items), 0, 120)
    strata = age_gender_strata(np.stack([age, age], 1), np.where(rng.random(items) < 0.5, "f", "m"))
    return age, group, strata, assign_stratified_groups(strata, group, [0.2, 0.8], int(rng.integers(2**31))) == 0


def _errors(rng, age, hard, test, seen):
    """Absolute errors of a run: out-of-fold by one cell each, on the test part the mean of five cells' errors."""
    scale, own = 2 + age / 10, rng.normal(0, 1, len(age))
    cells = np.abs(scale * (hard + own + rng.normal(0, 0.5, (5, len(age))))).round()
    known = rng.random(len(age)) < seen
    return np.where(test, cells.mean(0), cells[0] * np.where(known, 0.2, 1))


def _suspicious(found):
    return found[1] > 0 or found[2] < 0


def fitted(repetitions, items=750, folds=5):
    """Kernel ridge regressions that were truly fitted, honestly and with the held-out items among those trained on."""
    rng = np.random.default_rng(0)
    flagged = {"honest, suspicious": [], "leaked, suspicious": []}
    for _ in range(repetitions):
        x = rng.normal(0, 1, (items, 6))
        age = np.clip(np.rint(40 + 8 * x[:, 0] + 6 * np.sin(2 * x[:, 1]) + rng.normal(0, 6, items)), 0, 120)
        strata = age_gender_strata(np.stack([age, age], 1).astype(int), np.full(items, None))
        part = (
            assign_stratified_groups(strata, np.arange(items), [0.2, *[0.8 / folds] * folds], int(rng.integers(2**31)))
            - 1
        )
        test = part == TEST
        errors = []
        for fold in range(folds):
            training = ~test & (part != fold)
            errors.append(np.abs(_ridge(x[training], age[training], x) - age))
        honest = np.choose(np.where(test, folds, part), [*errors, np.mean(errors, axis=0)])
        leaked = np.abs(_ridge(x[~test], age[~test], x) - age)
        for name, values in zip(flagged, (honest, leaked), strict=True):
            flagged[name].append(_suspicious(leakage.stratified_difference(values, test, strata, np.arange(items))))
    return {name: np.mean(list_) for name, list_ in flagged.items()}


def _ridge(x, y, new):
    def kernel(a, b):
        return np.exp((2 * a @ b.T - (a**2).sum(1)[:, None] - (b**2).sum(1)) / 10)

    return kernel(new, x) @ np.linalg.solve(kernel(x, x) + 0.1 * np.eye(len(x)), y - y.mean()) + y.mean()


# --- a stack among noise ----------------------------------------------------------------------------------------


def noise(repetitions, items=1000, new=4000, others=20):
    """What methods lose in MAE on new items where one member errs by 5 years and the others know nothing of an item.

    Returns
    -------
    dict of str to (repetitions,) array, years
        by the name of the method: its MAE minus the good member's own
    """
    rng = np.random.default_rng(0)
    lost = {name: np.empty(repetitions) for name in ensembles.REGISTRY.names()}
    for repetition in range(repetitions):
        age = np.clip(_ages(rng, items + new), 0, 100)
        knows = [age + rng.normal(0, 5, len(age))]
        knows += [rng.permutation(age) + rng.normal(0, 5, len(age)) for _ in range(others)]
        members = np.stack([log_proba(_bells(center, 5)) for center in knows])
        y, known = np.stack([age, age], 1)[:items], members[:, :items]
        found = np.array([fit_temperature(member, y) for member in known])[:, None, None].astype(np.float32)
        alone = np.abs(ages.median(np.exp(members[0, items:])) - age[items:]).mean()
        for name, losses in lost.items():
            pool = ensembles.REGISTRY.load(name)(random_state=repetition).fit_pool(known / found, y, np.arange(items))
            pooled = pool.of_logs(members[:, items:] / found)
            losses[repetition] = np.abs(ages.median(pooled) - age[items:]).mean() - alone
    return lost


def _bells(center, spread):
    """Normal age distributions, `(n, A)`."""
    p = np.exp(-0.5 * ((np.arange(ages.N_AGES) - center[:, None]) / spread) ** 2) + 1e-9
    return p / p.sum(1, keepdims=True)


def _ages(rng, items):
    """Ages spread as in a data set of faces: many in their twenties, children and old people among them."""
    return np.where(rng.random(items) < 0.2, rng.integers(0, 18, items), 18 + rng.gamma(2, 10, items)).astype(int) % 110


if __name__ == "__main__":
    main()
