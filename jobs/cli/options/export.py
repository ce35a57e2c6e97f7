"""The options of `export`."""

from enum import StrEnum
from typing import Annotated

import typer


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


Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        help="triplet, n_tuple, labeled_pair, labeled_list, bce, lists, flagembedding, "
        "flagembedding_reranker, tevatron, tevatron_v2, pylate, pylate_kd, lighton, colbert, "
        "automodel, automodel_inline, ms_swift, ms_swift_reranker, lightning_ir, msmarco, "
        "trec_run, qrels, hf.",
    ),
]
Use = Annotated[
    str | None,
    typer.Option(
        "--for",
        metavar="LOSS|TRAINER",
        help="MNRL, MarginMSELoss, reranker, tevatron, ...: picks format and scale.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE|DIR|-",
        help="A .parquet, .jsonl or .csv file (the last two also .gz, .zst), a folder, or -, "
        "standard output, for JSON lines. Default: OUTPUT/exports/.",
    ),
]
WhichPositives = Annotated[
    Positives, typer.Option(help="Every positive of a query, or its best one.")
]
Tiers = Annotated[
    list[str] | None, typer.Option(help="Only this tier; repeat for more. Default: all.")
]
WithoutFold = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        help="Leave out the queries of fold I of N, for a model that will judge them.",
    ),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME=SHARE",
        help="Hold back a share of the queries, as in val=0.05; near-duplicates stay together.",
    ),
]
Scores = Annotated[
    bool, typer.Option(help="Add the judge's scores (the student's without a judge).")
]
ScoreScale = Annotated[
    Scale | None,
    typer.Option(
        help="Of the scores: the judge's own (logits where it gives probabilities), from 0 to "
        "1, or what a student's cosine can reach. Default: as they stand in the run."
    ),
]
Lists = Annotated[bool, typer.Option("--lists", help="Teacher lists instead of the negatives.")]
Raw = Annotated[bool, typer.Option("--raw", help="lists: the same as --scale raw.")]
Ranking = Annotated[
    bool,
    typer.Option(
        "--ranking", help="The student's own ranking instead of the negatives, for rerankers."
    ),
]
Backfilled = Annotated[
    bool, typer.Option(help="Keep negatives that fill a tier from another's band.")
]
Count = Annotated[
    int | None,
    typer.Option(
        "--n",
        min=1,
        max=100_000,
        help="Negatives of a row (n_tuple, colbert, ...), documents of a list (--ranking), "
        "negatives of an epoch. Default: sum of quotas; 30; half of the quotas.",
    ),
]
ShortQueries = Annotated[
    Short | None,
    typer.Option(help="Formats of one width: queries with fewer than n negatives. Default: skip."),
]
Epochs = Annotated[
    int | None,
    typer.Option(min=1, help="Write so many files, one sample of the negatives an epoch."),
]
Schedule = Annotated[
    str | None,
    typer.Option(
        help="easy_to_hard, hard_to_easy, even, or tiers' weights in the first and the last "
        "epoch, as in 'semi_hard:1 -> hard:1'. Default: easy_to_hard."
    ),
]
Instruction = Annotated[
    str | None,
    typer.Option(
        help="For formats that have a place for one. Default: the student's query prompt."
    ),
]
Prompt = Annotated[
    str | None, typer.Option(help="flagembedding: the lines' prompt. Default: --instruction.")
]
Type = Annotated[str | None, typer.Option(help="flagembedding: the lines' type. Default: none.")]
