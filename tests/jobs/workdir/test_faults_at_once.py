"""Runs at the same time in one work directory and in one output: each is whole, or refused."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from negmine.jobs.workdir import locks
from negmine.jobs.workdir.doctor import diagnose
from tests.jobs.collections import (
    digest,
    leftovers,
    negmine,
    small_run,
    without_progress,
)
from tests.jobs.vector_files import export
from tests.jobs.workdir.standing import HANG, standing, waits
from tests.jobs.workdir.workdirs import copied, mine

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config and its run; vectors are given, so that processes load no model's libraries."""
    folder = tmp_path_factory.mktemp("at_once")
    small_run(folder, student={"vectors": export(folder / "vectors")}, runner={"block_size": 5})
    mine(folder / "run.yaml", folder / "whole", "one")
    return folder


def start(base: Path, output: Path, *sets: str) -> subprocess.Popen[str]:
    words = [word for setting in sets for word in ("--set", setting)]
    command = [sys.executable, "-m", "negmine", "mine", str(base / "run.yaml")]
    return subprocess.Popen(
        [*command, "--output", str(output), *words],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(*processes: subprocess.Popen[str]) -> list[tuple[int, str]]:
    errors = [without_progress(process.communicate(timeout=HANG)[1]) for process in processes]
    return [(p.returncode, err) for p, err in zip(processes, errors, strict=True)]


def same(base: Path, run: Path) -> bool:
    whole = base / "whole" / "runs" / "one"
    return all(digest(run, name) == digest(whole, name) for name in ("negatives", "ledger", "sets"))


@pytest.mark.parametrize("sizes", [pytest.param((5, 5, 5), marks=pytest.mark.long), (3, 5, 60)])
def test_runs_that_make_the_same_artifacts_make_each_once(
    base: Path, tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    """Whoever comes second waits and finds it, whatever its own block size."""
    work = f"output.workdir={tmp_path / 'work'}"
    outputs = [tmp_path / f"out{number}" for number in range(len(sizes))]
    sets = [(work, "output.run_id=one", f"runner.block_size={size}") for size in sizes]
    config = base / "run.yaml"
    with standing(config, outputs[0], "ingest", "start", "", *sets[0]) as first:
        others = [start(base, o, *s) for o, s in zip(outputs[1:], sets[1:], strict=True)]
        assert all(waits(process) for process in others)
        first.go_on()
        runs = ended(*others)
        assert first.end()[0] == 0, first.said.read_text()
    assert [code for code, _ in runs] == [0] * len(others), runs
    for output in outputs:
        assert same(base, output / "runs" / "one")
        assert leftovers(output) == []
        assert diagnose(output, deep=True).sound
    assert leftovers(tmp_path / "work") == []
    made = sorted(path.parent.name for path in (tmp_path / "work").glob("*/*/.lock"))
    assert made == []


def test_one_that_waits_goes_on_when_the_first_is_killed(base: Path, tmp_path: Path) -> None:
    work = f"output.workdir={tmp_path / 'work'}"
    with standing(base / "run.yaml", tmp_path / "a", "ingest", "start", "", work) as first:
        second = start(base, tmp_path / "b", work, "output.run_id=one")
        assert waits(second)
        first.kill()
        assert first.end()[0] == -9
        assert [code for code, _ in ended(second)] == [0]
    assert same(base, tmp_path / "b" / "runs" / "one")


def test_where_files_cannot_be_locked_both_make_it(base: Path, tmp_path: Path) -> None:
    """The second does as on such a disk: it heeds no lock, and takes nothing from the first."""
    work = f"output.workdir={tmp_path / 'work'}"
    (made,) = (base / "whole" / "work" / "ingest").iterdir()
    (part,) = (made / "documents").glob("part-*.parquet")
    name = f"ingest/{made.name}/documents/{part.name}"
    words = ["mine", str(base / "run.yaml"), "--output", str(tmp_path / "b"), "--set", work]
    with standing(base / "run.yaml", tmp_path / "a", "ingest", "part", name, work) as first:
        with mock.patch.object(locks, "open_lock", return_value=None):
            assert negmine(*words, "--set", "output.run_id=one").code == 0
        scratch = tmp_path / "work" / "ingest" / made.name / "raw"
        assert len(list(scratch.iterdir())) == 1, "the first one's own"
        first.go_on()
        assert first.end()[0] == 0, first.said.read_text()
    (run,) = (tmp_path / "a" / "runs").iterdir()
    assert same(base, run) and same(base, tmp_path / "b" / "runs" / "one")
    assert not scratch.exists()
    assert diagnose(tmp_path / "b", deep=True).sound


def test_what_a_killed_attempt_left_goes_with_the_next(base: Path, tmp_path: Path) -> None:
    output = copied(base / "whole", tmp_path / "out")
    (made,) = (output / "work" / "ingest").iterdir()
    (made / "raw" / "killed").mkdir(parents=True)
    (made / "raw" / "killed" / "documents-000000-000000.parquet").write_bytes(b"half")
    (made / "positives" / "_manifest.json").unlink()
    ended = negmine("ingest", str(base / "run.yaml"), "--output", str(output))
    assert ended.code == 0, ended.err
    assert not (made / "raw").exists()
    assert diagnose(output, deep=True).sound


def test_two_that_publish_different_runs_at_once(base: Path, tmp_path: Path) -> None:
    output = copied(base / "whole", tmp_path / "out")
    runs = ended(*(start(base, output, f"output.run_id={name}") for name in ("two", "three")))
    assert [code for code, _ in runs] == [0, 0], runs
    assert (output / "current").read_text() in ("two\n", "three\n")
    assert same(base, output / "runs" / "two") and same(base, output / "runs" / "three")
    assert leftovers(output) == []
    assert diagnose(output, deep=True).sound


def test_two_that_publish_the_same_run_at_once(base: Path, tmp_path: Path) -> None:
    output = copied(base / "whole", tmp_path / "out")
    runs = ended(*(start(base, output, "output.run_id=two") for _ in range(2)))
    assert sorted(code for code, _ in runs) == [0, 5], runs
    (refused,) = (err for code, err in runs if code == 5)
    assert refused.startswith(f"error: {output / 'runs' / 'two'} is there already"), refused
    assert (output / "current").read_text() == "two\n"
    assert same(base, output / "runs" / "two")
    assert leftovers(output) == []
    assert diagnose(output, deep=True).sound


def test_a_run_id_that_is_taken_at_the_last_moment(base: Path, tmp_path: Path) -> None:
    """Another process publishes between this one's check and its last step."""
    output = copied(base / "whole", tmp_path / "out")
    rename = os.rename

    def late(source: Path, target: Path) -> None:
        if Path(target) == output / "runs" / "two" and not Path(target).exists():
            (other,) = ended(start(base, output, "output.run_id=two"))
            assert other[0] == 0, other
        rename(source, target)

    with mock.patch.object(os, "rename", late):
        found = negmine(
            "mine", str(base / "run.yaml"), "--output", str(output), "--set", "output.run_id=two"
        )
    assert found.code == 5
    assert found.err.startswith(f"error: {output / 'runs' / 'two'} is there already"), found.err
    assert found.err.count("\n") == 1
    assert same(base, output / "runs" / "two")
    assert leftovers(output) == []


def test_killed_between_publishing_and_putting_in_force(base: Path, tmp_path: Path) -> None:
    """The run is whole and not in force; the same command says how to put it there."""
    output = copied(base / "whole", tmp_path / "out")
    shutil.copytree(output / "runs" / "one", output / "runs" / "two")
    manifest = output / "runs" / "two" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"run_id": "one"', '"run_id": "two"'))
    (run,) = ended(start(base, output, "output.run_id=two"))
    assert run[0] == 5
    command = f"negmine runs promote {output} two"
    assert run[1].endswith(f"To put it in force: {command}\n"), run[1]
    assert negmine(*command.split()[1:]).code == 0
    assert (output / "current").read_text() == "two\n"
