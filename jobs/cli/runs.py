"""Command line over published runs: export, batches, query, why, relabel, sweep, show, runs."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from negmine.jobs.cli.batches import batches
from negmine.jobs.cli.export import RunArgument, export
from negmine.jobs.runs.published import current_if_readable, find_run, list_runs, promote
from negmine.jobs.terminal import printable
from negmine.schemas.errors import ConfigError
from negmine.transforms.storage.places import local_path
from negmine.transforms.storage.targets import target


class Shape(StrEnum):
    """How `query` prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    run: RunArgument,
    sql: Annotated[
        str | None,
        typer.Argument(metavar="[SQL|NAME]", help="SQL, or a named query; none lists those."),
    ] = None,
    format: Annotated[Shape, typer.Option("--format", "-f", help="How to print.")] = Shape.TABLE,
) -> None:
    """Ask in SQL: views negatives, positives, ledger, sets, candidates, documents, queries."""
    from negmine.jobs.runs.query import Database, named_queries
    from negmine.jobs.runs.render import WRITERS

    found = find_run(run)
    if sql is None:
        for name, named in named_queries().items():
            typer.echo(f"{name:<20} {named.description}")
        return
    with Database(found) as database:
        WRITERS[format.value](database.ask(sql), sys.stdout)


def why(
    run: RunArgument,
    query_id: Annotated[str, typer.Argument(metavar="QUERY", help="Identifier of a query.")],
    doc_id: Annotated[
        str | None, typer.Argument(metavar="[DOC]", help="Identifier of a candidate.")
    ] = None,
) -> None:
    """Say what became of a query's candidates, or tell one candidate's whole story."""
    from negmine.jobs.runs.why import explain_candidate, explain_query

    found = find_run(run)
    told = (
        explain_query(found, query_id)
        if doc_id is None
        else explain_candidate(found, query_id, doc_id)
    )
    Console().print(told)


def relabel(
    run: RunArgument,
    decisions: Annotated[
        Path | None,
        typer.Argument(metavar="DECISIONS.jsonl", help="JSON lines: query_id, doc_id, decision."),
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(metavar="FILE.jsonl", help="Write the suspected positives here instead."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=2**31, help="--review: only so many, the most suspicious."),
    ] = None,
    force: Annotated[bool, typer.Option(help="--review: replace the file.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="LABELS.jsonl", help="Labels file. Default OUTPUT/labels.jsonl."),
    ] = None,
) -> None:
    """Hand out suspected positives for review, and read the decisions back as labels."""
    from negmine.jobs.runs import relabel as labels

    found = find_run(run)
    if (decisions is None) == (review is None):
        raise ConfigError("give DECISIONS.jsonl to read, or --review FILE.jsonl to write")
    if decisions is not None:
        typer.echo(printable(labels.told(labels.relabel(found, decisions, to)), keep="\n"))
    elif review is not None:
        count = labels.write_review(found, review, limit, force)
        typer.echo(f"{printable(review)}: {count:,} suspected positives of run {found.run_id}")


def sweep(
    run: RunArgument,
    policy: Annotated[
        list[str],
        typer.Option(
            "--policy",
            "--set",
            metavar="KEY=A,B,...",
            help="Values to try: POLICY.PARAMETER, sampling.KEY or tiers.NAME.KEY; repeat for a "
            "grid.",
        ),
    ],
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw leak against hard negatives.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what other settings would give, from the run's stored scores."""
    from negmine.jobs.runs.grid import parse_grid
    from negmine.jobs.runs.sweep import sweep as swept
    from negmine.jobs.runs.sweep_plot import notes, sweep_table, write_plot

    found = find_run(run)
    if plot is not None:
        plot = target(plot, "--plot", (".svg",), outputs=found.kept)
    rows = swept(found, parse_grid(policy))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        Console(width=200, soft_wrap=True).print(sweep_table(rows))
        for note in notes(rows):
            typer.echo(note)
    if plot is not None:
        write_plot(plot, rows)


def show(run: RunArgument) -> None:
    """Show what a run holds and what it cost."""
    from negmine.jobs.report.verdict import render_run

    found = find_run(run)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(render_run(found, short=False))


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it. Default: the run's report.html."),
    ] = None,
) -> None:
    """Write a run's report.html again: one page that needs nothing else."""
    from negmine.jobs.report import NAME, write_report

    found = find_run(run)
    if out is not None:
        own = (found.path / NAME,)
        out = target(out, "--out", (".html", ".htm"), outputs=found.kept, allowed=own)
    typer.echo(printable(write_report(found.path, out)))


def list_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
) -> None:
    """List complete runs, oldest first; * marks the one in force."""
    output = local_path(output)
    current = current_if_readable(output)
    runs = list_runs(output)
    if not runs:
        typer.echo("no complete run yet", err=True)
    for run in runs:
        summary = run.manifest.get("summary", {})
        negatives = sum(tier["negatives"] for tier in summary.get("tiers", {}).values())
        mark = "*" if run.run_id == current else " "
        created = printable(run.manifest.get("created", ""))
        parent = run.manifest.get("parent")
        typer.echo(
            f"{mark} {run.run_id:<24} {created:<28} {summary.get('queries', 0):>10,} queries"
            f" {negatives:>12,} negatives" + (f"  of {printable(parent)}" if parent else "")
        )


def promote_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run to put in force.")],
) -> None:
    """Put a run in force: roll back, or forward again."""
    output = local_path(output)
    before = current_if_readable(output)
    run = promote(output, run_id)
    typer.echo(f"current: {run.run_id}" + (f" (was {before})" if before else ""))


def register(app: typer.Typer) -> None:
    """Mount the commands on the application."""
    app.command("export")(export)
    app.command("batches")(batches)
    app.command("query")(query)
    app.command("show")(show)
    app.command("report")(report)
    app.command("why")(why)
    app.command("relabel")(relabel)
    app.command("sweep")(sweep)
    runs = typer.Typer(help="List published runs, and choose the one in force.")
    runs.command("list")(list_command)
    runs.command("promote")(promote_command)
    app.add_typer(runs, name="runs")
