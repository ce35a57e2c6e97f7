"""The manifest of a published run: the second contract beside the Parquet, with a version.

`manifest.schema.json` beside this is its JSON Schema, by which commands check a manifest that they
read; a test holds it to these models.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from negmine.schemas import JsonObject

MANIFEST_VERSION = 2
"""Raised when a key goes or means something else. Manifests of the first build have none: 1."""

Number = StrictInt | StrictFloat
Score = Number | None
Counts = dict[str, StrictInt]


class _Part(BaseModel):
    """Part of a manifest; keys that are not listed are kept, and nobody reads them."""

    model_config = ConfigDict(extra="allow")


class TierSummary(_Part):
    """What a tier holds."""

    negatives: StrictInt
    backfilled: StrictInt
    queries_short: StrictInt
    sources: Counts = Field(description="negatives by source; sources overlap")


class Eci(_Part):
    """ECI and its parts of all negatives, and by tier."""

    overall: dict[str, Score]
    tiers: dict[str, dict[str, Score]]


class Calibration(_Part):
    """What a threshold calibrated on a share of the known positives would drop."""

    positives_above: StrictStr
    threshold: Score
    candidates_dropped: StrictInt
    candidates_scored: StrictInt


class TeacherLists(_Part):
    """What the teacher lists hold, and what their teacher is worth."""

    rows: StrictInt
    queries: StrictInt
    positives: StrictInt
    shortest: StrictInt = Field(description="documents of the shortest list")
    cut_off: StrictInt = Field(description="scores that lay beyond -1 or 1 on the scale")
    scale: dict[str, StrictStr | Score] = Field(
        description="slope, intercept, and what they are by"
    )
    judge_against_student: dict[str, Score] | None = Field(
        description="nDCG@10 of the known positives by each, and the difference with its interval"
    )


class Estimate(_Part):
    """A metric of the whole run and its 95 % interval."""

    value: Score
    low: Score
    high: Score


class Summary(_Part):
    """Counts of the run's own Parquet, as `negmine show` prints them."""

    tiers: dict[str, TierSummary]
    verdicts: Counts
    judge: Counts = Field(description="pairs_scored, pairs_total")
    calibration: list[Calibration]
    eci: Eci
    expected_gain: Estimate | None = Field(None, description="null where no judge scored")
    unlabelled_positives: Estimate | None = Field(None, description="null where not all are scored")
    queries: StrictInt
    queries_short: StrictInt
    documents: StrictInt
    positives: StrictInt
    rows: Counts = Field(description="of data sets without a partition")
    input: dict[str, StrictInt | Counts] = Field(description="where judgements of the input went")
    positives_that_are_the_query: StrictInt
    dead_letters: StrictInt
    evaluation_queries: StrictInt
    merged_queries: StrictInt
    queries_without_positives: StrictInt
    repeated_rows: StrictInt
    zero_vectors: Counts
    lists: TeacherLists | None = Field(None, description="where config.lists is set")


class TierSettings(_Part):
    """A tier of the config."""

    quota: StrictInt


class OutputSettings(_Part):
    """Where the run went."""

    workdir: StrictStr | None = Field(description="relative to the output folder, or a URL")


class JudgeSettings(_Part):
    """The judge of the config."""

    kind: StrictStr


class ConfigSettings(_Part):
    """The resolved config, absolute paths cut to their last name."""

    tiers: dict[str, TierSettings]
    output: OutputSettings
    judge: JudgeSettings
    student: JsonObject
    sampling: JsonObject
    policies: list[JsonObject]


class PartFile(_Part):
    """A file of the run."""

    bytes: StrictInt
    sha256: StrictStr


class Timing(_Part):
    """What a stage took; 0 where one job made it together with an earlier stage."""

    seconds: Number
    reused: StrictBool


class JudgeCheckEntry(_Part):
    """How well a judge told known positives from random documents."""

    judge: StrictStr
    auc: Number
    low: Number
    high: Number
    queries: Number
    positives: Number
    random: Number


class RemarkEntry(_Part):
    """What the user should know, see `schemas.remarks`."""

    code: StrictStr
    title: StrictStr
    fact: StrictStr
    advice: StrictStr
    serious: StrictBool
    numbers: JsonObject


class Precision(_Part):
    """What the models ran in."""

    lowest_cosine_with_fp32: Score


class Processor(_Part):
    """The kind of processor of the run; `embed` is that which embedded."""

    embed: JsonObject | None = None


class TopDrift(_Part):
    """How the first documents of the dense source moved between a run and its parent."""

    parent: StrictInt = Field(description="negatives of the parent that were among them then")
    now: StrictInt = Field(description="negatives of the parent that are among them now")
    jaccard: Score = Field(description="mean over queries of the overlap of the two lists")


class Drift(_Part):
    """What became of the parent's negatives under a new student."""

    queries: StrictInt = Field(description="queries of both runs")
    negatives: StrictInt = Field(description="of the parent")
    candidates: StrictInt = Field(description="of them, still candidates")
    chosen: StrictInt = Field(description="of them, negatives again")
    compared: StrictInt = Field(description="of them, with similarities under both students")
    easy: StrictInt
    easy_tiers: Counts = Field(description="the easy ones, by the parent's tier")
    stale: StrictInt
    top: dict[str, TopDrift] = Field(description="by the length of the list: 10, 100")
    tiers: dict[str, Counts] = Field(description="by the parent's tier, where they are now")
    kept: StrictInt = Field(description="negatives of this run")
    kept_new: StrictInt = Field(description="of them, those that were none of the parent's")
    geometry: dict[str, list[Score]] = Field(
        {}, description="of the student's vectors by metric: the parent's, this run's"
    )


class Manifest(_Part):
    """What made a run, what it holds, and how long it took."""

    manifest_version: Annotated[StrictInt, Field(ge=1)] = 1
    run_id: StrictStr
    created: StrictStr = Field(description="UTC, ISO 8601")
    schema_version: StrictInt
    config: ConfigSettings
    tier_order: list[StrictStr]
    seed: StrictInt
    inputs: JsonObject = Field(description="what identifies the collection's content")
    models: dict[str, StrictStr] = Field(description="SHA-256 of the weights, by role")
    precision: Precision
    processor: Processor
    judge: JsonObject = Field(description="what decides the judge's scores")
    judge_checks: list[JudgeCheckEntry]
    remarks: list[RemarkEntry]
    policies: list[JsonObject] = Field(description="with their thresholds")
    artifacts: dict[str, StrictStr | None] = Field(description="relative to the work directory")
    versions: dict[str, StrictStr]
    counts: Counts
    timings: dict[str, Timing]
    counters: dict[str, Counts] = Field(description="what this run's pipelines counted, by stage")
    peak_memory_bytes: Number
    summary: Summary
    parent: StrictStr | None = Field(None, description="the run that this one refreshes")
    drift: Drift | None = None
    parts: dict[str, PartFile] = Field({}, description="every file but the manifest itself")


def json_schema() -> JsonObject:
    """JSON Schema of a manifest, with the newest version that it is of."""
    return {**Manifest.model_json_schema(), "version": MANIFEST_VERSION}
