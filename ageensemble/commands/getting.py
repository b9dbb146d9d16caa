"""The verb `data get`."""

import typer

app = typer.Typer()
