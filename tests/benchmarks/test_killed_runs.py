"""The benchmark of kills sees what it looks for: blocks lost, parts made again, stages not hit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks._killed_runs import (
    Event,
    Kill,
    Plan,
    State,
    durations,
    kill_group,
    lost_blocks,
    moments,
    parts,
    plan_kills,
    read_trace,
    rewritten,
    start,
    stopped_or_ended,
)
from benchmarks.faults import faults_of, generate
from tests.jobs.vector_files import unit, write_vectors


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


def blocks(stage: str, count: int) -> str:
    inside = [f"begin {i}, written work/x/{i}, part work/x/{i}" for i in range(count)]
    return ", ".join([f"start {stage}", *inside, f"ending {stage}", f"end {stage}"])


def test_what_a_run_can_be_killed_at_is_in_order_and_once() -> None:
    told = events(f"part outside, {blocks('embed', 2)}, begin outside, {blocks('judge', 1)}")
    found = moments(told)
    assert list(found) == ["embed", "judge"]
    assert [(plan.event, plan.name) for plan in found["judge"]] == [
        ("start", "judge"),
        ("begin", "0"),
        ("written", "work/x/0"),
        ("part", "work/x/0"),
        ("ending", "judge"),
    ]
    assert len(found["embed"]) == len(set(found["embed"])) == 8
    again = events("start search, begin a, begin a, part a, ending search, end search")
    assert [plan.event for plan in moments(again)["search"]] == ["start", "begin", "part", "ending"]


def test_every_stage_is_to_be_hit_and_long_ones_more_often() -> None:
    among = moments(events(f"{blocks('ingest', 0)}, {blocks('embed', 60)}, {blocks('judge', 20)}"))
    plans = plan_kills(among, 8, 0)
    wanted = [plan.stage for plan in plans]
    assert len(plans) == 8 and set(wanted) == set(among)
    assert wanted.count("embed") > wanted.count("judge") >= wanted.count("ingest") == 1
    order = [among[plan.stage].index(plan) for plan in plans if plan.stage == "embed"]
    assert order == sorted(set(order)), "an event before an earlier kill would not come again"
    assert plans == plan_kills(among, 8, 0) != plan_kills(among, 8, 1)
    assert [plan.stage for plan in plan_kills(among, 1, 0)] == ["embed"]


def test_no_more_kills_are_planned_than_there_are_events() -> None:
    among = moments(events(f"{blocks('embed', 1)}, {blocks('judge', 0)}"))
    assert plan_kills(among, 99, 0) == [*among["embed"], *among["judge"]]


def test_what_must_not_be_is_told() -> None:
    assert faults_of([kill()], ["judge"], True) == []
    assert faults_of([kill()], ["judge", "score"], True) == []
    assert faults_of([kill(), kill()], ["judge", "score"], True) == ["no kill hit score"]
    assert len(faults_of([kill(lost=2), kill(rewritten=1)], ["judge"], False)) == 3


def small_config(folder: Path) -> Path:
    collection = generate(folder / "collection", 6, 2)
    config = folder / "run.yaml"
    beir = {"format": "beir", "path": str(collection)}
    config.write_text(json.dumps({"input": beir, "judge": {"kind": "none"}}))
    return config


@pytest.mark.parametrize(
    ("event", "last"),
    [
        ("begin\tpart-000000000001-000000000002.parquet", "begin"),
        ("written\tno/such/part", "ending"),
    ],
)
def test_a_run_stands_still_at_an_event_and_is_killed_there(
    tmp_path: Path, event: str, last: str
) -> None:
    """Where the event does not come, at the end of the stage: never after it."""
    plan = Plan("retrieve random", *event.split("\t"))
    trace = tmp_path / "trace"
    files = {}
    for name, rows in (("documents", 6), ("queries", 2)):
        file = tmp_path / f"{name}.parquet"
        files[name] = write_vectors(file, [f"{name[0]}{i}" for i in range(rows)], unit(rows, 1))
    vectors = ", ".join(f"{name}: {file}" for name, file in files.items())
    settings = ["runner.block_size=1", "sources.dense=null", f"student.vectors={{{vectors}}}"]
    process, _, said = start(small_config(tmp_path), tmp_path / "out", trace, settings, plan)
    assert stopped_or_ended(process) is None, said.read_text()
    kill_group(process)
    assert process.wait() == -signal.SIGKILL
    told = read_trace(trace)
    assert (told[-1].kind, [e.name for e in told if e.kind == "start"][-1]) == (last, plan.stage)


@pytest.mark.long
def test_a_trace_tells_every_stage_and_block(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    config = small_config(tmp_path)
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
