"""Command line of given pairs: their confidence, doubtful ones set aside."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from negmine.jobs.cli.choices import Asked, takes_config
from negmine.jobs.cli.common import Json
from negmine.jobs.runner.failures import check_address_space
from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError


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
    other: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="FILE",
            help="Find pairs: both are files of texts without labels, in two languages, say.",
        ),
    ] = None,
    least: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="--with: lowest ratio margin of a pair. Default 1.04."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a folder that this command wrote.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Weigh given pairs by ratio margin, and set aside those that are doubtful."""
    from negmine.jobs.pairs import find, sort_out

    if other is None:
        if least is not None:
            raise ConfigError("--least is about pairs that are looked for; give --with FILE")
        sorted_out = sort_out.sort_out(asked.config(), beir, quarantine, force)
        _say(sorted_out.as_json(), sort_out.told(sorted_out), as_json)
        return
    if quarantine is not None:
        raise ConfigError("--quarantine is about given pairs; leave it out, or --with")
    check_address_space()
    with TemporaryDirectory(prefix="negmine-pairs-") as folder:
        both = Path(folder) / "both"
        config = find.config_of_texts(both, f"{asked.what} --with {other}", asked.choices)
        sizes = find.together(asked.what, other, both, config.input.max_text_bytes)
        for file, size, role in zip(
            (asked.what, other), sizes, ("queries", "documents"), strict=True
        ):
            typer.echo(f"{printable(file)}: {size:,} texts, embedded as {role}", err=True)
        found = find.find(config, beir, 1.04 if least is None else least, force)
    _say(found.as_json(), find.told(found), as_json)


def _say(values: JsonObject, words: str, as_json: bool) -> None:
    typer.echo(json.dumps(values, indent=2) if as_json else printable(words, keep="\n"))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("pairs")(takes_config(pairs))
