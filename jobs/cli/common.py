"""What several commands share: `--json`, old spellings of an option, a run as JSON."""

import json
from pathlib import Path
from typing import Annotated

import typer

from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import shown

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def either(output: Path | None, old: Path | None, option: str) -> Path | None:
    """The file of `--output`, or of the option that was its name before. Not both."""
    if output is not None and old is not None:
        raise ConfigError(f"--output and {option} are one option under two names; give one of them")
    return output if output is not None else old


def echo_run(run: Run) -> None:
    """Print a run's place and its manifest as JSON."""
    told = {"path": shown(str(run.path)), "manifest": run.manifest}
    typer.echo(json.dumps(told, indent=2, ensure_ascii=False, default=str))
