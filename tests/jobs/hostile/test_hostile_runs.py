"""Run folders handed over by a stranger: nothing outside them is read, and nothing is run."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import build_run
from tests.jobs.collections import negmine

STORAGE = 5
SWEEP = "judge_relative_margin.keep_below=0.9,0.95"


def commands(run: Path, place: Path) -> list[tuple[str, ...]]:
    """Every command that reads a run, on this one."""
    name = str(run)
    return [
        ("show", name),
        ("why", name, "q000"),
        ("why", name, "q000", "d000-hard-1"),
        ("query", name, "SELECT * FROM negatives"),
        ("report", name, "--out", str(place / "page.html")),
        ("sweep", name, "--set", SWEEP),
        ("compare", name, name),
        ("export", name, "-f", "triplet", "-o", str(place / "x.parquet")),
        ("relabel", name, "--review", str(place / "review.jsonl")),
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return build_run(tmp_path / "stranger")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Another run of the reader's, whose texts and names must not be seen."""
    made = build_run(tmp_path / "mine")
    for file in made.rglob("*.json"):
        file.write_text(file.read_text().replace("run-1", "SECRET"))
    return made


def _link(target: str) -> Callable[[Path, Path], None]:
    def change(run: Path, secret: Path) -> None:
        place = run / target
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        place.symlink_to(secret / target)

    return change


def _pipe(run: Path, secret: Path) -> None:
    os.mkfifo(run / "sets" / "part-000000000099-000000000100.parquet")


LINKED = {
    "manifest": _link("manifest.json"),
    "sets": _link("sets"),
    "tier": _link("negatives/tier=hard"),
    "verdict": _link("ledger/verdict=kept"),
    "metrics": _link("metrics.parquet"),
    "pipe": _pipe,
}


@pytest.mark.parametrize("kind", LINKED)
def test_a_link_or_a_pipe_in_a_run_is_refused_by_every_command(
    run: Path, secret: Path, tmp_path: Path, kind: str
) -> None:
    LINKED[kind](run, secret)
    for command in commands(run, tmp_path):
        ended = negmine(*command)
        assert ended.code == STORAGE, (command, ended)
        assert "is a link, pipe or device" in ended.err
        assert "SECRET" not in ended.out + ended.err
        assert "Traceback" not in ended.err


@pytest.mark.parametrize("workdir", ["../mine/work", "/", "{root}/mine/work"])
def test_a_work_directory_elsewhere_is_not_read(
    run: Path, secret: Path, tmp_path: Path, workdir: str
) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["config"]["output"]["workdir"] = workdir.format(root=tmp_path)
    (run / "manifest.json").write_text(json.dumps(manifest))
    ended = negmine("query", str(run), "SELECT * FROM documents")
    assert ended.code == 2
    assert "not made by a run there" in ended.err
    for command in commands(run, tmp_path):
        assert "Traceback" not in negmine(*command).err


def test_a_query_cannot_read_other_files(run: Path, secret: Path) -> None:
    file = next((secret / "sets").glob("*.parquet"))
    for sql in (f"SELECT * FROM '{file}'", f"SELECT * FROM read_text('{secret}/manifest.json')"):
        ended = negmine("query", str(run), sql)
        assert (ended.code, ended.out) == (2, "")


WRONG: dict[str, Any] = {
    "config": [],
    "config.tiers": {"hard": {"quota": "many"}},
    "summary.tiers": {"hard": {"negatives": "<script>"}},
    "summary.eci": {"overall": {"eci": "\x1b[31m"}},
    "timings": {"judge": {"seconds": None}},
    "artifacts": {"documents": 7},
    "tier_order": "hard",
    "summary": None,
}


@pytest.mark.parametrize("key", WRONG)
def test_a_manifest_of_another_shape_is_refused(run: Path, tmp_path: Path, key: str) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    *path, last = key.split(".")
    node = manifest
    for name in path:
        node = node[name]
    node[last] = WRONG[key]
    (run / "manifest.json").write_text(json.dumps(manifest))
    for command in commands(run, tmp_path):
        ended = negmine(*command)
        assert "Traceback" not in ended.err, (command, ended.err)
        assert "\x1b" not in ended.out + ended.err
    ended = negmine("show", str(run))
    assert ended.code == STORAGE
    assert f"was not written by negmine: {key}" in ended.err
