"""What a person wants to know of a stack: who weighs how much, what it loses without each, whether it is overfitted."""

from .._utils.console import plain

TITLES = ("member", "weight", "temperature", "MAE without it", "weighted F1 without it")
FORMS = {"mae": "{:+.3f}", "f1_weighted": "{:+.4f}"}


def rows(run):
    """The members of a stack as texts, the heaviest first, list of tuple in the order of `TITLES`."""
    members = sorted(run.metadata["members"], key=lambda member: -member["weight"])
    return [
        (
            plain(member["model"]),
            f"{member['weight']:.3f}",
            f"{member['temperature']:.2f}",
            *(_difference(member["loss_without"], name) for name in FORMS),
        )
        for member in members
    ]


def _difference(differences, name):
    if name not in differences:
        return ""
    value, low, high = (FORMS[name].format(number) for number in differences[name])
    return f"{value} ({low} to {high})"


def optimism(run):
    """One line: how much better the stack looks on what it was fitted on than by the second cross-fitting."""
    about = run.metadata
    name = next((name for name in FORMS if name in about["optimism"]), None)
    if name is None:
        return f"{run.title}: no scores, as the labels suit no age groups"
    what = {"mae": "MAE, years", "f1_weighted": "weighted F1"}[name]
    scores = [f"{about[key][name]:.3f}" for key in ("apparent", "cross_fitted")]
    return (
        f"{run.title}: {what}, {scores[0]} on what it was fitted on, {scores[1]} by the second cross-fitting; "
        f"optimism {_difference(about['optimism'], name)}"
    )


def table(run):
    """The members for a terminal."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    view.title, view.title_justify, view.title_style = Text(plain(run.title)), "left", "bold"
    view.add_column(TITLES[0], overflow="fold")
    for title in TITLES[1:]:
        view.add_column(title, justify="right")
    for row in rows(run):
        view.add_row(*row)
    return Group(view, Text(plain(optimism(run)), style="dim"))


def markdown(run, escaped):
    """The members as lines of Markdown; `escaped` makes a name literal."""
    lines = ["| " + " | ".join(TITLES) + " |", "| --- |" + " ---: |" * (len(TITLES) - 1)]
    lines += ["| " + " | ".join((escaped(row[0]), *row[1:])) + " |" for row in rows(run)]
    return [*lines, "", escaped(optimism(run)) + ".", ""]
