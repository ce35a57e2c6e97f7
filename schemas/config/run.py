"""The config of a whole run, and the rules between its sections."""

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from negmine.schemas.config.choosing import Lists, Sampling, Tier, Weighting
from negmine.schemas.config.language_mix import LanguageMix
from negmine.schemas.config.policy_list import asked_policies, with_promises
from negmine.schemas.config.runner import Output, Runner
from negmine.schemas.config.student import Student
from negmine.schemas.inputs import Input
from negmine.schemas.judges import AnyJudge, CrossEncoder, TokenJudge
from negmine.schemas.limits import Model
from negmine.schemas.policies import Policy, needs_judge
from negmine.schemas.sources import Sources

_TIER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"

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
    def _default_policies(cls, values: object) -> object:
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
