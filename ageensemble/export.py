"""Results written on purpose, for others to read: table, every metric, machine, commands, pictures."""

from pathlib import Path

from . import reports, tables
from .caches import writing
from .errors import DiskError


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
    if held.exists() and plan_folder.about["plan"] not in held.read_text():
        folder = folder / plan_folder.folder.name
    folder.mkdir(parents=True, exist_ok=True)
    table = tables.rows(plan_folder, groups)
    with writing(folder / "results.csv") as temporary:
        table.to_csv(temporary, index=False, float_format="%.5g")
    with writing(folder / "results.json") as temporary:
        temporary.write_text(tables.as_json(table, plan_folder) + "\n")
    lines = ["# Results", "", tables.markdown(table, plan_folder, groups), *_machine(plan_folder)]
    for run in plan_folder.runs:
        if run.state(plan_folder.about["folds"])[0] == "complete":
            lines += _pictures(run, plan_folder, groups, folder)
    with writing(folder / "README.md") as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    return folder


def _machine(plan_folder):
    """The machine, the versions and the seed of the first complete run's first cell."""
    folds = plan_folder.about["folds"]
    for run in plan_folder.runs:
        if run.state(folds)[0] == "complete":
            record = run.records(folds)[0]
            versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
            return [f"Machine: {record['machine']}, {record['device']}. Versions: {versions}.", ""]
    return []


def _pictures(run, plan_folder, groups, folder):
    report = reports.write(run, plan_folder, groups)
    lines = [f"## {run.name}{' (refit)' if run.refit else ''}", ""]
    for name in ("confusion.png", "true_predicted.png"):
        if (report / name).exists():
            target = folder / f"{run.folder.name}-{name}"
            target.write_bytes((report / name).read_bytes())
            lines.append(f"![{name.removesuffix('.png')}]({target.name})")
    return [*lines, ""]
