"""`negmine pairs`: given pairs with their confidence, as a BEIR folder; doubtful ones set aside."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from negmine.jobs.mining.run import MiningRun
from negmine.schemas import JsonObject
from negmine.schemas.config import Config
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.exporters.writing.columns import LINE, as_text, lines, text_field
from negmine.transforms.exporters.writing.folders import (
    REPORT,
    folder_target,
    folder_written,
    json_text,
)
from negmine.transforms.pairs.confidence import PairConfidence
from negmine.transforms.readers.labels import ANSWERS

BELOW = "ratio_below_limit"
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
_QUARANTINED = _PAIRS.append(text_field("decision"))
FILES = {
    "corpus.jsonl": _TEXTS,
    "queries.jsonl": _TEXTS,
    "qrels/train.tsv": LINE,
    "pairs.parquet": _PAIRS,
    "quarantined.jsonl": _QUARANTINED,
}


@dataclass(frozen=True)
class SortedPairs:
    """Counts: `pairs` = `kept` + `quarantined`; `limit` is the ratio below which they are, None
    where none is; `mutual` are each other's best, `median_ratio` is of all."""

    folder: str
    pairs: int
    kept: int
    quarantined: int
    queries_without: int
    mutual: int
    median_ratio: float
    limit: float | None

    def as_json(self) -> JsonObject:
        """As JSON values."""
        return asdict(self)


def sort_out(config: Config, folder: str | Path, deviations: float | None) -> SortedPairs:
    """Write a collection with the confidence of its pairs as a BEIR folder.

    `pairs.parquet` has every pair; `quarantined.jsonl` those whose ratio margin is so many robust
    standard deviations below the median of the mutual ones (None: none), which the judgements in
    `qrels/train.tsv` lack. Raises what ingesting and embedding raise, ConfigError for a folder that
    cannot be written, StorageError where the disk refuses.
    """
    place = folder_target(folder, "pairs", ())
    mining = MiningRun(config)
    mining.check()
    mining.run_until("embed")
    confidence = PairConfidence.of(mining.collection)
    found = confidence.found
    limit = found.limit(deviations) if deviations is not None else float("-inf")
    aside = (found.ratio < limit) & confidence.own
    sets = mining.ingested
    own = confidence.own
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
    )
    write_folder(place, sets, confidence, aside, told.as_json())
    return told


def write_folder(
    place: Path,
    sets: dict[str, Dataset],
    confidence: PairConfidence,
    aside: np.ndarray,
    counts: JsonObject,
) -> None:
    """Write a collection with these pairs as a BEIR folder, those of `aside` (p,) bool apart."""
    with folder_written(place, FILES) as (writes, text):
        for name, dataset, column in (
            ("corpus.jsonl", sets["documents"], "doc_id"),
            ("queries.jsonl", sets["queries"], "query_id"),
        ):
            for table in dataset.tables([column, "text"]):
                columns = [table[column].cast(pa.large_string()), table["text"]]
                writes[name](pa.table(columns, schema=_TEXTS))
        writes["qrels/train.tsv"](pa.table([["query-id\tcorpus-id\tscore"]], schema=LINE))
        for rows in _pieces(np.flatnonzero(confidence.own)):
            table = _table(confidence, aside, rows, sets)
            writes["pairs.parquet"](table)
            here = pa.array(~aside[rows])
            ids = (table[name].filter(here).combine_chunks() for name in ("query_id", "doc_id"))
            query, document = ids
            writes["qrels/train.tsv"](lines(as_text(query), "\t", as_text(document), "\t1"))
            doubtful = table.filter(pa.array(aside[rows]))
            # As labels they keep a doubtful positive from becoming a negative of its query.
            decided = pa.array([ANSWERS] * doubtful.num_rows, pa.large_string())
            writes["quarantined.jsonl"](doubtful.append_column(_QUARANTINED.field(-1), decided))
        text(REPORT, json_text({**counts, "folder": place.name}))


def _pieces(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Row numbers, a bounded number at a time."""
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))


def _table(
    confidence: PairConfidence, aside: np.ndarray, rows: np.ndarray, sets: dict[str, Dataset]
) -> pa.Table:
    found = confidence.found
    queries = binary_column(sets["queries"], "query_id").take(confidence.query_ix[rows])
    documents = binary_column(sets["documents"], "doc_id").take(confidence.doc_ix[rows])
    columns = [
        queries.cast(pa.large_string()),
        documents.cast(pa.large_string()),
        found.cosine[rows].astype(np.float32),
        found.ratio[rows].astype(np.float32),
        found.weight[rows],
        found.forward[rows],
        found.backward[rows],
        aside[rows],
        pa.array(np.full(len(rows), BELOW), pa.large_string(), mask=~aside[rows]),
    ]
    return pa.table(columns, schema=_PAIRS)


def told(found: SortedPairs) -> str:
    """The counts in words, and the command that mines what was kept."""
    limit = "no limit" if found.limit is None else f"limit {found.limit:.3f}"
    labels = f" --set input.labels={found.folder}/quarantined.jsonl" if found.quarantined else ""
    left = f" ({found.queries_without:,} queries have none left)" if found.queries_without else ""
    return (
        f"{found.pairs:,} pairs: {found.kept:,} kept, {found.quarantined:,} quarantined{left}\n"
        f"{found.mutual:,} are each other's best; ratio margin: median {found.median_ratio:.3f}, "
        f"{limit}\nMine what was kept: negmine mine {found.folder} --split train{labels}"
    )
