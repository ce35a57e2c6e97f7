"""Publish block by block: negatives by tier, ledger by verdict, sets, all with ids and texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from negmine.schemas import tables
from negmine.schemas.errors import DataError
from negmine.schemas.policies import Policy
from negmine.schemas.verdicts import Verdict
from negmine.transforms.choosing.publish_lists import PublishedLists
from negmine.transforms.choosing.weigh import Weighed, Weigher
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset, write_part
from negmine.transforms.data.languages import has_languages, language_column
from negmine.transforms.data.part_writers import PartWriters
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.policies import decide
from negmine.transforms.kernels.choosing.tiers import positives_in_order, served_positive
from negmine.transforms.pairs.confidence import PairConfidence
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.table import to_pairs
from negmine.transforms.steps import map_step
from negmine.transforms.workers import made_in_order

_POSITIVES_AT_ONCE = 32_768
QUERIES_PER_PART = 8192
"""Queries in a published part. Fixed, so that published bytes do not depend on `block_size`."""


class _Rows(NamedTuple):
    """What is published of some queries, by folder; `kept` is how many negatives that are."""

    negatives: Mapping[str, pa.Table]
    ledger: Mapping[Verdict, pa.Table]
    positives: Sequence[pa.Table]
    kept: int


@dataclass
class PublishParts(beam.PTransform):
    """Write a run's parts: `Pipeline -> PCollection[rows of negatives]`, of blocks of queries."""

    verdicts: Dataset
    sets: Dataset
    collection: Collection
    tiers: Sequence[str]
    texts: bool
    promises: Sequence[Policy]
    directory: str
    blocks: Sequence[Block]
    lists: PublishedLists | None = None
    weigher: Weigher | None = None
    confidence: PairConfidence | None = None

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return root | "Blocks" >> CreateBlocks(self.blocks) | "WriteRun" >> map_step(self._write)

    def _write(self, block: Block) -> int:
        kept = 0
        negatives = {tier: f"negatives/tier={tier}" for tier in self.tiers}
        ledger = {verdict: f"ledger/verdict={verdict}" for verdict in Verdict}
        schema, listed = published_schemas(self.collection, self.texts)
        positives = with_texts(tables.RUN_POSITIVES, self.texts)
        with PartWriters(self.directory, block.part) as parts:
            if block.start == 0:
                for folder in negatives.values():
                    parts.open(folder, schema)
                parts.open(ledger[Verdict.KEPT], listed)
            parts.open("positives", positives)
            pieces = _pieces(block, self.verdicts.blocks())
            for rows in made_in_order(self._rows, pieces):
                for tier, folder in negatives.items():
                    parts.add(folder, rows.negatives[tier], schema)
                for verdict, table in rows.ledger.items():
                    parts.add(ledger[verdict], table, listed)
                for table in rows.positives:
                    parts.add("positives", table, positives)
                kept += rows.kept
            if self.lists:
                parts.open("lists", self.lists.schema)
                for table in self.lists.tables(block):
                    parts.add("lists", table, self.lists.schema)
        sets = self.sets.read_queries(block)
        write_part(f"{self.directory}/sets", block.part, sets, tables.SETS, dictionary=True)
        count("negatives_written", kept)
        return kept

    def _rows(self, inside: Block) -> _Rows:
        verdicts = self.verdicts.read_queries(inside)
        rows = PublishedBlock(verdicts, self.collection, self.promises, self.weigher)
        grades = self.collection.positives.read_queries(inside, ["grade"]).column("grade")
        found = set(pc.unique(verdicts.column("verdict")).to_pylist())
        return _Rows(
            {tier: rows.negatives(tier, self.texts) for tier in self.tiers},
            {verdict: rows.ledger(verdict) for verdict in Verdict if str(verdict) in found},
            list(rows.positives(grades, self.texts, self.confidence)),
            rows.kept,
        )


def _pieces(block: Block, parts: Sequence[Block]) -> list[Block]:
    """The block cut where parts end, so that one part is in memory at a time."""
    inside = [Block(max(p.start, block.start), min(p.stop, block.stop)) for p in parts]
    return [piece for piece in inside if piece.start < piece.stop] or [block]


def published_schemas(collection: Collection, texts: bool) -> tuple[pa.Schema, pa.Schema]:
    """Columns of the negatives and of the ledger: with languages where the collection has them."""
    negatives, ledger = with_texts(tables.NEGATIVES, texts), tables.LEDGER
    if has_languages(collection.documents):
        return tables.with_language(negatives), tables.with_language(ledger)
    return negatives, ledger


def with_texts(schema: pa.Schema, texts: bool) -> pa.Schema:
    """A schema of published rows, without the columns of texts where they are not wanted."""
    unwanted = set() if texts else {"query", "positive", "negative"}
    return pa.schema([field for field in schema if field.name not in unwanted])


class PublishedBlock:
    """A block of VERDICTS with what its rows share: the served positive and its scores.

    Raises DataError where a negative breaks one of the `promises`.
    """

    def __init__(
        self,
        verdicts: pa.Table,
        collection: Collection,
        promises: Sequence[Policy],
        weigher: Weigher | None = None,
    ) -> None:
        pairs = to_pairs(verdicts)
        verdicts = _weighed(verdicts, pairs, weigher)
        self.pairs = pairs
        served = served_positive(pairs)[pairs.query]
        judge = verdicts.column("judge_score")
        positive_judge = judge.take(pa.array(served))
        apart = pairs.cosine is not pairs.dense
        cosine = pairs.cosine if apart else np.full(len(pairs.cosine), np.nan)
        self.collection = collection
        self.table = (
            verdicts.append_column("positive_dense_score", _known(pairs.dense[served]))
            .append_column("positive_query_cosine", _known(cosine[served]))
            .append_column("positive_judge_score", positive_judge)
            .append_column("judge_margin", pc.subtract(positive_judge, judge))
            .append_column("positive_ix", pa.array(pairs.doc_ix[served]))
        )
        kept = pc.equal(verdicts.column("verdict"), str(Verdict.KEPT))
        self.kept = int(pc.sum(kept).as_py() or 0)
        self._keep_promises(verdicts.filter(kept), promises)

    def _keep_promises(self, kept: pa.Table, promises: Sequence[Policy]) -> None:
        """The last guard: no known positive, no query itself, no evaluation document is written."""
        broken = decide(to_pairs(kept), promises)
        bad = np.flatnonzero(broken.policy >= 0)
        if len(bad):
            first = kept.slice(int(bad[0]), 1)
            query, document = (
                _identifiers(dataset, name, first.column(position).to_numpy())[0].as_py()
                for dataset, name, position in (
                    (self.collection.queries, "query_id", "query_ix"),
                    (self.collection.documents, "doc_id", "doc_ix"),
                )
            )
            raise DataError(
                f"{len(bad):,} documents that are promised never to be negatives were about to be "
                f"written as such, first {document!r} ({broken.verdict[bad[0]]}) for query "
                f"{query!r}; nothing was published. Please report this as a defect."
            )

    def _texts(self, dataset: Dataset, positions: np.ndarray, wanted: bool) -> pa.Array:
        if not wanted:
            return pa.nulls(len(positions), pa.large_string())
        return binary_column(dataset, "text").take(positions)

    def _languages(
        self, schema: pa.Schema, query_ix: np.ndarray, doc_ix: np.ndarray
    ) -> dict[str, pa.Array]:
        if "language" not in schema.names:
            return {}
        documents, queries = self.collection.documents, self.collection.queries
        return {
            "language": language_column(documents, doc_ix),
            "query_language": language_column(queries, query_ix),
        }

    def negatives(self, tier: str, texts: bool) -> pa.Table:
        """Rows of `schemas.tables.NEGATIVES` of one tier, sorted by query and rank.

        The three text columns are left out where `texts` is false.
        """
        kept = pc.and_(
            pc.equal(self.table.column("verdict"), str(Verdict.KEPT)),
            pc.equal(self.table.column("tier"), tier),
        )
        chosen = self.table.filter(kept).sort_by([("query_ix", "ascending"), ("rank", "ascending")])
        query_ix = chosen.column("query_ix").to_numpy()
        doc_ix = chosen.column("doc_ix").to_numpy()
        positive_ix = chosen.column("positive_ix").to_numpy()
        documents, queries = self.collection.documents, self.collection.queries
        added = {
            "query_id": _identifiers(queries, "query_id", query_ix),
            "query": self._texts(queries, query_ix, texts),
            "positive_id": _identifiers(documents, "doc_id", positive_ix),
            "positive": self._texts(documents, positive_ix, texts),
            "negative_id": _identifiers(documents, "doc_id", doc_ix),
            "negative": self._texts(documents, doc_ix, texts),
        }
        columns = {name: chosen.column(name) for name in chosen.column_names} | added
        schema, _ = published_schemas(self.collection, texts)
        columns |= self._languages(schema, query_ix, doc_ix)
        return pa.table([columns[name] for name in schema.names], schema=schema)

    def positives(
        self, grades: pa.ChunkedArray, texts: bool, confidence: PairConfidence | None = None
    ) -> Iterator[pa.Table]:
        """Rows of `schemas.tables.RUN_POSITIVES`: each query's own, the served one first.

        By query; the others follow by judge, similarity and document. `grades` are those of the
        known positives, sorted by query and document.
        """
        pairs, documents, queries = self.pairs, self.collection.documents, self.collection.queries
        place = np.cumsum(pairs.is_positive) - 1
        order = positives_in_order(pairs)
        order = order[pairs.own_positive[order]]
        served = np.diff(pairs.query[order], prepend=-1) != 0
        schema = with_texts(tables.RUN_POSITIVES, texts)
        for start in range(0, len(order), _POSITIVES_AT_ONCE):
            rows = order[start : start + _POSITIVES_AT_ONCE]
            query_ix = self.table.column("query_ix").to_numpy()[rows]
            doc_ix = pairs.doc_ix[rows]
            columns = {
                "query_id": _identifiers(queries, "query_id", query_ix),
                "query": self._texts(queries, query_ix, texts),
                "positive_id": _identifiers(documents, "doc_id", doc_ix),
                "positive": self._texts(documents, doc_ix, texts),
                "grade": grades.take(pa.array(place[rows])),
                "dense_score": pairs.dense[rows],
                "judge_score": self.table.column("judge_score").take(pa.array(rows)),
                "served": served[start : start + len(rows)],
                "pair_weight": pa.nulls(len(rows), pa.float32())
                if confidence is None
                else confidence.weights(query_ix, doc_ix),
            }
            yield pa.table([columns[name] for name in schema.names], schema=schema)

    def ledger(self, verdict: Verdict) -> pa.Table:
        """Rows of `schemas.tables.LEDGER` with one verdict, sorted by query and document."""
        rows = self.table.filter(pc.equal(self.table.column("verdict"), str(verdict)))
        query_ix, doc_ix = rows.column("query_ix").to_numpy(), rows.column("doc_ix").to_numpy()
        added = {
            "query_id": _identifiers(self.collection.queries, "query_id", query_ix),
            "doc_id": _identifiers(self.collection.documents, "doc_id", doc_ix),
        }
        columns = {name: rows.column(name) for name in rows.column_names} | added
        _, schema = published_schemas(self.collection, True)
        columns |= self._languages(schema, query_ix, doc_ix)
        return pa.table([columns[name] for name in schema.names], schema=schema)


def _weighed(verdicts: pa.Table, pairs: Pairs, weigher: Weigher | None) -> pa.Table:
    """VERDICTS with the weights of what was kept, and with the column `surface_sim`."""
    if weigher is None:
        return verdicts.append_column("surface_sim", pa.nulls(len(verdicts), pa.float32()))
    kept = pc.equal(verdicts.column("verdict"), str(Verdict.KEPT))
    rows = pc.indices_nonzero(kept).to_numpy().astype(np.int64)
    query_ix = verdicts.column("query_ix").to_numpy()
    found = weigher.weigh(Weighed.of(query_ix, pairs, rows))
    weight = np.ones(len(verdicts), dtype=np.float32)
    surface = np.full(len(verdicts), np.nan, dtype=np.float32)
    weight[rows], surface[rows] = found
    at = verdicts.schema.get_field_index("weight")
    weighed = verdicts.set_column(at, verdicts.schema.field(at), pa.array(weight))
    return weighed.append_column("surface_sim", _known(surface))


def _known(scores: np.ndarray) -> pa.Array:
    return pa.array(scores, pa.float32(), mask=np.isnan(scores))


def _identifiers(dataset: Dataset, column: str, positions: np.ndarray) -> pa.Array:
    return binary_column(dataset, column).take(positions).cast(pa.string())
