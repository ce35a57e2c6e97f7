"""Command line of `audit`: what is wrong with negatives that somebody else mined."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from negmine.jobs.runner.failures import check_address_space


def audit(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files of negatives, or folders of them.")
    ],
    format: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            help="Theirs, by the name that export gives it: triplet, n_tuple, flagembedding, ...",
        ),
    ],
    corpus: Annotated[
        str | None, typer.Option(metavar="PATH", help="Documents: gives texts their identifiers.")
    ] = None,
    qrels: Annotated[
        str | None, typer.Option(metavar="PATH", help="Judgements: further known positives.")
    ] = None,
    queries: Annotated[
        str | None, typer.Option(metavar="PATH", help="Queries: whom the judgements are about.")
    ] = None,
    student: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Override student.model.")
    ] = None,
    judge: Annotated[
        str, typer.Option(metavar="KIND", help="Who suspects false negatives; none = nobody.")
    ] = "fusion",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the run; repeatable."),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="DIR", help="Where the run is published.")
    ] = "audit",
    fix: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write a copy without certain defects, and what went."),
    ] = None,
    fix_suspected: Annotated[
        bool, typer.Option("--fix-suspected", help="--fix: suspected positives go too.")
    ] = False,
    keep_short: Annotated[
        bool, typer.Option("--keep-short", help="--fix, n_tuple: keep short rows, filled by null.")
    ] = False,
    hub_share: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="A hub is a negative of this share of queries (10 at least)."
        ),
    ] = 0.05,
    n_passages: Annotated[
        int | None,
        typer.Option(
            "--n-passages",
            min=2,
            max=100_000,
            metavar="N",
            help="Rows need a positive and N - 1 different good negatives.",
        ),
    ] = None,
    label_above: Annotated[
        float | None,
        typer.Option(
            "--label-above",
            metavar="X",
            help="Labelled pairs and lists: a document with more is a positive.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where there is a defect.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find false, repeated and suspicious negatives in a mined set."""
    check_address_space()

    from negmine.jobs.audit import run as auditing
    from negmine.jobs.audit.terminal import render

    found = auditing.audit(
        auditing.Request(
            files=files,
            format=format.replace("-", "_"),
            corpus=corpus,
            queries=queries,
            qrels=qrels,
            student=student,
            judge=judge,
            settings=settings or (),
            output=output,
            fix=fix,
            fix_suspected=fix_suspected,
            keep_short=keep_short,
            hub_share=hub_share,
            n_passages=n_passages,
            label_above=label_above,
        )
    )
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        console = Console()
        (console if console.is_terminal else Console(width=160)).print(render(found))
    if strict and not found.clean:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("audit")(audit)
