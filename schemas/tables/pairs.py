"""Tables of pairs of query and document on their way to a verdict."""

import pyarrow as pa

from negmine.schemas.tables.columns import (
    CONFIRMED,
    COSINE,
    DOC_IX,
    LATER_RANKS,
    LIST_VERDICT,
    PARTS,
    QUERY_IX,
    VERDICT,
    field,
    scores,
)

CANDIDATES = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        field("rank", pa.int32(), "1 = best of its source"),
        field("score", pa.float32(), "the source's own score; 0 for random"),
    ]
)

JUDGED = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        *scores(),
        *LATER_RANKS,
        field("is_positive", pa.bool_(), "a known positive of the query"),
        field("own_positive", pa.bool_(), "a positive by the query's own identifiers"),
        field("judge_score", pa.float32(), "judge's score; null where none was needed", True),
        PARTS,
        field("bm25_pair_score", pa.float32(), "BM25 score, whether or not BM25 returned it"),
        COSINE,
        field("neighbour_cosine", pa.float32(), "mean cosine to its 5 nearest of the candidates"),
        field("positive_cosine", pa.float32(), "highest cosine with a positive's vector"),
        field("positive_jaccard", pa.float32(), "highest shingle Jaccard with a positive's text"),
        field("same_text_as_positive", pa.bool_(), "normalised text equals a positive's"),
        field("same_text_as_query", pa.bool_(), "normalised text equals the query's"),
        field("same_id_as_query", pa.bool_(), "the query's own id, where both are one collection"),
        field("query_jaccard", pa.float32(), "shingle Jaccard with the query's text"),
        field("text_key", pa.uint64(), "hash of the document's normalised text"),
        field("pair_key", pa.uint64(), "hash of query_id and doc_id; keys all sampling"),
        field("in_evaluation", pa.bool_(), "a positive of a query of the evaluation splits"),
        field(
            "hub_place", pa.int32(), "place of the query among those that got the document", True
        ),
        field(
            "translation_place",
            pa.int32(),
            "place by cosine with a positive among the query's candidates of its language; null "
            "where a positive is in that language, or languages are not known",
            True,
        ),
        CONFIRMED,
    ]
)

POSITIVE_SCORES = pa.schema(
    [QUERY_IX, DOC_IX, field("judge_score", pa.float32(), "judge's score of the positive")]
)

SAMPLE_SCORES = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        field("is_positive", pa.bool_(), "a known positive; else a random document"),
        field("judge_score", pa.float32(), "judge's score of the pair"),
    ]
)

PAIR_PLACES = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        field("place", pa.int32(), "place of the query among those that got the document"),
    ]
)

VERDICTS = pa.schema(
    [*JUDGED, field("verdict", pa.string(), "a value of schemas.verdicts.Verdict"), *VERDICT]
)

LISTED = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        field("place", pa.int32(), "place in the query's list, from 1"),
        field("is_positive", pa.bool_(), "a known positive of the query"),
        LIST_VERDICT,
        field("drawn", pa.bool_(), "drawn from a stratum without regard to the judge"),
        field("judge_score", pa.float32(), "judge's score"),
        field("dense_score", pa.float32(), "student's similarity to the query", True),
        field("cosine", pa.float32(), "cosine of query and document", True),
        field("sources", pa.list_(pa.string()), "sources that returned it"),
    ]
)
