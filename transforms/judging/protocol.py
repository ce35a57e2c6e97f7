"""What every judge of a block offers: bound to the block's pairs, it scores the rows asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from negmine.transforms.data.blocks import Block
from negmine.transforms.kernels.choosing.pairs import Pairs
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.pairs.features import Collection


@dataclass(frozen=True)
class BlockPairs:
    """A block's pairs, (n,), and where their texts and vectors are."""

    collection: Collection
    candidates: Candidates
    pairs: Pairs

    def __len__(self) -> int:
        return len(self.candidates.query_ix)

    @property
    def block(self) -> Block:
        """The block of queries that the rows lie in."""
        query_ix = self.candidates.query_ix
        return Block(int(query_ix[0]), int(query_ix[-1]) + 1)


class Scorer(Protocol):
    """A judge bound to a block.

    `parts` holds the scores that the judge's own are made of, by name, each (n,) float32 with NaN
    where a row was not scored; it grows with each call.
    """

    @property
    def parts(self) -> Mapping[str, np.ndarray]: ...

    def score(self, rows: np.ndarray) -> np.ndarray:
        """Scores of row numbers (m,), float32 without NaN. Raises ModelError where one is not."""
        ...

    def close(self) -> None:
        """The block is done; keep what was found."""
        ...


class BlockJudge(Protocol):
    """Scores the pairs of a block of queries; picklable, models are loaded by `bind`.

    `lazy` tells whether pairs are dear enough to score only those that choosing depends on.
    """

    @property
    def lazy(self) -> bool: ...

    def bind(self, rows: BlockPairs) -> Scorer:
        """A scorer of the block's rows."""
        ...


@dataclass
class FixedScores:
    """A scorer whose scores are there already, (n,) float32."""

    scores: np.ndarray
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)

    def score(self, rows: np.ndarray) -> np.ndarray:
        return self.scores[rows]

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class NoScores:
    """Judges nothing; only for configs whose policies compare no judge scores."""

    lazy: bool = False

    def bind(self, rows: BlockPairs) -> Scorer:
        return FixedScores(np.full(len(rows), np.nan, dtype=np.float32))
