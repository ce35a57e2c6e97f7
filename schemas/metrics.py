"""The metrics of a set of negatives: one number a row, and what each number means."""

from typing import NamedTuple

import pyarrow as pa

METRICS = pa.schema(
    [
        pa.field(name, kind, nullable, {"description": meaning})
        for name, kind, nullable, meaning in (
            ("metric", pa.string(), False, "a key of schemas.metrics.MEANINGS"),
            ("tier", pa.string(), True, "tier it is about; null = all tiers together"),
            ("source", pa.string(), True, "source it is about; null = all sources together"),
            ("key", pa.string(), True, "what is counted: a verdict, doc_id, statistic ..."),
            ("bin", pa.float64(), True, "lower edge of a bin, or a temperature"),
            ("value", pa.float64(), False, "the number"),
            ("low", pa.float64(), True, "lower end of the 95 % interval, where there is one"),
            ("high", pa.float64(), True, "upper end of the 95 % interval, where there is one"),
            ("count", pa.int64(), False, "how many are behind the value, see Meaning.counted"),
        )
    ]
)


class Meaning(NamedTuple):
    """What a metric says, and what its `count` counts."""

    text: str
    counted: str


MEANINGS = {
    "expected_gain": Meaning(
        "what training with the set promises, from scores: ranks sets of one collection", "queries"
    ),
    "unlabelled_positives": Meaning(
        "positives a query that nobody labelled, among the retrieved candidates: at most about so "
        "many, by the judge's scores",
        "queries",
    ),
    "eci": Meaning(
        "ECI v1, ln(1 + N) times the harmonic mean, of median N and mean S and D", "queries"
    ),
    "signal": Meaning("S of the ECI: mean cosine of query and negative, by query", "queries"),
    "safety": Meaning("D of the ECI: mean of max(0, cos(q, d+) - cos(q, n)), by query", "queries"),
    "harmonic_mean": Meaning("2 S D / (S + D)", "queries"),
    "size": Meaning("N of the ECI: median negatives of the queries that have any", "queries"),
    "equal_n": Meaning(
        "the smallest size of a tier, source or combination", "how many of them there are"
    ),
    "eci_equal_n": Meaning("ECI v1 with N = equal_n, so that tiers and sources compare", "queries"),
    "eci_sem_recon": Meaning("log-determinant of the reconstructed information matrix", "triples"),
    "eci_sem_recon_trace": Meaning(
        "trace of that matrix: the mean weight of a negative", "triples"
    ),
    "participation_ratio": Meaning(
        "(tr M)^2 / tr(M^2) of that matrix: directions in use", "triples"
    ),
    "consistency": Meaning("mean sigmoid((cos(q, d+) - cos(q, n)) / 0.05)", "triples"),
    "locality": Meaning("mean max(0, cos(q, n))", "triples"),
    "residuality": Meaning(
        "mean IDF share of the negative's terms new to query and positive", "triples"
    ),
    "dense_positive": Meaning("student scores of the positives served, each once a query", "pairs"),
    "dense_negative": Meaning("student scores of the negatives", "negatives"),
    "dense_difference": Meaning(
        "student score of the positive minus that of the negative", "negatives"
    ),
    "judge_positive": Meaning("judge scores of the positives served, each once a query", "pairs"),
    "judge_negative": Meaning("judge scores of the negatives", "negatives"),
    "judge_difference": Meaning(
        "judge score of the positive minus that of the negative", "negatives"
    ),
    "ratio_histogram": Meaning(
        "negatives by s-/s+ clipped to [0, 1.5], bins 0.05 wide", "negatives in all"
    ),
    "ratio_above_one": Meaning("share of negatives with s-/s+ above 1", "negatives"),
    "ratio_95_to_one": Meaning("share of negatives with s-/s+ from 0.95 to 1", "negatives"),
    "verdict": Meaning("candidates with this verdict", "candidates in all"),
    "negatives": Meaning("negatives chosen", "queries that have any"),
    "backfilled": Meaning("negatives taken from another tier's band", "negatives"),
    "queries_without": Meaning("queries for which the source returned nothing", "queries"),
    "queries_short": Meaning("queries with fewer negatives than asked for", "queries"),
    "shortfall": Meaning("negatives asked for and not found", "negatives asked for"),
    "coverage": Meaning("share of queries with all the negatives asked for", "queries"),
    "corpus_used": Meaning("share of the corpus used as a negative", "documents"),
    "gini": Meaning("Gini coefficient of how often a used document is used", "documents used"),
    "hub": Meaning("how often the document is used, the 20 most used", "negatives"),
    "tier_source": Meaning(
        "negatives of the tier that the source returned", "negatives of the tier"
    ),
    "source_jaccard": Meaning(
        "pairs that both sources returned, of those that either did", "the latter"
    ),
    "source_overlap_10": Meaning(
        "pairs in the first ten of both, of ten (Dice)", "pairs in either's, summed"
    ),
    "near_duplicate_positive": Meaning(
        "share of negatives, MinHash Jaccard >= 0.8 to a positive", "negatives"
    ),
    "near_duplicate_negative": Meaning(
        "share, the same to another of the query's negatives", "negatives"
    ),
    "lexical_overlap_positive": Meaning(
        "mean IDF share of the query's terms in the positive", "pairs"
    ),
    "lexical_overlap_negative": Meaning(
        "mean IDF share of the query's terms in the negative", "negatives"
    ),
    "length_ratio": Meaning("mean terms of a negative over mean terms of a positive", "negatives"),
    "shortcut_auc": Meaning("AUC of length and lexical overlap alone, within queries", "pairs"),
    "language_auc": Meaning(
        "AUC of the languages of query and document alone, positives against negatives", "pairs"
    ),
    "language_share": Meaning(
        "share of negatives whose language is key: same or other than the query's, or a code",
        "negatives whose language and query's are known",
    ),
    "language_share_positive": Meaning("the same of the positives served", "pairs"),
    "language_eci": Meaning("ECI v1 of the queries in language key", "queries"),
    "evaluation_documents": Meaning(
        "negatives that are positives of an evaluation query", "negatives"
    ),
    "edit_fooled": Meaning(
        "share of edits of kind key, which no longer answer, that the student puts above the "
        "positive they were made from",
        "edits",
    ),
    "edit_drop": Meaning("mean similarity that the edit key costs a positive", "edits"),
    "probe_drop": Meaning(
        "mean similarity that a positive loses by the probe key, which leaves what it says",
        "probes",
    ),
    "probe_below_negative": Meaning(
        "share of probes of kind key below the query's nearest negative that is no edit, of those "
        "whose positive is above it",
        "probes",
    ),
    "alignment": Meaning("mean squared distance of query and positive, unit vectors", "pairs"),
    "uniformity": Meaning("log mean exp(-2 squared distance) of random documents", "pairs"),
    "anisotropy": Meaning("mean cosine of random documents", "pairs"),
    "first_pass_recall": Meaning(
        "share of the ten nearest that a first pass in half the dimensions finds, by its kind; "
        "where anisotropy is above 0.5",
        "queries",
    ),
    "tolerance": Meaning("mean cosine of two positives of one query", "queries"),
    "length_bias": Meaning(
        "correlation of score and log length, two random documents for one query", "pairs"
    ),
    "length_bias_auc": Meaning(
        "share of such pairs in which the longer document scores higher", "pairs"
    ),
    "effective_negatives": Meaning(
        "mean 1 / sum p^2 over queries, p = softmax(s / bin)", "queries"
    ),
    "weight": Meaning("weights of the negatives in the loss", "negatives"),
    "weight_effective": Meaning(
        "(sum w)^2 / (n sum w^2): share of the negatives that weights leave in effect", "negatives"
    ),
    "weight_cell": Meaning(
        "share of the negatives in a cell of surface similarity, cosine and length", "negatives"
    ),
    "weight_cell_after": Meaning("the cell's share of the weight", "negatives"),
    "judge_fn_rate": Meaning(
        "share of negatives that the judge puts above the positive", "negatives"
    ),
    "judge_pos_at_1": Meaning(
        "share of queries whose positive the judge puts above all", "queries"
    ),
    "judge_auc": Meaning(
        "AUC of judge key: a sample's known positives against random documents", "queries"
    ),
    "judge_margin": Meaning(
        "mean judge score of the positive minus the best negative's", "queries"
    ),
    "leak": Meaning(
        "share of hidden positives taken for negatives at positives_above = key", "hidden positives"
    ),
    "leak_hard": Meaning("negatives with s-/s+ >= 0.8 chosen beside them", "negatives chosen"),
}
"""Every metric, by name."""
