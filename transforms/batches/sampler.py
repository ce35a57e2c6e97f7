"""A plan's batches for sentence-transformers' trainer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from sentence_transformers.base.sampler import DefaultBatchSampler

from negmine.schemas import JsonObject
from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.kernels.hashing import mix


class Plan(Protocol):
    """What a sampler needs of a `transforms.batches.BatchPlan`."""

    path: Path
    size: int
    pairs: int
    facts: JsonObject

    def batches(self, epoch: int = 0) -> Iterator[np.ndarray]:
        """Rows of each batch."""


class Columns(Protocol):
    """What a sampler needs of a `datasets.Dataset`."""

    column_names: list[str]

    def __getitem__(self, name: str) -> Sequence[object]:
        """A column."""


LABEL = "label"
"""Column of a training set that holds the plan's row of each of its rows."""


class PlanSampler(DefaultBatchSampler):
    """Rows of a data set, batch by batch, as a plan has them.

    The data set's column `label` has the plan's rows (`BatchPlan.rows`). Where it has several rows
    a pair, as a triplet export has, each epoch takes one of them, drawn by a keyed hash. Pairs that
    it lacks are missing from their batches.
    """

    def __init__(self, plan: Plan, dataset: Columns, batch_size: int, **others: object) -> None:
        if batch_size != plan.size:
            raise ConfigError(
                f"per_device_train_batch_size is {batch_size}, and the plan {plan.path} has "
                f"batches of {plan.size}; set it to that"
            )
        if LABEL not in dataset.column_names:
            raise DataError(
                f"the training set has no column {LABEL!r}, which says what row of the plan each "
                f"of its rows is; add it: dataset.add_column({LABEL!r}, plan.rows(dataset"
                "['anchor'], dataset['positive']))"
            )
        super().__init__(dataset, batch_size=batch_size, **others)
        self.plan = plan
        rows = np.asarray(dataset[LABEL], dtype=np.int64)
        self._order = np.argsort(rows, kind="stable")
        self._starts = np.searchsorted(rows[self._order], np.arange(plan.pairs + 1))
        self._counts = np.diff(self._starts)

    def __iter__(self) -> Iterator[list[int]]:
        seed = int(self.plan.facts["seed"])
        for rows in self.plan.batches(self.epoch):
            rows = rows[self._counts[rows] > 0]
            if not len(rows) or (self.drop_last and len(rows) < self.batch_size):
                continue
            lots = mix(seed, self.epoch, rows.astype(np.uint64)) >> np.uint64(33)
            at = self._starts[rows] + lots.astype(np.int64) % self._counts[rows]
            yield self._order[at].tolist()

    def __len__(self) -> int:
        """Batches of the epoch that is set."""
        counts = (int((self._counts[rows] > 0).sum()) for rows in self.plan.batches(self.epoch))
        least = self.batch_size if self.drop_last else 1
        return sum(count >= least for count in counts)
