"""The examples of docs/extending.md, applied to a copy of the code and run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import static_student, write_collection, write_config

ROOT = Path(__file__).parents[1]
ROOMS = ("negmine", "schemas", "transforms", "pipelines", "jobs")
MOST_FILES = {
    "A source": 4,
    "A judge": 3,
    "A policy": 3,
    "A metric": 3,
    "An export format": 2,
    "A runner": 2,
}


def examples() -> dict[str, str]:
    """The diff below each heading of the page."""
    text = (ROOT / "docs" / "extending.md").read_text()
    found = re.findall(r"^## ([^\n]+)\n.*?^```diff\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def apply(diff: str, root: Path) -> list[str]:
    """Apply hunks by what they say; returns the files. Each must stand in its file once."""
    files = re.findall(r"^\+\+\+ (.+)\n((?:(?!\+\+\+ ).*\n?)*)", diff, re.MULTILINE)
    for name, body in files:
        file = root / name
        for hunk in body.split("@@\n")[1:]:
            lines = [line or " " for line in hunk.splitlines()]
            before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
            after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
            text = file.read_text() if file.exists() else ""
            assert text.count(before) == 1 or not text, f"{name}: {before}"
            file.write_text(text.replace(before, after) if text else after)
    return [name for name, _ in files]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code with all examples in it."""
    root = tmp_path_factory.mktemp("extended")
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for diff in examples().values():
        apply(diff, root)
    return root


@pytest.fixture(scope="module")
def config(extended: Path) -> str:
    write_collection(extended / "collection")
    return write_config(
        extended / "run.yaml",
        input={"format": "beir", "path": str(extended / "collection")},
        student={"model": str(static_student(extended / "student")), "device": "cpu"},
        sources={"bm25": {"depth": 9}, "dense": {"depth": 9}, "first": {"count": 3}},
        judge={"kind": "length"},
        policies={"hub_cap": {"max_queries": 9}, "found_by": {"sources": 2}},
        tiers={"hard": {"quota": 2}, "first": {"quota": 1, "source": "first"}},
    )


def run(root: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "negmine", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_example_touches_more_files_than_it_says(tmp_path: Path) -> None:
    found = examples()
    assert set(found) == set(MOST_FILES)
    for title, diff in found.items():
        names = re.findall(r"^\+\+\+ (.+)", diff, re.MULTILINE)
        assert len(names) == len(set(names)) <= MOST_FILES[title], title
        assert sum((ROOT / name).exists() for name in names) >= len(names) - 1


@pytest.fixture(scope="module")
def mined(extended: Path, config: str) -> dict[str, Any]:
    """The manifest of a run with all that the examples add."""
    run(extended, "mine", config, "--output", "out", "--set", "output.run_id=one")
    return dict(json.loads((extended / "out" / "runs" / "one" / "manifest.json").read_text()))


@pytest.mark.slow
def test_the_source_the_judge_and_the_policy_take_part(mined: dict[str, Any]) -> None:
    assert mined["judge"] == {"kind": "length"}
    assert mined["summary"]["verdicts"]["found_by_one"] > 0
    assert "candidates_first" in mined["artifacts"]
    assert mined["summary"]["judge"]["pairs_scored"] == mined["summary"]["judge"]["pairs_total"] > 0


@pytest.mark.slow
def test_the_ledger_has_the_sources_ranks_and_the_report_its_name(
    extended: Path, mined: dict[str, Any]
) -> None:
    folder = extended / "out" / "runs" / "one"
    ledger = pq.read_table(folder / "ledger", partitioning=None)
    assert set(ledger["first_rank"].drop_null().to_pylist()) == {1, 2, 3}
    metrics = pq.read_table(folder / "metrics.parquet").to_pylist()
    assert [m["value"] > 0 for m in metrics if m["metric"] == "negative_characters"] == [True]
    page = (folder / "report.html").read_text()
    assert "first" in page and "negative_characters" in page


@pytest.mark.slow
def test_plan_knows_the_source_and_memory_its_bound(
    extended: Path, config: str, mined: dict[str, Any]
) -> None:
    plan = json.loads(run(extended, "plan", config, "--output", "out", "--json"))
    assert "retrieve first" in {stage["what"] for stage in plan["stages"]}
    code = (
        "from negmine.jobs.load_config import load_config; "
        f"c = load_config({config!r}); print(c.sources.most_candidates(0))"
    )
    environment = {**os.environ, "PYTHONPATH": str(extended), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert int(done.stdout) == 9 + 9 + 20 + 3


@pytest.mark.slow
def test_the_format_is_exported(extended: Path, mined: dict[str, Any]) -> None:
    run(extended, "export", "out", "-f", "pairs", "-o", "pairs.parquet")
    table = pq.read_table(extended / "pairs.parquet")
    assert table.column_names == ["anchor", "negative"] and table.num_rows > 0


@pytest.mark.slow
def test_the_runner_is_named(extended: Path, config: str) -> None:
    code = (
        "from negmine.jobs.runner.options import resolve; "
        "from negmine.schemas.config import Runner; print(resolve(Runner(name='prism')))"
    )
    environment = {**os.environ, "PYTHONPATH": str(extended), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "--runner=PrismRunner" in done.stdout
