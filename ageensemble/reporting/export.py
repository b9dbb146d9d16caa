"""Results written on purpose, for others to read: table, every metric, machine, commands, plots."""

import shlex
from math import isnan
from pathlib import Path

from .. import ensembles
from .._utils import stats
from .._utils.console import as_json, counted
from .._utils.io import atomic_write, slug, write_csv
from ..errors import DiskError
from ..evaluation.calibration import COLUMNS, LEVEL, measure_calibration
from ..evaluation.conformal import KINDS, conformalize
from ..splits.split import PART_PHRASES
from . import leaderboard, plots, run_report, tables

LEAST = 200  # test items of an age group whose coverage is worth a word


def write(experiment, table, age_groups, target):
    """Write `README.md`, `results.csv`, `results.json` and the plots of every complete run into a folder.

    Runs that are incomplete are counted, not listed.

    Parameters
    ----------
    experiment : Experiment
    table : pandas.DataFrame
        from `tables.rows`, for these groups
    groups : ages.AgeGroups
    target : path

    Returns
    -------
    pathlib.Path
        the folder; one below `target` where that already holds another split's results

    Raises
    ------
    DiskError
        `target` is a file.
    """
    folder = Path(target)
    if folder.is_file():
        raise DiskError(f"{folder} is a file; --export needs a folder")
    listed = table[table["state"] != "incomplete"].reset_index(drop=True)
    held = folder / "results.json"
    names = [experiment.metadata["dataset"], experiment.metadata["split"]]
    if held.exists() and not all(name in held.read_text() for name in names):
        folder = folder / experiment.folder.name
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "results.csv", listed, float_format="%.5g")
    with atomic_write(folder / "results.json") as temporary:
        temporary.write_text(as_json(leaderboard.content(listed, experiment)) + "\n")
    complete = _in_order(experiment, listed)
    lines = ["# Results", "", leaderboard.view(listed, experiment, age_groups).markdown() + "\n"]
    if len(listed) < len(table):
        lines += [f"Not listed: {counted(len(table) - len(listed), 'incomplete run')}.", ""]
    lines += _origin(complete, experiment)
    if figure := plots.draw_time_error(listed, leaderboard.heading(experiment)):
        plots.save(figure, folder / "time_error.png")
        lines += ["![time against error](time_error.png)", ""]
    shown = [run for run in complete if run.name != "prior"]  # the same for everybody: nothing to see
    if shown:
        lines += _calibration(shown, experiment, age_groups) + _coverage(shown, experiment, age_groups)
    taken, first = (
        set(),
        {run.kind == "stack": run for run in reversed(shown)},
    )  # the best stack, the best of the others
    for run in shown:
        lines += _plots(run, age_groups, folder, taken, brief=run not in first.values())
    with atomic_write(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n")
    return folder


def _origin(complete, experiment):
    """Where the numbers come from: the command, the machine and the versions."""
    about = experiment.metadata
    seeds = {run.config["seed"] for run in complete if run.kind == "folds"}
    tested = about.get("test_sets", [])
    words = ["ageensemble", "benchmark"]
    for name in about.get("sets", [about["data"]]):
        words += ["--test-data" if name in tested else "--data", name]
    words += ["--protocol", about["protocol"]] if "protocol" in about else []
    words += [word for step in about.get("cleaned", []) for word in ("--filter", leaderboard.asked(step))]
    words += ["--folds", str(about["folds"])] if about["source"].startswith(("seed", "file")) else []
    words += ["--limit", str(about["limited"])] if about["limited"] else []
    words += ["--split", about["source"].removeprefix("file ")] if about["source"].startswith("file ") else []
    words += ["--seed", str(min(seeds))] if len(seeds) == 1 else []
    for run in complete:
        words += [] if run.kind != "folds" or run.name == "prior" else ["--model", run.name]
    words += ["--allow-leak"] if about["leaks"] else []
    commands = [words, *(_command(run) for run in complete if run.kind != "folds")]
    lines = ["```", *dict.fromkeys(map(shlex.join, filter(None, commands))), "```", ""]
    records = [r for run in complete if run.name != "prior" for r in run.records(about["folds"])]
    for title, found in (
        ("Machine", [f"{r['machine']}, {r['device']}, {r['threads']} threads a fold fit" for r in records]),
        ("Versions", [f"{name} {number}" for r in records for name, number in r["versions"].items()]),
        ("Fitted by", [r["model"]["library"] for r in records if "library" in r["model"]]),
    ):
        lines += [f"{title}: {', '.join(dict.fromkeys(found))}.", ""] if found else []
    return lines


def _command(run):
    """The words of the command that made a run without folds; none of the stacks that a benchmark ends with."""
    if run.kind == "refit":
        return ["ageensemble", "fit", "--model", run.name]
    if run.kind == "import":
        about = run.metadata
        words = ["ageensemble", "import", about["file"]["name"], "--name", run.name]
        return words + (["--out-of-fold"] if "oof" in run.parts else [])
    method = run.config["method"]
    if run.folder.name in ensembles.REGISTRY.names():
        return []
    words = [word for member in run.metadata["members"] for word in ("--model", member["model"])]
    return ["ageensemble", "stack", *(words if run.title != method else []), "--method", method]


def _in_order(experiment, table):
    """The complete runs, in the order of the table."""
    runs = {run.folder.name: run for run in experiment.runs}
    return [runs[name] for name in table["run"][table["state"] == "complete"]]


def _calibration(runs, experiment, age_groups):
    """Markdown: calibration on the part that is judged, before and after a temperature."""
    lines = [
        f"## Calibration {PART_PHRASES[experiment.split.evaluated_part]}",
        "",
        "Before and after one temperature, found out-of-fold; coverage and mean width (years) are those of the central "
        f"{100 * LEVEL:g} % interval of the distributions themselves.",
        "",
        "| model | temperature | " + " | ".join(column.label for column in COLUMNS) + " |",
        "| --- |" + " ---: |" * (len(COLUMNS) + 1),
    ]
    for run in runs:
        if not run.parts:
            continue
        measured = measure_calibration(*run.oof_and_test, age_groups)
        both = [row for row in (measured.before, measured.after) if row]
        cells = [["" if isnan(row[c.key]) else c.format(row[c.key]) for row in both] for c in COLUMNS]
        found = f"{measured.temperature:.2f}" if measured.after else ""
        lines.append(f"| {leaderboard.escaped(run.title)} | {found} | " + " | ".join(map(", ".join, cells)) + " |")
    return [*lines, ""]


def _coverage(runs, experiment, age_groups):
    """Markdown: coverage and width of prediction intervals on the part that is judged."""
    level, part = f"{100 * run_report.LEVEL:g} %", experiment.split.evaluated_part
    lines = [
        f"## Prediction intervals, {level}",
        "",
        f"Conformal, calibrated out-of-fold, measured {PART_PHRASES[part]}: share of images whose interval holds the "
        "true age, with its 95 % interval; mean width in years; the age group covered least, of those with "
        f"{LEAST} {'test items' if part == 'test' else 'items'} or more. Label-conditional ones hold for each age "
        "group, plain ones for all together.",
        "",
        "| model | label-conditional | width | least | plain | width | least |",
        "| --- |" + " ---: |" * 6,
    ]
    for run in runs:
        if "oof" not in run.parts:
            continue
        cells = [leaderboard.escaped(run.title)]
        oof, test = run.oof_and_test
        subgroups = conformalize(oof, run_report.LEVEL, age_groups, test).subgroups
        for kind in KINDS:
            large = [row for row in subgroups if row["by"] == "age group" and row[kind]["items"] >= LEAST]
            worst = min(large, key=lambda row: row[kind]["share"], default=None)
            cells += [stats.proportion_text(subgroups[0][kind]), f"{subgroups[0][kind]['mean_width']:.1f}"]
            cells.append(f"{worst['name']}: {100 * worst[kind]['share']:.1f} %" if worst else "")
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _plots(run, age_groups, folder, taken, brief):
    """Draw a run's plots under its model's name, and the Markdown that shows them."""
    stem = slug(run.name) + ("-refit" if run.kind == "refit" else "")
    stem = run.folder.name if stem in taken else stem
    taken.add(stem)
    lines = [f"## {leaderboard.escaped(run.title)}", ""]
    lines += [tables.ensemble_table(run).markdown(), ""] if run.kind == "stack" else []
    for file, title in run_report.draw(run, age_groups, folder, f"{stem}-", brief).items():
        lines.append(f"![{title} of {stem}]({file.name})")
    return [*lines, ""] if len(lines) > 2 else []  # of a refit that nothing is left to score on there is no plot
