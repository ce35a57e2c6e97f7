"""Columns that several tables share, each named, typed and described once."""

import pyarrow as pa

from negmine.schemas.sources import SOURCES
from negmine.schemas.verdicts import Source


def field(name: str, kind: pa.DataType, meaning: str, nullable: bool = False) -> pa.Field:
    """A column with what it means, as every table writes it."""
    return pa.field(name, kind, nullable=nullable, metadata={"description": meaning})


QUERY_IX = field("query_ix", pa.int64(), "position of the query, 0 .. queries-1")

DOC_IX = field("doc_ix", pa.int64(), "position of the document, 0 .. documents-1")


def rank(source: Source) -> pa.Field:
    """The rank that a source gave a pair."""
    return field(f"{source}_rank", pa.int32(), SOURCES[source].rank, True)


LATER_RANKS = [rank(source) for source in SOURCES if source not in (Source.BM25, Source.DENSE)]
"""Ranks of the sources that are in no other list of columns; a new source's is among them."""


def scores(chosen: bool = False) -> list[pa.Field]:
    """Sources, scores and ranks of a pair; a chosen one always has the student's similarity."""
    return [
        field("sources", pa.list_(pa.string()), "sources that returned it, in the order of Source"),
        field("bm25_score", pa.float32(), "BM25 score, where that source returned it", True),
        rank(Source.BM25),
        field(
            "dense_score",
            pa.float32(),
            "student's similarity to the query"
            + ("" if chosen else "; null where a vector is zero, which has none"),
            not chosen,
        ),
        rank(Source.DENSE),
    ]


EDIT = [
    field("operation", pa.string(), "what was done, see docs/edited.md"),
    field("start", pa.int64(), "first character of the positive's first changed span, from 0"),
    field("end", pa.int64(), "the character behind that span"),
    field("original", pa.large_string(), "what stands in that span of the positive"),
    field("replacement", pa.large_string(), "what stands there instead"),
    field("occurrences", pa.int32(), "spans that were changed"),
    field(
        "concreteness",
        pa.float32(),
        "of the word changed, 0 to 1; null where it has no rating",
        True,
    ),
]

COSINE = field(
    "query_cosine",
    pa.float32(),
    "cosine with the query, where dense_score is not that (student.normalize: false)",
    True,
)

POSITIVE_COSINE = field(
    "positive_query_cosine",
    pa.float32(),
    "cosine of query and positive, where positive_dense_score is not that",
    True,
)

CONFIRMED = field(
    "confirmed_negative",
    pa.bool_(),
    "labelled a negative, or made one by an edit: no judge's policy drops it",
)

LANGUAGE = field(
    "language", pa.string(), "ISO 639-1 code, 639-3 where there is none; null = not known", True
)

QUERY_LANGUAGE = field("query_language", pa.string(), "language of the query, as language", True)

SAME_ID = field(
    "same_id_as_query", pa.bool_(), "the query's own id, where both are one collection", True
)

PARTS = field(
    "judge_parts", pa.map_(pa.string(), pa.float32()), "scores that the judge's own is made of"
)

VERDICT = [
    field("policy", pa.string(), "policy that decided, by its name in the config", True),
    field("threshold", pa.float32(), "the policy's limit for this candidate", True),
    field("value", pa.float32(), "the value that was compared with the limit", True),
    field("tier", pa.string(), "tier it was chosen for, or whose band it lies in", True),
    field("rank", pa.int32(), "1 = hardest in its tier; null unless kept", True),
    field("backfilled", pa.bool_(), "taken from another tier's band to fill this one"),
    field("weight", pa.float32(), "what it counts in the loss; 1 unless weighting sets it"),
]

LIST_VERDICT = field("verdict", pa.string(), "what the policies made of it, as in the ledger")


def with_language(schema: pa.Schema) -> pa.Schema:
    """A table's columns where the language of some text is known: after the others, those of it.

    Documents and queries have their own; negatives and ledger that of the document and the query's.
    A collection without languages has none of them, and the bytes that it had before.
    """
    own = {"text", "text_key"} <= set(schema.names)
    return pa.schema([*schema, LANGUAGE, *([] if own else [QUERY_LANGUAGE])])
