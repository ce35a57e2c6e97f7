"""Runs that are read, published or put in force stay; what is half made is no damage."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from negmine.jobs.runs.published import find_run, promote
from negmine.jobs.workdir import doctor
from negmine.jobs.workdir.diagnosis import Kind
from negmine.jobs.workdir.doctor import diagnose
from negmine.schemas.errors import ConfigError
from negmine.transforms.storage.locks import LOCK, RUNS_LOCK, exclusive_lock, is_locked
from tests.jobs.collections import negmine
from tests.jobs.workdir.workdirs import artifact, copied, make

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("locked"))


@pytest.fixture
def output(made: Path, tmp_path: Path) -> Path:
    return copied(made, tmp_path / "out")


def test_a_run_that_is_read_is_not_deleted(output: Path) -> None:
    older = ("gc", str(output), "--delete", "--keep", "1", "--runs")
    run = find_run(f"{output}:one")
    ended = negmine(*older)
    assert (ended.code, run.complete) == (5, True)
    assert ended.err.startswith(f"error: another process works in {output}; nothing was removed")
    assert negmine("gc", str(output), "--delete").code == 0
    del run
    assert negmine(*older).code == 0
    with pytest.raises(ConfigError, match="no run 'one'"):
        find_run(f"{output}:one")


def test_who_reads_waits_for_a_deletion_and_finds_what_it_left(output: Path) -> None:
    lock = output / RUNS_LOCK
    command = [sys.executable, "-m", "negmine", "show", f"{output}:one"]
    with exclusive_lock(output, RUNS_LOCK):
        reading = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        while not _opened(reading.pid, lock):
            assert reading.poll() is None
        shutil.rmtree(output / "runs" / "one")
        assert reading.poll() is None
    _, told = reading.communicate()
    assert (reading.returncode, told) == (2, f"error: no run 'one' in {output}; it has two\n")


def _opened(process: int, file: Path) -> bool:
    """Whether a process has a file open."""
    try:
        names = os.listdir(f"/proc/{process}/fd")
        return str(file) in {os.readlink(f"/proc/{process}/fd/{name}") for name in names}
    except FileNotFoundError:
        return False


def test_two_that_put_a_run_in_force_say_what_is_so(output: Path) -> None:
    assert promote(output, "one").run_id == "one"
    assert not (output / ".current.lock").exists()
    assert (output / "current").read_text() == "one\n"


def test_a_run_put_in_force_while_runs_are_looked_at_is_no_fault(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`current` is read before the runs are listed, and no run goes meanwhile."""
    check = doctor.check_run

    def late(run, counted, deep):  # type: ignore[no-untyped-def]
        if not (output / "runs" / "three").exists():
            shutil.copytree(output / "runs" / "two", output / "runs" / "three")
            manifest = output / "runs" / "three" / "manifest.json"
            text = manifest.read_text().replace('"run_id": "two"', '"run_id": "three"')
            manifest.write_text(text)
            assert promote(output, "three").complete
            assert negmine("gc", str(output), "--delete", "--keep", "1", "--runs").code == 5
        yield from check(run, counted, deep)

    monkeypatch.setattr(doctor, "check_run", late)
    assert diagnose(output, deep=True).findings == []
    assert (output / "current").read_text() == "three\n"
    monkeypatch.undo()
    assert diagnose(output, deep=True).sound


def test_what_is_being_made_is_no_damage(output: Path) -> None:
    folder = artifact(output, "judged")
    (folder / "_manifest.json").unlink()
    part = next(folder.glob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:10])
    assert not diagnose(output).sound
    with exclusive_lock(folder, LOCK):
        (finding,) = diagnose(output, deep=True).findings
        assert (finding.kind, finding.path) == (Kind.UNFINISHED, folder)
        assert finding.what == "not finished; a run is making it now"


def test_looking_makes_no_lock_and_keeps_a_deletion_out(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(output.rglob("*"))
    check = doctor.check_data_set

    def meanwhile(*given, **options):  # type: ignore[no-untyped-def]
        assert is_locked(output / "work" / LOCK)
        yield from check(*given, **options)

    monkeypatch.setattr(doctor, "check_data_set", meanwhile)
    assert diagnose(output).findings == []
    assert sorted(output.rglob("*")) == before
    assert not is_locked(output / "work" / LOCK)
