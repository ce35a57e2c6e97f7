"""Make teacher lists block by block: which documents, and the judge's scores that are missing."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.verdicts import Verdict
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.judging.protocol import BlockJudge, BlockPairs
from negmine.transforms.kernels.choosing.listing import Listed, listed
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.choosing.tiers import positives_in_order
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.table import to_pairs

_NEVER = (Verdict.QUERY_ITSELF, Verdict.SAME_TEXT_AS_POSITIVE, Verdict.EVALUATION_DOCUMENT)
"""What is promised never to be a negative is no document of a list either."""

_POSITIVE, _NEGATIVE, _OTHER, _LEFT_OUT = range(4)


@dataclass
class MakeLists(BlockTransform):
    """The lists of a block of queries, as `tables.LISTED`.

    Attributes:
        verdicts: `tables.VERDICTS` of the run.
        collection: texts for the judge.
        judge: the run's, asked for the pairs that it has not scored yet.
        size: documents of a list.
        seed: keys the draws.
    """

    verdicts: Dataset
    collection: Collection
    judge: BlockJudge
    size: int
    seed: int

    def table(self, block: Block) -> pa.Table:
        verdicts = self.verdicts.read_queries(block)
        count("rows_read", verdicts.num_rows)
        pairs = to_pairs(verdicts)
        chosen = choose_lists(verdicts, pairs, self.size, self.seed)
        scores = pairs.judge[chosen.row]
        missing = np.isnan(scores)
        if missing.any():
            rows = np.sort(chosen.row[missing])
            found = np.full(len(pairs.judge), np.nan, dtype=np.float32)
            found[rows] = _judged(self, verdicts, pairs, rows)
            scores = np.where(missing, found[chosen.row], scores)
            count("pairs_judged", len(rows))
        return _table(verdicts, pairs, chosen, scores)


def choose_lists(verdicts: pa.Table, pairs: Pairs, size: int, seed: int) -> Listed:
    """The lists' documents of a block of VERDICTS; no judge's score has a part in what is drawn."""
    verdict = verdicts.column("verdict").to_numpy()
    group = np.full(len(verdict), _OTHER)
    group[pairs.in_evaluation | np.isin(verdict, [str(v) for v in _NEVER])] = _LEFT_OUT
    group[verdict == str(Verdict.KEPT)] = _NEGATIVE
    group[pairs.is_positive] = np.where(pairs.own_positive[pairs.is_positive], _POSITIVE, _LEFT_OUT)
    order = np.zeros(len(verdict), dtype=np.int64)
    positives = positives_in_order(pairs)
    order[positives] = np.arange(len(positives))
    kept = np.flatnonzero(group == _NEGATIVE)
    order[kept[np.lexsort((-pairs.dense[kept],))]] = np.arange(len(kept))
    keys = (pairs.text_key, pairs.pair_key)
    return listed(pairs.query, group, order, pairs.dense, *keys, size, seed)


def _judged(transform: MakeLists, verdicts: pa.Table, pairs: Pairs, rows: np.ndarray) -> np.ndarray:
    """The judge's scores of some rows (m,) ascending, float32."""
    values = {field.name: getattr(pairs, field.name) for field in fields(Pairs)}
    ranks = {source: rank[rows] for source, rank in values.pop("ranks").items()}
    some = {name: value[rows] for name, value in values.items()}
    _, some["query"] = np.unique(some["query"], return_inverse=True)
    query_ix = verdicts.column("query_ix").to_numpy()[rows]
    found = Candidates(query_ix, some["doc_ix"], some["is_positive"], ranks, {})
    scorer = transform.judge.bind(
        BlockPairs(transform.collection, found, Pairs(ranks=ranks, **some))
    )
    scores = scorer.score(np.arange(len(rows)))
    scorer.close()
    return scores


def _table(verdicts: pa.Table, pairs: Pairs, chosen: Listed, scores: np.ndarray) -> pa.Table:
    rows = pa.array(chosen.row)
    cosine = pairs.cosine[chosen.row]
    added = {
        "place": chosen.place,
        "is_positive": pairs.is_positive[chosen.row],
        "drawn": chosen.drawn,
        "judge_score": scores,
        "cosine": pa.array(cosine, pa.float32(), mask=np.isnan(cosine)),
    }
    names = tables.LISTED.names
    columns = [added[n] if n in added else verdicts.column(n).take(rows) for n in names]
    return pa.table(columns, schema=tables.LISTED)
