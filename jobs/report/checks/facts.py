"""What the checks look at, and what they answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from negmine.jobs.report.checks.limits import Finding
from negmine.jobs.report.metrics import Metrics
from negmine.schemas import JsonObject
from negmine.schemas.sources import SOURCES


@dataclass(frozen=True)
class Facts:
    """What the checks look at."""

    metrics: Metrics
    manifest: JsonObject
    tiers: Sequence[str]

    @property
    def summary(self) -> JsonObject:
        return self.manifest.get("summary") or {}

    @property
    def config(self) -> JsonObject:
        return self.manifest.get("config") or {}

    @property
    def queries(self) -> float:
        """Queries of the run; 0 where unknown."""
        return float(self.summary.get("queries") or 0)

    def ranked_tiers(self) -> list[str]:
        """Tiers but those of sources that do not retrieve, which are easy on purpose."""
        specs = self.config.get("tiers") or {}
        easy = {source for source, facts in SOURCES.items() if not facts.retrieving}
        return [t for t in self.tiers if (specs.get(t) or {}).get("source") not in easy]


@dataclass(frozen=True)
class TooFew:
    """Nothing was found, among so few that there may be any number: `0 of 3`."""

    seen: str


Answer = list[Finding | TooFew | None]
"""Empty where the run lacks the numbers; None for what is well; findings for what is not."""
