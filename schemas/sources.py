"""The sources of candidates with the facts of each: the one list that every part reads."""

from dataclasses import dataclass

from negmine.schemas.verdicts import Source


@dataclass(frozen=True)
class SourceFacts:
    """What a part needs to know of a source without knowing which it is.

    Attributes:
        retrieving: its candidates are near the query, and the better the lower their rank; else
            ranks are mere numbers.
        in_own_order: a tier of this source takes candidates in the order of their ranks, unless it
            has a sampling of its own.
        bound: key of the source's config that bounds the candidates of a query; None where only
            its files tell.
    """

    retrieving: bool
    in_own_order: bool
    bound: str | None


SOURCES: dict[Source, SourceFacts] = {
    Source.BM25: SourceFacts(retrieving=True, in_own_order=False, bound="depth"),
    Source.DENSE: SourceFacts(retrieving=True, in_own_order=False, bound="depth"),
    Source.RANDOM: SourceFacts(retrieving=False, in_own_order=True, bound="count"),
    Source.GIVEN: SourceFacts(retrieving=True, in_own_order=True, bound=None),
}

RETRIEVING = tuple(source for source, facts in SOURCES.items() if facts.retrieving)
"""Sources whose candidates are near the query; random documents are not."""

IN_OWN_ORDER = tuple(source for source, facts in SOURCES.items() if facts.in_own_order)
"""Sources whose tiers take candidates in the order of their ranks."""
