"""Command line of `compare`: what changed between two runs."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from negmine.jobs.runs.published import find_run
from negmine.jobs.terminal import printable
from negmine.transforms.storage.targets import target

_RUN = "A run's folder, OUTPUT (its current run) or OUTPUT:run_id."


def compare(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help=_RUN)],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The same; set beside RUN_A.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one self-contained page as well.")
    ] = None,
) -> None:
    """Say what changed between two runs: settings, counts, negatives, metrics."""
    from negmine.jobs.compare import compare as compare_runs
    from negmine.jobs.compare.page import write_page
    from negmine.jobs.compare.terminal import render

    runs = find_run(run_a), find_run(run_b)
    page = None
    if html is not None:
        kept = (*runs[0].kept, *runs[1].kept)
        page = target(html, "--html", (".html", ".htm"), outputs=kept)
    found = compare_runs(*runs)
    written = write_page(found, page) if page is not None else None
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return
    console = Console()
    (console if console.is_terminal else Console(width=140)).print(render(found))
    if written is not None:
        typer.echo(printable(written))


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("compare")(compare)
