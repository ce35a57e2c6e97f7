"""Command line of `init`: the config that data is understood as, commented."""

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
) -> None:
    """Look at data and write the config that it was understood as, with comments.

    negmine init pairs.csv writes pairs.yaml; negmine mine pairs.yaml mines it.
    """
    from negmine.jobs.write_config import write_config

    asked = asked_of(data, settings, None, pool, query, positive, split, student, judge, negatives)
    written = write_config(asked.resolved(), asked.choices, output, force)
    typer.echo(printable(written))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("init")(init)
