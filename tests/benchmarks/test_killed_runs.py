"""The benchmark of kills sees what it looks for: blocks lost, parts made again, stages not hit."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks._killed_runs import (
    Event,
    Kill,
    State,
    durations,
    lost_blocks,
    parts,
    plan_kills,
    read_trace,
    rewritten,
)
from benchmarks.faults import faults_of, generate


def events(text: str) -> list[Event]:
    words = (line.split() for line in text.split(", "))
    return [Event(float(at), kind, name) for at, (kind, name) in enumerate(words)]


def kill(**values: object) -> Kill:
    shown = {"wanted": "judge", "stage": "judge", "finished": 1, "rewritten": 0, "lost": 1}
    return Kill(**{**shown, "temporary": 0, "resumed": 0.0, **values})  # type: ignore[arg-type]


def test_a_block_without_its_part_is_lost() -> None:
    told = "start embed, begin a, part x/a, end embed, start judge, begin a, part y/a"
    assert lost_blocks(events(told)) == 0
    assert lost_blocks(events(f"{told}, begin b")) == 1
    assert lost_blocks(events(f"{told}, begin b, begin c")) == 2


def test_postings_without_lengths_are_lost() -> None:
    told = "start index, begin a, part i/postings/a"
    assert lost_blocks(events(told)) == 1
    assert lost_blocks(events(f"{told}, part i/lengths/a")) == 0


def test_a_part_written_again_or_gone_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "judge" / "x"
    folder.mkdir(parents=True)
    file = folder / "part-000000000000-000000000005.parquet"
    file.write_text("one")
    before = parts(tmp_path)
    assert list(before) == [str(file.relative_to(tmp_path))]
    assert rewritten(before, parts(tmp_path)) == 0
    (folder / "new").write_text("one")
    os.replace(folder / "new", file)
    assert rewritten(before, parts(tmp_path)) == 1
    file.unlink()
    assert rewritten(before, parts(tmp_path)) == 1
    assert rewritten({"pair_scores/x/part": State(1, 1, 1)}, {}) == 0


def test_every_stage_is_to_be_hit_and_long_ones_more_often() -> None:
    seconds = {"ingest": 1.0, "embed": 60.0, "judge": 20.0}
    plans = plan_kills(seconds, 8, 0)
    wanted = [plan.stage for plan in plans]
    assert len(plans) == 8 and set(wanted) == set(seconds)
    assert wanted.count("embed") > wanted.count("judge") >= wanted.count("ingest") == 1
    assert all(0 < plan.share < 1 for plan in plans)
    assert plans == plan_kills(seconds, 8, 0) != plan_kills(seconds, 8, 1)
    assert [plan.stage for plan in plan_kills(seconds, 1, 0)] == ["embed"]


def test_what_must_not_be_is_told() -> None:
    assert faults_of([kill()], ["judge"], True) == []
    assert faults_of([kill()], ["judge", "score"], True) == []
    assert faults_of([kill(), kill()], ["judge", "score"], True) == ["no kill hit score"]
    assert len(faults_of([kill(lost=2), kill(rewritten=1)], ["judge"], False)) == 3


def test_a_trace_tells_every_stage_and_block(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    collection = generate(tmp_path / "collection", 6, 2)
    config = tmp_path / "run.yaml"
    beir = {"format": "beir", "path": str(collection)}
    config.write_text(json.dumps({"input": beir, "judge": {"kind": "none"}}))
    command = [sys.executable, "-m", "benchmarks._traced_mine", "retrieve", str(config)]
    command += ["--output", str(tmp_path / "out"), "--set", "runner.block_size=2"]
    trace = tmp_path / "trace"
    environment = {**os.environ, "NEGMINE_TRACE": str(trace)}
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = read_trace(trace)
    searches = ["retrieve bm25", "retrieve dense", "retrieve random"]
    stages = ["ingest", "embed documents", "embed queries", "index bm25"]
    assert sorted(durations(told)) == sorted([*stages, *searches])
    begun = [event.name for event in told if event.kind == "begin"]
    assert len(begun) == 3 + 1 + 1 + len(searches)
