"""Results written on purpose, for others to read: table, every metric, machine, commands, pictures."""

import shlex
from pathlib import Path

from . import reports, tables
from .console import as_json
from .errors import DiskError
from .files import slug, write_csv, writing


def write(plan_folder, table, groups, target):
    """Write `README.md`, `results.csv`, `results.json` and the pictures of every complete run into a folder.

    Parameters
    ----------
    plan_folder : PlanFolder
    table : pandas.DataFrame
        from `tables.rows`, for these groups
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
    seeds = {run.config["seed"] for run in complete if run.kind == "folds"}
    words = ["ageensemble", "benchmark", "--data", about["data"], "--folds", str(about["folds"])]
    words += ["--limit", str(about["limited"])] if about["limited"] else []
    words += ["--plan", about["source"].removeprefix("file ")] if about["source"].startswith("file ") else []
    words += ["--seed", str(min(seeds))] if len(seeds) == 1 else []
    for run in complete:
        words += [] if run.kind != "folds" or run.name == "floor" else ["--model", run.name]
    words += ["--allow-leak"] if about["leaks"] else []
    lines = ["```", shlex.join(words), "```", ""]
    records = [r for run in complete if run.name != "floor" for r in run.records(about["folds"])]
    for title, found in (
        ("Machine", [f"{r['machine']}, {r['device']}, {r['threads']} threads a cell" for r in records]),
        ("Versions", [f"{name} {number}" for r in records for name, number in r["versions"].items()]),
        ("Fitted by", [r["model"]["library"] for r in records if "library" in r["model"]]),
    ):
        lines += [f"{title}: {', '.join(dict.fromkeys(found))}.", ""] if found else []
    return lines


def _pictures(run, plan_folder, groups, folder, taken):
    """Draw a run's pictures under its model's name, and the Markdown that shows them."""
    stem = slug(run.name) + ("-refit" if run.kind == "refit" else "")
    stem = run.folder.name if stem in taken else stem
    taken.add(stem)
    lines = [f"## {tables.escaped(run.title)}", ""]
    for file in reports.draw(run, plan_folder, groups, folder, f"{stem}-"):
        what = file.stem.removeprefix(f"{stem}-").replace("_", " against ")
        lines.append(f"![{what} of {stem}]({file.name})")
    return [*lines, ""]
