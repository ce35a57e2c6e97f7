"""The scale of exported scores: the judge's own, from 0 to 1, or within the student's reach."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from negmine.schemas.errors import DataError
from negmine.transforms.data.sql import COSINE, partitioned_sql
from negmine.transforms.exporters.reading.options import Options, Source
from negmine.transforms.kernels.choosing.teacher_scale import TeacherScale, logits
from negmine.transforms.kernels.measures.shortcut import fit_logistic

_NO_JUDGE = (
    "run {run_id} has no judge's score of every pair, so there is nothing to put on that scale; "
    "mine with a judge that reads every pair, or with --set lists.size=16 and export --lists"
)


@dataclass(frozen=True)
class ScoreScale:
    """What becomes of scores, (n,) float64 to float32, and the words for it."""

    told: str
    apply: Callable[[np.ndarray], np.ndarray]


def as_stored(scores: np.ndarray) -> np.ndarray:
    """Scores (n,) as float32, no more."""
    return scores.astype(np.float32)


def scale_of(
    connection: duckdb.DuckDBPyConnection, source: Source, options: Options, scores: str
) -> ScoreScale:
    """The scale that the options ask for, of scores that are `judge`, `teacher` or `dense`.

    `raw`: the judge's own, logits where it gives probabilities. `unit`: probabilities as they
    are; of other judges a logistic curve between the known positives and the random documents.
    `student`: the straight line of teacher lists, as the manifest has it or fitted now. Raises
    DataError where a scale needs a judge, or pairs to be fitted from, that the run has not.
    """
    if options.scale is None or scores == "teacher":
        return ScoreScale("", as_stored)
    if scores == "dense":
        if options.scale == "unit":
            raise DataError(_NO_JUDGE.format(run_id=source.run_id))
        return ScoreScale("the student's similarities, as they are", as_stored)
    if options.scale == "raw":
        if source.probabilities:
            return ScoreScale("logits of the judge's probabilities", _as_float(logits))
        return ScoreScale("the judge's own", as_stored)
    if options.scale == "unit" and source.probabilities:
        return ScoreScale("the judge's probabilities", as_stored)
    if options.scale == "student" and source.teacher:
        return _line(_stored(source.teacher), "as in the manifest")
    positive, random = _pairs(connection, source)
    if options.scale == "student":
        scale = TeacherScale.read(positive, random, source.probabilities)
        return _line(scale, "fitted to the known positives and the random documents")
    return _curve(positive[0], random[0])


def _as_float(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda scores: change(scores).astype(np.float32)


def _stored(facts: Mapping[str, object]) -> TeacherScale:
    values: dict[str, Any] = {
        name: float("nan") if value is None else value for name, value in facts.items()
    }
    return TeacherScale(**values)


def _line(scale: TeacherScale, how: str) -> ScoreScale:
    told = f"{scale.slope:.4g} {scale.of} {scale.intercept:+.4g}, cut off at -1 and 1, {how}"
    return ScoreScale(told, scale.apply)


def _curve(positive: np.ndarray, random: np.ndarray) -> ScoreScale:
    """A probability of being a known positive rather than a random document, as likely before."""
    scores = np.concatenate([positive, random])
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    is_positive = np.arange(len(scores)) < len(positive)
    beta = fit_logistic(((scores - centre) / spread)[:, None], is_positive)
    slope = float(beta[1]) / spread
    start = float(beta[0]) - slope * centre

    def apply(given: np.ndarray) -> np.ndarray:
        curve = np.exp(-np.logaddexp(0.0, -(slope * given.astype(np.float64) + start)))
        return np.asarray(curve, dtype=np.float32)

    told = f"1 / (1 + exp(-({slope:.4g} judge_score {start:+.4g}))), fitted to the known positives"
    return ScoreScale(f"{told} and the random documents", apply)


_Pairs = tuple[np.ndarray, np.ndarray]


def _pairs(connection: duckdb.DuckDBPyConnection, source: Source) -> tuple[_Pairs, _Pairs]:
    """Judge scores and cosines of known positives and of random documents, from the ledger."""
    ledger = partitioned_sql(source.run / "ledger", "verdict")
    if ledger is None:
        raise DataError(f"run {source.run_id} has no ledger to fit a scale from; mine it again")
    columns = f"SELECT judge_score AS judge, {COSINE} AS cosine FROM ({ledger}) WHERE "
    known = "judge_score IS NOT NULL AND {which} ORDER BY query_id, doc_id"
    wanted = ("is_positive", "NOT is_positive AND list_contains(sources, 'random')")
    found = []
    for which in wanted:
        table = connection.sql(columns + known.format(which=which)).to_arrow_table()
        both = (table.column(name).to_numpy().astype(np.float64) for name in ("judge", "cosine"))
        found.append(tuple(both))
    (above, at), (below, under) = found
    if not len(above) or not len(below):
        lacking = "known positives" if not len(above) else "random documents"
        raise DataError(
            f"run {source.run_id} holds no judged {lacking} to fit the scale from; mine with the "
            "source random and a judge that reads every pair, or export with --scale raw"
        )
    return (above, at), (below, under)
