"""Counts in and counts out: what of a run an export holds, and why the rest is missing."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from negmine.schemas import JsonObject

NO_NEGATIVES = "no_negatives"
FEWER_THAN_N = "fewer_than_n"
OF_FOLD = "of_fold"
NOT_BEST = "not_best"
NOT_PUBLISHED = "not_published"
NOT_IN_LIST = "not_in_list"

_OF_QUERIES = {
    NO_NEGATIVES: "without negatives",
    OF_FOLD: "of the fold that is left out",
    FEWER_THAN_N: "with fewer than n negatives",
}
_OF_POSITIVES = {
    **{reason: f"of queries {words}" for reason, words in _OF_QUERIES.items()},
    NOT_BEST: "not the best of their query",
    NOT_IN_LIST: "not in their query's list, which is full or has their text",
    NOT_PUBLISHED: "not in this run, which holds one positive a query; mine again to have all",
}
_EXAMPLES = 5


@dataclass
class Tally:
    """Queries, or pairs of query and positive: given by the run, written to the file.

    `missing` says by reason how many were not written, `examples` names the first of their
    queries.
    """

    given: int
    written: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def miss(self, reason: str, count: int, queries: Iterable[str]) -> None:
        """Count what is left out for a reason, and keep the first of its queries."""
        if count:
            self.missing[reason] += count
            named = self.examples.setdefault(reason, [])
            named.extend(query for query, _ in zip(queries, range(_EXAMPLES - len(named))))  # noqa: B905

    @property
    def adds_up(self) -> bool:
        """Whether what was given is what was written and what is missing."""
        return self.given == self.written + self.missing.total()

    def as_json(self) -> JsonObject:
        """As JSON values."""
        return {
            "in": self.given,
            "out": self.written,
            "missing": dict(sorted(self.missing.items())),
            "examples": dict(sorted(self.examples.items())),
        }

    def told(self, what: str) -> str:
        """One line: `positives: 58 of 60: 2 of queries without negatives`."""
        words = _OF_QUERIES if what == "queries" else _OF_POSITIVES
        why = ", ".join(f"{count:,} {words[name]}" for name, count in sorted(self.missing.items()))
        return f"{what}: {self.written:,} of {self.given:,}" + (f": {why}" if why else "")
