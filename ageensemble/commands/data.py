"""Verbs that get data sets and look at them."""

import typer

from . import checking, formats, getting, suspecting

app = typer.Typer(help="Get a data set and look at it.", no_args_is_help=True)
for verbs in (checking.app, formats.app, getting.app, suspecting.app):
    app.add_typer(verbs)
