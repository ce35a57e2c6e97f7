"""Policies as data: each is a name and its parameters; the kernel that runs it has that name."""

from typing import Any, ClassVar, Literal

from pydantic import (
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from negmine.schemas import JsonObject
from negmine.schemas.languages import language_code
from negmine.schemas.limits import MOST_RANK, Model, Rank, Score, Weight, reason
from negmine.schemas.sources import RETRIEVING

Against = Literal["min", "mean", "max", "each"]
_AGAINST = "which of the query's positives; min is the same as below each of them"
_POSITIVES_ABOVE = (
    "share of the known positives that the judge scores at or above the threshold; an unlabelled "
    "positive is caught about as often"
)
_THRESHOLD = "on the judge's scale; null = found from the positives of the collection"
_BY_LANGUAGE = (
    "a threshold for each language of queries with 30 queries or more, from their positives alone"
)
_THRESHOLDS = "by the language of the query, in place of `threshold`; by_language fills them in"


class _Parameters(Model):
    judged: ClassVar[bool] = False
    of_student: ClassVar[bool] = False


class KnownPositive(_Parameters):
    """Drops the query's known positives. A promise: in force whatever the list says."""


class QueryItself(_Parameters):
    """Drops the query's own document: by identifier, by text, by near-duplicate. A promise."""

    jaccard: float = Field(
        0.8, gt=0, le=1, description="shingle Jaccard with the query's text at or above drops"
    )


class SameText(_Parameters):
    """Drops documents whose text is a positive's. A promise."""


class NearDuplicateOfPositive(_Parameters):
    """Drops near-duplicates of a positive."""

    jaccard: Score = Field(0.8, gt=0, description="word 3-shingle Jaccard at or above drops")
    cosine: Score = Field(0.97, gt=0, description="student cosine at or above drops")


class TranslationOfPositive(_Parameters):
    """Drops, in each language that no positive is in, the candidates nearest to a positive.

    A multilingual student puts a translation among the first few of its language, at cosines that
    differ from student to student and language to language; so places are compared.
    """

    of_student: ClassVar[bool] = True
    nearest: Rank = Field(
        5, description="of each other language, the candidates nearest to a positive that drop"
    )


class NearDuplicateOfNegative(_Parameters):
    """Skips near-duplicates of a negative already chosen for the query."""

    jaccard: Score = Field(0.8, gt=0, description="MinHash estimate at or above skips")
    cosine: Score = Field(0.97, gt=0, description="student cosine at or above skips")


class EvaluationDocument(_Parameters):
    """Drops documents that are positives of an evaluation query. A promise."""


class HubCap(_Parameters):
    """Keeps a document for the queries that rank it best, and drops it for the rest."""

    max_queries: Rank = Field(100, description="queries that may use one document")


class RankWindow(_Parameters):
    """Keeps raw ranks `min .. max` of a source; other sources' candidates pass."""

    source: str = Field(description="whose rank: bm25, dense or given")
    min: Rank = Field(1, description="first rank kept")
    max: Rank | None = Field(None, description="last rank kept; null = no limit")

    @field_validator("source")
    @classmethod
    def _ranks_its_candidates(cls, source: str) -> str:
        if source not in RETRIEVING:
            raise ValueError(
                f"{source!r:.80} is no source that ranks; there are {', '.join(RETRIEVING)}"
            )
        return source


class StudentScore(_Parameters):
    """Keeps similarities of the student inside [min, max]."""

    of_student: ClassVar[bool] = True
    min: Score | None = Field(None, description="lower similarities drop")
    max: Score | None = Field(None, description="higher similarities drop")


class StudentAbsoluteMargin(_Parameters):
    """Keeps s- <= s+ - margin of the student's similarities; no judge is asked."""

    of_student: ClassVar[bool] = True
    margin: Score = Field(0.05, description="distance below the positive's similarity")
    against: Against = Field("min", description=_AGAINST)


class StudentRelativeMargin(_Parameters):
    """Keeps s- <= s+ - margin |s+| of the student's similarities; no judge is asked."""

    of_student: ClassVar[bool] = True
    margin: Weight = Field(0.05, description="share of the positive's similarity")
    against: Against = Field("min", description=_AGAINST)


class StudentRange(_Parameters):
    """Of what the policies before it leave, skips the `min` most similar, and keeps to place `max`.

    Places are by the student's similarity; equal texts share one.
    """

    of_student: ClassVar[bool] = True
    min: int = Field(0, ge=0, le=MOST_RANK, description="places skipped")
    max: Rank | None = Field(None, description="last place kept; null = no limit")

    @model_validator(mode="after")
    def _leaves_some(self) -> "StudentRange":
        if self.max is not None and self.min >= self.max:
            raise ValueError(f"min {self.min} is not below max {self.max}, so nothing is kept")
        return self


class _Calibrated(_Parameters):
    judged: ClassVar[bool] = True
    positives_above: float = Field(0.5, gt=0, le=1, description=_POSITIVES_ABOVE)
    threshold: Score | None = Field(None, description=_THRESHOLD)
    by_language: bool = Field(False, description=_BY_LANGUAGE)
    thresholds: tuple[tuple[str, Score], ...] = Field((), description=_THRESHOLDS)

    @field_validator("thresholds", mode="before")
    @classmethod
    def _of_languages(cls, given: object) -> object:
        if isinstance(given, tuple | None):
            return given or ()
        if not isinstance(given, dict):
            raise ValueError("write a mapping from languages to scores, {de: 0.3, en: 0.5}")
        found: JsonObject = {}
        for tag, score in given.items():
            code = language_code(str(tag))
            if code is None:
                raise ValueError(f"{tag!r:.80} is no language; write a code such as de or pt")
            if code in found:
                raise ValueError(f"{tag!r:.80} is {code}, which has a threshold already")
            found[code] = score
        return tuple(sorted(found.items()))

    @field_serializer("thresholds")
    def _as_mapping(self, thresholds: tuple[tuple[str, float], ...]) -> dict[str, float]:
        return dict(thresholds)

    @model_validator(mode="after")
    def _found_or_given(self) -> "_Calibrated":
        if self.thresholds and self.threshold is None:
            raise ValueError("thresholds by language need threshold, for queries of no such one")
        found = "thresholds" in self.model_fields_set  # none where no language has queries enough
        if self.by_language and self.threshold is not None and not found:
            raise ValueError(
                "by_language finds the thresholds, and threshold gives one; leave one of them out"
            )
        return self


class SuspectedPositive(_Calibrated):
    """Sets aside, for review, what the judge rates above the query's positive and like a positive.

    Fires where s- >= s+ and s- >= the calibrated threshold; see `negmine relabel`.
    """

    against: Against = Field("max", description=_AGAINST)


class JudgeCalibratedThreshold(_Calibrated):
    """Keeps s- below a threshold read off the judge's scores of the known positives."""


class JudgeScore(_Parameters):
    """Keeps judge scores inside [min, max]."""

    judged: ClassVar[bool] = True
    min: Score | None = Field(None, description="lower scores drop")
    max: Score | None = Field(None, description="higher scores drop")


class JudgeAbsoluteMargin(_Parameters):
    """Keeps s- < s+ - margin (TopK-MarginPos, NV-Retriever, arXiv 2407.15831)."""

    judged: ClassVar[bool] = True
    margin: Score = Field(0.05, description="distance below the positive, on the judge's scale")
    against: Against = Field("min", description=_AGAINST)


class JudgeRelativeMargin(_Parameters):
    """Keeps s- < s+ - (1 - keep_below)|s+| (TopK-PercPos, NV-Retriever, made sign-safe)."""

    judged: ClassVar[bool] = True
    keep_below: Weight = Field(0.95, description="share of the positive's score")
    against: Against = Field("min", description=_AGAINST)


PARAMETERS: dict[str, type[_Parameters]] = {
    "known_positive": KnownPositive,
    "query_itself": QueryItself,
    "same_text": SameText,
    "evaluation_document": EvaluationDocument,
    "near_duplicate_of_positive": NearDuplicateOfPositive,
    "near_duplicate_of_negative": NearDuplicateOfNegative,
    "translation_of_positive": TranslationOfPositive,
    "hub_cap": HubCap,
    "rank_window": RankWindow,
    "student_score": StudentScore,
    "student_absolute_margin": StudentAbsoluteMargin,
    "student_relative_margin": StudentRelativeMargin,
    "student_range": StudentRange,
    "suspected_positive": SuspectedPositive,
    "judge_calibrated_threshold": JudgeCalibratedThreshold,
    "judge_score": JudgeScore,
    "judge_absolute_margin": JudgeAbsoluteMargin,
    "judge_relative_margin": JudgeRelativeMargin,
}


class Policy(Model):
    """One entry of the `policies` list: `{name: {parameter: value}}`."""

    name: str
    parameters: Any

    @model_validator(mode="before")
    @classmethod
    def _parse(cls, value: object) -> object:
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
            known_parameters = {} if parameters is None else parameters
            return {"name": name, "parameters": PARAMETERS[name].model_validate(known_parameters)}
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"])) or name
            known = f" (known keys: {', '.join(PARAMETERS[name].model_fields) or 'none'})"
            why = reason(first) + (known if first["type"] == "extra_forbidden" else "")
            told = {"key": f"{name}.{key}", "reason": why}
            raise PydanticCustomError("policy", "{key}: {reason}", told) from None

    @model_serializer
    def _dump(self) -> JsonObject:
        told = self.parameters.model_dump()
        # Runs made before there were these keys have the same fingerprint.
        if not told.get("by_language", True):
            del told["by_language"]
            if not told["thresholds"]:
                del told["thresholds"]
        return {self.name: told}


def needs_judge(policy: Policy) -> bool:
    """Whether the policy compares judge scores."""
    return bool(policy.parameters.judged)


def needs_calibration(policy: Policy) -> bool:
    """Whether the policy waits for a threshold from the positives of the collection."""
    return hasattr(policy.parameters, "positives_above") and policy.parameters.threshold is None


def language_keys(policy: Policy) -> list[str]:
    """The keys of a policy, with its name, that go by the languages of queries."""
    keys = ("by_language", "thresholds")
    return [f"{policy.name}.{key}" for key in keys if getattr(policy.parameters, key, None)]
