"""What decides which candidates become negatives: policies, tiers, sampling and seed."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from negmine.schemas import JsonObject
from negmine.schemas.config import Config, Sampling, Tier
from negmine.schemas.config.policy_list import PROMISES
from negmine.schemas.policies import (
    Policy,
    needs_calibration,
    needs_judge,
)


class Thresholds(Protocol):
    """What tells from a share of the known positives the score that this share reaches."""

    def threshold(self, positives_above: float) -> float:
        """That of all queries."""

    def by_language(self, positives_above: float) -> dict[str, float]:
        """Those of the languages with queries enough, by code."""


def calibrated(policy: Policy, known: Thresholds) -> Policy:
    """The policy with its thresholds filled in, where it waits for them."""
    if not needs_calibration(policy):
        return policy
    share = policy.parameters.positives_above
    found: JsonObject = {"threshold": known.threshold(share)}
    if policy.parameters.by_language:
        found["thresholds"] = tuple(sorted(known.by_language(share).items()))
    parameters = policy.parameters.model_copy(update=found)
    return policy.model_copy(update={"parameters": parameters})


@dataclass(frozen=True)
class Selection:
    """The part of a config that the select stage runs on; hashable.

    Attributes:
        policies: in order; the first that fires is the verdict.
        tiers: (name, tier), in order.
        sampling: order of choice in tiers that do not set their own.
        seed: keys every random draw.
        language_mix: shares of each query's negatives by language, or what they follow; None for
            none.
    """

    policies: tuple[Policy, ...]
    tiers: tuple[tuple[str, Tier], ...]
    sampling: Sampling
    seed: int
    language_mix: tuple[tuple[str, float], ...] | Literal["corpus", "positives"] | None = None

    @classmethod
    def of(cls, config: Config) -> "Selection":
        """The selection of a run's config, thresholds not calibrated yet."""
        tiers = tuple(config.tiers.items())
        mix = config.language_mix
        shares = tuple(sorted(mix.items())) if isinstance(mix, dict) else mix
        return cls(tuple(config.policies or ()), tiers, config.sampling, config.seed, shares)

    @property
    def quota(self) -> int:
        """Negatives asked for per query."""
        return sum(tier.quota for _, tier in self.tiers)

    @property
    def tier_names(self) -> list[str]:
        """Names of the tiers, in order."""
        return [name for name, _ in self.tiers]

    @property
    def judged(self) -> bool:
        """Whether a policy compares judge scores."""
        return any(needs_judge(policy) for policy in self.policies)

    @property
    def needs_calibration(self) -> bool:
        """Whether a policy waits for a threshold from the positives of the collection."""
        return any(needs_calibration(policy) for policy in self.policies)

    @property
    def promises(self) -> tuple[Policy, ...]:
        """The policies that no config can switch off."""
        return tuple(policy for policy in self.policies if policy.name in PROMISES)

    def policy(self, name: str) -> Any:
        """Parameters of the first policy of that name, or None."""
        return next((p.parameters for p in self.policies if p.name == name), None)

    def calibrated(self, known: Thresholds) -> "Selection":
        """The selection with every threshold filled in; see `calibrated`."""
        return replace(self, policies=tuple(calibrated(p, known) for p in self.policies))

    def key(self) -> JsonObject:
        """The selection as JSON values, for fingerprints."""
        return {
            "policies": [policy.model_dump() for policy in self.policies],
            "tiers": [[name, tier.model_dump()] for name, tier in self.tiers],
            "sampling": self.sampling.model_dump(),
            "seed": self.seed,
            **({"language_mix": self.language_mix} if self.language_mix else {}),
        }
