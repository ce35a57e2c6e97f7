"""`doctor --runner`: what a run of a config needs on another runner; loaded when it is asked."""

import json
from collections.abc import Sequence

import typer

from negmine.jobs.load_config import load_config
from negmine.jobs.plan.graphs import graph_checks
from negmine.jobs.runner.doctor.run import check_runner, on_runner
from negmine.jobs.runner.options import resolve
from negmine.jobs.terminal import printable
from negmine.schemas.errors import ConfigError


def check(
    config: str, runner: str, settings: Sequence[str], given: Sequence[str], as_json: bool
) -> None:
    """Print the checks; exits with ConfigError's code where one fails."""
    asked = load_config(config, settings)
    found = check_runner(asked, runner, given)
    if found.ready and not found.unanswered:
        there = on_runner(asked, runner)
        options = resolve(there.runner, given)
        found = found.and_(graph_checks(there, options, remote=runner == "dataflow"))
    lines = map(printable, found.lines())
    typer.echo(json.dumps(found.as_json(), indent=2) if as_json else "\n".join(lines))
    if not found.ready:
        raise typer.Exit(ConfigError.exit_code)
