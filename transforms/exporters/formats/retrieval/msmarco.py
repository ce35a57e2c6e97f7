"""As MS MARCO's hard negatives: qid, pos, neg by system with scores; numbers, and their texts."""

import json
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa

from negmine.transforms.exporters.formats.folder import Piece
from negmine.transforms.exporters.formats.numbered import NumberedFolder
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.writing.columns import LINE

_FILE = "msmarco-hard-negatives.jsonl"


class MsMarco(NumberedFolder):
    """A line a query; a system is a tier (`list`, `ranking` where these are exported).

    Identifiers are line numbers, since the scripts that read this format make integers of them.
    """

    OPTIONS: ClassVar[frozenset[str]] = frozenset()
    SCORED: ClassVar[bool] = True
    ROWS: ClassVar[str] = _FILE

    def files(self) -> dict[str, pa.Schema]:
        return {_FILE: LINE, **self.TABLES}

    def pieces(self, block: QueryBlock) -> Iterator[Piece]:
        documents = block.documents()
        qids, numbers = self.numbered(block, documents)
        above = numbers[documents.positive].tolist()
        below = numbers[~documents.positive].tolist()
        scores = [float(text) for text in block.negatives["score"].to_numpy().astype("U32")]
        systems = self._systems(block)
        text = []
        for at, (qid, starts, ends) in enumerate(
            zip(
                qids.tolist(),
                block.negative_bounds[:-1].tolist(),
                block.negative_bounds[1:].tolist(),
                strict=True,
            )
        ):
            neg: dict[str, list[dict[str, float]]] = {}
            for row in range(starts, ends):
                entry = {"pid": below[row], "ce-score": scores[row]}
                neg.setdefault(systems[row], []).append(entry)
            first, last = block.positive_bounds[at : at + 2].tolist()
            text.append(json.dumps({"qid": qid, "pos": above[first:last], "neg": neg}))
        yield Piece(_FILE, pa.table([pa.array(text, pa.large_string())], schema=LINE))
        yield from self.beside(block, documents, numbers)

    def _systems(self, block: QueryBlock) -> list[str]:
        """The system of each negative."""
        if not self.rows.tiers:
            return ["ranking" if self.rows.ranked else "list"] * block.negatives.num_rows
        at = block.negatives["tier_at"].to_numpy().astype(np.int64)
        return [self.rows.tiers[tier] for tier in at.tolist()]
