"""Pydantic models of a run's YAML: every key documented, every rule checked here."""

import re
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from negmine.schemas.backends import Backend, Precision, check_backend
from negmine.schemas.inputs import Input
from negmine.schemas.judges import AnyJudge, CrossEncoder, TokenJudge
from negmine.schemas.languages import language_code
from negmine.schemas.limits import (
    LEAST_LIST,
    MOST_BLOCK,
    MOST_BYTES,
    MOST_JUDGES,
    MOST_LIST,
    MOST_NEGATIVES,
    MOST_TOKENS,
    MOST_WEIGHT,
    MOST_WORKERS,
    Model,
    Score,
    Weight,
)
from negmine.schemas.policies import Policy, needs_judge
from negmine.schemas.policy_list import asked_policies, with_promises
from negmine.schemas.sources import SOURCES, Sources
from negmine.schemas.verdicts import Source

_TIER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_SIZE = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(_UNITS)})")


class Vectors(Model):
    """Vectors that somebody's own model gave, by identifier."""

    documents: str = Field(description="Parquet of the documents' vectors; file, folder or glob")
    queries: str = Field(description="Parquet of the queries' vectors; file, folder or glob")
    id: str = Field("id", description="column of identifiers: text or integers")
    vector: str = Field("vector", description="column of vectors: lists of float16, 32 or 64")


class Student(Model):
    """The embedding model to be trained; its geometry says how hard a negative is."""

    model: str = Field("all-MiniLM-L6-v2", description="local folder, hub name or alias")
    models: tuple[str, ...] = Field(
        (),
        max_length=MOST_JUDGES,
        description="in place of model: one a fold of the queries, the first trained without fold "
        "1, ...; each query has the one that did not see it",
    )
    vectors: Vectors | None = Field(
        None, description="vectors instead of a model, which is then not loaded; null = embed"
    )
    query_prompt: str | None = Field(
        None, description='text put before every query; null = the model\'s own, "" = none'
    )
    document_prompt: str | None = Field(
        None, description='text put before every document; null = the model\'s own, "" = none'
    )
    max_length: int | None = Field(
        None, ge=4, le=MOST_TOKENS, description="tokens; null = the model's own limit"
    )
    normalize: bool = Field(True, description="scale vectors to length 1, so that dot = cosine")
    precision: Precision = Field(
        "auto",
        description="auto = bf16 where the hardware has it and it agrees with fp32; int8 with "
        "backend openvino",
    )
    backend: Backend = Field(
        "torch", description="torch, or openvino: quicker on the CPU, the extra negmine[openvino]"
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    trust_remote_code: bool = Field(False, description="run code shipped with the model")
    allow_pickle: bool = Field(
        False, description="load weights in pickles (pytorch_model.bin); they can run code"
    )

    @model_validator(mode="after")
    def _backend_fits(self) -> "Student":
        check_backend(self.backend, self.precision, self.device)
        return self

    @model_validator(mode="after")
    def _one_or_one_a_fold(self) -> "Student":
        if len(self.models) == 1:
            raise ValueError("models needs two or more, one a fold; for one there is model")
        if self.models and self.vectors:
            raise ValueError("models and vectors are both given; leave out one of them")
        if self.models and not self.normalize:
            raise ValueError("models compares cosines, so normalize: false does not go with it")
        return self


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


class Runner(Model):
    """Which Beam runner, and how the work is cut."""

    name: Literal["local", "portable", "flink", "spark", "dataflow"] = Field(
        "local", description="local = FnApiRunner in this process; never guessed"
    )
    options: dict[str, bool | int | float | str | list[str]] = Field(
        {}, description="Beam's options by name, without dashes; those after -- win"
    )
    min_ram: str | None = Field(None, description="memory of embed and judge workers, as 16GB")
    accelerator: str | None = Field(None, description="for them, as type:nvidia-l4;count:1")
    block_size: int = Field(
        512, ge=1, le=MOST_BLOCK, description="most queries per block; never changes the result"
    )
    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=MOST_WORKERS)] = Field(
        "auto",
        description="most processes of a local run; auto = one a core, as far as memory goes",
    )
    memory: str | None = Field(
        None, description="most memory of a local run, as 4GiB or 4GB; null = no limit is set"
    )

    @field_validator("memory")
    @classmethod
    def _is_a_size(cls, memory: str | None) -> str | None:
        if memory is not None and not _SIZE.fullmatch(memory):
            raise ValueError("write a number and a unit: 4GiB, 4GB, 512MiB, 512MB")
        if memory is not None and _bytes(memory) > MOST_BYTES:
            raise ValueError(f"over the limit of {MOST_BYTES >> 40:,}TiB")
        return memory

    @field_validator("options", mode="before")
    @classmethod
    def _are_finite(cls, options: object) -> Any:
        for name, value in options.items() if isinstance(options, dict) else ():
            if isinstance(value, float) and not isfinite(value):
                raise ValueError(f"{name}: {value} is not a finite number")
        return options

    @property
    def memory_bytes(self) -> int | None:
        """The limit in bytes, None for none."""
        return round(_bytes(self.memory)) if self.memory else None


def _bytes(size: str) -> float:
    found = _SIZE.fullmatch(size)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


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


class Lists(Model):
    """Lists for distillation: documents of a query across the whole range, all judged."""

    size: int = Field(
        16, ge=LEAST_LIST, le=MOST_LIST, description="documents of a query, positives among them"
    )


def _is_a_mix(mix: Any) -> Any:
    if mix in ("corpus", "positives"):
        return mix
    if not isinstance(mix, dict):
        raise ValueError(
            f"{mix!r:.40} is neither corpus, positives nor shares such as {{same: 0.5, other: 0.5}}"
        )
    shares: dict[str, float] = {}
    for name, share in mix.items():
        if name is False:
            raise ValueError("YAML reads no as false; quote the code of Norwegian: 'no'")
        code = name if name in ("same", "other") else language_code(str(name))
        if code is None:
            raise ValueError(f"{name!r:.40} is neither same, other nor a language code such as de")
        shares[code] = shares.get(code, 0.0) + _share(name, share)
    relative = {"same", "other"} & shares.keys()
    if relative and len(relative) < len(shares):
        raise ValueError("give shares of same and other, or shares of languages, not of both")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"the shares add up to {sum(shares.values()):g} and not to 1")
    return shares


def _share(name: str, share: Any) -> float:
    try:
        value = float("nan" if isinstance(share, bool) else share)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 <= value <= 1:
        raise ValueError(f"the share of {name} is {share!r:.40}; give a number from 0 to 1")
    return value


LanguageMix = Annotated[
    Literal["corpus", "positives"] | dict[str, Annotated[float, Field(ge=0, le=1)]],
    BeforeValidator(_is_a_mix),
]
"""Which languages a query's negatives have, by share."""

Tiers = Annotated[dict[str, Tier], Field(min_length=1)]


class Config(Model):
    """A whole run."""

    input: Input = Field(description="the collection to mine")
    student: Student = Field(Student(), description="the embedding model to be trained")
    sources: Sources = Field(Sources(), description="where candidates come from")
    judge: AnyJudge = Field(
        CrossEncoder(), description="the teacher that says how safe a negative is"
    )
    policies: tuple[Policy, ...] | None = Field(
        None,
        description="in order; the first that fires is the verdict; null = the defaults; a list "
        "replaces them, a mapping changes them by name; the promises come first whatever it says",
    )
    tiers: Tiers = Field(
        {
            "hard": Tier(quota=5, min_ratio=0.8),
            "semi_hard": Tier(quota=0, max_ratio=0.8),
        },
        description="ordered bands; a candidate belongs to the first that takes it",
    )
    sampling: Sampling = Field(Sampling(), description="order of choice within a band")
    weighting: Weighting = Field(Weighting(), description="weights of the chosen negatives")
    language_mix: LanguageMix | None = Field(
        None,
        description="languages of each query's negatives: shares of same and other (than the "
        "query's), shares by language code, corpus (as the documents), positives (as the query's "
        "own positives); null = whatever is found",
    )
    lists: Lists | None = Field(None, description="teacher lists for distillation; null = none")
    runner: Runner = Field(Runner(), description="which Beam runner, and how the work is cut")
    output: Output = Field(Output(), description="where the run goes")
    seed: int = Field(42, ge=0, lt=2**63, description="keys every random choice")

    @model_validator(mode="before")
    @classmethod
    def _default_policies(cls, values: object) -> Any:
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
        instead = "vectors" if self.student.vectors else "models" if self.student.models else ""
        for judge in self.judge.flat() if instead else ():
            if isinstance(judge, TokenJudge) and judge.model is None:
                raise ValueError(
                    f"judge.kind {judge.kind} takes token vectors from the student's model, and "
                    f"student.{instead} stands in for it; name an encoder as judge.model "
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
        if self.weighting.method == "true_negative" and self.judge.kind == "none":
            raise ValueError(
                "weighting.method true_negative is read off a judge's scores, and judge.kind is "
                "none; choose a judge, or another method"
            )
        if self.lists and self.judge.kind == "none":
            raise ValueError(
                "lists hold a judge's scores, and judge.kind is none; choose a judge, or set "
                "lists: null"
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
        if self.sources.edited and self.student.vectors:
            raise ValueError(
                "sources.edited makes texts that student.vectors holds no vectors of; name a model "
                "as student.model, or set sources.edited: null"
            )
        if self.sources.edited and not any(t.source == "edited" for t in self.tiers.values()):
            raise ValueError(
                "sources.edited is on and no tier takes its documents; add one, as in "
                "tiers.edited: {quota: 1, source: edited}, or set sources.edited: null"
            )
        if not any(tier.quota for tier in self.tiers.values()):
            raise ValueError("every tier has quota 0, so nothing would be mined")
        return self
