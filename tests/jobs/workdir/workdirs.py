"""A tiny output with two runs, copied for every test that damages or cleans it."""

import shutil
from pathlib import Path

from tests.jobs.collections import (
    cross_encoder,
    negmine,
    static_student,
    write_collection,
    write_config,
)

RUNS = ("one", "two")


def settings(base: Path, **sections: object) -> dict[str, object]:
    return {
        "input": {"format": "beir", "path": str(base / "collection")},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "runner": {"block_size": 5},
        **sections,
    }


def make(base: Path) -> Path:
    """`base/out` with run `one` (no judge) and `two` (cross-encoder), `two` in force.

    The configs are `base/one.yaml` and `base/two.yaml`.
    """
    write_collection(base / "collection")
    static_student(base / "student")
    judge = {"kind": "cross_encoder", "model": str(cross_encoder(base / "judge"))}
    sections = {"one": {"judge": {"kind": "none"}}, "two": {"judge": judge}}
    for name in RUNS:
        config = write_config(base / f"{name}.yaml", **settings(base, **sections[name]))
        mine(config, base / "out", name)
    return base / "out"


def mine(config: str | Path, output: Path, run_id: str) -> Path:
    chosen = ("--output", str(output), "--set", f"output.run_id={run_id}")
    ended = negmine("mine", str(config), *chosen)
    assert ended.code == 0, ended.err
    return output / "runs" / run_id


def copied(output: Path, target: Path) -> Path:
    shutil.copytree(output, target, symlinks=True)
    return target


def seen(folder: Path) -> dict[str, tuple[int, int]]:
    """Every path below a folder, with its bytes and the time of its last change."""
    paths = {path: path.lstat() for path in sorted(folder.rglob("*"))}
    return {str(p.relative_to(folder)): (s.st_size, s.st_mtime_ns) for p, s in paths.items()}


def artifact(output: Path, name: str, run_id: str = "two") -> Path:
    """Folder of an artifact that a run names."""
    from negmine.jobs.runs.published import find_run

    return find_run(f"{output}:{run_id}").artifacts()[name]
