"""Arrow schema of every data set; the only place where columns are named and typed.

Positions (`doc_ix`, `query_ix`) are int64, contiguous from 0 and ordered by id, so they do not
depend on the order of the input. Scores are float32, identifiers utf8.
"""

import pyarrow as pa

from negmine.schemas.sources import SOURCES
from negmine.schemas.verdicts import Source

SCHEMA_VERSION = 1


def _field(name: str, kind: pa.DataType, meaning: str, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": meaning})


_QUERY_IX = _field("query_ix", pa.int64(), "position of the query, 0 .. queries-1")
_DOC_IX = _field("doc_ix", pa.int64(), "position of the document, 0 .. documents-1")

DOCUMENTS = pa.schema(
    [
        _DOC_IX,
        _field("doc_id", pa.string(), "identifier in the corpus"),
        _field("text", pa.large_string(), "title and text, joined by one space"),
        _field("doc_key", pa.uint64(), "hash of the identifier; keys all sampling"),
        _field(
            "text_key",
            pa.uint64(),
            "hash of the text, form, case and white space aside; equal texts share it",
        ),
        _field(
            "minhash", pa.binary(128), "128 8-bit MinHash values of its shingles of three tokens"
        ),
        _field("in_evaluation", pa.bool_(), "a positive of a query of the evaluation splits"),
    ]
)

QUERIES = pa.schema(
    [
        _QUERY_IX,
        _field("query_id", pa.string(), "identifier; the smallest one where queries were merged"),
        _field("text", pa.large_string(), "text of the query"),
        _field("query_key", pa.uint64(), "hash of the identifier; keys all sampling"),
        _field("text_key", pa.uint64(), "as of documents"),
        _field("merged_ids", pa.list_(pa.string()), "other identifiers that had the same text"),
    ]
)

POSITIVES = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        _field("grade", pa.float32(), "highest relevance judged; null where none is stated", True),
        _field(
            "own",
            pa.bool_(),
            "judged for one of the query's own identifiers; false where only another query of the "
            "same text has it, which happens where equal queries are not merged",
        ),
    ]
)

CONFIRMED_NEGATIVES = pa.schema([_QUERY_IX, _DOC_IX])

DEAD_LETTERS = pa.schema(
    [
        _field("file", pa.string(), "input file, relative to the input path"),
        _field("line", pa.int64(), "line or row number in it, from 1; 0 where there is none"),
        _field("kind", pa.string(), "documents, queries, qrels or labels"),
        _field("reason", pa.string(), "what is wrong with the row"),
        _field("excerpt", pa.string(), "the first 200 characters of the row, for the reader"),
    ]
)

CANDIDATES = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        _field("rank", pa.int32(), "1 = best of its source"),
        _field("score", pa.float32(), "the source's own score; 0 for random"),
    ]
)

POSTINGS = pa.schema(
    [
        _DOC_IX,
        _field("term", pa.string(), "stemmed word"),
        _field("frequency", pa.int32(), "how often the document has it"),
    ]
)

DOCUMENT_LENGTHS = pa.schema(
    [
        _DOC_IX,
        _field("length", pa.int32(), "terms in the document, stop words left out"),
        _field("distinct", pa.int32(), "different terms among them: its rows in postings"),
    ]
)

TERM_STATISTICS = pa.schema(
    [
        _field("term", pa.string(), "stemmed word; sorted, so that its row is its number"),
        _field("documents", pa.int64(), "documents of the corpus that have it"),
        _field("occurrences", pa.int64(), "its count in the whole corpus"),
    ]
)


def _rank(source: Source) -> pa.Field:
    return _field(f"{source}_rank", pa.int32(), SOURCES[source].rank, True)


_LATER_RANKS = [_rank(source) for source in SOURCES if source not in (Source.BM25, Source.DENSE)]
"""Ranks of the sources that are in no other list of columns; a new source's is among them."""


def _scores(chosen: bool = False) -> list[pa.Field]:
    return [
        _field(
            "sources", pa.list_(pa.string()), "sources that returned it, in the order of Source"
        ),
        _field("bm25_score", pa.float32(), "BM25 score, where that source returned it", True),
        _rank(Source.BM25),
        _field(
            "dense_score",
            pa.float32(),
            "student's similarity to the query"
            + ("" if chosen else "; null where a vector is zero, which has none"),
            not chosen,
        ),
        _rank(Source.DENSE),
    ]


_COSINE = _field(
    "query_cosine",
    pa.float32(),
    "cosine with the query, where dense_score is not that (student.normalize: false)",
    True,
)

_POSITIVE_COSINE = _field(
    "positive_query_cosine",
    pa.float32(),
    "cosine of query and positive, where positive_dense_score is not that",
    True,
)

_CONFIRMED = _field(
    "confirmed_negative", pa.bool_(), "labelled a negative: no judge's policy drops it"
)

_SAME_ID = _field(
    "same_id_as_query", pa.bool_(), "the query's own id, where both are one collection", True
)

_PARTS = _field(
    "judge_parts", pa.map_(pa.string(), pa.float32()), "scores that the judge's own is made of"
)

JUDGED = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        *_scores(),
        *_LATER_RANKS,
        _field("is_positive", pa.bool_(), "a known positive of the query"),
        _field("own_positive", pa.bool_(), "a positive by the query's own identifiers"),
        _field("judge_score", pa.float32(), "judge's score; null where none was needed", True),
        _PARTS,
        _field("bm25_pair_score", pa.float32(), "BM25 score, whether or not BM25 returned it"),
        _COSINE,
        _field("neighbour_cosine", pa.float32(), "mean cosine to its 5 nearest of the candidates"),
        _field("positive_cosine", pa.float32(), "highest cosine with a positive's vector"),
        _field("positive_jaccard", pa.float32(), "highest shingle Jaccard with a positive's text"),
        _field("same_text_as_positive", pa.bool_(), "normalised text equals a positive's"),
        _field("same_text_as_query", pa.bool_(), "normalised text equals the query's"),
        _field("same_id_as_query", pa.bool_(), "the query's own id, where both are one collection"),
        _field("query_jaccard", pa.float32(), "shingle Jaccard with the query's text"),
        _field("text_key", pa.uint64(), "hash of the document's normalised text"),
        _field("pair_key", pa.uint64(), "hash of query_id and doc_id; keys all sampling"),
        _field("in_evaluation", pa.bool_(), "a positive of a query of the evaluation splits"),
        _field(
            "hub_place", pa.int32(), "place of the query among those that got the document", True
        ),
        _CONFIRMED,
    ]
)

POSITIVE_SCORES = pa.schema(
    [_QUERY_IX, _DOC_IX, _field("judge_score", pa.float32(), "judge's score of the positive")]
)

SAMPLE_SCORES = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        _field("is_positive", pa.bool_(), "a known positive; else a random document"),
        _field("judge_score", pa.float32(), "judge's score of the pair"),
    ]
)

PAIR_PLACES = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        _field("place", pa.int32(), "place of the query among those that got the document"),
    ]
)

_VERDICT = [
    _field("policy", pa.string(), "policy that decided, by its name in the config", True),
    _field("threshold", pa.float32(), "the policy's limit for this candidate", True),
    _field("value", pa.float32(), "the value that was compared with the limit", True),
    _field("tier", pa.string(), "tier it was chosen for, or whose band it lies in", True),
    _field("rank", pa.int32(), "1 = hardest in its tier; null unless kept", True),
    _field("backfilled", pa.bool_(), "taken from another tier's band to fill this one"),
    _field("weight", pa.float32(), "sampling weight; 1 unless the method sets it"),
]

VERDICTS = pa.schema(
    [*JUDGED, _field("verdict", pa.string(), "a value of schemas.verdicts.Verdict"), *_VERDICT]
)

SETS = pa.schema(
    [
        _QUERY_IX,
        _field("query_id", pa.string(), "identifier of the query"),
        _field("positive_id", pa.string(), "the positive served: the judge's best"),
        _field("positives", pa.int32(), "positives of the query, rows of the data set positives"),
        _field("candidates", pa.int32(), "rows of the query in the ledger"),
        _field("negatives", pa.int32(), "negatives chosen, N of the ECI"),
        _field("tier_counts", pa.map_(pa.string(), pa.int32()), "negatives chosen, by tier"),
        _field("verdict_counts", pa.map_(pa.string(), pa.int32()), "candidates, by verdict"),
        _field("backfilled", pa.int32(), "negatives taken from another tier's band"),
        _field("shortfall", pa.int32(), "negatives asked for and not found"),
        _field("signal", pa.float32(), "S: mean cosine of query and negatives"),
        _field("safety", pa.float32(), "Delta: mean of max(0, cos(q, d+) - cos(q, n))"),
        _field("harmonic_mean", pa.float32(), "2 S Delta / (S + Delta)"),
        _field("eci", pa.float32(), "ln(1 + N) times the harmonic mean"),
    ]
)

NEGATIVES = pa.schema(
    [
        _field("query_id", pa.string(), "identifier of the query"),
        _field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("positive_id", pa.string(), "the positive that the judge scores highest"),
        _field("positive", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("negative_id", pa.string(), "identifier of the negative"),
        _field("negative", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("rank", pa.int32(), "1 = hardest in its tier"),
        *_scores(chosen=True),
        _field("positive_dense_score", pa.float32(), "student's similarity of query and positive"),
        _COSINE,
        _POSITIVE_COSINE,
        _field("judge_score", pa.float32(), "judge's score of the negative", True),
        _field("positive_judge_score", pa.float32(), "judge's score of the positive", True),
        _field("judge_margin", pa.float32(), "positive_judge_score - judge_score", True),
        _field("backfilled", pa.bool_(), "taken from another tier's band to fill this one"),
        _field("weight", pa.float32(), "sampling weight; 1 unless the method sets it"),
    ]
)

RUN_POSITIVES = pa.schema(
    [
        _field("query_id", pa.string(), "identifier of the query"),
        _field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("positive_id", pa.string(), "identifier of the positive"),
        _field("positive", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("grade", pa.float32(), "highest relevance judged; null where none is stated", True),
        _field("dense_score", pa.float32(), "student's similarity of query and positive"),
        _field("judge_score", pa.float32(), "judge's score; null where nobody judges", True),
        _field("served", pa.bool_(), "the one that negatives.positive_id names"),
    ]
)

_LIST_VERDICT = _field("verdict", pa.string(), "what the policies made of it, as in the ledger")

LISTED = pa.schema(
    [
        _QUERY_IX,
        _DOC_IX,
        _field("place", pa.int32(), "place in the query's list, from 1"),
        _field("is_positive", pa.bool_(), "a known positive of the query"),
        _LIST_VERDICT,
        _field("drawn", pa.bool_(), "drawn from a stratum without regard to the judge"),
        _field("judge_score", pa.float32(), "judge's score"),
        _field("dense_score", pa.float32(), "student's similarity to the query", True),
        _field("cosine", pa.float32(), "cosine of query and document", True),
        _field("sources", pa.list_(pa.string()), "sources that returned it"),
    ]
)

LISTS = pa.schema(
    [
        _field("query_id", pa.string(), "identifier of the query"),
        _field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("doc_id", pa.string(), "identifier of the document"),
        _field("document", pa.large_string(), "its text; absent with texts: ids_only", True),
        _field("place", pa.int32(), "place in the query's list, from 1; positives come first"),
        _field("is_positive", pa.bool_(), "a known positive of the query"),
        _LIST_VERDICT,
        _field("judge_score", pa.float32(), "judge's score, as it gave it"),
        _field(
            "judge_logit",
            pa.float32(),
            "ln(p / (1 - p)), where the judge gives probabilities",
            True,
        ),
        _field("teacher_score", pa.float32(), "the same on the scale of the student's cosines"),
        _field(
            "dense_score",
            pa.float32(),
            "student's similarity of query and document; null where a vector is zero",
            True,
        ),
        _field("sources", pa.list_(pa.string()), "sources that returned it"),
    ]
)

LEDGER = pa.schema(
    [
        _field("query_id", pa.string(), "identifier of the query"),
        _field("doc_id", pa.string(), "identifier of the candidate"),
        *_scores(),
        _field("is_positive", pa.bool_(), "a known positive of the query"),
        _CONFIRMED,
        _field("judge_score", pa.float32(), "judge's score; null where none was needed", True),
        _PARTS,
        _field(
            "positive_dense_score",
            pa.float32(),
            "student's similarity of query and positive; null where a vector is zero",
            True,
        ),
        _COSINE,
        _POSITIVE_COSINE,
        _field("positive_judge_score", pa.float32(), "judge's score of the positive", True),
        _field("positive_cosine", pa.float32(), "highest cosine with a positive's vector"),
        _field("positive_jaccard", pa.float32(), "highest shingle Jaccard with a positive's text"),
        _SAME_ID,
        _field("query_jaccard", pa.float32(), "shingle Jaccard with the query's text", True),
        *_LATER_RANKS,
        *_VERDICT,
    ]
)

REFRESHED = pa.schema(
    [
        _field("query_id", pa.string(), "identifier of the query"),
        _field("negative_id", pa.string(), "a negative of the parent run"),
        _field("positive_id", pa.string(), "the positive that the parent served"),
        _field("parent_tier", pa.string(), "its tier in the parent"),
        _field("parent_rank", pa.int32(), "its rank there"),
        _field("parent_dense_score", pa.float32(), "similarity under the parent's student"),
        _field("parent_positive_dense_score", pa.float32(), "the same of query and positive"),
        _field("parent_dense_rank", pa.int32(), "rank among dense candidates there", True),
        _field("parent_judge_score", pa.float32(), "the judge's score there", True),
        _field("candidate", pa.bool_(), "whether it is a candidate now; else no verdict"),
        _field("verdict", pa.string(), "its verdict now", True),
        _field("tier", pa.string(), "its tier now; null unless kept", True),
        _field("rank", pa.int32(), "its rank there", True),
        _field(
            "dense_score",
            pa.float32(),
            "similarity under this run's student, candidate or not; null where the query or the "
            "document is gone, or a vector is zero",
            True,
        ),
        _field("positive_dense_score", pa.float32(), "the same of query and positive", True),
        _field("dense_rank", pa.int32(), "rank among dense candidates now", True),
        _field("judge_score", pa.float32(), "the judge's score now", True),
        _field("easy", pa.bool_(), "1.15 times s-/s+ is now below what it was"),
        _field("stale", pa.bool_(), "easy, and not kept"),
    ]
)

BATCH_PLAN = pa.schema(
    [
        _field("epoch", pa.int32(), "from 0; every pair is in each once"),
        _field("batch", pa.int32(), "in its epoch, from 0; only the last may be short"),
        _field("position", pa.int32(), "in its batch, from 0"),
        _field("query_id", pa.string(), "identifier of the query"),
        _field("positive_id", pa.string(), "identifier of the positive"),
        _field("row", pa.int64(), "of the pair: its row in an n_tuple export of every query"),
        _field("pair_key", pa.uint64(), "hash of the texts of query and positive"),
        _field(
            "masked",
            pa.list_(pa.int32()),
            "positions in the batch whose positives are no negatives of this query",
        ),
    ]
)


def vectors(dimension: int) -> pa.Schema:
    """Schema of embeddings: `ix` (doc_ix or query_ix), float32 `vector`, optional token vectors.

    `token_vectors` holds bfloat16 values, row-major, tokens x dimension, special tokens left out.
    """
    return pa.schema(
        [
            _field("ix", pa.int64(), "doc_ix or query_ix"),
            _field("text_hash", pa.uint64(), "hash of the exact text, so that it is encoded once"),
            _field("vector", pa.list_(pa.float32(), dimension), "embedding, float32"),
            _field("token_vectors", pa.large_binary(), "bfloat16, tokens x dimension", True),
        ]
    )
