"""`negmine pairs`: given pairs with their confidence, as a BEIR folder; doubtful ones set aside."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.pairs.kept_out import SPLIT, KeptOut
from negmine.jobs.runs.collection import counted
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.schemas.errors import ConfigError
from negmine.schemas.locations import shown
from negmine.transforms import storage
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.exporters.writing.columns import (
    LINE,
    lines,
    repeated,
    text_field,
)
from negmine.transforms.exporters.writing.folders import (
    REPORT,
    folder_target,
    folder_written,
    json_text,
)
from negmine.transforms.pairs.confidence import PairConfidence
from negmine.transforms.readers.labels import ANSWERS, NEGATIVE
from negmine.transforms.readers.tables.delimited import quoted

BELOW = "ratio_below_limit"
KNOWN, CONFIRMED = "known_positive", "confirmed_negative"
"""Reasons of labels that are no quarantined pairs: what the collection knew besides its pairs."""
_AT_ONCE = 32_768
_TEXTS = pa.schema([text_field("_id"), text_field("text")])
_PAIRS = pa.schema(
    [
        text_field("query_id"),
        text_field("doc_id"),
        *(pa.field(name, pa.float32(), False) for name in ("cosine", "ratio", "pair_weight")),
        *(pa.field(name, pa.bool_(), False) for name in ("forward", "backward", "quarantined")),
        pa.field("reason", pa.large_string()),
    ]
)
_LABELS = pa.schema(
    [*(field.with_nullable(field.name not in ("query_id", "doc_id")) for field in _PAIRS)]
).append(text_field("decision"))
FILES = {
    "corpus.jsonl": _TEXTS,
    "queries.jsonl": _TEXTS,
    "qrels/train.tsv": LINE,
    "pairs.parquet": _PAIRS,
    "quarantined.jsonl": _LABELS,
}


@dataclass(frozen=True)
class SortedPairs:
    """Counts: `pairs` = `kept` + `quarantined`; `limit` is the ratio below which they are, None
    where none is; `mutual` are each other's best, `median_ratio` is of all. `labels` are the lines
    of quarantined.jsonl, `evaluation` the judgements that are kept out of training, and
    `queries_are_documents` is what the config says of that."""

    folder: str
    pairs: int
    kept: int
    quarantined: int
    queries_without: int
    mutual: int
    median_ratio: float
    limit: float | None
    labels: int
    evaluation: int
    queries_are_documents: bool | str

    def as_json(self) -> JsonObject:
        """As JSON values."""
        return asdict(self)


def place_of(folder: str | Path, force: bool) -> Path:
    """The folder to write. Raises ConfigError: it cannot be, or is there and not to be replaced."""
    place = folder_target(folder, "pairs", ())
    if storage.is_dir(place) and storage.names(place) and not force:
        raise ConfigError(
            f"{shown(str(place))} is there already, and its quarantined.jsonl may hold decisions; "
            "name another folder, or give --force"
        )
    return place


def sort_out(
    config: Config, folder: str | Path, deviations: float | None, force: bool = False
) -> SortedPairs:
    """Write a collection with the confidence of its pairs as a BEIR folder.

    `pairs.parquet` has every pair; `quarantined.jsonl` those whose ratio margin is so many robust
    standard deviations below the median of the mutual ones (None: none), which the judgements in
    `qrels/train.tsv` lack, and besides them what is known and is no pair: positives that are not a
    query's own, and confirmed negatives. What is kept for evaluation is in `qrels/test.tsv`.
    Raises what ingesting and embedding raise, ConfigError for a folder that
    cannot be written, StorageError where the disk refuses.
    """
    place = place_of(folder, force)
    mining = MiningRun(config)
    mining.check()
    mining.run_until("embed")
    confidence = PairConfidence.of(mining.collection)
    found = confidence.found
    limit = found.limit(deviations) if deviations is not None else float("-inf")
    aside = (found.ratio < limit) & confidence.own
    sets = mining.ingested
    own = confidence.own
    negatives = sets.get("confirmed_negatives")
    kept_out = KeptOut.of(config, sets["documents"], sets["queries"])
    kept_queries = np.unique(confidence.query_ix[own & ~aside])
    told = SortedPairs(
        str(place),
        int(own.sum()),
        int((own & ~aside).sum()),
        int(aside.sum()),
        len(np.setdiff1d(confidence.query_ix[own], kept_queries)),
        int((found.forward & found.backward)[own].sum()),
        round(float(np.median(found.ratio[own])), 6) if own.any() else float("nan"),
        round(limit, 6) if np.isfinite(limit) else None,
        int((aside | ~own).sum()) + (negatives.rows if negatives else 0),
        len(kept_out.judgements),
        config.input.queries_are_documents,
    )
    write_folder(place, sets, confidence, aside, told.as_json(), kept_out)
    return told


def write_folder(
    place: Path,
    sets: dict[str, Dataset],
    confidence: PairConfidence,
    aside: np.ndarray,
    counts: JsonObject,
    kept_out: KeptOut | None = None,
) -> None:
    """Write a collection with these pairs as a BEIR folder, those of `aside` (p,) bool apart."""
    kept_out = kept_out or KeptOut()
    with folder_written(place, FILES) as (writes, text):
        for name, dataset, column in (
            ("corpus.jsonl", sets["documents"], "doc_id"),
            ("queries.jsonl", sets["queries"], "query_id"),
        ):
            for table in dataset.tables([column, "text"]):
                columns = [table[column].cast(pa.large_string()), table["text"]]
                writes[name](pa.table(columns, schema=_TEXTS))
        writes["qrels/train.tsv"](pa.table([["query-id\tcorpus-id\tscore"]], schema=LINE))
        for rows in _pieces(len(confidence.own)):
            table = _table(confidence, aside, rows, sets)
            own, doubtful = confidence.own[rows], aside[rows]
            writes["pairs.parquet"](table.filter(pa.array(own)))
            kept = rows[own & ~doubtful]
            writes["qrels/train.tsv"](_judgements(confidence, kept, sets))
            # As labels they keep what is known, or may be true, from becoming a negative.
            known = table.filter(pa.array(doubtful | ~own))
            known = known.append_column("decision", repeated(ANSWERS, known.num_rows))
            writes["quarantined.jsonl"](known.cast(_LABELS))
        for table in _confirmed(sets):
            writes["quarantined.jsonl"](table)
        if kept_out.judgements:
            writes["queries.jsonl"](kept_out.query_table().cast(_TEXTS))
            text(SPLIT, kept_out.judgement_lines())
        text(REPORT, json_text({**counts, "folder": place.name}))


def _judgements(confidence: PairConfidence, rows: np.ndarray, sets: dict[str, Dataset]) -> pa.Table:
    """Lines of qrels; a grade that is not known is 1."""
    ids = _identifiers(sets, confidence.query_ix[rows], confidence.doc_ix[rows])
    grade = pc.cast(pa.array(np.nan_to_num(confidence.grade[rows], nan=1.0)), pa.large_string())
    return lines(_fields(ids[0]), "\t", _fields(ids[1]), "\t", grade)


def _fields(identifiers: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(identifiers, '["\\t\\r\\n]')).as_py():
        return identifiers
    return pa.array(map(quoted, identifiers.to_pylist()), pa.large_string())


def _identifiers(
    sets: dict[str, Dataset], query_ix: np.ndarray, doc_ix: np.ndarray
) -> tuple[pa.Array, pa.Array]:
    queries = binary_column(sets["queries"], "query_id").take(query_ix)
    documents = binary_column(sets["documents"], "doc_id").take(doc_ix)
    return queries.cast(pa.large_string()), documents.cast(pa.large_string())


def _confirmed(sets: dict[str, Dataset]) -> Iterator[pa.Table]:
    """Confirmed negatives as lines of labels."""
    for pairs in sets["confirmed_negatives"].tables() if "confirmed_negatives" in sets else ():
        ids = _identifiers(sets, *(pairs[n].to_numpy() for n in ("query_ix", "doc_ix")))
        given = dict(zip(("query_id", "doc_id"), ids, strict=True))
        given["reason"] = repeated(CONFIRMED, len(pairs))
        given["decision"] = repeated(NEGATIVE, len(pairs))
        columns = [given.get(field.name, pa.nulls(len(pairs), field.type)) for field in _LABELS]
        yield pa.table(columns, schema=_LABELS)


def _pieces(rows: int) -> Iterator[np.ndarray]:
    """Row numbers, a bounded number at a time."""
    return (np.arange(at, min(at + _AT_ONCE, rows)) for at in range(0, rows, _AT_ONCE))


def _table(
    confidence: PairConfidence, aside: np.ndarray, rows: np.ndarray, sets: dict[str, Dataset]
) -> pa.Table:
    found = confidence.found
    reasons = np.where(aside[rows], BELOW, KNOWN)
    columns = [
        *_identifiers(sets, confidence.query_ix[rows], confidence.doc_ix[rows]),
        found.cosine[rows].astype(np.float32),
        found.ratio[rows].astype(np.float32),
        found.weight[rows],
        found.forward[rows],
        found.backward[rows],
        aside[rows],
        pa.array(reasons, pa.large_string(), mask=confidence.own[rows] & ~aside[rows]),
    ]
    return pa.table(columns, schema=_PAIRS)


def told(found: SortedPairs) -> str:
    """The counts in words, and the command that mines what was kept."""
    limit = "no limit" if found.limit is None else f"limit {found.limit:.3f}"
    settings = f" --set input.labels={found.folder}/quarantined.jsonl" if found.labels else ""
    if isinstance(found.queries_are_documents, bool):
        settings += f" --set input.queries_are_documents={str(found.queries_are_documents).lower()}"
    left = f" ({found.queries_without:,} queries have none left)" if found.queries_without else ""
    evaluation = (
        f"{counted('{} judgements kept for evaluation', found.evaluation)}: {SPLIT}\n"
        if found.evaluation
        else ""
    )
    return (
        f"{found.pairs:,} pairs: {found.kept:,} kept, {found.quarantined:,} quarantined{left}\n"
        f"{found.mutual:,} are each other's best; ratio margin: median {found.median_ratio:.3f}, "
        f"{limit}\n{evaluation}"
        f"Mine what was kept: negmine mine {found.folder} --split train{settings}"
    )
