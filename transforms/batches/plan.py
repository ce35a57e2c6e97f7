"""A plan that `negmine batches` wrote: rows of each batch, and what is no negative in it."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError, StorageError
from negmine.schemas.tables import BATCH_PLAN
from negmine.transforms.kernels.groups import position_in_group
from negmine.transforms.kernels.hashing import text_keys

if TYPE_CHECKING:
    from negmine.transforms.batches.sampler import Columns, PlanSampler

METADATA = b"negmine.batches"
VERSION = 1


class BatchPlan:
    """Batches of a plan by epoch, for any trainer; loads neither Beam nor DuckDB nor torch.

    Rows are numbers of pairs of query and positive, from 0: rows of the run's n_tuple export with
    every query, or of any data that `rows` finds them in. Memory holds two epochs.

        plan = BatchPlan("plan.parquet")
        for batch, rows in enumerate(plan.batches(epoch=0)):
            train_on(data[rows], plan.mask(0, batch))

    Attributes:
        path: the file.
        size: pairs in a batch; the last of an epoch may have fewer.
        epochs: how many there are; a later epoch is taken from the start again.
        pairs: how many pairs there are, each once an epoch.
        facts: run_id, seed and what else the plan was made with.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a plan. Raises StorageError where the file cannot be read or is none."""
        self.path = Path(path)
        self.facts = self._facts()
        self.size = int(self.facts["size"])
        self.epochs = int(self.facts["epochs"])
        self.pairs = int(self.facts["pairs"])
        self._epoch = lru_cache(maxsize=2)(self._read_epoch)
        self._barred: np.ndarray | None = None

    def _facts(self) -> JsonObject:
        try:
            schema = pq.read_schema(self.path)
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"{self.path} cannot be read ({str(error).splitlines()[0]}); write the plan again "
                "with negmine batches"
            ) from error
        told = (schema.metadata or {}).get(METADATA)
        if told is None or schema.names != BATCH_PLAN.names:
            raise StorageError(
                f"{self.path} is no plan of batches; name a file that negmine batches wrote"
            )
        facts = dict(json.loads(told))
        if facts["version"] > VERSION:
            raise StorageError(
                f"{self.path} was written by a later negmine: its version is {facts['version']}, "
                f"and this one reads up to {VERSION}"
            )
        return facts

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-self.pairs // self.size)

    def _table(self, columns: list[str], epoch: int | None = None) -> pa.Table:
        chosen = None if epoch is None else [("epoch", "=", epoch)]
        return pq.read_table(self.path, columns=columns, filters=chosen, partitioning=None)

    def _read_epoch(self, epoch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows in the order of the batches, and offsets and positions of what is masked."""
        table = self._table(["row", "masked"], epoch)
        if table.num_rows != self.pairs:
            raise StorageError(
                f"{self.path} holds {table.num_rows:,} of the {self.pairs:,} pairs of epoch "
                f"{epoch}; write the plan again with negmine batches"
            )
        lengths = pc.list_value_length(table["masked"]).to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return table["row"].to_numpy(), offsets, pc.list_flatten(table["masked"]).to_numpy()

    def batches(self, epoch: int = 0) -> Iterator[np.ndarray]:
        """Rows of each batch, int64; `epoch` from 0, beyond `epochs` from the start again."""
        rows = self._epoch(epoch % self.epochs)[0]
        for start in range(0, self.pairs, self.size):
            yield rows[start : start + self.size]

    def mask(self, epoch: int, batch: int) -> np.ndarray:
        """What is no negative in a batch: (b, b) bool, a query a row, a pair's positive a column.

        True where the positive may answer the query; False on the diagonal.
        """
        _, offsets, positions = self._epoch(epoch % self.epochs)
        start = batch * self.size
        stop = min(start + self.size, self.pairs)
        if not 0 <= start < stop:
            raise IndexError(f"batch {batch} of {len(self)}")
        mask = np.zeros((stop - start, stop - start), dtype=bool)
        counts = np.diff(offsets[start : stop + 1])
        others = positions[offsets[start] : offsets[stop]]
        mask[np.repeat(np.arange(stop - start), counts), others] = True
        return mask

    def mask_of(self, rows: np.ndarray) -> np.ndarray:
        """`mask` by the batch's rows, (b,) int64, wherever in training it turns up: (b, b) bool."""
        if self._barred is None:
            self._barred = self._read_barred()
        asked = np.asarray(rows, dtype=np.int64)
        keys = asked[:, None] * self.pairs + asked[None, :]
        at = np.minimum(np.searchsorted(self._barred, keys), max(len(self._barred) - 1, 0))
        return self._barred[at] == keys if len(self._barred) else np.zeros(keys.shape, dtype=bool)

    def _read_barred(self) -> np.ndarray:
        """One sorted key for each row and each row that is none of its negatives, of all epochs."""
        found = [np.empty(0, dtype=np.int64)]
        for epoch in range(self.epochs):
            rows, offsets, positions = self._read_epoch(epoch)
            place = np.repeat(np.arange(self.pairs), np.diff(offsets))
            others = rows[place // self.size * self.size + positions]
            found.append(rows[place] * self.pairs + others)
        return np.unique(np.concatenate(found))

    def rows(self, queries: Iterable[str], positives: Iterable[str]) -> np.ndarray:
        """The plan's row of each pair of texts of a training set, (n,) int64.

        For a set that is not the export with every query: one without some queries, in another
        order, or with several rows a pair. Texts are compared letter by letter.

        Raises:
            DataError: a pair is not in the plan, as where the set was made of another run.
        """
        table = self._table(["pair_key", "row"], 0)
        known = table["pair_key"].to_numpy()
        order = np.lexsort((table["row"].to_numpy(), known))
        both = zip(queries, positives, strict=True)
        keys = text_keys(f"{query}\0{positive}" for query, positive in both)
        low, high = (np.searchsorted(known[order], keys, side=side) for side in ("left", "right"))
        unknown = np.flatnonzero(low == high)
        if len(unknown):
            raise DataError(
                f"{len(unknown):,} of {len(keys):,} pairs of the training set are not in "
                f"{self.path}, the first in row {unknown[0]}; export run {self.facts['run_id']}, "
                "which the plan was made of, or write a plan of the run that was exported"
            )
        # Pairs of the same texts, as where two documents are alike, take turns.
        turn = np.empty(len(keys), dtype=np.int64)
        alike = np.argsort(keys, kind="stable")
        turn[alike] = position_in_group(keys[alike])
        return table["row"].to_numpy()[order[low + turn % np.maximum(high - low, 1)]]

    @property
    def batch_sampler(self) -> Callable[..., "PlanSampler"]:
        """For `batch_sampler` of sentence-transformers' training arguments, which are pickled.

        What it makes is a `transforms.batches.sampler.PlanSampler`.
        """
        return partial(_sampler, str(self.path.absolute()))


def _sampler(path: str, dataset: "Columns", batch_size: int, **others: object) -> "PlanSampler":
    from negmine.transforms.batches.sampler import PlanSampler

    return PlanSampler(BatchPlan(path), dataset, batch_size, **others)
