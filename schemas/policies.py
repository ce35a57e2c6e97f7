"""Policies as data: each is a name and its parameters; the kernel that runs it has that name."""

from typing import Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)

Against = Literal["min", "mean", "max"]


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    judged: ClassVar[bool] = False


class KnownPositive(_Parameters):
    """Drops the query's known positives. Always enforced, listed or not."""


class SameText(_Parameters):
    """Drops documents whose normalised text is a positive's or the query's. Always enforced."""


class NearDuplicateOfPositive(_Parameters):
    """Drops near-duplicates of a positive."""

    jaccard: float = Field(0.8, gt=0, description="word 3-shingle Jaccard at or above drops")
    cosine: float = Field(0.97, gt=0, description="student cosine at or above drops")


class RankWindow(_Parameters):
    """Keeps raw ranks `min .. max` of a source; other sources' candidates pass."""

    source: Literal["bm25", "dense"] = Field(description="whose rank")
    min: int = Field(1, ge=1, description="first rank kept")
    max: int | None = Field(None, ge=1, description="last rank kept; null = no limit")


class JudgeScore(_Parameters):
    """Keeps judge scores inside [min, max]."""

    judged: ClassVar[bool] = True
    min: float | None = Field(None, description="lower scores drop")
    max: float | None = Field(None, description="higher scores drop")


class JudgeAbsoluteMargin(_Parameters):
    """Keeps s- < s+ - margin (TopK-MarginPos, NV-Retriever, arXiv 2407.15831)."""

    judged: ClassVar[bool] = True
    margin: float = Field(0.05, description="distance below the positive, on the judge's scale")
    against: Against = Field("min", description="which of the query's positives")


class JudgeRelativeMargin(_Parameters):
    """Keeps s- < s+ - (1 - keep_below)|s+| (TopK-PercPos, NV-Retriever, made sign-safe)."""

    judged: ClassVar[bool] = True
    keep_below: float = Field(0.95, description="share of the positive's score")
    against: Against = Field("min", description="which of the query's positives")


PARAMETERS: dict[str, type[_Parameters]] = {
    "known_positive": KnownPositive,
    "same_text": SameText,
    "near_duplicate_of_positive": NearDuplicateOfPositive,
    "rank_window": RankWindow,
    "judge_score": JudgeScore,
    "judge_absolute_margin": JudgeAbsoluteMargin,
    "judge_relative_margin": JudgeRelativeMargin,
}


class Policy(BaseModel):
    """One entry of the `policies` list: `{name: {parameter: value}}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    parameters: Any

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        if isinstance(value, Policy):
            return {"name": value.name, "parameters": value.parameters}
        if isinstance(value, str):
            value = {value: {}}
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError("write a policy as one name with its parameters, {name: {...}}")
        (name, parameters), *_ = value.items()
        if name not in PARAMETERS:
            raise ValueError(f"unknown policy {name!r}; known: {', '.join(PARAMETERS)}")
        try:
            return {"name": name, "parameters": PARAMETERS[name].model_validate(parameters or {})}
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or name
            known = ", ".join(PARAMETERS[name].model_fields) or "none"
            raise ValueError(f"{name}.{key}: {first['msg']} (known keys: {known})") from None

    @model_serializer
    def _dump(self) -> dict[str, Any]:
        return {self.name: self.parameters.model_dump()}


def needs_judge(policy: Policy) -> bool:
    """Whether the policy compares judge scores."""
    return bool(policy.parameters.judged)
