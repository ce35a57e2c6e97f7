"""Command line of `batches`: which pairs go together in a training batch."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from negmine.jobs.cli.common import Json, RunArgument
from negmine.jobs.runs.published import find_run
from negmine.jobs.terminal import printable


def batches(
    run: RunArgument,
    size: Annotated[int, typer.Option("--size", metavar="B", help="Pairs in a batch.")],
    epochs: Annotated[
        int, typer.Option(metavar="E", help="Epochs, each with batches of its own.")
    ] = 1,
    seed: Annotated[int, typer.Option(metavar="S", help="Another seed gives other batches.")] = 42,
    hardness: Annotated[
        float,
        typer.Option(
            metavar="SHARE",
            help="Size of a community of like pairs over that of a batch: 1 = a batch is one "
            "community, 0 = chance.",
        ),
    ] = 0.5,
    masked_from: Annotated[
        float,
        typer.Option(
            "--masked-from",
            metavar="SHARE",
            help="Mask what the judge scores at or above the score that this share of the "
            "positives reaches; higher masks more.",
        ),
    ] = 0.7,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="A .parquet file, or a folder. Default: OUTPUT/exports/.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan training batches: hard for one another, suspected positives apart or masked."""
    from negmine.jobs.batches.plan import Request, check, plan

    request = Request(size, epochs, seed, hardness, masked_from)
    check(request)
    found = plan(find_run(run), request, output)
    if as_json:
        told = {name: None if value != value else value for name, value in asdict(found).items()}
        typer.echo(json.dumps(told, indent=2, default=str))
        return
    typer.echo(printable(found.path))
    typer.echo(
        f"{found.pairs:,} pairs, {found.batches:,} batches of {size:,} an epoch, "
        f"{epochs:,} epoch{'s' if epochs > 1 else ''}"
    )
    typer.echo(
        f"mean cosine of a query with the others' positives: {found.near:.3f}, by chance "
        f"{found.near_by_chance:.3f}"
    )
    typer.echo(f"masked: {found.masked:.2f} positives a query")
    for note in found.notes:
        typer.echo(f"note: {note}", err=True)
