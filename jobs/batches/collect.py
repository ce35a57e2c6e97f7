"""What batches are made of: a published run's pairs, their vectors, and what may answer whom."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.jobs.runs.published import Run
from negmine.schemas.errors import DataError, StorageError
from negmine.schemas.policies import Policy
from negmine.schemas.selection import calibrated
from negmine.schemas.verdicts import Verdict
from negmine.transforms.data.columns import array_column, binary_column, release_pages
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.languages import languages_of
from negmine.transforms.data.sql import connect, dataset_sql, has_parts, partitioned_sql
from negmine.transforms.kernels.batching.epochs import TrainingPairs
from negmine.transforms.kernels.batching.suspects import Suspects
from negmine.transforms.kernels.choosing.limits import by_language
from negmine.transforms.kernels.hashing import mix, text_keys
from negmine.transforms.pairs.hold_out import calibrations

_NEEDED = ("documents", "queries", "document_vectors", "query_vectors", "verdicts", "judged")
_TEXTS_AT_ONCE = 8192

UNSAFE = frozenset(
    {
        Verdict.KNOWN_POSITIVE,
        Verdict.QUERY_ITSELF,
        Verdict.SAME_TEXT_AS_POSITIVE,
        Verdict.NEAR_DUPLICATE_OF_POSITIVE,
        Verdict.TRANSLATION_OF_POSITIVE,
        Verdict.STUDENT_ABSOLUTE_MARGIN,
        Verdict.STUDENT_RELATIVE_MARGIN,
        Verdict.SUSPECTED_POSITIVE,
        Verdict.JUDGE_SCORE,
        Verdict.JUDGE_ABSOLUTE_MARGIN,
        Verdict.JUDGE_RELATIVE_MARGIN,
        Verdict.JUDGE_CALIBRATED_THRESHOLD,
    }
)
"""Verdicts of what the run takes for an answer to its query, or near to one."""
_UNSAFE = pa.array(sorted(UNSAFE), pa.string())

_PAIRS = """
SELECT p.query_id::VARCHAR AS query_id, p.positive_id::VARCHAR AS positive_id,
    q.query_ix, d.doc_ix, d.text_key, q.query_key, d.doc_key
FROM ({positives}) p
LEFT JOIN ({queries}) q ON q.query_id = p.query_id
LEFT JOIN ({documents}) d ON d.doc_id = p.positive_id
WHERE p.query_id IN (SELECT query_id FROM ({negatives}))
ORDER BY p.query_id, p.served DESC, p.judge_score DESC NULLS LAST, p.dense_score DESC,
    p.positive_id
"""
"""Pairs in the order in which exports write them."""


@dataclass(frozen=True)
class Mapped:
    """Rows of a memory-mapped array, whose pages are given back as they are read."""

    rows: np.ndarray

    def __getitem__(self, positions: np.ndarray) -> np.ndarray:
        """Rows at positions."""
        release_pages()
        return np.asarray(self.rows[positions])


@dataclass(frozen=True)
class Collected:
    """A run's pairs, and what their batches need.

    Attributes:
        ids: query_id and positive_id of each pair.
        pairs: the same by position.
        queries, documents: the student's vectors.
        apart: texts that the run takes for answers, or near to ones: kept apart where possible.
        masked: these, and texts that the judge scores at or above `threshold`.
        threshold: the score that a share of the positives reaches; None without a judge.
        judged: share of the candidates that share a text with a pair's positive and have a score.
    """

    ids: pa.Table
    pairs: TrainingPairs
    queries: Mapped
    documents: Mapped
    apart: Suspects
    masked: Suspects
    threshold: float | None
    judged: float


def collect(run: Run, positives_above: float) -> Collected:
    """Read a run's pairs and what its work directory knows of them.

    Args:
        run: a complete run.
        positives_above: share of the known positives that the judge scores at or above the
            threshold from which a text is masked.

    Raises:
        StorageError: the work directory no longer holds what the run was made of.
        DataError: the run has no pair that has a negative.
    """
    artifacts = run.artifacts()
    for name in _NEEDED:
        if name not in artifacts:
            raise StorageError(
                f"{run.missing_artifact(name)}, and batches are composed of it: run the "
                "configuration again, which makes what is missing"
            )
    sets = {name: Dataset(str(artifacts[name])) for name in _NEEDED}
    table = _pairs(run, sets)
    keys, text = np.unique(table["text_key"].to_numpy(), return_inverse=True)
    pairs = TrainingPairs(
        query=table["query_ix"].to_numpy(),
        document=table["doc_ix"].to_numpy(),
        text=text.astype(np.int32),
        key=mix(table["query_key"].to_numpy(), table["doc_key"].to_numpy()),
    )
    threshold, limits = _thresholds(run, sets, positives_above)
    queries = array_column(sets["query_vectors"], "vector")
    apart, masked, judged = _suspects(sets, pairs, keys, limits, len(queries))
    return Collected(
        ids=table.select(["query_id", "positive_id"]),
        pairs=pairs,
        queries=Mapped(queries),
        documents=Mapped(array_column(sets["document_vectors"], "vector")),
        apart=apart,
        masked=masked,
        threshold=threshold,
        judged=judged,
    )


def _pairs(run: Run, sets: dict[str, Dataset]) -> pa.Table:
    folder = run.path / "positives"
    negatives = partitioned_sql(run.path / "negatives", "tier")
    if not has_parts(folder):
        raise StorageError(
            f"run {run.run_id} is of an older negmine, which published one positive a query; mine "
            "its configuration again"
        )
    if negatives is None:
        raise DataError(f"run {run.run_id} holds no negatives, so no export has its pairs")
    sql = _PAIRS.format(
        positives=dataset_sql(folder),
        negatives=negatives,
        queries=dataset_sql(sets["queries"].directory),
        documents=dataset_sql(sets["documents"].directory),
    )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="negmine-batches-") as spill,
            connect(spill=spill) as database,
        ):
            table = database.sql(sql).to_arrow_table()
    except duckdb.Error as error:
        raise StorageError(
            f"{run.path} cannot be read: {str(error).splitlines()[0]}. Mine the run again"
        ) from error
    for name in ("query", "doc"):
        if table[f"{name}_ix"].null_count:
            raise StorageError(
                f"the work directory of run {run.run_id} lacks {table[f'{name}_ix'].null_count:,} "
                f"of its {'queries' if name == 'query' else 'positives'}: it is not what the run "
                "was mined from. Run the configuration again"
            )
    return table


def _thresholds(
    run: Run, sets: dict[str, Dataset], positives_above: float
) -> tuple[float | None, tuple[np.ndarray, np.ndarray]]:
    """The score that the share reaches; and each query's, from which pairs are apart and masked."""
    languages = languages_of(sets["documents"], sets["queries"])
    queries = len(array_column(sets["query_vectors"], "vector"))
    language = np.zeros(queries, np.int32) if languages is None else languages.queries
    calibration = None
    if run.manifest.get("config", {}).get("judge", {}).get("kind") != "none":
        seed = int(run.manifest.get("seed", 0))
        calibration, _ = calibrations(sets["judged"], seed, languages)
    if calibration is None or not len(calibration.scores):
        return None, (np.full(queries, np.inf), np.full(queries, np.inf))
    own = Policy.model_validate({"judge_calibrated_threshold": {}})
    for entry in run.manifest.get("policies", []):
        policy = Policy.model_validate(entry)
        if policy.name == own.name:
            own = policy
    kept = calibrated(own, calibration).parameters
    found = calibration.threshold(positives_above)
    each = calibration.by_language(positives_above).items() if kept.thresholds else ()
    apart = by_language(kept.threshold, kept.thresholds, language)
    return found, (apart, by_language(found, each, language))


def _suspects(
    sets: dict[str, Dataset],
    pairs: TrainingPairs,
    keys: np.ndarray,
    limits: tuple[np.ndarray, np.ndarray],
    queries: int,
) -> tuple[Suspects, Suspects, float]:
    """What is apart and what is masked, and the share of these candidates that have a score."""
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = [
        (pairs.query.astype(np.int32), pairs.text, np.ones(len(pairs), dtype=bool))
    ]
    seen = scored = 0
    for table in _candidates(sets, pairs, keys):
        score = table["judge_score"].fill_null(float("nan")).to_numpy()
        unsafe = pc.is_in(table["verdict"], value_set=_UNSAFE).to_numpy()
        asked = ~table["confirmed_negative"].to_numpy(zero_copy_only=False)
        query = table["query_ix"].to_numpy()
        apart = unsafe | (asked & (score >= limits[0][query]))
        masked = apart | (asked & (score >= limits[1][query]))
        seen, scored = seen + len(score), scored + int((~np.isnan(score)).sum())
        found.append(
            (query[masked].astype(np.int32), table["text"].to_numpy()[masked], apart[masked])
        )
    query, text, apart = (np.concatenate(part) for part in zip(*found, strict=True))
    return (
        Suspects.of(query[apart], text[apart], queries, len(keys)),
        Suspects.of(query, text, queries, len(keys)),
        scored / seen if seen else 0.0,
    )


def _candidates(
    sets: dict[str, Dataset], pairs: TrainingPairs, keys: np.ndarray
) -> Iterator[pa.Table]:
    """Candidates whose text is a pair's positive's, with the number of that text."""
    of_documents = array_column(sets["documents"], "text_key")
    number = np.full(len(of_documents), -1, dtype=np.int32)
    for start in range(0, len(number), 1 << 20):
        some = np.asarray(of_documents[start : start + (1 << 20)])
        at = np.minimum(np.searchsorted(keys, some), len(keys) - 1)
        number[start : start + len(some)] = np.where(keys[at] == some, at, -1)
    names = ["query_ix", "doc_ix", "judge_score", "verdict", "confirmed_negative"]
    for table in sets["verdicts"].tables(names):
        text = number[table["doc_ix"].to_numpy()]
        table = table.append_column("text", pa.array(text))
        yield table.filter(pa.array(text >= 0)).combine_chunks()


def pair_keys(run: Run, pairs: TrainingPairs) -> np.ndarray:
    """Hashes of the texts of query and positive, (n,) uint64, as `BatchPlan.rows` makes them."""
    artifacts = run.artifacts()
    queries = binary_column(Dataset(str(artifacts["queries"])), "text")
    documents = binary_column(Dataset(str(artifacts["documents"])), "text")
    found = np.empty(len(pairs), dtype=np.uint64)
    for start in range(0, len(pairs), _TEXTS_AT_ONCE):
        rows = slice(start, start + _TEXTS_AT_ONCE)
        both = zip(
            queries.texts(pairs.query[rows]), documents.texts(pairs.document[rows]), strict=True
        )
        found[rows] = text_keys(f"{query}\0{positive}" for query, positive in both)
    return found
