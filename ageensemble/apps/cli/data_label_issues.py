"""The verb `data label-issues`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from ..._utils.console import as_json
from . import options
from .compare import best
from .options import examples

app = typer.Typer()

Images = Annotated[
    Optional[list[str]],
    typer.Option("--data", help="What the run was made on: then a contact sheet is made as well. Repeatable."),
]


@app.command(
    "label-issues",
    epilog=examples(
        "ageensemble data label-issues",
        "ageensemble data label-issues svm --count 50",
        "ageensemble data label-issues stack --data photos/",
    ),
)
def data_label_issues(
    run: Annotated[
        Optional[str], typer.Argument(help="A run: the full name of its model, or its folder; by default the best.")
    ] = None,
    out: options.OneExperiment = Path("runs"),
    count: Annotated[int, typer.Option(min=1, help="How many items.")] = 100,
    data: Images = None,
    format: options.Format = None,
    cache: options.Cache = None,
    json: options.Json = False,
    verbose: options.Verbose = False,
):
    """List the labels that a run's out-of-fold predictions contradict most, to be checked by eye.

    Nothing is removed. The list, and with --data a contact sheet, lie in the folder report/ of the run.
    """
    from ... import ages
    from ..._utils import hardware
    from ..._utils.console import Console, plain
    from ...data.dataset import load_dataset
    from ...experiments.experiment import Experiment
    from ...reporting import label_issues

    console = Console(verbose)
    experiment = Experiment.find(out, *filter(None, [run]))
    chosen = experiment.run(run or best(experiment, ages.DEFAULT_AGE_GROUPS))
    found = label_issues.find(experiment, chosen, count)
    built = None
    if data:
        with console.progress() as bar:
            built = load_dataset(data, format=format, cache=cache, n_jobs=hardware.cores(), on_progress=bar)
    files = label_issues.save(experiment, chosen, found.frame, built)
    if json:
        print(as_json(found.frame.to_dict("records")))
    else:
        console.show(found.table())
        copy = plain(experiment.folder / "split.csv")
        console.say(f"to leave items out, delete their lines from a copy of {copy} and give it to benchmark --split")
    console.say(f"written: {', '.join(map(str, files))}")
