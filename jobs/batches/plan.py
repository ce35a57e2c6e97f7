"""Write a plan of batches: compose each epoch, list what is masked, and count what came of it."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.batches.collect import Collected, collect, pair_keys
from negmine.jobs.runs.published import Run
from negmine.schemas import JsonObject, tables
from negmine.schemas.errors import ConfigError
from negmine.transforms.batches import METADATA, VERSION
from negmine.transforms.kernels.batching.cosines import UNIT, whole
from negmine.transforms.kernels.batching.epochs import compose
from negmine.transforms.kernels.hashing import mix
from negmine.transforms.storage.atomic import replacing
from negmine.transforms.storage.targets import EXPORTS, target

_ROWS_AT_ONCE = 65_536
_MEASURED = 256
MASK_FROM = 0.7
"""Share of the positives above the threshold from which positives of others are masked."""
HARDNESS = 0.5


@dataclass(frozen=True)
class Request:
    """What a plan is asked to be.

    `size`: pairs in a batch. `hardness`: size of a community over that of a batch. `masked_from`:
    share of the known positives that the judge scores at or above the threshold from which another
    query's positive is masked.
    """

    size: int
    epochs: int = 1
    seed: int = 42
    hardness: float = HARDNESS
    masked_from: float = MASK_FROM


@dataclass(frozen=True)
class Planned:
    """What was written, as shares of the rows of all epochs.

    `masked`: positions that are masked, a row. `near`, `near_by_chance`: mean cosine of a query
    with the others' positives that are not masked, of a sample of batches, and of as many that
    chance draws; NaN where there is none.
    """

    path: Path
    pairs: int
    batches: int
    masked: float
    near: float
    near_by_chance: float
    notes: list[str]


def check(request: Request) -> None:
    """Raise ConfigError for numbers of which no plan can be made."""
    if request.size < 2:
        raise ConfigError(
            f"--size {request.size}: a batch of fewer than 2 pairs has no in-batch negative; give "
            "2 or more"
        )
    if request.epochs < 1:
        raise ConfigError(f"--epochs {request.epochs}: give 1 or more")
    for option, share in (("hardness", request.hardness), ("masked-from", request.masked_from)):
        if not 0 <= share <= 1:
            raise ConfigError(f"--{option} {share}: give a share from 0 to 1")
    if not 0 <= request.seed < 2**63:
        raise ConfigError(f"--seed {request.seed}: give a whole number from 0 to 2**63 - 1")


def plan(run: Run, request: Request, output: str | Path | None = None) -> Planned:
    """Compose batches of a run's pairs and write them, `tables.BATCH_PLAN`, in one step.

    The same run and request give the same bytes. Memory holds the pairs as numbers, what may
    answer whom, and one epoch's masks.

    Args:
        run: a complete run, with its work directory.
        request: what to make.
        output: a .parquet file or a folder; by default `exports/` beside the run's `runs/`.

    Raises:
        ConfigError: a size, share or path that cannot be used, or more pairs asked for a batch
            than there are.
        StorageError: the work directory no longer holds what the run was made of, or the disk
            refuses.
        DataError: the run has no pairs.
    """
    check(request)
    path = target(
        output or f"{run.output / EXPORTS}/",
        "--output",
        (".parquet",),
        name=f"{run.run_id}-batches.parquet",
        outputs=run.kept,
    )
    found = collect(run, request.masked_from)
    count = len(found.pairs)
    if request.size > count:
        raise ConfigError(
            f"--size {request.size:,}: run {run.run_id} has {count:,} pairs of a query and a "
            "positive; give at most that"
        )
    facts = {"run_id": run.run_id, **asdict(request), "threshold": found.threshold}
    return write(found, pair_keys(run, found.pairs), request, facts, path)


def write(
    found: Collected, keys: np.ndarray, request: Request, facts: JsonObject, path: Path
) -> Planned:
    """Compose and write, in one step; `facts` go into the file's metadata.

    Args:
        found: pairs, at least as many as a batch has.
        keys: (n,) uint64 hashes of their texts.
        request: what to make.
        facts: as JSON values.
        path: the file.

    Raises:
        StorageError: the disk refuses.
    """
    count = len(found.pairs)
    facts = {**facts, "version": VERSION, "pairs": count}
    schema = tables.BATCH_PLAN.with_metadata({METADATA: json.dumps(facts, sort_keys=True)})
    masked = 0
    near: list[float] = []
    chance: list[float] = []
    with (
        replacing(path, advice="Free space or give another --output") as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for epoch in range(request.epochs):
            order = compose(
                found.pairs,
                found.queries,
                found.documents,
                found.apart,
                request.size,
                request.hardness,
                request.seed,
                epoch,
            )
            rows, others = found.pairs.in_one_batch(found.masked, order, request.size)
            for table in _tables(found, keys, order, rows, others, request.size, epoch):
                writer.write_table(table.cast(schema))
            masked += len(rows)
            if not epoch:
                near = _nearness(found, order, request.size)
                drawn = np.argsort(mix(request.seed, found.pairs.key), kind="stable")
                chance = _nearness(found, drawn, request.size)
    return Planned(
        path=path,
        pairs=count,
        batches=-(-count // request.size),
        masked=masked / count / request.epochs,
        near=float(np.mean(near)) if near else float("nan"),
        near_by_chance=float(np.mean(chance)) if chance else float("nan"),
        notes=_notes(found),
    )


def _tables(
    found: Collected,
    keys: np.ndarray,
    order: np.ndarray,
    rows: np.ndarray,
    others: np.ndarray,
    size: int,
    epoch: int,
) -> Iterator[pa.Table]:
    """The rows of an epoch, some thousand at a time."""
    ends = np.searchsorted(rows, np.arange(len(order) + 1))
    for start in range(0, len(order), _ROWS_AT_ONCE):
        stop = min(start + _ROWS_AT_ONCE, len(order))
        place = np.arange(start, stop)
        some = order[start:stop]
        offsets = (ends[start : stop + 1] - ends[start]).astype(np.int32)
        values = (others[ends[start] : ends[stop]] % size).astype(np.int32)
        ids = found.ids.take(pa.array(some))
        columns = {
            "epoch": np.full(len(some), epoch, dtype=np.int32),
            "batch": (place // size).astype(np.int32),
            "position": (place % size).astype(np.int32),
            "query_id": ids["query_id"],
            "positive_id": ids["positive_id"],
            "row": some,
            "pair_key": keys[some],
            "masked": pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)),
        }
        yield pa.table(
            [columns[name] for name in tables.BATCH_PLAN.names], schema=tables.BATCH_PLAN
        )


def _nearness(found: Collected, order: np.ndarray, size: int) -> list[float]:
    """Mean cosine of query and other's positive, unmasked, of batches spread over an epoch."""
    batches = -(-len(order) // size)
    means = []
    for batch in np.unique(np.linspace(0, batches - 1, _MEASURED).astype(int)):
        rows = order[batch * size : (batch + 1) * size][:1024]
        pairs = found.pairs
        queries = whole(found.queries[pairs.query[rows]])
        cosines = queries @ whole(found.documents[pairs.document[rows]]).T
        counted = ~np.eye(len(rows), dtype=bool)
        counted[pairs.in_one_batch(found.masked, rows, size)] = False
        if counted.any():
            means.append(float(cosines[counted].mean()) / UNIT**2)
    return means


def _notes(found: Collected) -> list[str]:
    if found.threshold is None:
        return [
            "the run has no judge, so nothing is suspected: known positives, the same texts and "
            "near-duplicates alone are kept apart and masked"
        ]
    if found.judged < 1:
        return [
            f"the judge scored {found.judged:.0%} of the candidates that are positives of other "
            "queries; what it did not score is not suspected"
        ]
    return []
