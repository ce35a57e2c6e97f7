"""`runner.memory`: what it may be, that it cuts the work, and that it changes no byte."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.runner.budget import Budget
from negmine.schemas.config import Config, Runner
from negmine.schemas.errors import ConfigError
from negmine.schemas.sources import Bm25, Dense
from negmine.transforms.sources.search import AUTO_SHARD
from tests.jobs.collections import digest, negmine, small_run, write_config
from tests.transforms.input_files import write_lines


def budget(memory: str | None, **sections: Any) -> Budget:
    values = {"input": {"format": "stdlib"}, "judge": {"kind": "none"}, **sections}
    runner = {**values.pop("runner", {}), "memory": memory}
    return Budget(Config.model_validate({**values, "runner": runner}))


def given(memory: str | None, **sections: Any) -> Budget:
    vectors = {"vectors": {"documents": "d.parquet", "queries": "q.parquet"}}
    return budget(memory, student=vectors, **sections)


@pytest.mark.parametrize(
    ("memory", "size"),
    [("4GiB", 4 << 30), ("4GB", 4 * 10**9), ("1.5 GiB", 3 << 29), ("512MB", 512 * 10**6)],
)
def test_a_size_has_a_unit(memory: str, size: int) -> None:
    assert Runner(memory=memory).memory_bytes == size
    assert Runner().memory_bytes is None


@pytest.mark.parametrize("memory", ["4", "4G", "four GiB", "-1GB"])
def test_another_size_is_refused(memory: str) -> None:
    with pytest.raises(ValueError, match="a number and a unit"):
        Runner(memory=memory)


def test_without_a_limit_the_work_is_cut_as_the_config_says() -> None:
    free = given(None, runner={"block_size": 700})
    assert free.block_size == 700
    assert free.shard(1e9) == AUTO_SHARD
    assert free.bm25(Bm25(), 10**7, 10**9).shards == "auto"


def test_less_memory_makes_smaller_blocks_and_more_shards() -> None:
    deep = {"sources": {"bm25": {"depth": 1000}, "dense": {"depth": 1000}}}
    budgets = [given(f"{size}GiB", **deep) for size in (2, 3, 8, 64)]
    sizes = [budget.block_size for budget in budgets]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] == 512
    shards = [budget.bm25(Bm25(), 10**7, 3 * 10**10).shards for budget in budgets]
    assert shards[0] > shards[1] > shards[2]  # type: ignore[operator]
    assert budgets[0].dense(Dense(), 10**7, 4096).shards != "auto"


def test_shards_that_decide_a_result_or_were_asked_for_stay() -> None:
    tight = given("2GiB")
    assert tight.dense(Dense(index="ivf"), 10**7, 4096).shards == "auto"
    assert tight.bm25(Bm25(shards=3), 10**7, 10**9).shards == 3


@pytest.mark.parametrize("documents", [10**4, 10**6, 10**8])
@pytest.mark.parametrize("memory", ["2GiB", "4GiB"])
def test_what_stages_are_expected_to_hold_stays_below_the_limit(
    memory: str, documents: int
) -> None:
    tight = given(memory)
    found = tight.expected(documents, 10_000, 384, 50.0 * documents, 400 * documents)
    assert max(found.values()) <= (tight.limit or 0)


def test_a_limit_that_cannot_be_kept_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs .*GiB at least"):
        _ = given("512MiB").block_size
    assert budget(None).program > given(None).program, "a model needs more"
    config = write_config(tmp_path / "run.yaml", input={"format": "stdlib", "limit": 50})
    out = str(tmp_path / "out")
    ended = negmine("mine", config, "--output", out, "--set", "runner.memory=300MB")
    assert ended.code == 2
    assert "runner.memory is 300MB, and this run needs" in ended.err
    assert not (tmp_path / "out" / "work" / "ingest").exists()


def test_given_candidates_take_memory_too(tmp_path: Path) -> None:
    sizes, blocks = (10, 1000, 2000), []
    for size in sizes:
        file = tmp_path / f"{size}.jsonl"
        rows = [{"query_id": "q", "doc_id": f"d{i}", "rank": i + 1} for i in range(size)]
        write_lines(file, [*rows, {"query_id": "other", "doc_id": "d", "rank": 1}])
        only = {
            "sources": {**dict.fromkeys(("bm25", "dense", "random")), "given": {"path": str(file)}},
            "tiers": {"all": {"quota": 3}},
        }
        tight = given("2GiB", **only)
        assert tight.given == (size + 1, size)
        blocks.append(tight.block_size)
        assert max(tight.expected(1000, 100, 384, 0, 0).values()) <= (tight.limit or 0)
    assert blocks[0] == 512 > blocks[1] > blocks[2]
    with pytest.raises(ConfigError, match="raise it, or give fewer candidates of a query"):
        _ = given("1300MiB", **only).block_size


def test_the_limit_changes_no_byte_of_what_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_run(tmp_path)
    runs = []
    for memory in ("null", "3GiB"):
        if memory != "null":
            monkeypatch.setattr("negmine.jobs.runner.budget.Budget.shard", lambda *_: 7)
            monkeypatch.setattr("negmine.jobs.runner.budget.Budget.block_size", 5)
            monkeypatch.setattr("negmine.jobs.runner.budget.ROUND", 1)
        out = tmp_path / memory
        settings = ["--set", f"runner.memory={memory}", "--set", "output.run_id=r"]
        ended = negmine("mine", config, "--output", str(out), *settings)
        assert ended.code == 0, ended.err
        names = ("negatives", "positives", "ledger", "sets")
        runs.append({n: digest(out / "runs/r", n) for n in names})
    assert runs[0] == runs[1]
