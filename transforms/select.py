"""Select negatives block by block: policies give verdicts, tiers give the negatives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import pyarrow as pa

from schemas import tables
from schemas.config import Tier
from schemas.errors import StorageError
from schemas.policies import Policy, needs_judge
from schemas.verdicts import Verdict
from transforms.blocks import Block
from transforms.datasets import Dataset
from transforms.kernels.policies import Decisions, decide
from transforms.kernels.tiers import Choice, choose
from transforms.pairs import to_pairs


@dataclass
class SelectNegatives(beam.PTransform):
    """`PCollection[Block of queries] -> PCollection[(Block, table)]`, as `tables.VERDICTS`."""

    judged: Dataset
    policies: Sequence[Policy]
    tiers: Mapping[str, Tier]

    def expand(self, blocks: beam.PCollection) -> beam.PCollection:
        return blocks | "Select" >> beam.ParDo(_Select(self))


class _Select(beam.DoFn):
    def __init__(self, transform: SelectNegatives) -> None:
        self.judged = transform.judged
        self.policies = tuple(transform.policies)
        self.tiers = dict(transform.tiers)

    def process(self, block: Block) -> Iterator[tuple[Block, pa.Table]]:
        yield block, select_block(self.judged.read_queries(block), self.policies, self.tiers)


def select_block(
    judged: pa.Table, policies: Sequence[Policy], tiers: Mapping[str, Tier]
) -> pa.Table:
    """Verdicts of a block's judged pairs, in the same order, as `schemas.tables.VERDICTS`."""
    pairs = to_pairs(judged)
    decisions = decide(pairs, policies)
    choice = choose(pairs, decisions.policy < 0, tiers)
    judging = any(needs_judge(policy) for policy in policies)
    if judging:
        unjudged = int(np.isnan(pairs.judge[choice.tier >= 0]).sum())
        if unjudged:
            raise StorageError(
                f"{unjudged} chosen negatives have no judge score, so the judged pairs were made "
                "for other policies or tiers; remove the judge stage's directory and run again"
            )
    unneeded = np.isnan(pairs.judge) if judging else np.zeros(len(pairs.judge), dtype=bool)
    names = [policy.name for policy in policies]
    return _table(judged, decisions, choice, unneeded, names, list(tiers))


def _names(numbers: np.ndarray, names: Sequence[str]) -> pa.Array:
    index = pa.array(numbers, type=pa.int32(), mask=numbers < 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(names, pa.string())).cast(pa.string())


def _table(
    judged: pa.Table,
    decisions: Decisions,
    choice: Choice,
    unneeded: np.ndarray,
    policies: Sequence[str],
    tiers: Sequence[str],
) -> pa.Table:
    verdict = decisions.verdict.copy()
    undecided = decisions.policy < 0
    verdict[undecided & choice.duplicate] = Verdict.SAME_TEXT_AS_NEGATIVE
    free = undecided & ~choice.duplicate
    verdict[free & (choice.band < 0)] = Verdict.OUTSIDE_TIERS
    verdict[free & (choice.band >= 0)] = Verdict.OVER_QUOTA
    verdict[free & (choice.band >= 0) & unneeded] = Verdict.NOT_JUDGED
    kept = choice.tier >= 0
    verdict[kept] = Verdict.KEPT
    shown_tier = np.where(kept, choice.tier, choice.band)
    added = {
        "verdict": pa.array([str(v) for v in verdict], pa.string()),
        "policy": _names(decisions.policy, policies),
        "threshold": pa.array(decisions.threshold, pa.float32(), mask=undecided),
        "value": pa.array(decisions.value, pa.float32(), mask=undecided),
        "tier": _names(shown_tier, tiers),
        "rank": pa.array(choice.rank, pa.int32(), mask=~kept),
        "backfilled": pa.array(kept & (choice.band != choice.tier)),
        "weight": pa.array(np.ones(len(verdict), dtype=np.float32)),
    }
    columns = {name: judged.column(name) for name in judged.column_names} | added
    return pa.table([columns[name] for name in tables.VERDICTS.names], schema=tables.VERDICTS)
