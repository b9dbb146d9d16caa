"""Options that several commands of the command line share, and the end of their help pages."""

from pathlib import Path
from typing import Annotated, Optional

import typer

Data = Annotated[
    list[str], typer.Option(help="Folder of photographs, dataset file (.csv, .parquet), or demo. May be repeated.")
]
TestData = Annotated[
    Optional[list[str]], typer.Option("--test-data", help="Another set, all of it the test part. May be repeated.")
]
Protocol = Annotated[
    Optional[str], typer.Option(help="Split as published results were: official; see: ageensemble list protocols.")
]
Format = Annotated[Optional[str], typer.Option(help="Insist on a data format; see: ageensemble list formats.")]
Clean = Annotated[
    Optional[list[str]],
    typer.Option("--filter", help="Leave items out: min-image-size=100; see: list filters. Repeatable."),
]
Models = Annotated[Optional[str], typer.Option(help="Plain names, separated by commas: svm,xgboost.")]
Model = Annotated[Optional[list[str]], typer.Option(help="A full name: 'svm@hog C=30'. May be repeated.")]
Features = Annotated[Optional[str], typer.Option(help="Feature sets where a model names none: hog+lbp.")]
Set = Annotated[
    Optional[list[str]], typer.Option("--set", help="A parameter for every model named: C=30. May be repeated.")
]
Limit = Annotated[
    Optional[int],
    typer.Option(min=1, help="Work on about N items, whole groups, ages in proportion; --test-data is taken whole."),
]
Folds = Annotated[
    Optional[int], typer.Option(min=2, max=100, help="Folds of the split; by default 5, or those of --protocol.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the split and of the models.")]
PlanFile = Annotated[
    Optional[Path], typer.Option("--split", exists=True, help="Split to obey: CSV with item_id, part.")
]
AllowLeak = Annotated[bool, typer.Option("--allow-leak", help="Use a split that parts groups; the table says so.")]
Groups = Annotated[str, typer.Option("--age-groups", help="Age groups of the table: a name, or 0-12,13-19,20-64,65+.")]
OnePlan = Annotated[Path, typer.Option("--out", help="Folder of runs, or of one split where there are several.")]
Out = Annotated[Path, typer.Option(help="Folder of runs.")]
Cache = Annotated[Optional[Path], typer.Option(help="Folder of the cache; by default the user's own.")]
Jobs = Annotated[Optional[int], typer.Option(min=1, help="Fold fits at once; by default one for each core.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Detector = Annotated[str, typer.Option(help="Finds faces: auto, yunet (fetched once), cascade, or YuNet's file.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would run, its time, disk and memory.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

CODES = (
    "Exit codes: 0 done; 1 done but a model failed or a photo to predict was unreadable; 2 command line; 3 data or a "
    "given file; 4 disk or damaged run; 130 interrupted."
)


def examples(*lines):
    """The end of a help page: examples, then the exit codes."""
    return "Examples:\n\n" + "\n\n".join(lines) + "\n\n" + CODES
