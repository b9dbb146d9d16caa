"""Results written on purpose, for others to read: table, every metric, machine, commands, pictures."""

import shlex
from pathlib import Path

from . import reports, tables
from .console import as_json
from .errors import DiskError
from .files import slug, write_csv, writing


def write(plan_folder, groups, target):
    """Write `README.md`, `results.csv`, `results.json` and the pictures of every complete run into a folder.

    Parameters
    ----------
    plan_folder : PlanFolder
    groups : ages.Scheme
    target : path

    Returns
    -------
    pathlib.Path
        the folder; one below `target` where that already holds another plan's results

    Raises
    ------
    DiskError
        `target` is a file.
    """
    folder = Path(target)
    if folder.is_file():
        raise DiskError(f"{folder} is a file; --export needs a folder")
    held = folder / "results.json"
    names = [plan_folder.about["manifest"], plan_folder.about["plan"]]
    if held.exists() and not all(name in held.read_text() for name in names):
        folder = folder / plan_folder.folder.name
    folder.mkdir(parents=True, exist_ok=True)
    table = tables.rows(plan_folder, groups)
    write_csv(folder / "results.csv", table, float_format="%.5g")
    with writing(folder / "results.json") as temporary:
        temporary.write_text(as_json(tables.content(table, plan_folder)) + "\n")
    complete = [run for run in plan_folder.runs if run.state(plan_folder.about["folds"])[0] == "complete"]
    lines = ["# Results", "", tables.markdown(table, plan_folder, groups), *_origin(complete, plan_folder)]
    taken = set()
    for run in complete:
        if run.name == "floor":  # the same for everybody: nothing to see
            continue
        lines += _pictures(run, plan_folder, groups, folder, taken)
    with writing(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n")
    return folder


def _origin(complete, plan_folder):
    """Where the numbers come from: the command, the machine and the versions."""
    about = plan_folder.about
    seeds = {run.config["seed"] for run in complete if not run.refit}
    words = ["ageensemble", "benchmark", "--data", about["data"], "--folds", str(about["folds"])]
    words += ["--limit", str(about["limited"])] if about["limited"] else []
    words += ["--plan", about["source"].removeprefix("file ")] if about["source"].startswith("file ") else []
    words += ["--seed", str(min(seeds))] if len(seeds) == 1 else []
    for run in complete:
        words += [] if run.refit or run.name == "floor" else ["--model", run.name]
    lines = ["```", shlex.join(words), "```", ""]
    if complete:
        record = complete[0].records(about["folds"])[0]
        versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
        lines += [f"Machine: {record['machine']}, {record['device']}. Versions: {versions}.", ""]
    return lines


def _pictures(run, plan_folder, groups, folder, taken):
    """Copy a run's pictures under its model's name, and the Markdown that shows them."""
    report = reports.write(run, plan_folder, groups)
    stem = slug(run.name) + ("-refit" if run.refit else "")
    stem = run.folder.name if stem in taken else stem
    taken.add(stem)
    lines = [f"## {tables.escaped(run.name)}{' (refit)' if run.refit else ''}", ""]
    for name in ("confusion.png", "true_predicted.png"):
        if (report / name).exists():
            target = folder / f"{stem}-{name}"
            target.write_bytes((report / name).read_bytes())
            lines.append(f"![{name.removesuffix('.png').replace('_', ' against ')} of {stem}]({target.name})")
    return [*lines, ""]
