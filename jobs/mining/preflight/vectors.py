"""Texts whose vector is zero: nothing is similar to them."""

from negmine.jobs.mining.context import RunContext
from negmine.schemas.remarks import Remark
from negmine.transforms.pairs.features import Collection


def check_zero_vectors(run: RunContext, collection: Collection) -> None:
    """Remark on documents and queries with a zero vector."""
    counts = collection.zero_vectors()
    if any(counts.values()):
        run.remarks.add(
            Remark(
                code="zero_vectors",
                serious=False,
                title=f"{_told(counts)} a zero vector",
                fact="Nothing is similar to them: their pairs are outside the tiers, and S, Δ and "
                "ECI are of the others.",
                advice="They are often texts without a word that the student knows, as in another "
                "language: choose a student that reads them, or leave such texts out.",
                numbers=dict(counts),
            )
        )


def _told(counts: dict[str, int]) -> str:
    """`3 documents and 1 query have`."""
    words = {"documents": ("document", "documents"), "queries": ("query", "queries")}
    parts = [f"{counts[name]:,} {words[name][counts[name] != 1]}" for name in words if counts[name]]
    return f"{' and '.join(parts)} {'has' if sum(counts.values()) == 1 else 'have'}"
