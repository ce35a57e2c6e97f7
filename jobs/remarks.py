"""What a reader of a run should know before its numbers, as sentences, from its summary."""

from collections.abc import Mapping
from typing import Any


def run_remarks(summary: Mapping[str, Any]) -> list[str]:
    """Remarks on a run, most telling first; none where all is usual."""
    said = zero_vectors(summary.get("zero_vectors") or {})
    return [f"{said}: nothing is similar to them, so they are outside the tiers"] if said else []


def zero_vectors(counts: Mapping[str, int]) -> str:
    """`3 documents and 1 query have a zero vector`; empty where none has."""
    words = {"documents": ("document", "documents"), "queries": ("query", "queries")}
    parts = [
        f"{counts[name]:,} {words[name][counts[name] != 1]}" for name in words if counts.get(name)
    ]
    have = "has" if len(parts) == 1 and parts[0].startswith("1 ") else "have"
    return f"{' and '.join(parts)} {have} a zero vector" if parts else ""
