"""Command line of `compare`: what changed between two runs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from negmine.jobs.cli.common import print_wide
from negmine.jobs.runs.published import find_run
from negmine.jobs.terminal import printable
from negmine.transforms.storage.targets import target

_RUN = "A run's folder, OUTPUT (its current run) or OUTPUT:run_id."


def compare_command(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help=_RUN)],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The same; set beside RUN_A.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one self-contained page as well.")
    ] = None,
) -> None:
    """Say what changed between two runs: settings, counts, negatives, metrics."""
    from negmine.jobs.compare import compare, page, terminal

    runs = find_run(run_a), find_run(run_b)
    place = None
    if html is not None:
        kept = (*runs[0].kept, *runs[1].kept)
        place = target(html, "--html", (".html", ".htm"), outputs=kept)
    found = compare(*runs)
    written = page.write_page(found, place) if place is not None else None
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    print_wide(terminal.render(found), 140)
    if written is not None:
        typer.echo(printable(written))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("compare")(compare_command)
