"""Command line of `refresh`: a published run mined again with a new student."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Group
from rich.padding import Padding

from negmine.jobs import actions
from negmine.jobs.cli.common import Json, RunArgument, echo_run, print_wide
from negmine.jobs.refresh.request import Request
from negmine.jobs.runner.failures import check_address_space
from negmine.jobs.runner.streams import for_information
from negmine.jobs.runs.drift import drift_tables
from negmine.jobs.runs.published import find_run

_BEAM = {"allow_extra_args": True, "ignore_unknown_options": False}


class Judges(StrEnum):
    """Who judges a refreshed run."""

    PINNED = "pinned"
    CHECKPOINT = "checkpoint"


def refresh(
    context: typer.Context,
    run: RunArgument,
    student: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="Folder of the new student; several = one a fold of the queries, in order.",
        ),
    ] = None,
    judge: Annotated[
        Judges, typer.Option(help="The parent's judge, or the new student.")
    ] = Judges.PINNED,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key, dotted; repeatable."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Publish in another output.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mine a run again with a new student, and say what drifted. Options after -- go to Beam."""
    check_address_space()
    asked = Request(tuple(student or ()), judge.value, tuple(settings or ()), output)
    made = actions.refresh(find_run(run), asked, context.args)
    if as_json:
        with for_information():
            echo_run(made)
        return
    with for_information():
        drifted = Padding(drift_tables(made.manifest), (1, 0, 0, 0))
        print_wide(Group(actions.verdict(made), drifted), 120)


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("refresh", context_settings=_BEAM)(refresh)
