"""All metrics of a set of negatives, as one table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.calibrate import read_calibration
from negmine.transforms.kernels.measures.bootstrap import Bootstrap
from negmine.transforms.metrics.corpus import corpus_rows
from negmine.transforms.metrics.counts import (
    count_rows,
    found_rows,
    overlap_rows,
    source_rows,
    verdict_rows,
)
from negmine.transforms.metrics.duplicates import duplicate_rows
from negmine.transforms.metrics.edited import edited_rows
from negmine.transforms.metrics.estimates.gain import gain_rows
from negmine.transforms.metrics.estimates.unlabelled import unlabelled_rows
from negmine.transforms.metrics.inputs import Inputs
from negmine.transforms.metrics.judged import judge_rows
from negmine.transforms.metrics.languages import language_rows
from negmine.transforms.metrics.leak import leak_rows
from negmine.transforms.metrics.lexical import lexical_rows
from negmine.transforms.metrics.rows import Row, to_table
from negmine.transforms.metrics.scores import ratio_rows, score_rows
from negmine.transforms.metrics.vectors.eci import eci_rows
from negmine.transforms.metrics.vectors.embeddings import embedding_rows, softmax_rows
from negmine.transforms.metrics.vectors.geometry import length_bias_rows
from negmine.transforms.metrics.vectors.semantic import semantic_rows
from negmine.transforms.metrics.verdicts import read_verdicts
from negmine.transforms.metrics.weights import weight_rows
from negmine.transforms.sources.lexicon import Lexicon


def measure(inputs: Inputs) -> pa.Table:
    """`schemas.metrics.METRICS` of these negatives; the same bytes however they were cut.

    Memory holds the negatives and one part of the candidates, whatever the corpus.
    """
    return to_table(_rows(inputs))


_Verdicts: TypeAlias = tuple[Dataset, Sequence[str], Mapping[str, int], int]
"""Arguments of `read_verdicts`."""


def measure_run(asked: tuple[_Verdicts, JsonObject]) -> pa.Table:
    """The metrics of a run: asked for by the arguments of `read_verdicts` and those of `Inputs`."""
    verdicts, around = asked
    negatives, candidates = read_verdicts(*verdicts)
    return measure(Inputs(negatives=negatives, candidates=candidates, **around))


def _rows(inputs: Inputs) -> Iterator[Row]:
    negatives, collection, seed = inputs.negatives, inputs.collection, inputs.seed
    bootstrap = Bootstrap(negatives.queries, seed)
    lexicon = Lexicon(inputs.bm25, collection.queries) if inputs.bm25 else None
    known = None
    if inputs.judged and inputs.selection and inputs.selection.judged:
        known = read_calibration(inputs.judged, judged=True)
    yield from gain_rows(negatives, bootstrap, known)
    yield from eci_rows(negatives, bootstrap)
    if lexicon:
        yield from semantic_rows(negatives, collection, lexicon, seed)
    yield from score_rows(negatives)
    yield from ratio_rows(negatives)
    if inputs.candidates:
        yield from verdict_rows(inputs.candidates)
    yield from count_rows(negatives)
    yield from corpus_rows(negatives, collection)
    yield from source_rows(negatives)
    if inputs.candidates:
        yield from found_rows(inputs.candidates, negatives.queries)
        yield from overlap_rows(inputs.candidates)
    yield from duplicate_rows(negatives, collection)
    if lexicon:
        yield from lexical_rows(negatives, lexicon)
        yield from length_bias_rows(collection, lexicon, seed)
    if collection.languages is not None:
        yield from language_rows(negatives, collection.languages)
    yield from embedding_rows(negatives, collection, seed)
    yield from softmax_rows(negatives)
    if inputs.weigher:
        yield from weight_rows(negatives, inputs.weigher)
    yield from judge_rows(negatives, bootstrap)
    for judge, (auc, low, high, queries) in inputs.judge_auc.items():
        yield Row("judge_auc", auc, queries, key=judge, low=low, high=high)
    if inputs.judged and known is not None:
        yield from unlabelled_rows(inputs.judged, known, negatives.queries, bootstrap)
    if inputs.edits:
        yield from edited_rows(inputs.edits, negatives, collection)
    if inputs.judged and inputs.selection:
        yield from leak_rows(collection, inputs.judged, inputs.selection)
