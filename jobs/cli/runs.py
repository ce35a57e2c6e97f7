"""Command line over published runs: export, batches, query, why, relabel, sweep, show, runs."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from negmine.jobs import actions
from negmine.jobs.cli.batches import batches
from negmine.jobs.cli.common import Json, RunArgument, echo_run, either, print_wide
from negmine.jobs.cli.export import export
from negmine.jobs.runs.published import (
    REPORT,
    Run,
    current_if_readable,
    find_run,
    list_runs,
    promote,
)
from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import shown
from negmine.transforms.storage.places import local_path
from negmine.transforms.storage.targets import target


class Shape(StrEnum):
    """How `query` prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query_command(
    run: RunArgument,
    sql: Annotated[
        str | None,
        typer.Argument(metavar="[SQL|NAME]", help="SQL, or a named query; none lists those."),
    ] = None,
    format: Annotated[Shape, typer.Option("--format", "-f", help="How to print.")] = Shape.TABLE,
    as_json: Json = False,
) -> None:
    """Ask in SQL: views negatives, positives, ledger, sets, candidates, documents, queries."""
    from negmine.jobs.runs import query, render

    found = find_run(run)
    format = Shape.JSON if as_json else format
    if sql is None:
        if format is Shape.JSON:
            queries = query.named_queries()
            told = {name: named.description for name, named in queries.items()}
            typer.echo(json.dumps(told, indent=2))
            return
        for name, named in query.named_queries().items():
            typer.echo(f"{name:<20} {named.description}")
        return
    with query.Database(found) as database:
        render.WRITERS[format.value](database.ask(sql), sys.stdout)


def why(
    run: RunArgument,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Identifier of a query, or part of its text.")
    ],
    document: Annotated[
        str | None,
        typer.Argument(metavar="[DOC]", help="Identifier of a candidate, or part of its text."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what became of a query's candidates, or tell one candidate's whole story."""
    from negmine.jobs.why import explain, story

    found = find_run(run)
    if as_json:
        told = (
            explain.candidates(found, query)
            if document is None
            else story.story(found, query, document)
        )
        typer.echo(json.dumps(told.as_json(), indent=2, ensure_ascii=False))
        return
    Console().print(
        explain.explain_query(found, query)
        if document is None
        else explain.explain_candidate(found, query, document)
    )


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
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="LABELS.jsonl",
            help="Labels file. Default OUTPUT/labels.jsonl.",
        ),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Hand out suspected positives for review, and read the decisions back as labels."""
    from negmine.jobs.runs import relabel as labels

    found = find_run(run)
    if (decisions is None) == (review is None):
        raise ConfigError("give DECISIONS.jsonl to read, or --review FILE.jsonl to write")
    if decisions is not None:
        made = labels.relabel(found, decisions, either(output, to, "--to"))
        if as_json:
            typer.echo(json.dumps({**asdict(made), "labels": shown(str(made.labels))}, indent=2))
            return
        typer.echo(printable(labels.told(made), keep="\n"))
    elif review is not None:
        count = labels.write_review(found, review, limit, force)
        if as_json:
            written = {"review": str(review), "suspected_positives": count, "run": found.run_id}
            typer.echo(json.dumps(written, indent=2))
            return
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
    found = find_run(run)
    if plot is not None:
        plot = target(plot, "--plot", (".svg",), outputs=found.kept)
    _sweep(found, policy, plot, as_json)


def _sweep(found: Run, settings: Sequence[str], drawing: Path | None, as_json: bool) -> None:
    from negmine.jobs.sweep import grid, plot, run

    rows = run.sweep(found, grid.parse_grid(settings))
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        Console(width=200, soft_wrap=True).print(plot.sweep_table(rows))
        for note in plot.notes(rows):
            typer.echo(note)
    if drawing is not None:
        plot.write_plot(drawing, rows)


def show(run: RunArgument, as_json: Json = False) -> None:
    """Show what a run holds and what it cost."""
    found = find_run(run)
    if as_json:
        echo_run(found)
        return
    print_wide(actions.verdict(found, short=False), 140)


def report(
    run: RunArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it. Default: the run's report.html.",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", hidden=True)] = None,
    as_json: Json = False,
) -> None:
    """Write a run's report.html again: one page that needs nothing else."""
    found = find_run(run)
    file = either(output, out, "--out")
    if file is not None:
        own = (found.path / REPORT,)
        file = target(file, "--output", (".html", ".htm"), outputs=found.kept, allowed=own)
    written = actions.write_report(found, file)
    typer.echo(json.dumps({"report": str(written)}) if as_json else printable(written))


def list_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
    as_json: Json = False,
) -> None:
    """List complete runs, oldest first; * marks the one in force."""
    output = local_path(output)
    current = current_if_readable(output)
    runs = [_entry(run, current) for run in list_runs(output)]
    if not runs:
        typer.echo("no complete run yet", err=True)
    if as_json:
        typer.echo(json.dumps(runs, indent=2))
        return
    for run in runs:
        mark = "*" if run["current"] else " "
        created, parent = printable(run["created"]), run["parent"]
        typer.echo(
            f"{mark} {run['run_id']:<24} {created:<28} {run['queries']:>10,} queries"
            f" {run['negatives']:>12,} negatives" + (f"  of {printable(parent)}" if parent else "")
        )


def _entry(run: Run, current: str | None) -> JsonObject:
    summary = run.manifest.get("summary", {})
    return {
        "run_id": run.run_id,
        "current": run.run_id == current,
        "created": run.manifest.get("created", ""),
        "queries": summary.get("queries", 0),
        "negatives": sum(tier["negatives"] for tier in summary.get("tiers", {}).values()),
        "parent": run.manifest.get("parent"),
        "path": shown(str(run.path)),
    }


def promote_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run to put in force.")],
    as_json: Json = False,
) -> None:
    """Put a run in force: roll back, or forward again."""
    output = local_path(output)
    before = current_if_readable(output)
    run = promote(output, run_id)
    if as_json:
        typer.echo(json.dumps({"current": run.run_id, "before": before}))
        return
    typer.echo(f"current: {run.run_id}" + (f" (was {before})" if before else ""))


def register(app: typer.Typer) -> None:
    """Mount the commands on the application."""
    app.command("export")(export)
    app.command("batches")(batches)
    app.command("query")(query_command)
    app.command("show")(show)
    app.command("report")(report)
    app.command("why")(why)
    app.command("relabel")(relabel)
    app.command("sweep")(sweep)
    runs = typer.Typer(help="List published runs, and choose the one in force.")
    runs.command("list")(list_command)
    runs.command("promote")(promote_command)
    app.add_typer(runs, name="runs")
