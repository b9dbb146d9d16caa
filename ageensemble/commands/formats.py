"""The verb `data formats`."""

import typer

app = typer.Typer()
