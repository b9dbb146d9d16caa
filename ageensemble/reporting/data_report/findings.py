"""What stands out in a data set, in sentences: the numbers are those of the audit."""

from ..._utils.console import counted
from ...data.quality.age_heaping import FIRST, LAST
from ...data.quality.attribute_association import ATTRIBUTES

FEW = 50  # items; with fewer of an age group nothing can be said of it
ASSOCIATED = 0.1  # Cramer's V from which gender or ethnicity is said to go with age
GAIN = 0.1  # years that knowing it brings the error down, from which it is said
CORRELATED = 0.1  # rank correlation of size and age from which it is said


def findings(result):
    """Sentences, what weighs most first.

    Parameters
    ----------
    result : dict
        from `audit.audit`

    Returns
    -------
    list of str
    """
    parts = (_conflicts, _copies, _excluded, _rounded, _peaks, _few, _confounded, _sizes, _subjects)
    return [sentence for part in parts for sentence in part(result)]


def _conflicts(result):
    groups = result["conflicts"]
    if groups:
        gap = counted(groups[0]["gap"], "year")
        yield (
            f"{counted(len(groups), 'group of images shows', 'groups of images show')} the same image with different "
            f"ages, up to {gap} apart: of copies at most one age can be right; near-duplicates may be two different "
            "images, so look at them."
        )


def _copies(result):
    found = result["links"].get("near-duplicate")
    if found:
        groups = counted(found["groups"], "group")
        yield (
            f"{found['items']:,} images are copies or near-copies of others, in {groups}: a split "
            "that separates them lets a model see what it is tested on."
        )


def _excluded(result):
    count = sum(result["excluded"].values())
    if count:
        yield f"{counted(count, 'image')} cannot be used or {'was' if count == 1 else 'were'} left out."


def _rounded(result):
    for name, number in (("tens", 10), ("fives", 5)):
        found = result["heaping"][name]
        if found and found["low"] > 1:
            index = "{index:.2f} times ({low:.2f}-{high:.2f})".format_map(found)
            yield f"Ages look rounded: from {FIRST} to {LAST}, multiples of {number} have {index} their expected share."
            return


def _peaks(result):
    for peak in result["heaping"]["peaks"][:2]:
        beside = peak["neighbors"]
        times = f"{peak['items'] / beside:.1f} times" if beside else "where"
        rest = f"the mean of the four ages beside it ({beside:,.1f})" if beside else "the four ages beside it have none"
        yield f"Age {peak['age']} has {peak['items']:,} images, {times} {rest}."


def _few(result):
    few = [f"{name} ({count:,})" for name, count in result["age_groups"].items() if count < FEW]
    if few and not result["grouping"]["cuts"]:  # where ranges stand at their middle, a group may lack its own
        listed = ", ".join(few)
        yield f"Age groups with fewer than {FEW} images, too few to say how well they are predicted: {listed}."


def _confounded(result):
    for name in ATTRIBUTES:
        found = result["confounding"].get(name)
        if found and found["cramers_v"] >= ASSOCIATED and found["constant_mae"] - found["attribute_mae"] >= GAIN:
            yield (
                f"Age goes with {name}{_ends(found['values'])}. Knowing {name} alone brings the mean absolute error of "
                f"a constant from {found['constant_mae']:.1f} to {found['attribute_mae']:.1f} years."
            )


def _ends(values):
    """The lowest and the highest mean age, in words, where they are of images enough."""
    means = sorted((value["mean_age"], name) for name, value in values.items() if value["items"] >= FEW)
    if len(means) < 2:
        return ""
    return ", mean ages {:.1f} ({}) to {:.1f} ({})".format(*means[0], *means[-1])


def _sizes(result):
    rho = result["sizes"] and result["sizes"]["correlation_with_age"]
    if rho and abs(rho) >= CORRELATED:
        yield (
            f"The {'larger' if rho > 0 else 'smaller'} an image, the older the face (rank correlation {rho:.2f}): "
            "a model may read its size."
        )


def _subjects(result):
    known, items = result["subjects"]["items"], result["items"]
    if known < items:
        missing = counted(items - known, "image does not say", "images do not say")
        missing = missing if known else "No image says"
        yield f"{missing} whose it is: images of one person may be parted by a split unless they look alike."
