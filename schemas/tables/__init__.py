"""Arrow schema of every data set; the only place where columns are named and typed.

Positions (`doc_ix`, `query_ix`) are int64, contiguous from 0 and ordered by id, so they do not
depend on the order of the input. Scores are float32, identifiers utf8.
"""

from negmine.schemas.tables.collection import (
    CONFIRMED_NEGATIVES,
    DEAD_LETTERS,
    DOCUMENT_LENGTHS,
    DOCUMENTS,
    EVALUATION_KEYS,
    MADE_EDITS,
    POSITIVES,
    POSTINGS,
    QUERIES,
    TERM_STATISTICS,
    vectors,
)
from negmine.schemas.tables.columns import EDIT, with_language
from negmine.schemas.tables.pairs import (
    CANDIDATES,
    JUDGED,
    LISTED,
    PAIR_PLACES,
    POSITIVE_SCORES,
    SAMPLE_SCORES,
    VERDICTS,
)
from negmine.schemas.tables.published import (
    BATCH_PLAN,
    EDITS,
    LEDGER,
    LISTS,
    NEGATIVES,
    REFRESHED,
    RUN_POSITIVES,
    SETS,
)

__all__ = [
    "BATCH_PLAN",
    "CANDIDATES",
    "CONFIRMED_NEGATIVES",
    "DEAD_LETTERS",
    "DOCUMENTS",
    "DOCUMENT_LENGTHS",
    "EDIT",
    "EDITS",
    "EVALUATION_KEYS",
    "JUDGED",
    "LEDGER",
    "LISTED",
    "LISTS",
    "MADE_EDITS",
    "NEGATIVES",
    "PAIR_PLACES",
    "POSITIVES",
    "POSITIVE_SCORES",
    "POSTINGS",
    "QUERIES",
    "REFRESHED",
    "RUN_POSITIVES",
    "SAMPLE_SCORES",
    "SCHEMA_VERSION",
    "SETS",
    "TERM_STATISTICS",
    "VERDICTS",
    "vectors",
    "with_language",
]

SCHEMA_VERSION = 1
