"""Command line of `export`: a run in the formats that trainers read."""

from enum import StrEnum
from typing import Annotated

import typer

from negmine.jobs.runs.published import find_run
from negmine.transforms.storage.targets import EXPORTS

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run's folder, OUTPUT (its current run) or OUTPUT:run_id."
    ),
]


class Short(StrEnum):
    """What an export of one width does with queries that have fewer than n negatives."""

    SKIP = "skip"
    REPEAT = "repeat"
    ERROR = "error"


class Positives(StrEnum):
    """Which positives of a query `export` writes."""

    ALL = "all"
    BEST = "best"


class Scale(StrEnum):
    """The scale of exported scores."""

    RAW = "raw"
    UNIT = "unit"
    STUDENT = "student"


def export(
    run: RunArgument,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="triplet, n_tuple, labeled_pair, labeled_list, bce, lists, flagembedding, "
            "flagembedding_reranker, tevatron, tevatron_v2, pylate, pylate_kd, lighton, colbert, "
            "automodel, automodel_inline, ms_swift, ms_swift_reranker, lightning_ir, msmarco, "
            "trec_run, qrels, hf.",
        ),
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="LOSS|TRAINER",
            help="MNRL, MarginMSELoss, reranker, tevatron, ...: picks format and scale.",
        ),
    ] = None,
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
    split: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="Hold back a share of the queries, as in val=0.05; near-duplicates stay together.",
        ),
    ] = None,
    scores: Annotated[
        bool, typer.Option(help="Add the judge's scores (the student's without a judge).")
    ] = False,
    scale: Annotated[
        Scale | None,
        typer.Option(
            help="Of the scores: the judge's own (logits where it gives probabilities), from 0 to "
            "1, or what a student's cosine can reach. Default: as they stand in the run."
        ),
    ] = None,
    lists: Annotated[
        bool, typer.Option("--lists", help="Teacher lists instead of the negatives.")
    ] = False,
    raw: Annotated[bool, typer.Option("--raw", help="lists: the same as --scale raw.")] = False,
    ranking: Annotated[
        bool,
        typer.Option(
            "--ranking", help="The student's own ranking instead of the negatives, for rerankers."
        ),
    ] = False,
    backfilled: Annotated[
        bool, typer.Option(help="Keep negatives that fill a tier from another's band.")
    ] = True,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            min=1,
            max=100_000,
            help="Negatives of a row (n_tuple, colbert, ...), documents of a list (--ranking), "
            "negatives of an epoch. Default: sum of quotas; 30; half of the quotas.",
        ),
    ] = None,
    short: Annotated[
        Short | None,
        typer.Option(
            help="Formats of one width: queries with fewer than n negatives. Default: skip."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Write so many files, one sample of the negatives an epoch."),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="easy_to_hard, hard_to_easy, even, or tiers' weights in the first and the last "
            "epoch, as in 'semi_hard:1 -> hard:1'. Default: easy_to_hard."
        ),
    ] = None,
    instruction: Annotated[
        str | None,
        typer.Option(
            help="For formats that have a place for one. Default: the student's query prompt."
        ),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="flagembedding: the lines' prompt. Default: --instruction.")
    ] = None,
    type: Annotated[
        str | None, typer.Option(help="flagembedding: the lines' type. Default: none.")
    ] = None,
) -> None:
    """Write a run's negatives and positives in a trainer's format."""
    from negmine.jobs.exporting.source import has_lists, source_of
    from negmine.jobs.exporting.told import tell
    from negmine.transforms.exporters import Options, for_use
    from negmine.transforms.exporters import export as write
    from negmine.transforms.exporters.reading.split import parse_split
    from negmine.transforms.kernels.folds import parse_fold

    found = find_run(run)
    options = Options(
        tiers=tuple(tier or ()),
        backfilled=backfilled,
        positives=positives.value,
        lists=lists,
        raw=raw,
        ranking=ranking,
        without_fold=parse_fold(without_fold) if without_fold is not None else None,
        split=parse_split(split) if split is not None else None,
        scores=scores,
        scale=scale.value if scale else None,
        n=n,
        short=short.value if short else None,
        epochs=epochs,
        schedule=schedule,
        instruction=instruction,
        prompt=prompt,
        type=type,
        use=use,
    )
    chosen, options = for_use(format, options, has_lists(found))
    tell(write(source_of(found), chosen, output or f"{found.output / EXPORTS}/", options))
