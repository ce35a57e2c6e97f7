"""Command line of `audit`: what is wrong with negatives that somebody else mined."""

import json

import typer

from negmine.jobs import actions
from negmine.jobs.audit.request import Request
from negmine.jobs.audit.terminal import render
from negmine.jobs.cli.common import Json, print_wide
from negmine.jobs.cli.options import audit as given
from negmine.jobs.runner.failures import check_address_space


def audit(
    files: given.Files,
    format: given.Format,
    corpus: given.Corpus = None,
    qrels: given.Qrels = None,
    queries: given.Queries = None,
    student: given.Student = None,
    judge: given.Judge = "fusion",
    settings: given.Settings = None,
    output: given.Output = "audit",
    fix: given.Fix = None,
    fix_suspected: given.FixSuspected = False,
    keep_short: given.KeepShort = False,
    hub_share: given.HubShare = 0.05,
    n_passages: given.Passages = None,
    label_above: given.LabelAbove = None,
    strict: given.Strict = False,
    as_json: Json = False,
) -> None:
    """Find false, repeated and suspicious negatives in a mined set."""
    check_address_space()
    found = actions.audit(
        Request(
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
        print_wide(render(found), 160)
    if strict and not found.clean:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Mount the command on the application."""
    app.command("audit")(audit)
