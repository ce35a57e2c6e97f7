"""Command line of `export`: a run in the formats that trainers read."""

from enum import StrEnum
from typing import Annotated

import typer

from negmine.jobs.runs.published import find_run
from negmine.jobs.terminal import printable
from negmine.transforms.storage.targets import EXPORTS

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's folder, OUTPUT (its current run) or OUTPUT:run_id."
    ),
]


class Short(StrEnum):
    """What an n-tuple export does with queries that have fewer than n negatives."""

    SKIP = "skip"
    REPEAT = "repeat"
    ERROR = "error"


class Positives(StrEnum):
    """Which positives of a query `export` writes."""

    ALL = "all"
    BEST = "best"


def export(
    run: RunArgument,
    format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="The trainer's: triplet, n_tuple, flagembedding, lists, ..."
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A .parquet, .jsonl or .csv file (the last two also .gz, .zst), a folder, or -, "
            "standard output, for JSON lines. Default: OUTPUT/exports/.",
        ),
    ] = None,
    positives: Annotated[
        Positives, typer.Option(help="Every positive of a query, or its best one.")
    ] = Positives.ALL,
    tier: Annotated[
        list[str] | None, typer.Option(help="Only this tier; repeat for more. Default: all.")
    ] = None,
    without_fold: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Leave out the queries of fold I of N, for a model that will judge them.",
        ),
    ] = None,
    scores: Annotated[
        bool, typer.Option(help="Add the judge's scores (the student's without a judge).")
    ] = False,
    lists: Annotated[
        bool, typer.Option("--lists", help="Teacher lists instead of the negatives.")
    ] = False,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", help="lists: the judge's own logits or scores, not on a cosine's scale."
        ),
    ] = False,
    backfilled: Annotated[
        bool, typer.Option(help="Keep negatives that fill a tier from another's band.")
    ] = True,
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, max=100_000, help="n_tuple: width. Default: sum of quotas."),
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
    from negmine.transforms.exporters import Options, Source
    from negmine.transforms.exporters import export as write
    from negmine.transforms.kernels.folds import parse_fold

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
        outputs=found.kept,
        input=found.manifest.get("summary", {}).get("input", {}),
    )
    options = Options(
        tiers=tuple(tier or ()),
        backfilled=backfilled,
        positives=positives.value,
        lists=lists,
        raw=raw,
        without_fold=parse_fold(without_fold) if without_fold is not None else None,
        scores=scores,
        n=n,
        short=short.value if short else None,
        prompt=prompt,
        type=type,
    )
    report = write(source, format, output or f"{found.output / EXPORTS}/", options)
    piped = report.path is None
    if not piped:
        typer.echo(printable(report.path))
    of = f"tiers {printable(', '.join(report.tiers))}" if report.tiers else "teacher lists"
    typer.echo(f"{report.rows:,} rows, {of}", err=piped)
    typer.echo(report.queries.told("queries"), err=piped)
    typer.echo(report.positives.told("positives"), err=piped)
    if report.details.get("repeated"):
        typer.echo(f"{report.details['repeated']:,} queries filled by repeating", err=True)
    if report.scores:
        typer.echo(f"scores: {report.scores}", err=piped)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
