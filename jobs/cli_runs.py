"""Command line over published runs: export, query, why, relabel, sweep, show, report, runs."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from schemas.locations import local_path, shown


class Format(StrEnum):
    """Formats of `export`; each is a module of transforms.exporters."""

    TRIPLET = "triplet"
    N_TUPLE = "n_tuple"
    FLAGEMBEDDING = "flagembedding"


class Short(StrEnum):
    """What an n-tuple export does with queries that have fewer than n negatives."""

    SKIP = "skip"
    REPEAT = "repeat"
    ERROR = "error"


class Positives(StrEnum):
    """Which positives of a query `export` writes."""

    ALL = "all"
    BEST = "best"


class Shape(StrEnum):
    """How `query` prints."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's folder, OUTPUT (its current run) or OUTPUT:run_id."
    ),
]


def export(
    run: RunArgument,
    format: Annotated[Format, typer.Option("--format", "-f", help="The trainer's format.")],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A .parquet, .jsonl or .csv file (the last two also .gz, .zst), a folder, or - for "
            "JSON lines on standard output. Default: OUTPUT/exports/.",
        ),
    ] = None,
    positives: Annotated[
        Positives, typer.Option(help="Every positive of a query, or its best one.")
    ] = Positives.ALL,
    tier: Annotated[
        list[str] | None, typer.Option(help="Only this tier; repeat for more. Default: all.")
    ] = None,
    scores: Annotated[
        bool, typer.Option(help="Add the judge's scores (the student's without a judge).")
    ] = False,
    backfilled: Annotated[
        bool, typer.Option(help="Keep negatives that fill a tier from another's band.")
    ] = True,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="n_tuple: width. Default: sum of quotas.")
    ] = None,
    short: Annotated[
        Short | None,
        typer.Option(help="n_tuple: queries with fewer than n negatives. Default: skip."),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="flagembedding: the lines' prompt. Default: none.")
    ] = None,
    type: Annotated[
        str | None, typer.Option(help="flagembedding: the lines' type. Default: none.")
    ] = None,
) -> None:
    """Write a run's negatives and positives in a trainer's format."""
    from jobs.published import find_run
    from jobs.terminal import printable
    from transforms.exporters import Options, Source
    from transforms.exporters import export as write
    from transforms.storage.targets import EXPORTS

    found = find_run(run)
    artifacts = found.artifacts()
    lacking = [name for name in ("documents", "queries") if name not in artifacts]
    source = Source(
        run=found.path,
        run_id=found.run_id,
        quotas=found.quotas,
        documents=artifacts.get("documents"),
        queries=artifacts.get("queries"),
        no_texts=found.missing_artifact(lacking[0]) if lacking else "",
        outputs=(found.workdir,),
        input=found.manifest.get("summary", {}).get("input", {}),
    )
    options = Options(
        tiers=tuple(tier or ()),
        backfilled=backfilled,
        positives=positives.value,
        scores=scores,
        n=n,
        short=short.value if short else None,
        prompt=prompt,
        type=type,
    )
    report = write(source, format.value, output or f"{found.output / EXPORTS}/", options)
    piped = report.path is None
    if not piped:
        typer.echo(printable(report.path))
    typer.echo(f"{report.rows:,} rows, tiers {printable(', '.join(report.tiers))}", err=piped)
    typer.echo(report.queries.told("queries"), err=piped)
    typer.echo(report.positives.told("positives"), err=piped)
    if report.details.get("repeated"):
        typer.echo(f"{report.details['repeated']:,} queries filled by repeating", err=True)
    if report.scores:
        typer.echo(f"scores: {report.scores}", err=piped)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)


def query(
    run: RunArgument,
    sql: Annotated[
        str | None,
        typer.Argument(metavar="[SQL|NAME]", help="SQL, or a named query; none lists those."),
    ] = None,
    format: Annotated[Shape, typer.Option("--format", "-f", help="How to print.")] = Shape.TABLE,
) -> None:
    """Ask a run in SQL: views negatives, ledger, sets, candidates, documents, queries."""
    import sys

    from jobs.published import find_run
    from jobs.query import Database, named_queries
    from jobs.render import WRITERS

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
    from rich.console import Console

    from jobs.published import find_run
    from jobs.why import explain_candidate, explain_query

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
        int | None, typer.Option(min=1, help="--review: only so many, the most suspicious.")
    ] = None,
    force: Annotated[bool, typer.Option(help="--review: replace the file.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="LABELS.jsonl", help="Labels file. Default OUTPUT/labels.jsonl."),
    ] = None,
) -> None:
    """Hand out suspected positives for review, and read the decisions back as labels."""
    from jobs.published import find_run
    from jobs.relabel import relabel as read_decisions
    from jobs.relabel import told, write_review
    from jobs.terminal import printable
    from schemas.errors import ConfigError

    found = find_run(run)
    if (decisions is None) == (review is None):
        raise ConfigError("give DECISIONS.jsonl to read, or --review FILE.jsonl to write")
    if decisions is not None:
        typer.echo(printable(told(read_decisions(found, decisions, to)), keep="\n"))
    elif review is not None:
        count = write_review(found, review, limit, force)
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
    import json

    from rich.console import Console

    from jobs.published import find_run
    from jobs.sweep import parse_grid
    from jobs.sweep import sweep as run_sweep
    from jobs.sweep_plot import notes, sweep_table, write_plot

    rows = run_sweep(find_run(run), parse_grid(policy))
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
    from rich.console import Console

    from jobs.published import find_run
    from jobs.show import render_summary

    found = find_run(run)
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(render_summary(found.manifest, shown(str(found.path))))


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it. Default: the run's report.html."),
    ] = None,
) -> None:
    """Write a run's report.html again: one page that needs nothing else."""
    from jobs.published import find_run
    from jobs.report import write_report
    from jobs.terminal import printable

    typer.echo(printable(write_report(find_run(run).path, out)))


def list_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
) -> None:
    """List complete runs, oldest first; * marks the one in force."""
    from jobs.published import current_id, list_runs
    from jobs.terminal import printable

    output = local_path(output)
    current = current_id(output)
    runs = list_runs(output)
    if not runs:
        typer.echo("no complete run yet", err=True)
    for run in runs:
        summary = run.manifest.get("summary", {})
        negatives = sum(tier["negatives"] for tier in summary.get("tiers", {}).values())
        mark = "*" if run.run_id == current else " "
        created = printable(run.manifest.get("created", ""))
        typer.echo(
            f"{mark} {run.run_id:<24} {created:<28} {summary.get('queries', 0):>10,} queries"
            f" {negatives:>12,} negatives"
        )


def promote_command(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder that holds runs/.")],
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="The run to put in force.")],
) -> None:
    """Put a run in force: roll back, or forward again."""
    from jobs.published import current_id, promote

    output = local_path(output)
    before = current_id(output)
    run = promote(output, run_id)
    typer.echo(f"current: {run.run_id}" + (f" (was {before})" if before else ""))


def register(app: typer.Typer) -> None:
    """Mount the commands on the application."""
    app.command("export")(export)
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
