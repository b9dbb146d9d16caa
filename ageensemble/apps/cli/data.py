"""Verbs that get data sets and look at them."""

import typer

from . import data_check, data_formats, data_get, data_label_issues

app = typer.Typer(help="Get a data set and look at it.", no_args_is_help=True)
for verbs in (data_check.app, data_formats.app, data_get.app, data_label_issues.app):
    app.add_typer(verbs)
