"""Command line of given pairs: their confidence, doubtful ones set aside."""

import json
from typing import Annotated

import typer

from negmine.jobs.cli.choices import Asked, takes_config
from negmine.jobs.cli.common import Json
from negmine.jobs.terminal import printable


def pairs(
    asked: Asked,
    beir: Annotated[str, typer.Option("--beir", metavar="FOLDER", help="BEIR folder to write.")],
    quarantine: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=100,
            metavar="DEVIATIONS",
            help="Set aside pairs so far below the mutual pairs' median. Default: none.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Weigh given pairs by ratio margin, and set aside those that are doubtful."""
    from negmine.jobs.pairs.sort_out import sort_out, told

    found = sort_out(asked.config(), beir, quarantine)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    typer.echo(printable(told(found), keep="\n"))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("pairs")(takes_config(pairs))
