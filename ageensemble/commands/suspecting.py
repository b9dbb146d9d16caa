"""The verb `data suspects`."""

import typer

app = typer.Typer()
