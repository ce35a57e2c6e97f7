"""Whether the pairs of a run are made up."""

from negmine.jobs.mining.context import RunContext
from negmine.schemas.inputs import DocumentsInput
from negmine.schemas.remarks import Remark

_HOW = {
    "title": "its title, or its first sentence where it has none,",
    "first_sentence": "its first sentence",
    "crops": "a span of it",
}


def check_pseudo_pairs(run: RunContext) -> None:
    """Remark that queries were made of the documents, where they were."""
    config = run.config.input
    if not isinstance(config, DocumentsInput):
        return
    documents, queries = run.rows("documents"), run.rows("queries")
    run.remarks.add(
        Remark(
            code="pseudo_pairs",
            serious=False,
            title=f"The {queries:,} queries are pseudo-queries, made of {documents:,} documents",
            fact=f"Of each document {_HOW[config.queries]} asks for the rest. What is known as "
            "positive is that one document; others that answer as well are not known.",
            advice="Use them where there are no real queries yet, and mine again once there are. "
            "Their identifiers begin with pseudo:, so that they can be told from others.",
            numbers={"documents": documents, "queries": queries, "made_by": config.queries},
        )
    )
