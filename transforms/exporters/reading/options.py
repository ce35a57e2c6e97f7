"""What exporters are given: a published run, and what of it to export."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Scale = Literal["raw", "unit", "student"]


@dataclass(frozen=True)
class Source:
    """A published run, as an exporter needs it.

    `quotas` are negatives per query by tier, hardest tier first. `documents` and `queries` are
    the ingested data sets, needed only where the run holds no texts; `no_texts` says why they
    are missing. `outputs` are folders in which nothing but exports/ is written; `input` is what
    the manifest counts of the input, for the report. `seed` keys all draws. `probabilities` says
    whether the judge gives them, `teacher` is the scale that the manifest has for teacher lists,
    `query_prompt` and `document_prompt` are the student's; `about` is told on a data set's card.
    """

    run: Path
    run_id: str
    quotas: dict[str, int]
    documents: Path | None = None
    queries: Path | None = None
    no_texts: str = ""
    outputs: tuple[Path, ...] = ()
    input: Mapping[str, object] = field(default_factory=dict)
    seed: int = 42
    probabilities: bool = False
    teacher: Mapping[str, object] | None = None
    query_prompt: str = ""
    document_prompt: str = ""
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """What to export. Formats say by `OPTIONS` which of `scores` and those after it they take.

    `tiers`: which, all when empty; the run's order is kept. `backfilled`: negatives that fill a
    tier from another tier's band. `positives`: all of a query, or its best alone. `without_fold`:
    leave out the queries of a fold (from 0) of so many. `lists`: teacher lists instead of
    negatives; `raw`: with the judge's own scores, not those on the student's scale. `ranking`: the
    student's own ranking instead of the negatives. `scale`: of the scores, null = as they stand in
    the run. `split`: name and share of the queries that are held back. `epochs`, `schedule`: one
    sample an epoch, see `parts.Curriculum`. `scores`: teacher scores too. `n`: how many negatives
    (of n-tuples the width), null = the usual number. `short`: what to do with queries that have
    fewer, null = skip. `prompt`, `type`: FlagEmbedding's fields. `instruction`: for formats that
    have a place for one, null = the student's prompt for queries. `use`: the loss or trainer that
    it is for.
    """

    tiers: tuple[str, ...] = ()
    backfilled: bool = True
    positives: Literal["all", "best"] = "all"
    without_fold: tuple[int, int] | None = None
    lists: bool = False
    raw: bool = False
    ranking: bool = False
    scale: Scale | None = None
    split: tuple[str, float] | None = None
    epochs: int | None = None
    schedule: str | None = None
    scores: bool = False
    n: int | None = None
    short: Literal["skip", "repeat", "error"] | None = None
    prompt: str | None = None
    type: str | None = None
    instruction: str | None = None
    use: str | None = None
