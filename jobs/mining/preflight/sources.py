"""Sources that find nothing for many queries."""

from negmine.jobs.mining.context import RunContext
from negmine.jobs.mining.retrieval import queries_found
from negmine.schemas.remarks import Remark
from negmine.schemas.sources import SOURCES
from negmine.schemas.verdicts import Source
from negmine.transforms.data.datasets import Dataset

REMARKED = 0.05
"""Share of queries without a candidate above which a source is remarked on."""

SERIOUS = 0.5
"""Share above which that is serious."""


def check_sources(run: RunContext, candidates: dict[str, Dataset]) -> None:
    """Remark on every source that has no candidate for many queries, where there is advice."""
    queries = run.rows("queries")
    for source, dataset in candidates.items():
        advice = SOURCES[Source(source)].advice
        if not advice or not queries:
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
                    advice=advice,
                    numbers={"source": source, "queries": queries, "without": without},
                )
            )


def _found(dataset: Dataset) -> int:
    """Queries that have a candidate; counted when the artifact was made, else now."""
    kept = dataset.manifest().get("queries_found")
    return kept if isinstance(kept, int) else int(queries_found(dataset)["queries_found"])
