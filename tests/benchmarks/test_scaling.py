"""Cost against size: the collection is the same every time, and a small run gives its tables."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks import _memory
from benchmarks._memory import Held, Sampled, held, run
from benchmarks._scaling_data import Collection
from benchmarks.scaling import ROOT, Cost, exponent, measure, table


def columns(collection: Collection, name: str) -> list[object]:
    found = pq.read_table(collection.folder / f"{name}.parquet").to_pylist()
    return list(found)


def test_a_larger_collection_begins_with_the_smaller_one(tmp_path: Path) -> None:
    small, large = (Collection(tmp_path / str(n), n, 10) for n in (300, 5000))
    small.write()
    large.write()
    for name in ("documents", "documents-vectors"):
        assert columns(small, name) == columns(large, name)[:300]
    assert len(columns(large, "queries")) == len(columns(large, "qrels")) == 10


def test_vectors_have_length_one_and_a_query_is_nearest_to_its_positive(tmp_path: Path) -> None:
    collection = Collection(tmp_path, 500, 50)
    collection.write()
    documents, queries = (
        np.stack([row["vector"] for row in columns(collection, f"{name}-vectors")])  # type: ignore[index]
        for name in ("documents", "queries")
    )
    assert np.allclose(np.linalg.norm(documents, axis=1), 1, atol=1e-5)
    nearest = (queries @ documents.T).argmax(axis=1)
    assert (nearest == np.arange(50) * 10).mean() > 0.9


def test_the_exponent_is_the_slope_on_both_logarithms() -> None:
    sizes = [10.0, 100.0, 1000.0]
    assert exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)
    assert exponent(sizes, [2.0, 2.0, 2.0]) == pytest.approx(0)
    assert np.isnan(exponent([10.0], [1.0]))


def test_the_table_has_seconds_and_exponents() -> None:
    costs = [Cost(n, 5, {"judge": n / 10}, {"judge": n / 5.0}, {}) for n in (10, 100)]
    assert table(costs, "documents").splitlines() == [
        "| step | 10 s (CPU) | 100 s (CPU) | exponent 10 to 100 (CPU) |",
        "| --- | ---: | ---: | ---: |",
        "| judge | 1.0 (2.0) | 10.0 (20.0) | 1.00 (1.00) |",
    ]


def test_memory_of_a_process_and_its_children_is_seen_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child holds its memory until a sample has it."""
    seen = tmp_path / "seen"

    def noted(process: int) -> Held:
        found = held(process)
        if found.anonymous > 64 << 20:
            seen.touch()
        return found

    monkeypatch.setattr(_memory, "held", noted)
    child = (
        "import os, time; b = b'x' * (64 << 20)\n"
        f"while not os.path.exists({str(seen)!r}): time.sleep(0.01)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    sampled = run([sys.executable, "-c", code], tmp_path / "log", tmp_path)
    peak = sampled.peak(sampled.at[0], sampled.at[-1])
    assert 64 << 20 < peak.anonymous <= peak.pss <= peak.rss < 256 << 20
    assert held(2**22 + 1) == Held(0, 0, 0), "a process that is gone holds nothing"


def test_a_peak_is_that_of_its_time() -> None:
    sampled = Sampled([1.0, 2.0, 3.0], [Held(5, 4, 3), Held(9, 2, 1), Held(7, 7, 7)])
    assert sampled.peak(0.5, 2.5) == Held(9, 4, 3)
    assert sampled.peak(2.1, 2.2) == Held(9, 2, 1), "the nearest sample, where none is inside"


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no such thing"):
        run([sys.executable, "-c", "raise KeyError('no such thing')"], tmp_path / "log", tmp_path)


@pytest.mark.slow
def test_a_small_run_stays_far_below_the_limit(tmp_path: Path) -> None:
    cost = measure(2000, 100, 100, tmp_path, keep=False)
    assert {"ingest", "retrieve dense", "publish", "whole run"} <= cost.seconds.keys()
    assert cost.peak["retrieve to publish"].pss < 1 << 30
    assert not list(tmp_path.rglob("*.parquet")), "nothing is left unless it is asked for"


@pytest.mark.long
def test_the_script_prints_its_tables(tmp_path: Path) -> None:
    script = str(ROOT / "benchmarks" / "scaling.py")
    options = ["--sizes", "300,600", "--queries", "20,40", "--depth", "20", "--out", str(tmp_path)]
    said = subprocess.run(
        [sys.executable, script, *options], check=True, capture_output=True, text=True
    ).stdout
    assert "40 queries, by documents" in said
    assert "300 documents, by queries" in said
    assert said.count("| publish |") == 4
