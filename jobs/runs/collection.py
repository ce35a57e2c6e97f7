"""What was read: documents, queries, positives, and what was merged, repeated or left out."""

import re

from negmine.schemas import JsonObject

_HELD = ("documents", "queries", "positives")
_LEFT = {
    "queries_without_positives": "{} queries without a positive left out",
    "queries_over_limit": "{} queries left out by input.limit",
    "evaluation_queries": "{} queries left to evaluation",
    "merged_queries": "{} queries merged into one of the same text (negmine query RUN "
    "merged_queries; input.merge_equal_queries)",
    "dead_letters": "{} bad input rows left out (see dead letters)",
    "dangling_judgements": "{} judgements of unknown queries or documents left out",
    "ignored_judgements": "{} judgements of grade 0 or less",
    "repeated_rows": "{} repeated input rows (counted once)",
    "positives_that_are_the_query": "{} positives are the query itself",
}

_ONE = {
    "documents": "document",
    "queries": "query",
    "positives are": "positive is",
    "positives": "positive",
    "judgements": "judgement",
    "rows": "row",
}
_PLURAL = re.compile("|".join(_ONE))


def collection_facts(summary: JsonObject) -> list[str]:
    """A run's summary, or a collection's counts, as short facts; what is none is left out."""
    counts = {**(summary.get("input") or {}), **summary}
    held = [counted(f"{{}} {name}", counts.get(name, 0)) for name in _HELD]
    left = [counted(told, counts[key]) for key, told in _LEFT.items() if counts.get(key)]
    return held + left


def counted(told: str, count: int) -> str:
    """A count with its noun, which stands in the plural."""
    words = told.format(f"{count:,}")
    return _PLURAL.sub(lambda m: _ONE[m[0]], words, count=1) if count == 1 else words
