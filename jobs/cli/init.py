"""Command line of `init`: the config that data is understood as, commented."""

import json
from pathlib import Path
from typing import Annotated

import typer

from negmine.jobs.cli.choices import (
    Judge,
    Negatives,
    Pool,
    Positive,
    Query,
    Settings,
    Split,
    Student,
    asked_of,
)
from negmine.jobs.cli.common import Json
from negmine.jobs.terminal import printable


def init(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A file, a folder, or a hub's name of a data set.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The YAML file. Default: DATA.yaml."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    settings: Settings = None,
    pool: Pool = None,
    query: Query = None,
    positive: Positive = None,
    split: Split = None,
    student: Student = None,
    judge: Judge = None,
    negatives: Negatives = None,
    as_json: Json = False,
) -> None:
    """Look at data and write the config that it was understood as, with comments."""
    from negmine.jobs.write_config import write_config

    asked = asked_of(data, settings, None, pool, query, positive, split, student, judge, negatives)
    found = asked.resolved()
    written = write_config(found, asked.choices, output, force)
    if as_json:
        typer.echo(json.dumps({"path": str(written), "config": found.values}, indent=2))
        return
    typer.echo(printable(written))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("init")(init)
