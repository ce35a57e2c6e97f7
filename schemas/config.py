"""Pydantic models of a run's YAML: every key documented, every rule checked here."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from negmine.schemas.inputs import Input
from negmine.schemas.judges import Judge
from negmine.schemas.limits import (
    MOST_DIMENSIONS,
    MOST_LISTS,
    MOST_NEGATIVES,
    MOST_SHARDS,
    MOST_WEIGHT,
    Candidates,
    Lists,
    Model,
    Score,
    Weight,
)
from negmine.schemas.policies import Policy, asked_policies, needs_judge, with_promises
from negmine.schemas.runner import Runner
from negmine.schemas.sources import SOURCES
from negmine.schemas.student import Student
from negmine.schemas.verdicts import Source

_TIER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_Shards = Annotated[int, Field(ge=1, le=MOST_SHARDS)] | Literal["auto"]


class Bm25(Model):
    """Lexical retrieval."""

    depth: Candidates = Field(100, description="candidates per query")
    method: Literal["lucene", "robertson", "atire", "okapi", "bm25l", "bm25+"] = Field(
        "lucene", description="weighting variant; okapi, bm25l, bm25+ as in rank-bm25"
    )
    k1: Weight = Field(1.2, ge=0, description="term-frequency saturation")
    b: float = Field(0.75, ge=0, le=1, description="length normalisation")
    delta: Weight = Field(0.5, ge=0, description="floor of bm25l and bm25+")
    language: str | None = Field(
        "english", description="stemmer and stop words; null = neither (PyStemmer's names)"
    )
    shards: _Shards = Field("auto", description="document shards; never the result")


class FirstPass(Model):
    """A search in fewer dimensions, whose results are scored again in all of them."""

    kind: Literal["prefix", "pca", "whitening"] = Field(
        description="prefix of a Matryoshka model's vectors, principal components, or whitened ones"
    )
    dimension: int = Field(ge=1, le=MOST_DIMENSIONS, description="dimensions of the first pass")


class Dense(Model):
    """Nearest neighbours under the student; see docs/index-types.md."""

    depth: Candidates = Field(100, description="candidates per query")
    index: str = Field(
        "flat", description="flat = exact; ivf, hnsw, ivfpq, or a FAISS factory string: approximate"
    )
    nlist: Lists | None = Field(None, description="ivf, ivfpq: lists; null = by shard size")
    nprobe: Lists | None = Field(
        None, description="ivf, ivfpq: lists searched; null = 1 in 8, 32 at least"
    )
    m: Lists | None = Field(
        None, description="hnsw: links, null = 32; ivfpq: bytes a vector, null = dimension/4"
    )
    ef_construction: Lists | None = Field(None, description="hnsw: null = 80")
    ef_search: Lists | None = Field(None, description="hnsw: null = twice the depth")
    first_pass: FirstPass | None = Field(None, description="flat: search in fewer dimensions first")
    over_fetch: Weight | None = Field(
        None, ge=1, description="documents scored in full, in depths; null = 1, 4 where compressed"
    )
    min_recall: float | None = Field(
        None, ge=0, le=1, description="lowest recall allowed; null = 0.99 of a first pass, else 0.9"
    )
    shards: _Shards = Field(
        "auto", description="document shards; only approximate results depend on them"
    )

    @property
    def exact(self) -> bool:
        """Whether the result is that of comparing every query with every document."""
        return self.index == "flat" and self.first_pass is None

    @field_validator("index")
    @classmethod
    def _known_index(cls, index: str) -> str:
        if index in {"flat", "ivf", "hnsw", "ivfpq"}:
            return index
        import faiss

        many_factors = 15_360
        largest = max((int(number) for number in re.findall(r"\d+", index[:200])), default=0)
        if largest > MOST_LISTS:
            raise ValueError(f"{largest} is over {MOST_LISTS:,}, the most of anything in an index")
        try:
            faiss.index_factory(many_factors, index, faiss.METRIC_INNER_PRODUCT)
        except RuntimeError:
            raise ValueError(
                "neither flat, ivf, hnsw, ivfpq nor a FAISS factory string for inner products, "
                "such as IVF1024,PQ32x8"
            ) from None
        return index

    @model_validator(mode="after")
    def _settings_have_an_effect(self) -> "Dense":
        lists = self.index == "ivfpq" or "ivf" in self.index.lower()
        graph = "hnsw" in self.index.lower()
        used = {
            "nlist": self.index in {"ivf", "ivfpq"},
            "nprobe": lists,
            "m": self.index in {"hnsw", "ivfpq"},
            "ef_construction": graph,
            "ef_search": graph,
            "first_pass": self.index == "flat",
            "over_fetch": not self.exact,
            "min_recall": not self.exact,
        }
        for name, has_effect in used.items():
            if getattr(self, name) is not None and not has_effect:
                raise ValueError(
                    f"{name} has no effect with index {self.index}; remove one of both"
                )
        return self


class Random(Model):
    """Uniform documents, without replacement, by keyed hash."""

    count: Candidates = Field(20, description="candidates per query")


class Given(Model):
    """Candidates that somebody else retrieved."""

    path: str = Field(description="Parquet or JSONL of candidates; file, folder or glob")
    query_column: str = Field("query_id", description="the query's identifier")
    document_column: str = Field("doc_id", description="the document's identifier")
    rank_column: str = Field("rank", description="rank from 1; the best of a pair's rows counts")


class Sources(Model):
    """Where candidates come from; null turns a source off."""

    bm25: Bm25 | None = Field(Bm25(), description="lexical retrieval")
    dense: Dense | None = Field(Dense(), description="nearest neighbours under the student")
    random: Random | None = Field(Random(), description="uniform documents")
    given: Given | None = Field(None, description="candidates that somebody else retrieved")

    @model_validator(mode="after")
    def _some(self) -> "Sources":
        if not self.on():
            raise ValueError(f"no source is on; set at least one of {', '.join(Source)}")
        return self

    def on(self) -> dict[Source, Any]:
        """The settings of each source that is on, in the order of `Source`."""
        settings = {source: getattr(self, source) for source in Source}
        return {source: value for source, value in settings.items() if value is not None}

    def most_candidates(self, unbounded: int) -> int:
        """Candidates of a query when no two sources agree.

        `unbounded` is what sources give whose number no setting bounds.
        """
        bounds = [(SOURCES[source].bound, value) for source, value in self.on().items()]
        return sum(unbounded if key is None else getattr(value, key) for key, value in bounds)


class Sampling(Model):
    """In which order the candidates of a band are tried."""

    method: Literal[
        "contrast", "top", "uniform", "softmax", "simans", "trisampler", "mmr", "log_det"
    ] = Field("contrast", description="see docs/sampling.md; random methods draw by keyed hash")
    lexical_weight: Weight = Field(
        0.1, description="contrast: weight of BM25; higher keeps negatives that share more words"
    )
    temperature: Weight = Field(
        0.05, ge=1 / MOST_WEIGHT, description="softmax: of the student's similarity"
    )
    simans_a: Weight = Field(0.5, gt=0, description="simans: sharpness, on z-scores")
    simans_b: Weight = Field(0.0, description="simans: target below the positive, on z-scores")
    diversity: float = Field(
        0.5, ge=0, le=1, description="mmr, log_det: 0 = most similar only, 1 = most diverse only"
    )


class Tier(Model):
    """A band of the student's similarity relative to the positive's, with a quota."""

    quota: int = Field(ge=0, le=MOST_NEGATIVES, description="negatives per query")
    min_ratio: Score | None = Field(None, description="lowest s-/s+ of the band, inclusive")
    max_ratio: Score | None = Field(None, description="highest s-/s+ of the band, exclusive")
    source: str | None = Field(None, description="only candidates that this source returned")
    sampling: Sampling | None = Field(None, description="null = the run's own")

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str | None) -> str | None:
        if source is not None and source not in SOURCES:
            raise ValueError(f"there is no such source; there are {', '.join(Source)}")
        return source

    @model_validator(mode="after")
    def _ordered(self) -> "Tier":
        low, high = self.min_ratio, self.max_ratio
        if low is not None and high is not None and low >= high:
            raise ValueError(f"min_ratio {low} is not below max_ratio {high}")
        return self


class Output(Model):
    """Where the run goes."""

    path: str = Field("out", description="folder that holds runs/, current and the work directory")
    run_id: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="folder under runs/; null = UTC date and time",
    )
    texts: Literal["inline", "ids_only"] = Field("inline", description="texts in the negatives")
    workdir: str | None = Field(None, description="stage outputs; null = <path>/work")


Tiers = Annotated[dict[str, Tier], Field(min_length=1)]


class Config(Model):
    """A whole run."""

    input: Input = Field(description="the collection to mine")
    student: Student = Field(Student(), description="the embedding model to be trained")
    sources: Sources = Field(Sources(), description="where candidates come from")
    judge: Judge = Field(Judge(), description="the teacher that says how safe a negative is")
    policies: tuple[Policy, ...] | None = Field(
        None,
        description="in order; the first that fires is the verdict; null = the defaults; a list "
        "replaces them, a mapping changes them by name; the promises come first whatever it says",
    )
    tiers: Tiers = Field(
        {
            "hard": Tier(quota=3, min_ratio=0.8),
            "semi_hard": Tier(quota=3, min_ratio=0.5, max_ratio=0.8),
            "random": Tier(quota=2, source="random"),
        },
        description="ordered bands; a candidate belongs to the first that takes it",
    )
    sampling: Sampling = Field(Sampling(), description="order of choice within a band")
    runner: Runner = Field(Runner(), description="which Beam runner, and how the work is cut")
    output: Output = Field(Output(), description="where the run goes")
    seed: int = Field(42, ge=0, lt=2**63, description="keys every random choice")

    @model_validator(mode="before")
    @classmethod
    def _default_policies(cls, values: Any) -> Any:
        if isinstance(values, dict):
            judge = values.get("judge") or {}
            kind = judge.get("kind") if isinstance(judge, dict) else getattr(judge, "kind", None)
            policies = asked_policies(values.get("policies"), kind != "none")
            values = {**values, "policies": policies}
        return values

    @field_validator("policies")
    @classmethod
    def _keep_promises(cls, policies: tuple[Policy, ...] | None) -> tuple[Policy, ...]:
        return with_promises(policies or ())

    @model_validator(mode="after")
    def _tokens_have_an_encoder(self) -> "Config":
        for judge in self.judge.flat() if self.student.vectors else ():
            if judge.kind in {"fusion", "late_interaction"} and judge.model is None:
                raise ValueError(
                    f"judge.kind {judge.kind} takes token vectors from the student's model, and "
                    "student.vectors stands in for it; name an encoder as judge.model "
                    "(all-MiniLM-L6-v2 needs no download) or choose another judge.kind"
                )
        return self

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        for policy in self.policies or ():
            if self.judge.kind == "none" and needs_judge(policy):
                raise ValueError(
                    f"policy {policy.name} compares judge scores, and judge.kind is none; "
                    "remove the policy or choose a judge"
                )
        folded: dict[str, str] = {}
        for name, tier in self.tiers.items():
            if not _TIER_NAME.fullmatch(name) or name == _NULL_PARTITION:
                raise ValueError(
                    f"tier {name!r:.80} names a folder: use up to 64 letters a-z, digits and "
                    "underscores, a letter first"
                )
            if folded.setdefault(name.lower(), name) != name:
                raise ValueError(
                    f"tiers {folded[name.lower()]} and {name} differ in case only, and some file "
                    "systems take them for one folder"
                )
            if tier.source and getattr(self.sources, tier.source) is None:
                raise ValueError(f"tier {name} wants source {tier.source}, and it is off")
        if not any(tier.quota for tier in self.tiers.values()):
            raise ValueError("every tier has quota 0, so nothing would be mined")
        return self
