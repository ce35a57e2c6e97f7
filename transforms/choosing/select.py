"""Select negatives block by block: policies give verdicts, tiers give the negatives."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from negmine.schemas import tables
from negmine.schemas.errors import StorageError
from negmine.schemas.selection import Selection
from negmine.schemas.verdicts import Verdict
from negmine.transforms.counters import count
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.parts import BlockTransform
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.choosing.policies import Decisions, decide
from negmine.transforms.kernels.choosing.tiers import Choice, choose
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.table import to_pairs


@dataclass
class SelectNegatives(BlockTransform):
    """The judged pairs of a block of queries with their verdicts, as `tables.VERDICTS`."""

    judged: Dataset
    selection: Selection
    collection: Collection

    @property
    def shared(self) -> bool:
        return True

    def table(self, block: Block) -> pa.Table:
        judged = self.judged.read_queries(block)
        count("rows_read", judged.num_rows)
        chosen = select_block(judged, self.selection, self.collection.document_arrays())
        for entry in chosen.column("verdict").value_counts().to_pylist():
            count(f"verdict_{entry['values']}", entry["counts"])
        return chosen


def select_block(judged: pa.Table, selection: Selection, documents: DocumentArrays) -> pa.Table:
    """Verdicts of a block's judged pairs, in the same order, as `schemas.tables.VERDICTS`."""
    pairs = to_pairs(judged, documents.languages)
    decisions = decide(pairs, selection.policies)
    choice = choose(pairs, decisions.policy < 0, selection, documents)
    unknown = np.isnan(pairs.judge) & ~pairs.confirmed_negative
    if selection.judged:
        unjudged = int((unknown & (choice.tier >= 0)).sum())
        if unjudged:
            raise StorageError(
                f"{unjudged} chosen negatives have no judge score, so the judged pairs were made "
                "for other policies or tiers; remove the judge stage's directory and run again"
            )
    return _table(judged, decisions, choice, unknown & selection.judged, selection)


def _names(numbers: np.ndarray, names: Sequence[str]) -> pa.Array:
    index = pa.array(numbers, type=pa.int32(), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(names, pa.string())).cast(pa.string())


def _table(
    judged: pa.Table,
    decisions: Decisions,
    choice: Choice,
    unneeded: np.ndarray,
    selection: Selection,
) -> pa.Table:
    names = [policy.name for policy in selection.policies]
    undecided = decisions.policy < 0
    kept = choice.tier >= 0
    near = undecided & choice.near
    verdict = decisions.verdict.copy()
    free = undecided & ~near
    verdict[free & (choice.band < 0)] = Verdict.OUTSIDE_TIERS
    verdict[free & (choice.band >= 0)] = Verdict.OVER_QUOTA
    verdict[free & (choice.band >= 0) & unneeded] = Verdict.NOT_JUDGED
    verdict[free & choice.duplicate] = Verdict.SAME_TEXT_AS_NEGATIVE
    verdict[near] = Verdict.NEAR_DUPLICATE_OF_NEGATIVE
    verdict[kept] = Verdict.KEPT
    policy = decisions.policy.copy()
    if near.any():
        policy[near] = names.index("near_duplicate_of_negative")
    value = np.where(near, choice.near_value, decisions.value)
    threshold = np.where(near, choice.near_threshold, decisions.threshold)
    shown_tier = np.where(kept, choice.tier, choice.band)
    added = {
        "verdict": pa.array([str(v) for v in verdict], pa.string()),
        "policy": _names(policy, names),
        "threshold": pa.array(threshold, pa.float32(), mask=policy < 0),
        "value": pa.array(value, pa.float32(), mask=policy < 0),
        "tier": _names(shown_tier, selection.tier_names),
        "rank": pa.array(choice.rank, pa.int32(), mask=~kept),
        "backfilled": pa.array(kept & (choice.band != choice.tier)),
        "weight": pa.array(np.ones(len(verdict), dtype=np.float32)),
    }
    columns = {name: judged.column(name) for name in judged.column_names} | added
    return pa.table([columns[name] for name in tables.VERDICTS.names], schema=tables.VERDICTS)
