"""The options of `audit`."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[
    list[str], typer.Argument(metavar="FILE...", help="Files of negatives, or folders of them.")
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="Theirs, by the name that export gives it: triplet, n_tuple, flagembedding, ...",
    ),
]
Corpus = Annotated[
    str | None, typer.Option(metavar="PATH", help="Documents: gives texts their identifiers.")
]
Qrels = Annotated[
    str | None, typer.Option(metavar="PATH", help="Judgements: further known positives.")
]
Queries = Annotated[
    str | None, typer.Option(metavar="PATH", help="Queries: whom the judgements are about.")
]
Student = Annotated[str | None, typer.Option(metavar="MODEL", help="Override student.model.")]
Judge = Annotated[
    str, typer.Option(metavar="KIND", help="Who suspects false negatives; none = nobody.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the run; repeatable."),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="DIR", help="Where the run is published.")
]
Fix = Annotated[
    Path | None,
    typer.Option(metavar="OUT", help="Write a copy without certain defects, and what went."),
]
FixSuspected = Annotated[
    bool, typer.Option("--fix-suspected", help="--fix: suspected positives go too.")
]
KeepShort = Annotated[
    bool, typer.Option("--keep-short", help="--fix, n_tuple: keep short rows, filled by null.")
]
HubShare = Annotated[
    float,
    typer.Option(min=0, max=1, help="A hub is a negative of this share of queries (10 at least)."),
]
Passages = Annotated[
    int | None,
    typer.Option(
        "--n-passages",
        min=2,
        max=100_000,
        metavar="N",
        help="Rows need a positive and N - 1 different good negatives.",
    ),
]
LabelAbove = Annotated[
    float | None,
    typer.Option(
        "--label-above",
        metavar="X",
        help="Labelled pairs and lists: a document with more is a positive.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where there is a defect.")]
