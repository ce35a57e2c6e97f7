"""What several commands share: `RUN`, `--json`, old spellings of an option, how they print."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, RenderableType

from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import shown

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's folder, OUTPUT (its current run) or OUTPUT:run_id."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def either(output: Path | None, old: Path | None, option: str) -> Path | None:
    """The file of `--output`, or of the option that was its name before. Not both."""
    if output is not None and old is not None:
        raise ConfigError(f"--output and {option} are one option under two names; give one of them")
    return output if output is not None else old


def print_wide(told: RenderableType, width: int) -> None:
    """Print tables and text as wide as the terminal; in a pipe or a file, so wide."""
    console = Console()
    (console if console.is_terminal else Console(width=width)).print(told)


def echo_run(run: Run) -> None:
    """Print a run's place and its manifest as JSON."""
    told = {"path": shown(str(run.path)), "manifest": run.manifest}
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=str))
