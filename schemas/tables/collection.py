"""Tables of a collection as it was read, of its terms and of its vectors."""

import pyarrow as pa

from negmine.schemas.tables.columns import DOC_IX, EDIT, QUERY_IX, field

DOCUMENTS = pa.schema(
    [
        DOC_IX,
        field("doc_id", pa.string(), "identifier in the corpus"),
        field("text", pa.large_string(), "title and text, joined by one space"),
        field("doc_key", pa.uint64(), "hash of the identifier; keys all sampling"),
        field(
            "text_key",
            pa.uint64(),
            "hash of the text, form, case and white space aside; equal texts share it",
        ),
        field(
            "minhash", pa.binary(128), "128 8-bit MinHash values of its shingles of three tokens"
        ),
        field("in_evaluation", pa.bool_(), "a positive of a query of the evaluation splits"),
        field(
            "group_key",
            pa.uint64(),
            "hash of the identifier of the longer document that it is a passage of; 0 without one",
        ),
        field("place", pa.int64(), "number of the passage in that; -1 where it is not known"),
    ]
)

QUERIES = pa.schema(
    [
        QUERY_IX,
        field("query_id", pa.string(), "identifier; the smallest one where queries were merged"),
        field("text", pa.large_string(), "text of the query"),
        field("query_key", pa.uint64(), "hash of the identifier; keys all sampling"),
        field("text_key", pa.uint64(), "as of documents"),
        field("merged_ids", pa.list_(pa.string()), "other identifiers that had the same text"),
    ]
)

POSITIVES = pa.schema(
    [
        QUERY_IX,
        DOC_IX,
        field("grade", pa.float32(), "highest relevance judged; null where none is stated", True),
        field(
            "own",
            pa.bool_(),
            "judged for one of the query's own identifiers; false where only another query of the "
            "same text has it, which happens where equal queries are not merged, and where the "
            "judgement is of a whole document, of which it is one of several passages",
        ),
    ]
)

CONFIRMED_NEGATIVES = pa.schema([QUERY_IX, DOC_IX])

EVALUATION_KEYS = pa.schema(
    [field("text_key", pa.uint64(), "of a positive of the evaluation splits, in the corpus or not")]
)

DEAD_LETTERS = pa.schema(
    [
        field("file", pa.string(), "input file, relative to the input path"),
        field("line", pa.int64(), "line or row number in it, from 1; 0 where there is none"),
        field("kind", pa.string(), "documents, queries, qrels or labels"),
        field("reason", pa.string(), "what is wrong with the row"),
        field("excerpt", pa.string(), "the first 200 characters of the row, for the reader"),
    ]
)

MADE_EDITS = pa.schema(
    [
        QUERY_IX,
        field("doc_ix", pa.int64(), "position of the text that was made, behind the corpus"),
        field("positive_ix", pa.int64(), "position of the positive that it was made from"),
        field(
            "probe", pa.bool_(), "it says what the positive says; else an edit has made it false"
        ),
        *EDIT,
    ]
)

POSTINGS = pa.schema(
    [
        DOC_IX,
        field("term", pa.string(), "stemmed word"),
        field("frequency", pa.int32(), "how often the document has it"),
    ]
)

DOCUMENT_LENGTHS = pa.schema(
    [
        DOC_IX,
        field("length", pa.int32(), "terms in the document, stop words left out"),
        field("distinct", pa.int32(), "different terms among them: its rows in postings"),
    ]
)

TERM_STATISTICS = pa.schema(
    [
        field("term", pa.string(), "stemmed word; sorted, so that its row is its number"),
        field("documents", pa.int64(), "documents of the corpus that have it"),
        field("occurrences", pa.int64(), "its count in the whole corpus"),
    ]
)


def vectors(dimension: int) -> pa.Schema:
    """Schema of embeddings: `ix` (doc_ix or query_ix), float32 `vector`, optional token vectors.

    `token_vectors` holds a row a token, special tokens left out: documents' with two bits a number,
    queries' with four, as `transforms.kernels.search.token_codes.pack` makes them.
    """
    return pa.schema(
        [
            field("ix", pa.int64(), "doc_ix or query_ix"),
            field("text_hash", pa.uint64(), "hash of the exact text, so that it is encoded once"),
            field("vector", pa.list_(pa.float32(), dimension), "embedding, float32"),
            field("token_vectors", pa.large_binary(), "packed rows, one a token", True),
        ]
    )
