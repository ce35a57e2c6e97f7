"""The sources of candidates: the settings and the facts of each, in one list for every part."""

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import Field, model_validator

from negmine.schemas.limits import MOST_JUDGES, MOST_LISTS, MOST_RANK, Candidates, Lists, Model
from negmine.schemas.retrieval import OF_LANGUAGES, Bm25, Dense, Languages
from negmine.schemas.verdicts import Source


class Random(Model):
    """Documents drawn without replacement, by keyed hash."""

    count: Candidates = Field(20, description="candidates per query")
    weight: Literal["uniform", "hubs", "no_hubs"] = Field(
        "uniform",
        description="hubs = the likelier, the more queries dense finds a document for: 1 + how "
        "many; no_hubs = the inverse",
    )
    languages: Languages = Field("any", description=OF_LANGUAGES)

    @model_validator(mode="after")
    def _one_rule(self) -> "Random":
        if self.languages != "any" and self.weight != "uniform":
            raise ValueError("weight and languages are not put together; set one of them alone")
        return self


class Given(Model):
    """Candidates that somebody else retrieved."""

    path: str = Field(description="Parquet or JSONL of candidates; file, folder or glob")
    query_column: str = Field("query_id", description="the query's identifier")
    document_column: str = Field("doc_id", description="the document's identifier")
    rank_column: str = Field("rank", description="rank from 1; the best of a pair's rows counts")


class SameDocument(Model):
    """Other passages of the positives' documents, none that is near to a positive."""

    count: Candidates = Field(10, description="candidates per query")
    window: int = Field(
        2, ge=0, le=MOST_RANK, description="passages on each side of a positive that are left out"
    )


class Cluster(Model):
    """Documents of the positives' clusters of the student's vectors."""

    count: Candidates = Field(10, description="candidates per query")
    clusters: Lists | None = Field(
        None, description="how many there are; null = one for 100 documents, 1,024 at most"
    )
    nearest: int = Field(
        1, ge=1, le=MOST_LISTS, description="clusters to draw from: the positive's, then those next"
    )


class Memory(Model):
    """Negatives of earlier runs that are still in the corpus."""

    runs: tuple[str, ...] = Field(
        min_length=1,
        max_length=MOST_JUDGES,
        description="the newest first, each as OUTPUT (its current run), OUTPUT:RUN_ID or folder",
    )
    count: Candidates = Field(10, description="candidates per query")
    decay: float = Field(
        0.5, gt=0, le=1, description="weight of a run's negatives next to those of the run before"
    )


Operation = Literal[
    "number",
    "date",
    "entity",
    "negation",
    "antonym",
    "argument_order",
    "operator",
    "comparison",
    "identifier",
    "literal",
]
"""What may be done to a positive so that it no longer answers, see docs/edited.md."""


class Edited(Model):
    """Positives that a stated edit has made false, as documents of their own."""

    count: Candidates = Field(4, description="edits of a query's positives, at most")
    operations: tuple[Operation, ...] = Field(
        get_args(Operation), min_length=1, description="what may be done; see docs/edited.md"
    )
    probes: int = Field(
        256, ge=0, le=MOST_RANK, description="queries, about, whose positives are probed"
    )
    judged: bool = Field(
        False, description="whether the judge's policies may drop an edit; else it counts as known"
    )


@dataclass(frozen=True)
class SourceFacts:
    """What a part needs to know of a source without knowing which it is.

    Attributes:
        rank: what a candidate's rank is.
        retrieving: its candidates are near the query, and the better the lower their rank; else
            ranks are mere numbers.
        in_own_order: a tier of this source takes candidates in the order of their ranks, unless it
            has a sampling of its own.
        made: its candidates are made from positives and are in no corpus: only a tier of this
            source takes them, and being near to a positive speaks against none.
        bound: key of the source's config that bounds the candidates of a query; None where only
            its files tell.
        advice: what to look at where it finds nothing for many queries; empty where it always
            finds something.
    """

    rank: str
    retrieving: bool = True
    in_own_order: bool = False
    made: bool = False
    bound: str | None = "depth"
    advice: str = ""


_RETURNED = "where that source returned it"
SOURCES: dict[Source, SourceFacts] = {
    Source.BM25: SourceFacts(
        f"BM25 rank from 1, {_RETURNED}",
        advice="See whether queries and documents are in one language, and whether "
        "sources.bm25.language fits it; null keeps words as they are.",
    ),
    Source.DENSE: SourceFacts(
        f"dense rank from 1, {_RETURNED}",
        advice="See whether the student's vectors are zero for many texts.",
    ),
    Source.RANDOM: SourceFacts(
        f"draw from 1, {_RETURNED}", retrieving=False, in_own_order=True, bound="count"
    ),
    Source.GIVEN: SourceFacts(
        "rank from 1 in the list that was given",
        in_own_order=True,
        bound=None,
        advice="See whether sources.given.path holds these queries, with identifiers as in the "
        "input.",
    ),
    Source.SAME_DOCUMENT: SourceFacts(
        f"place by likeness in length to the positive, from 1, {_RETURNED}",
        retrieving=False,
        in_own_order=True,
        bound="count",
        advice="It needs passages whose document and place are known: input.doc_group and "
        "doc_place, identifiers <document>#<n>, or input.passages.",
    ),
    Source.CLUSTER: SourceFacts(
        f"draw from the positive's cluster, from 1, {_RETURNED}",
        retrieving=False,
        in_own_order=True,
        bound="count",
        advice="Fewer sources.cluster.clusters are larger ones.",
    ),
    Source.MEMORY: SourceFacts(
        f"draw from earlier runs' negatives, from 1, {_RETURNED}",
        retrieving=False,
        in_own_order=True,
        bound="count",
        advice="See whether sources.memory.runs mined these queries, and whether their documents "
        "have the identifiers and texts of this corpus.",
    ),
    Source.EDITED: SourceFacts(
        f"place among the query's edits from 1, {_RETURNED}",
        retrieving=False,
        in_own_order=True,
        made=True,
        bound="count",
    ),
}

RETRIEVING = tuple(source for source, facts in SOURCES.items() if facts.retrieving)
"""Sources whose candidates are near the query; random documents are not."""

IN_OWN_ORDER = tuple(source for source, facts in SOURCES.items() if facts.in_own_order)
"""Sources whose tiers take candidates in the order of their ranks."""

MADE = tuple(source for source, facts in SOURCES.items() if facts.made)
"""Sources whose candidates are made from positives."""


class Sources(Model):
    """Where candidates come from; null turns a source off."""

    bm25: Bm25 | None = Field(Bm25(), description="lexical retrieval")
    dense: Dense | None = Field(Dense(), description="nearest neighbours under the student")
    random: Random | None = Field(Random(), description="random documents")
    given: Given | None = Field(None, description="candidates that somebody else retrieved")
    same_document: SameDocument | None = Field(
        None, description="other passages of the positives' documents"
    )
    cluster: Cluster | None = Field(None, description="documents of the positives' clusters")
    memory: Memory | None = Field(None, description="negatives of earlier runs")
    edited: Edited | None = Field(None, description="positives made false by an edit")

    @model_validator(mode="after")
    def _some(self) -> "Sources":
        if not self.on():
            raise ValueError(f"no source is on; set at least one of {', '.join(Source)}")
        return self

    @model_validator(mode="after")
    def _hubs_are_known(self) -> "Sources":
        if self.random and self.random.weight != "uniform" and not self.dense:
            raise ValueError(
                f"random.weight {self.random.weight} counts what dense finds, and dense is off; "
                "set weight: uniform, or turn dense on"
            )
        return self

    def on(self) -> dict[Source, Model]:
        """The settings of each source that is on, in the order of `Source`."""
        settings = {source: getattr(self, source) for source in Source}
        return {source: value for source, value in settings.items() if value is not None}

    def most_candidates(self, unbounded: int) -> int:
        """Candidates of a query when no two sources agree.

        `unbounded` is what sources give whose number no setting bounds.
        """
        bounds = [(SOURCES[source].bound, value) for source, value in self.on().items()]
        return sum(unbounded if key is None else getattr(value, key) for key, value in bounds)
