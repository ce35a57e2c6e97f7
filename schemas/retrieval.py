"""The two searches among the sources of candidates: their settings, BM25's and the vectors'."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from negmine.schemas.limits import (
    MOST_DIMENSIONS,
    MOST_LISTS,
    MOST_SHARDS,
    Candidates,
    Lists,
    Model,
    Weight,
)

Languages = Literal["any", "same", "other", "both"]
OF_LANGUAGES = (
    "of which documents: any, same = in the query's language, other = in others, both = half of "
    "each, see docs/languages.md"
)
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
        "english",
        description="stemmer and stop words; null = neither (PyStemmer's names); auto = each "
        "document's and query's own language",
    )
    languages: Languages = Field("any", description=OF_LANGUAGES)
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
    languages: Languages = Field("any", description=OF_LANGUAGES)
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
        if self.languages != "any" and not self.exact:
            raise ValueError(
                f"languages: {self.languages} is searched exactly; set index: flat and no "
                "first_pass, or languages: any"
            )
        for name, has_effect in used.items():
            if getattr(self, name) is not None and not has_effect:
                raise ValueError(
                    f"{name} has no effect with index {self.index}; remove one of both"
                )
        return self
