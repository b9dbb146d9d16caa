"""Tables of what was found, for a terminal or a document."""

from ..ensembles.base import DIFFERENCES, difference_text, member_table


def ensemble_table(run):
    """Weight, temperature and importance of the members of an ensemble, and how much its fit flatters."""
    note = "Weights are exponents and need not sum to 1; temperature: above 1, the member is overconfident."
    return member_table(run.metadata["members"], run.title, [note, optimism(run) + "."])


def optimism(run):
    """One line: how much better an ensemble looks on what it was fitted on than by nested cross-fitting."""
    about = run.metadata
    name = next((name for name in DIFFERENCES if name in about["optimism"]), None)
    if name is None:
        return f"{run.title}: no scores, as the labels suit no age groups"
    what = {"mae": "MAE, years", "f1_weighted": "weighted F1"}[name]
    fitted, crossed = (f"{about[key][name]:.3f}" for key in ("apparent", "cross_fitted"))
    return (
        f"{run.title}: {what}, {fitted} on what it was fitted on, {crossed} from nested cross-fitting; "
        f"optimism {difference_text(about['optimism'][name], DIFFERENCES[name][1])}"
    )
