"""Judges made of judges: a cascade from cheap to dear, and a vote."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from negmine.transforms.judging.protocol import BlockJudge, BlockPairs, Scorer
from negmine.transforms.kernels.choosing.calibration import Calibration


@dataclass(frozen=True)
class Member:
    """A judge among others, with the calibration that puts its scores on the common scale.

    The scale is the share of the known positives that the judge scores lower, in [0, 1].
    """

    name: str
    judge: BlockJudge
    calibration: Calibration = field(hash=False)


class _Members:
    def __init__(self, members: tuple[Member, ...], rows: BlockPairs) -> None:
        self.members = members
        self.scorers: list[Scorer] = [member.judge.bind(rows) for member in members]
        self.scores = {
            member.name: np.full(len(rows), np.nan, dtype=np.float32) for member in members
        }

    @property
    def parts(self) -> Mapping[str, np.ndarray]:
        """Raw scores of each member and of what the members are made of."""
        inner = [scorer.parts for scorer in self.scorers]
        return {k: v for parts in inner for k, v in parts.items()} | self.scores

    def calibrated(self, number: int, rows: np.ndarray) -> np.ndarray:
        """Scores of a member on the common scale, (m,) float32."""
        member = self.members[number]
        raw = self.scorers[number].score(rows)
        self.scores[member.name][rows] = raw
        return member.calibration.share_below(raw)

    def close(self) -> None:
        for scorer in self.scorers:
            scorer.close()


@dataclass(frozen=True)
class Cascade:
    """The first judge decides where it is sure; the second reads only the uncertain band.

    Attributes:
        members: cheap, dear.
        uncertain: shares (low, high) of the positives below the cheap score; inside, ends
            included, the dear judge's share is the score.
    """

    members: tuple[Member, Member]
    uncertain: tuple[float, float]

    @property
    def lazy(self) -> bool:
        return any(member.judge.lazy for member in self.members)

    def bind(self, rows: BlockPairs) -> Scorer:
        return _CascadeScorer(self, rows)


class _CascadeScorer(_Members):
    def __init__(self, judge: Cascade, rows: BlockPairs) -> None:
        super().__init__(judge.members, rows)
        self.low, self.high = judge.uncertain

    def score(self, rows: np.ndarray) -> np.ndarray:
        scores = self.calibrated(0, rows)
        uncertain = np.flatnonzero((scores >= self.low) & (scores <= self.high))
        if len(uncertain):
            scores[uncertain] = self.calibrated(1, rows[uncertain])
        return scores


@dataclass(frozen=True)
class Vote:
    """The `agree`-th highest of the judges' scores: it passes a threshold when that many do.

    Attributes:
        members: two or more.
        agree: how many must call a candidate relevant; 1 = any of them, all = the lowest score.
    """

    members: tuple[Member, ...]
    agree: int

    @property
    def lazy(self) -> bool:
        return any(member.judge.lazy for member in self.members)

    def bind(self, rows: BlockPairs) -> Scorer:
        return _VoteScorer(self, rows)


class _VoteScorer(_Members):
    def __init__(self, judge: Vote, rows: BlockPairs) -> None:
        super().__init__(judge.members, rows)
        self.agree = judge.agree

    def score(self, rows: np.ndarray) -> np.ndarray:
        scores = [self.calibrated(number, rows) for number in range(len(self.members))]
        return np.sort(np.stack(scores), axis=0)[-self.agree]
