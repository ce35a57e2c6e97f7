"""Tables of a published run and of what is made of one."""

import pyarrow as pa

from negmine.schemas.tables.columns import (
    CONFIRMED,
    COSINE,
    EDIT,
    LATER_RANKS,
    LIST_VERDICT,
    PARTS,
    POSITIVE_COSINE,
    QUERY_IX,
    SAME_ID,
    VERDICT,
    field,
    scores,
)

SETS = pa.schema(
    [
        QUERY_IX,
        field("query_id", pa.string(), "identifier of the query"),
        field("positive_id", pa.string(), "the positive served: the judge's best"),
        field("positives", pa.int32(), "positives of the query, rows of the data set positives"),
        field("candidates", pa.int32(), "rows of the query in the ledger"),
        field("negatives", pa.int32(), "negatives chosen, N of the ECI"),
        field("tier_counts", pa.map_(pa.string(), pa.int32()), "negatives chosen, by tier"),
        field("verdict_counts", pa.map_(pa.string(), pa.int32()), "candidates, by verdict"),
        field("backfilled", pa.int32(), "negatives taken from another tier's band"),
        field("shortfall", pa.int32(), "negatives asked for and not found"),
        field("signal", pa.float32(), "S: mean cosine of query and negatives"),
        field("safety", pa.float32(), "Delta: mean of max(0, cos(q, d+) - cos(q, n))"),
        field("harmonic_mean", pa.float32(), "2 S Delta / (S + Delta)"),
        field("eci", pa.float32(), "ln(1 + N) times the harmonic mean"),
    ]
)

NEGATIVES = pa.schema(
    [
        field("query_id", pa.string(), "identifier of the query"),
        field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("positive_id", pa.string(), "the positive that the judge scores highest"),
        field("positive", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("negative_id", pa.string(), "identifier of the negative"),
        field("negative", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("rank", pa.int32(), "1 = hardest in its tier"),
        *scores(chosen=True),
        field("positive_dense_score", pa.float32(), "student's similarity of query and positive"),
        COSINE,
        POSITIVE_COSINE,
        field("judge_score", pa.float32(), "judge's score of the negative", True),
        field("positive_judge_score", pa.float32(), "judge's score of the positive", True),
        field("judge_margin", pa.float32(), "positive_judge_score - judge_score", True),
        field("backfilled", pa.bool_(), "taken from another tier's band to fill this one"),
        field("weight", pa.float32(), "what it counts in the loss; 1 unless weighting sets it"),
        field(
            "surface_sim",
            pa.float32(),
            "share of the query's terms, by IDF, in the negative; where weighting goes by it",
            True,
        ),
    ]
)

EDITS = pa.schema(
    [
        field("negative_id", pa.string(), "identifier of the text that was made"),
        field("query_id", pa.string(), "identifier of the query"),
        field("positive_id", pa.string(), "identifier of the positive that it was made from"),
        field(
            "probe", pa.bool_(), "it says what the positive says; else an edit has made it false"
        ),
        *EDIT,
        field("dense_score", pa.float32(), "student's similarity of query and text", True),
        field("positive_dense_score", pa.float32(), "the same of query and positive", True),
        field("text", pa.large_string(), "the text; absent with texts: ids_only", True),
    ]
)

RUN_POSITIVES = pa.schema(
    [
        field("query_id", pa.string(), "identifier of the query"),
        field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("positive_id", pa.string(), "identifier of the positive"),
        field("positive", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("grade", pa.float32(), "highest relevance judged; null where none is stated", True),
        field("dense_score", pa.float32(), "student's similarity of query and positive"),
        field("judge_score", pa.float32(), "judge's score; null where nobody judges", True),
        field("served", pa.bool_(), "the one that negatives.positive_id names"),
        field(
            "pair_weight",
            pa.float32(),
            "how far the pair is to be trusted, by ratio margin; where weighting.positives is set",
            True,
        ),
    ]
)

LISTS = pa.schema(
    [
        field("query_id", pa.string(), "identifier of the query"),
        field("query", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("doc_id", pa.string(), "identifier of the document"),
        field("document", pa.large_string(), "its text; absent with texts: ids_only", True),
        field("place", pa.int32(), "place in the query's list, from 1; positives come first"),
        field("is_positive", pa.bool_(), "a known positive of the query"),
        LIST_VERDICT,
        field("judge_score", pa.float32(), "judge's score, as it gave it"),
        field(
            "judge_logit",
            pa.float32(),
            "ln(p / (1 - p)), where the judge gives probabilities",
            True,
        ),
        field("teacher_score", pa.float32(), "the same on the scale of the student's cosines"),
        field(
            "dense_score",
            pa.float32(),
            "student's similarity of query and document; null where a vector is zero",
            True,
        ),
        field("sources", pa.list_(pa.string()), "sources that returned it"),
    ]
)

LEDGER = pa.schema(
    [
        field("query_id", pa.string(), "identifier of the query"),
        field("doc_id", pa.string(), "identifier of the candidate"),
        *scores(),
        field("is_positive", pa.bool_(), "a known positive of the query"),
        CONFIRMED,
        field("judge_score", pa.float32(), "judge's score; null where none was needed", True),
        PARTS,
        field(
            "positive_dense_score",
            pa.float32(),
            "student's similarity of query and positive; null where a vector is zero",
            True,
        ),
        COSINE,
        POSITIVE_COSINE,
        field("positive_judge_score", pa.float32(), "judge's score of the positive", True),
        field("positive_cosine", pa.float32(), "highest cosine with a positive's vector"),
        field("positive_jaccard", pa.float32(), "highest shingle Jaccard with a positive's text"),
        SAME_ID,
        field("query_jaccard", pa.float32(), "shingle Jaccard with the query's text", True),
        *LATER_RANKS,
        *VERDICT,
    ]
)

REFRESHED = pa.schema(
    [
        field("query_id", pa.string(), "identifier of the query"),
        field("negative_id", pa.string(), "a negative of the parent run"),
        field("positive_id", pa.string(), "the positive that the parent served"),
        field("parent_tier", pa.string(), "its tier in the parent"),
        field("parent_rank", pa.int32(), "its rank there"),
        field("parent_dense_score", pa.float32(), "similarity under the parent's student"),
        field("parent_positive_dense_score", pa.float32(), "the same of query and positive"),
        field("parent_dense_rank", pa.int32(), "rank among dense candidates there", True),
        field("parent_judge_score", pa.float32(), "the judge's score there", True),
        field("candidate", pa.bool_(), "whether it is a candidate now; else no verdict"),
        field("verdict", pa.string(), "its verdict now", True),
        field("tier", pa.string(), "its tier now; null unless kept", True),
        field("rank", pa.int32(), "its rank there", True),
        field(
            "dense_score",
            pa.float32(),
            "similarity under this run's student, candidate or not; null where the query or the "
            "document is gone, or a vector is zero",
            True,
        ),
        field("positive_dense_score", pa.float32(), "the same of query and positive", True),
        field("dense_rank", pa.int32(), "rank among dense candidates now", True),
        field("judge_score", pa.float32(), "the judge's score now", True),
        field("easy", pa.bool_(), "1.15 times s-/s+ is now below what it was"),
        field("stale", pa.bool_(), "easy, and not kept"),
    ]
)

BATCH_PLAN = pa.schema(
    [
        field("epoch", pa.int32(), "from 0; every pair is in each once"),
        field("batch", pa.int32(), "in its epoch, from 0; only the last may be short"),
        field("position", pa.int32(), "in its batch, from 0"),
        field("query_id", pa.string(), "identifier of the query"),
        field("positive_id", pa.string(), "identifier of the positive"),
        field("row", pa.int64(), "of the pair: its row in an n_tuple export of every query"),
        field("pair_key", pa.uint64(), "hash of the texts of query and positive"),
        field(
            "masked",
            pa.list_(pa.int32()),
            "positions in the batch whose positives are no negatives of this query",
        ),
    ]
)
