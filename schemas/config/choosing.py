"""The sections of choosing: order, bands, weights and teacher lists."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from negmine.schemas.limits import (
    LEAST_LIST,
    MOST_LIST,
    MOST_NEGATIVES,
    MOST_WEIGHT,
    Model,
    Score,
    Weight,
)
from negmine.schemas.sources import SOURCES
from negmine.schemas.verdicts import Source


class Sampling(Model):
    """In which order the candidates of a band are tried."""

    method: Literal[
        "fused", "contrast", "top", "uniform", "softmax", "simans", "trisampler", "mmr", "log_det"
    ] = Field("fused", description="see docs/sampling.md; random methods draw by keyed hash")
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


class Weighting(Model):
    """What each chosen negative counts in the loss."""

    method: Literal["none", "inverse_propensity", "focal", "true_negative"] = Field(
        "none", description="see docs/weights.md; none = 1 for every negative"
    )
    gamma: Weight = Field(2.0, ge=0, description="focal: power; 0 = all alike")
    temperature: Weight = Field(
        0.05, ge=1 / MOST_WEIGHT, description="focal: of the student's similarity"
    )
    positives: bool = Field(
        False, description="pair_weight of each positive, by its ratio margin: docs/pairs.md"
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


class Lists(Model):
    """Lists for distillation: documents of a query across the whole range, all judged."""

    size: int = Field(
        16, ge=LEAST_LIST, le=MOST_LIST, description="documents of a query, positives among them"
    )
