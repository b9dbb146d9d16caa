"""What people see while models train."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console as Rich

from ageensemble._utils import console as consoles
from ageensemble.experiments.progress import TrainingProgress

EPOCHS = [
    "mobilenetv2_100 fold 0: epoch 1/3, loss 3.75, val MAE 9.00",
    "mobilenetv2_100 fold 0: epoch 2/3, loss 3.5, val MAE 8.00",
    "mobilenetv2_100 fold 0: epoch 3/3, loss 3.25",
]


def screen(width=80, terminal=True, verbose=False):
    """A console that writes to memory."""
    made = consoles.Console(verbose)
    made.err = Rich(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    return made


def train(console):
    """Three epochs of a cell; what was written while it trained, and after."""
    with console.progress("cells") as bar:
        cell = TrainingProgress(bar(console.shortened("mobilenetv2_100", "fold 0")), "mobilenetv2_100 fold 0", console)
        for epoch in (1, 2, 3):
            known = {
                "images_per_second": 95.2,
                "loss": 4 - epoch / 4,
                "validation_mae": 11.0 - epoch if epoch > 1 else None,
            }
            cell({"done": 1000 * epoch, "total": 3000, "epoch": epoch, "epochs": 3} | known)
        bar("fitting")(1, 1)
        before = console.err.file.getvalue()
        cell.end()
    return before, console.err.file.getvalue()[len(before) :]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, "mobilenetv2_100 fold 0 ━━━━━ epoch 3/3 95/s loss 3.25 MAE 8.00 0:00:00 0:00:00"),
        (100, "mobilenetv2_100 fold 0 ━━━━━━━━━━ epoch 3/3 95 images/s loss 3.25 val MAE 8.00 0:00:00 0:00:00"),
    ],
)
def test_a_cell_that_trains_has_a_line_that_fits_the_screen_and_goes_when_it_ends(width, line):
    before, after = train(screen(width))
    assert line in before
    assert len(line) <= width
    assert "mobilenetv2_100" not in after
    assert "fitting" in after


def test_a_log_has_a_line_now_and_then_and_of_a_short_training_none(monkeypatch):
    assert train(screen(terminal=False))[0] == ""
    monkeypatch.setattr(consoles, "PAUSE", 0)
    before, after = train(screen(terminal=False))
    assert before.splitlines() == [*EPOCHS[:2], "fitting: 1/1 cells"]
    assert after.splitlines()[0] == EPOCHS[2]


def test_lines_in_a_log_are_no_closer_than_the_pause(monkeypatch):
    seconds = iter([0, *range(10, 121, 10)])
    monkeypatch.setattr(consoles.time, "monotonic", lambda: next(seconds))
    console = screen(terminal=False)
    shown = SimpleNamespace(console=console.err, add_task=lambda *name, **more: 0, update=lambda *task, **more: None)
    bar = consoles.Bar(shown, "features", "photos", console.say)
    for done in range(12):
        bar(done, 12, "hog")
    lines = [f"features: {done}/12 photos hog" for done in (2, 5, 8, 11)]
    assert console.err.file.getvalue().splitlines() == lines


def test_a_verbose_log_has_a_line_for_each_epoch():
    before, after = train(screen(terminal=False, verbose=True))
    assert (before + after).splitlines()[:3] == EPOCHS


@pytest.mark.parametrize("progress", [{}, {"done": 3}, {"loss": None, "total": None}, {"epoch": 2}, {"total": 0}])
def test_a_model_may_leave_out_what_it_does_not_know(progress):
    console = screen()
    with console.progress() as bar:
        cell = TrainingProgress(bar("mine"), "mine", console)
        cell(progress)
        cell.end()


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (60, "mine… fold 4"),
        (80, "mine loss=soft… fold 4"),
        (100, "mine loss=softl… fold 4"),
        (130, "mine loss=softlabel sigma=2 fold 4"),
    ],
)
def test_a_long_name_is_cut_and_the_fold_stays(width, shown):
    assert screen(width).shortened("mine loss=softlabel sigma=2", "fold 4") == shown


def test_one_is_not_many():
    assert [consoles.counted(n, "row") for n in (0, 1, 2, 1000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
    assert [consoles.counted(n, "entry", "entries") for n in (1, 3)] == ["1 entry", "3 entries"]
