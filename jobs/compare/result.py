"""What a comparison of two runs holds; `as_json` has the same numbers as table and page."""

from dataclasses import asdict, dataclass
from typing import Any

from negmine.jobs.runs.published import Run
from negmine.schemas import JsonObject


@dataclass(frozen=True)
class Side:
    """One of the two runs."""

    run_id: str
    created: str | None

    @classmethod
    def of(cls, run: Run) -> "Side":
        """The run's name and date."""
        created = run.manifest.get("created")
        return cls(run.run_id, None if created is None else str(created))


@dataclass(frozen=True)
class Setting:
    """A value that differs, by its dotted key; None where it is null or not there."""

    key: str
    a: Any
    b: Any


@dataclass(frozen=True)
class PolicyChange:
    """A policy that only one run has (None in the other), or whose parameters or order differ."""

    name: str
    place_a: int | None
    place_b: int | None
    a: JsonObject | None
    b: JsonObject | None


@dataclass(frozen=True)
class Count:
    """Something counted in both runs; `group` says what `name` is: a tier, a verdict, ..."""

    group: str
    name: str
    a: int | None
    b: int | None

    @property
    def difference(self) -> int | None:
        """b - a, None where one is not known."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True)
class Queries:
    """Queries of both runs, and of one alone."""

    both: int
    only_a: int
    only_b: int


@dataclass(frozen=True)
class Overlap:
    """Pairs of query and negative of the common queries; `tier` None is all tiers together.

    `queries` have a negative there in either run, and `identical` of them the same ones in both.
    """

    tier: str | None
    a: int
    b: int
    both: int
    queries: int
    identical: int

    @property
    def only_a(self) -> int:
        """Pairs that are negatives (of this tier) in A alone."""
        return self.a - self.both

    @property
    def only_b(self) -> int:
        """Pairs that are negatives (of this tier) in B alone."""
        return self.b - self.both

    @property
    def jaccard(self) -> float | None:
        """Pairs in both, of those in either."""
        either = self.a + self.b - self.both
        return self.both / either if either else None


@dataclass(frozen=True)
class TierChange:
    """Pairs that are negatives of both runs, in another tier."""

    a: str
    b: str
    count: int


@dataclass(frozen=True)
class Move:
    """Negatives of one run's tier that the other did not choose, by their verdict there.

    `verdict` is None where the document was no candidate of the query.
    """

    tier: str
    verdict: str | None
    count: int


@dataclass(frozen=True)
class Paired:
    """A metric's means over the same queries, and the mean of b - a with its 95 % interval."""

    metric: str
    tier: str | None
    a: float
    b: float
    difference: float
    low: float
    high: float
    queries: int


@dataclass(frozen=True)
class Measured:
    """A row of metrics.parquet in both runs; None where a run lacks it."""

    metric: str
    tier: str | None
    source: str | None
    key: str | None
    bin: float | None
    a: float | None
    a_low: float | None
    a_high: float | None
    b: float | None
    b_low: float | None
    b_high: float | None

    @property
    def difference(self) -> float | None:
        """b - a, None where one is not known."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def intervals_meet(self) -> bool | None:
        """Whether the two intervals share a value; None where one is missing."""
        if self.a_low is None or self.a_high is None or self.b_low is None or self.b_high is None:
            return None
        return self.a_low <= self.b_high and self.b_low <= self.a_high


_DERIVED = {
    Count: ("difference",),
    Overlap: ("only_a", "only_b", "jaccard"),
    Measured: ("difference", "intervals_meet"),
}


@dataclass(frozen=True)
class Comparison:
    """What changed from run A to run B; see `jobs.compare.compare`."""

    a: Side
    b: Side
    verdict: str
    warnings: list[str]
    config: list[Setting]
    policies: list[PolicyChange]
    inputs: list[Setting]
    counts: list[Count]
    queries: Queries
    overlap: list[Overlap]
    tier_changes: list[TierChange]
    left: list[Move]
    entered: list[Move]
    paired: list[Paired]
    metrics: list[Measured]

    def as_json(self) -> JsonObject:
        """Everything as JSON values, differences and shares included."""
        found = asdict(self)
        for name in ("counts", "overlap", "metrics"):
            for row, value in zip(found[name], getattr(self, name), strict=True):
                row.update({key: getattr(value, key) for key in _DERIVED[type(value)]})
        return found
