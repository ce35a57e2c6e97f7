"""Seconds and peak memory of a plan of batches for synthetic pairs: `batch_scale.py 1000000`.

Vectors of 384 numbers in clusters of clusters, in files as a work directory maps them; five
suspected texts a query. Finding them in a run is left out; composing, masking and writing is not.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from negmine.jobs.batches.collect import Collected, Mapped
from negmine.jobs.batches.plan import Request, write
from negmine.transforms.data.columns import map_file
from negmine.transforms.kernels.batching.epochs import TrainingPairs
from negmine.transforms.kernels.batching.suspects import Suspects
from negmine.transforms.kernels.hashing import mix

WIDTH = 384
SUSPECTED = 5
_AT_ONCE = 16_384


def vectors(file: Path, pairs: int, kind: int) -> Mapped:
    """Vectors of `pairs` texts: subjects of 500, topics of 10 in them, and the text's own."""
    with file.open("wb") as out:
        for start in range(0, pairs, _AT_ONCE):
            at = mix(1, np.arange(start, min(start + _AT_ONCE, pairs))) % np.uint64(pairs)
            parts = (at // np.uint64(500), at // np.uint64(10), at + np.uint64(pairs * (2 + kind)))
            total = np.zeros((len(at), WIDTH), dtype=np.float32)
            for level, part in enumerate(parts):
                bits = mix(level, part[:, None], np.arange(WIDTH)[None, :])
                total += (bits >> np.uint64(40)).astype(np.float32) / 2**24 - 0.5
            out.write(total.tobytes())
    return Mapped(map_file(file, "<f4", (WIDTH,)))


def synthetic(folder: Path, pairs: int) -> Collected:
    """Pairs of as many queries and texts."""
    at = np.arange(pairs, dtype=np.int64)
    other = (mix(7, np.arange(SUSPECTED * pairs)) % np.uint64(pairs)).astype(np.int32)
    query = np.concatenate([at.astype(np.int32), np.repeat(at.astype(np.int32), SUSPECTED)])
    suspects = Suspects.of(query, np.concatenate([at.astype(np.int32), other]), pairs, pairs)
    names = pa.array(at).cast(pa.string())
    return Collected(
        ids=pa.table({"query_id": names, "positive_id": names}),
        pairs=TrainingPairs(at, at, at.astype(np.int32), mix(3, at)),
        queries=vectors(folder / "queries", pairs, 0),
        documents=vectors(folder / "documents", pairs, 1),
        apart=suspects,
        masked=suspects,
        threshold=0.0,
        judged=1.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=int)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--hardness", type=float, default=0.5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="negmine-scale-") as folder:
        found = synthetic(Path(folder), given.pairs)
        request = Request(given.size, hardness=given.hardness)
        started = time.perf_counter()
        keys = mix(11, np.arange(given.pairs))
        made = write(
            found,
            keys,
            request,
            {"seed": 42, "size": given.size, "epochs": 1},
            Path(folder) / "plan.parquet",
        )
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        size = made.path.stat().st_size / 2**20
        print(
            f"{given.pairs:,} pairs, batches of {given.size}, hardness {given.hardness}: "
            f"{seconds:.0f} s, peak {peak:.2f} GiB, file {size:.0f} MiB, "
            f"mean cosine {made.near:.3f}, by chance {made.near_by_chance:.3f}, "
            f"masked {made.masked:.4f}"
        )


if __name__ == "__main__":
    main()
