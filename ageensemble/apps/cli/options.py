"""Options that several commands of the command line share, and the end of their help pages."""

from pathlib import Path
from typing import Annotated, Optional

import typer

Data = Annotated[list[str], typer.Option(help="Folder of images, dataset file (.csv, .parquet), or demo. Repeatable.")]
TestData = Annotated[
    Optional[list[str]], typer.Option("--test-data", help="Another dataset, used as the test part only. Repeatable.")
]
Protocol = Annotated[
    Optional[str], typer.Option(help="Published way to split, such as official; see: ageensemble list protocols.")
]
Format = Annotated[Optional[str], typer.Option(help="Force a data format; see: ageensemble list formats.")]
Filters = Annotated[
    Optional[list[str]],
    typer.Option("--filter", help="Exclude items: min-image-size=100; see: list filters. Repeatable."),
]
Models = Annotated[Optional[str], typer.Option(help="Model names, separated by commas: svm,xgboost.")]
Model = Annotated[
    Optional[list[str]], typer.Option(help="Model with features and parameters: 'svm@hog C=30'. Repeatable.")
]
Features = Annotated[Optional[str], typer.Option(help="Features of models that name none: hog+lbp.")]
Parameters = Annotated[Optional[list[str]], typer.Option("--set", help="A parameter of every model: C=30. Repeatable.")]
Limit = Annotated[
    Optional[int],
    typer.Option(min=1, help="Use about N items, stratified by age, groups kept whole; --test-data is used whole."),
]
Folds = Annotated[
    Optional[int], typer.Option(min=2, max=100, help="Number of folds; by default 5, or as --protocol says.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the split and of the models.")]
SplitFile = Annotated[
    Optional[Path], typer.Option("--split", exists=True, help="Use this split: CSV with the columns item_id and part.")
]
AllowLeak = Annotated[bool, typer.Option("--allow-leak", help="Allow a split with leakage (marked in the table).")]
AgeGroups = Annotated[str, typer.Option("--age-groups", help="Age groups to report: a name, or 0-12,13-19,20-64,65+.")]
OneExperiment = Annotated[
    Path, typer.Option("--out", help="Folder of runs, or of one experiment if there are several.")
]
Out = Annotated[Path, typer.Option(help="Folder of runs.")]
Cache = Annotated[Optional[Path], typer.Option(help="Cache folder; by default the user's own.")]
Jobs = Annotated[Optional[int], typer.Option(min=1, help="Fits run in parallel; by default one per core.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Detector = Annotated[str, typer.Option(help="Face detector: auto, yunet (downloaded once), cascade, or a YuNet file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would run, with time, disk and memory.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Show details.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

Metric = Annotated[
    Optional[list[str]], typer.Option("--metric", help="A metric, or the .py file of your own. May be repeated.")
]

CODES = (
    "Exit codes: 0 done; 1 done but a model failed or a photo to predict was unreadable; 2 command line; 3 data or a "
    "given file; 4 disk or damaged run; 130 interrupted."
)


def examples(*lines):
    """The end of a help page: examples, then the exit codes."""
    return "Examples:\n\n" + "\n\n".join(lines) + "\n\n" + CODES
