"""Hides part of a collection's known positives, so that taken negatives can be checked for them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter

from negmine.jobs.mining.run import MiningRun
from negmine.schemas.config import Config
from negmine.schemas.inputs import BeirInput, Input
from negmine.transforms.kernels.choosing.tiers import position_in_group
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.readers.beir import sources

HIDDEN_SHARE = 0.3


@dataclass(frozen=True)
class Positives:
    """Known positives of a collection, sorted by query: identifiers and the keys of their hash."""

    query_id: np.ndarray
    doc_id: np.ndarray
    query_key: np.ndarray
    doc_key: np.ndarray
    text_key: np.ndarray

    def take(self, rows: np.ndarray) -> "Positives":
        """Some rows, by position or mask."""
        return Positives(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def beir(folder: str, split: str, bad_rows: float = 1.0) -> Input:
    """The `input` section of a BEIR folder."""
    values = {"format": "beir", "path": folder, "split": split, "bad_rows": bad_rows}
    made: Input = TypeAdapter(Input).validate_python(values)
    return made


def read_positives(folder: str, split: str, output: str) -> Positives:
    """Every known positive of a split, queries of the same text merged, each document text once."""
    config = Config.model_validate({"input": beir(folder, split), "output": {"path": output}})
    sets = MiningRun(config).ingested
    pairs, queries, documents = (
        sets[name].read(columns)
        for name, columns in (
            ("positives", None),
            ("queries", ["query_id", "query_key"]),
            ("documents", ["doc_id", "doc_key", "text_key"]),
        )
    )
    query, doc = pairs["query_ix"].to_numpy(), pairs["doc_ix"].to_numpy()
    found = Positives(
        queries["query_id"].to_numpy(zero_copy_only=False)[query],
        documents["doc_id"].to_numpy(zero_copy_only=False)[doc],
        queries["query_key"].to_numpy()[query],
        documents["doc_key"].to_numpy()[doc],
        documents["text_key"].to_numpy()[doc],
    )
    order = np.lexsort((doc, query))
    _, first = np.unique(mix(query[order], found.text_key[order]), return_index=True)
    return found.take(order[np.sort(first)])


def _per_query(positives: Positives) -> tuple[np.ndarray, np.ndarray]:
    _, query = np.unique(positives.query_key, return_inverse=True)
    return query, np.bincount(query)[query]


def split_positives(
    positives: Positives, setting: str, seed: int, queries: int | None = None
) -> tuple[Positives, Positives]:
    """Known and hidden positives.

    Args:
        positives: all of them.
        setting: A = one a query stays known; B = of queries with two or more, 30 % (rounded up,
            but never all) are hidden.
        seed: keys the choice of positives and, with `queries`, that of the queries.
        queries: how many queries to keep; None = all.
    """
    if setting == "B":
        positives = positives.take(_per_query(positives)[1] >= 2)
    if queries is not None:
        lots = np.unique(mix(seed, positives.query_key))
        if len(lots) > queries:
            positives = positives.take(mix(seed, positives.query_key) < lots[queries])
    query, size = _per_query(positives)
    order = np.lexsort((mix(seed, positives.query_key, positives.doc_key), query))
    positives, query, size = positives.take(order), query[order], size[order]
    if setting == "A":
        known = np.ones(len(size), dtype=np.int64)
    else:
        known = np.maximum(size - np.ceil(HIDDEN_SHARE * size).astype(np.int64), 1)
    is_known = position_in_group(query) < known
    return positives.take(is_known), positives.take(~is_known)


def write_reduced(folder: str, split: str, known: Positives, target: Path) -> Path:
    """A BEIR folder that links to the collection's texts and has only these positives."""
    (target / "qrels").mkdir(parents=True, exist_ok=True)
    config = BeirInput(format="beir", path=folder, split=split)
    for source in sources(config):
        if source.kind != "qrels":
            link = target / Path(source.path).name
            link.unlink(missing_ok=True)
            link.symlink_to(Path(source.path).resolve())
    rows = (f"{q}\t{d}\t1\n" for q, d in zip(known.query_id, known.doc_id, strict=True))
    (target / "qrels" / "known.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(rows), encoding="utf-8"
    )
    return target
