"""Losses over a batch: (b, c) similarities of its queries to its positives and their negatives."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SCALE = 20.0
"""1 / temperature of the cosines, sentence-transformers' default."""
STRENGTH = 5.0
"""Of hardness weights, as EmbeddingGemma has it (arXiv 2509.20354)."""
TEACHER_SPREAD = 0.2
"""Standard deviation that the teacher's scores are brought to, which cosines can follow."""


@dataclass(frozen=True)
class Batch:
    """What a loss sees.

    Attributes:
        cosine: (b, c), with gradient; column i < b is the positive of row i.
        masked: (b, c) bool, columns that are no negative of the row (its other positives).
        owner: (c,) int64, the row whose pair a column came with.
        teacher: (c,) judge's score of the column for its owner, NaN where there is none.
        weight: (c,) what a mined negative counts for its owner; 1 of positives.
    """

    cosine: Tensor
    masked: Tensor
    owner: Tensor
    teacher: Tensor
    weight: Tensor

    @property
    def target(self) -> Tensor:
        return torch.arange(len(self.cosine), device=self.cosine.device)

    @property
    def mined(self) -> Tensor:
        """(b, c) bool, columns that were mined for the row."""
        own = self.owner[None, :] == self.target[:, None]
        own[:, : len(self.cosine)] = False
        return own

    @property
    def logits(self) -> Tensor:
        """(b, c) scaled cosines, plus the log of the weight of a row's own mined negatives: a term
        w exp(s) of the softmax's sum."""
        added = torch.where(self.mined, torch.log(self.weight.clamp(min=1e-4))[None, :], 0.0)
        return (self.cosine * SCALE + added).masked_fill(self.masked, -1e4)


def mnrl(batch: Batch) -> Tensor:
    """MultipleNegativesRanking: cross-entropy of the positive among all columns, weighted."""
    return functional.cross_entropy(batch.logits, batch.target)


def hardness(batch: Batch) -> Tensor:
    """MNRL whose mined negatives weigh exp(strength * cosine), as sentence-transformers has it."""
    added = torch.where(batch.mined, STRENGTH * batch.cosine.detach(), 0.0)
    return functional.cross_entropy(batch.logits + added, batch.target)


def _lists(batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of each row's own mined negatives with a teacher score: row, cosine, both teacher scores."""
    rows = len(batch.cosine)
    column = torch.arange(rows, batch.cosine.shape[1], device=batch.cosine.device)
    row = batch.owner[column]
    usable = ~torch.isnan(batch.teacher[column]) & ~torch.isnan(batch.teacher[row])
    usable &= ~batch.masked[row, column]
    row, column = row[usable], column[usable]
    return row, batch.cosine[row, column], batch.teacher[column], batch.teacher[row]


def margin_mse(batch: Batch) -> Tensor:
    """MNRL and the squared error of the margins against the teacher's (arXiv 2010.02666)."""
    row, cosine, teacher, best = _lists(batch)
    if not len(row):
        return mnrl(batch)
    positive = batch.cosine.diagonal()[row]
    return mnrl(batch) + SCALE * functional.mse_loss(positive - cosine, best - teacher)


def kl(batch: Batch) -> Tensor:
    """MNRL and the divergence from the teacher's distribution over each row's list."""
    row, cosine, teacher, best = _lists(batch)
    if not len(row):
        return mnrl(batch)
    rows = len(batch.cosine)
    order = torch.zeros(len(row), dtype=torch.int64, device=row.device)
    for number in range(rows):
        own = row == number
        order[own] = torch.arange(int(own.sum()), device=row.device)
    width = int(order.max()) + 2
    student = torch.full((rows, width), -1e4, device=row.device)
    wanted = student.clone()
    student[:, 0] = batch.cosine.diagonal() * SCALE
    wanted[:, 0] = 0.0
    student[row, order + 1] = cosine * SCALE
    wanted[row, order + 1] = (teacher - best) * SCALE
    divergence = functional.kl_div(
        functional.log_softmax(student, 1), functional.softmax(wanted, 1), reduction="batchmean"
    )
    return mnrl(batch) + divergence


LOSSES = {"mnrl": mnrl, "hardness": hardness, "margin-mse": margin_mse, "kl": kl}
