"""Locks between processes: who reads before writing does both alone; the dead hold none."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from negmine.schemas.errors import StorageError
from negmine.transforms.storage.locks import LOCK, exclusive_lock, is_locked, sharing, writing

ROOT = Path(__file__).parents[3]
HOLDING = """
import sys
from pathlib import Path
from negmine.transforms.storage.locks import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
ADDING = """
import sys
from pathlib import Path
from negmine.transforms.storage.locks import writing
file = Path(sys.argv[1])
for _ in range(200):
    with writing(file):
        count = int(file.read_text())
        file.write_text(str(count + 1))
"""


def start(code: str, file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of the file `count`."""
    with start(HOLDING, tmp_path / "count") as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_no_count_is_lost(tmp_path: Path) -> None:
    """Though the lock file goes with every holder and comes with the next."""
    file = tmp_path / "count"
    file.write_text("0")
    processes = [start(ADDING, file) for _ in range(3)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert file.read_text() == "600"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_who_comes_second_says_so_and_waits(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with start(HOLDING, tmp_path / "count") as second:
        assert second.stderr is not None and second.stdout is not None
        told = second.stderr.readline()
        assert told == f"waiting for another process, which writes {tmp_path / 'count'}\n"
        assert holder.stdin is not None
        holder.stdin.close()
        assert second.stdout.readline() == "held\n"
        second.kill()


def test_a_killed_holder_holds_nothing(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    lock = tmp_path / ".count.lock"
    assert is_locked(lock)
    holder.kill()
    holder.wait()
    assert lock.exists() and not is_locked(lock)
    with writing(tmp_path / "count"):
        assert is_locked(lock)
    assert not lock.exists()


def test_other_files_are_others(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with writing(tmp_path / "else"):
        assert is_locked(tmp_path / ".else.lock")


def test_several_share_and_none_is_kept_out_by_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / LOCK
    with sharing(file, create=False):
        assert not file.exists() and not is_locked(file)
    with (
        sharing(file),
        sharing(file),
        pytest.raises(StorageError, match="another process works in"),
        exclusive_lock(tmp_path),
    ):
        raise AssertionError("it is shared")
    with exclusive_lock(tmp_path):
        assert is_locked(file)


def test_where_nothing_can_be_locked_nobody_waits(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with writing(tmp_path / "file" / "below"), sharing(tmp_path / "file" / "below"):
        assert not is_locked(tmp_path / "file" / "below")
