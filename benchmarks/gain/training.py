"""One training: a student, a collection, a negative set; what comes out is nDCG@10 a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from benchmarks.gain.collection import Collection
from benchmarks.gain.losses import LOSSES, Batch
from benchmarks.gain.negative_sets import NegativeSet, Weights
from benchmarks.gain.students import Student

CUT = 10


@dataclass(frozen=True)
class Settings:
    """What every job of a comparison shares.

    Attributes:
        per_step: negatives of a pair in a step, drawn anew each epoch from its list.
        batch: pairs in a step.
        epochs: passes over the pairs.
        loss: a key of `losses.LOSSES`.
    """

    per_step: int = 3
    batch: int = 32
    epochs: int = 5
    loss: str = "mnrl"


class Packed:
    """A collection as one student reads it: tokens, row numbers, known and relevant positives."""

    def __init__(self, collection: Collection, student: Student) -> None:
        self.collection, self.student = collection, student
        self.document_row = {
            name: row for row, name in enumerate([*collection.documents, *collection.made])
        }
        self.query_row = {name: row for row, name in enumerate(collection.queries)}

    @cached_property
    def documents(self):  # type: ignore[no-untyped-def]
        texts = [*self.collection.documents.values(), *self.collection.made.values()]
        return self.student.tokenise(texts)

    @cached_property
    def queries(self):  # type: ignore[no-untyped-def]
        return self.student.tokenise(list(self.collection.queries.values()))

    @cached_property
    def names(self) -> tuple[list[str], list[str]]:
        """Identifiers of queries and of documents by row."""
        return list(self.query_row), list(self.document_row)

    def _rows(self, wanted: Mapping[str, frozenset[str]]) -> dict[int, np.ndarray]:
        row = self.document_row
        return {
            self.query_row[query]: np.array(sorted(row[d] for d in documents))
            for query, documents in wanted.items()
        }

    @cached_property
    def known(self) -> dict[int, np.ndarray]:
        return self._rows(self.collection.known)

    @cached_property
    def relevant(self) -> dict[int, np.ndarray]:
        return self._rows(self.collection.relevant)

    def negatives(self, negatives: NegativeSet) -> dict[int, np.ndarray]:
        """Rows of a set's negatives, by row of the query; others' unknown documents are left."""
        row = self.document_row
        return {
            self.query_row[query]: np.array([row[d] for d in found if d in row], dtype=np.int64)
            for query, found in negatives.items()
            if query in self.query_row
        }


def train(
    packed: Packed,
    negatives: NegativeSet | None,
    teacher: Mapping[tuple[str, str], float],
    settings: Settings,
    seed: int,
    fold: int,
    weights: Weights | None = None,
) -> dict[str, float]:
    """Train from the student's first weights and evaluate.

    Args:
        packed: collection and student.
        negatives: the set; None = leave the student as it is.
        teacher: judge's scores of (query, document), for the losses that read them.
        settings: steps and sizes.
        seed: draws the order of pairs and of negatives; the same for every set.
        fold: of the collection.
        weights: of the set's negatives; None = all count 1.

    Returns:
        nDCG@10 of exact search, by query.
    """
    student, collection = packed.student, packed.collection
    pairs, held = collection.divide(fold)
    student.begin(seed)
    if negatives is not None:
        rows = [(packed.query_row[q], packed.document_row[d]) for q, d in pairs]
        _fit(
            packed,
            np.array(rows),
            packed.negatives(negatives),
            (teacher, weights or {}),
            settings,
            seed,
        )
    return evaluate(packed, held)


def _fit(
    packed: Packed,
    pairs: np.ndarray,
    negatives: Mapping[int, np.ndarray],
    told: tuple[Weights, Weights],
    settings: Settings,
    seed: int,
) -> None:
    teacher, weights = told
    student, loss = packed.student, LOSSES[settings.loss]
    steps = len(pairs) // settings.batch
    if not steps:
        raise SystemExit(
            f"{packed.collection.name}: {len(pairs)} pairs make no batch of {settings.batch}; "
            "give a smaller one"
        )
    for epoch in range(settings.epochs):
        draw = np.random.default_rng([seed, epoch])
        # The order of pairs is drawn first, so that sets of any size see the same batches.
        order = draw.permutation(len(pairs))[: steps * settings.batch].reshape(steps, -1)
        for step, chosen in enumerate(order):
            query, positive = pairs[chosen].T
            lots = [draw.permutation(negatives.get(q, pairs[:0, 1])) for q in query.tolist()]
            mined = [lot[: settings.per_step] for lot in lots]
            columns = np.concatenate([positive, *mined])
            owner = np.repeat(np.arange(len(query)), [len(lot) for lot in mined])
            owner = np.concatenate([np.arange(len(query)), owner])
            cosine = student.cosines(packed.queries, query, packed.documents, columns)
            batch = Batch(
                cosine,
                torch.from_numpy(masked_positives(query, columns, packed.known)).to(cosine.device),
                torch.from_numpy(owner).to(cosine.device),
                _of_pairs(packed, teacher, query[owner], columns, np.nan).to(cosine.device),
                _of_pairs(packed, weights, query[owner], columns, 1.0).to(cosine.device),
            )
            done = (epoch * steps + step) / (settings.epochs * steps)
            student.step(loss(batch), done)


def masked_positives(
    query: np.ndarray, columns: np.ndarray, known: Mapping[int, np.ndarray]
) -> np.ndarray:
    """(b, c) bool: columns that hold one of the row's known positives, its own excepted."""
    masked = np.stack([np.isin(columns, known[q]) for q in query.tolist()])
    np.fill_diagonal(masked, False)
    return masked


def _of_pairs(
    packed: Packed, values: Weights, query: np.ndarray, columns: np.ndarray, missing: float
) -> torch.Tensor:
    if not values:
        return torch.full((len(columns),), missing)
    queries, documents = packed.names
    keys = ((queries[q], documents[d]) for q, d in zip(query, columns, strict=True))
    return torch.tensor([values.get(key, missing) for key in keys], dtype=torch.float32)


def evaluate(packed: Packed, queries: Sequence[str]) -> dict[str, float]:
    """nDCG@10 of exact search over the whole collection, by query; gains are 0 and 1."""
    rows = np.array([packed.query_row[query] for query in queries])
    documents = packed.student.vectors(packed.documents)[: len(packed.collection.documents)]
    asked = packed.student.vectors(packed.queries)[torch.from_numpy(rows).to(documents.device)]
    discount = 1 / np.log2(np.arange(2, CUT + 2))
    found: dict[str, float] = {}
    for at in range(0, len(rows), 256):
        scores = asked[at : at + 256] @ documents.T
        top = scores.topk(min(CUT, len(documents)), 1).indices.cpu().numpy()
        for name, row, best in zip(queries[at : at + 256], rows[at : at + 256], top, strict=True):
            relevant = packed.relevant[int(row)]
            ideal = discount[: min(CUT, len(relevant))].sum()
            found[name] = float((np.isin(best, relevant) * discount[: len(best)]).sum() / ideal)
    return found
