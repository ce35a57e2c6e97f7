"""Sources that find nothing for many queries."""

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.retrieval import queries_found
from negmine.schemas.remarks import Remark
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.policies import RETRIEVING

REMARKED = 0.05
"""Share of queries without a candidate above which a source is remarked on."""

SERIOUS = 0.5
"""Share above which that is serious."""

_ADVICE = {
    "bm25": "See whether queries and documents are in one language, and whether "
    "sources.bm25.language fits it; null keeps words as they are.",
    "dense": "See whether the student's vectors are zero for many texts.",
    "given": "See whether sources.given.path holds these queries, with identifiers as in the "
    "input.",
}


def check_sources(run: RunContext, candidates: dict[str, Dataset]) -> None:
    """Remark on every retrieving source that has no candidate for many queries."""
    queries = run.rows("queries")
    for source in map(str, RETRIEVING):
        dataset = candidates.get(source)
        if dataset is None or not queries:
            continue
        without = queries - _found(dataset)
        share = without / queries
        if share > REMARKED:
            run.remarks.add(
                Remark(
                    code="source_finds_nothing",
                    serious=share > SERIOUS,
                    title=f"Source {source} finds nothing for {without:,} of {queries:,} queries "
                    f"({100 * share:.1f} %)",
                    fact="Their negatives come from the other sources alone.",
                    advice=_ADVICE[source],
                    numbers={"source": source, "queries": queries, "without": without},
                )
            )


def _found(dataset: Dataset) -> int:
    """Queries that have a candidate; counted when the artifact was made, else now."""
    kept = dataset.manifest().get("queries_found")
    return kept if isinstance(kept, int) else int(queries_found(dataset)["queries_found"])
