"""`negmine plan`: what it foretells, what it finds done, and that it starts nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.plan.counts import most_candidates, pairs_read, union_size
from negmine.jobs.plan.kernels import characters_read
from negmine.jobs.plan.table import about, disk
from negmine.schemas.config import Config, Student
from negmine.schemas.judges import CrossEncoder, judge_of
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.models.weights import find_weights
from tests.jobs.collections import (
    cross_encoder,
    negmine,
    static_student,
    write_collection,
    write_config,
)

FIRST_STAGES = {"ingest", "embed documents", "embed queries", "index bm25"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    write_collection(folder / "collection")
    static_student(folder / "student")
    cross_encoder(folder / "judge")
    return folder


@pytest.fixture(scope="module")
def config(base: Path) -> str:
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"model": str(base / "student"), "device": "cpu"},
        judge={"kind": "cross_encoder", "model": str(base / "judge"), "device": "cpu"},
        sources={"bm25": {"depth": 10}, "dense": {"depth": 10}, "random": {"count": 5}},
    )


def planned(config: str, output: Path, *options: str) -> dict[str, Any]:
    ended = negmine("plan", config, "--output", str(output), "--json", *options)
    assert ended.code == 0, ended.err
    return dict(json.loads(ended.out))


def states(plan: dict[str, Any]) -> dict[str, str]:
    return {stage["what"]: stage["state"] for stage in plan["stages"]}


@pytest.fixture(scope="module")
def cold(config: str, base: Path) -> tuple[dict[str, Any], Path]:
    output = base / "out"
    plan = planned(config, output)
    # Digests are kept of inputs that were not just written.
    kept = {path.name for path in (output / "work").iterdir()} - {"inputs.json"}
    assert kept == {".lock", "ingest"}, "plan starts no stage after ingest"
    assert not (output / "runs").exists()
    return plan, output


def test_a_cold_run_is_all_to_do_after_ingest(cold: tuple[dict[str, Any], Path]) -> None:
    plan, _ = cold
    found = states(plan)
    assert found.pop("ingest") == "done"
    assert set(found.values()) == {"estimate"}
    assert FIRST_STAGES - {"ingest"} < set(found)
    assert {"check judge cross_encoder", "judge cross_encoder", "publish"} < set(found)


def test_the_totals_are_those_of_the_stages(cold: tuple[dict[str, Any], Path]) -> None:
    plan, _ = cold
    todo = [stage for stage in plan["stages"] if stage["state"] == "estimate"]
    assert plan["seconds"] == pytest.approx(sum(s["seconds"] for s in todo), abs=0.06)
    assert plan["bytes"] == sum(s["bytes"] for s in todo)
    assert plan["seconds_most"] >= plan["seconds"] > 0
    assert plan["largest_in_memory"]["bytes"] > 0


def test_the_judge_reads_between_its_quota_and_all_pairs(
    cold: tuple[dict[str, Any], Path],
) -> None:
    (judge,) = [s for s in cold[0]["stages"] if s["what"] == "judge cross_encoder"]
    positives, quota, pairs = 12, 12 * 5, 12 * 25 + 12
    assert judge["rows"] == pairs
    assert f"reads {positives + quota:,} to {pairs:,} pairs" in judge["note"]


@pytest.fixture(scope="module")
def warm(cold: tuple[dict[str, Any], Path], config: str) -> tuple[dict[str, Any], Path]:
    """The plan after the run was mined."""
    _, output = cold
    ended = negmine("mine", config, "--output", str(output), "--set", "output.run_id=one")
    assert ended.code == 0, ended.err
    return planned(config, output), output


def test_mine_reuses_the_ingest_and_plan_then_finds_every_artifact(
    warm: tuple[dict[str, Any], Path], config: str
) -> None:
    plan, output = warm
    manifest = json.loads((output / "runs" / "one" / "manifest.json").read_text())
    assert manifest["timings"]["ingest"]["reused"]
    found = states(plan)
    assert found.pop("publish") == "estimate"
    assert set(found.values()) == {"reused"}
    changed = states(planned(config, output, "--set", "tiers.semi_hard.quota=1"))
    assert changed["retrieve dense"] == "reused"
    assert changed["select"] == "estimate"


def test_pairs_are_counted_where_the_candidates_are_there(
    warm: tuple[dict[str, Any], Path],
) -> None:
    plan, output = warm
    (judge,) = [s for s in plan["stages"] if s["stage"] == "judge"]
    sets = [Dataset(str(p)) for p in (output / "work" / "retrieve").iterdir()]
    sets += [Dataset(str(p)) for p in (output / "work" / "ingest").glob("*/positives")]
    pairs = {
        pair
        for dataset in sets
        for pair in zip(*dataset.read(["query_ix", "doc_ix"]).to_pydict().values(), strict=True)
    }
    assert judge["rows"] == len(pairs) == union_size(sets, documents=60, queries=12)


def test_a_missing_model_is_told_as_mine_tells_it(config: str, tmp_path: Path) -> None:
    given = (config, "--set", "judge.model=./nowhere", "--output")
    plan, mine = negmine("plan", *given, str(tmp_path)), negmine("mine", *given, str(tmp_path))
    assert plan.code == mine.code == 4
    assert plan.err == mine.err
    assert not list((tmp_path / "work").iterdir())


FUSION_AND_READER = [{"kind": "fusion"}, {"kind": "cross_encoder"}]


def run(**sections: Any) -> Config:
    return Config.model_validate({"input": {"format": "stdlib"}, **sections})


def test_candidates_are_at_most_the_depths_and_the_corpus() -> None:
    assert most_candidates(run(), documents=10**6) == 100 + 100 + 20
    assert most_candidates(run(), documents=150) == 150
    sources = {"bm25": None, "dense": {"depth": 30}, "random": None}
    tiers = {"hard": {"quota": 1}}
    assert most_candidates(run(sources=sources, tiers=tiers), documents=1000) == 30


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        ({"kind": "cross_encoder"}, (110 + 100 * 8, 20_000)),
        ({"kind": "fusion"}, (0, 0)),
        ({"kind": "none"}, (0, 0)),
        ({"kind": "precomputed", "path": "x"}, (0, 0)),
        ({"kind": "precomputed", "path": "x", "fallback": {"kind": "cross_encoder"}}, (0, 20_000)),
        ({"kind": "cascade", "judges": FUSION_AND_READER}, (110, 20_000)),
        ({"kind": "vote", "judges": FUSION_AND_READER}, (910, 20_000)),
    ],
)  # fmt: skip
def test_pairs_that_a_cross_encoder_reads(judge: Any, expected: tuple[int, int]) -> None:
    found = pairs_read(judge_of(**judge), 110, queries=100, quota=8, pairs=20_000)
    assert found == expected


def test_a_judge_never_reads_more_than_there_is() -> None:
    low, high = pairs_read(CrossEncoder(), 10, queries=10, quota=8, pairs=30)
    assert low == high == 30


def test_a_text_costs_up_to_the_models_limit(base: Path) -> None:
    def choice(model: str) -> EncoderChoice:
        return EncoderChoice(find_weights(model), Student(model=model, device="cpu"), "fp32", None)

    texts = ["boundary layer " * 20, "boundary layer " * 500]
    read = characters_read(choice("all-MiniLM-L6-v2"), "documents", texts)
    assert read == pytest.approx(256 * len(texts[0]) / (20 * 2 + 2))
    static = choice(str(base / "student"))
    assert characters_read(static, "documents", texts) == np.inf


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (61, "61 s"), (700, "12 min"), (12_240, "3.4 h")]
)
def test_durations_are_as_precise_as_an_estimate(seconds: float, words: str) -> None:
    assert about(seconds) == words


@pytest.mark.parametrize(
    ("size", "words"), [(12, "12 B"), (85e6, "85 MB"), (1.4e9, "1.4 GB"), (2e12, "2.0 TB")]
)
def test_sizes_have_decimal_units(size: float, words: str) -> None:
    assert disk(size) == words
