"""What the machine refuses, and what nobody expected: a sentence and an exit code."""

import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from negmine.jobs.runner.failures import LIBRARIES, refused, unexpected
from negmine.jobs.runs.remarks import sentence
from negmine.schemas.errors import DataError, StorageError
from negmine.transforms.storage import digests
from tests.builders import build_run
from tests.jobs.collections import negmine, small_run

ROOT = Path(__file__).parents[3]
STORAGE = 5


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


MEMORY = {
    "python": MemoryError(),
    "numpy": MemoryError("Unable to allocate 7.45 GiB for an array with shape (1000, 1000000)"),
    "arrow": pa.ArrowMemoryError("malloc of size 4096 failed"),
    "duckdb": duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data"),
    "torch": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    "c++": RuntimeError("std::bad_alloc"),
    "a library": ImportError("libx.so: failed to map segment from shared object"),
    "behind another": caused(StorageError("part cannot be read; remove it"), MemoryError()),
}


@pytest.mark.parametrize("name", MEMORY)
def test_memory_that_is_refused_is_told_with_what_lowers_it(name: str) -> None:
    told = refused(MEMORY[name])
    assert told is not None and told.startswith("there is not enough memory")
    assert "runner.block_size" in told and "runner.memory" in told and "\n" not in told


def test_threads_that_are_refused_are_told() -> None:
    told = refused(RuntimeError("can't start new thread"))
    assert told is not None and "ulimit -u" in told


def test_other_errors_are_not_taken_for_those() -> None:
    for error in (ValueError("bad"), DataError("row 7: not a number"), OSError("No space left")):
        assert refused(error) is None
    cuda = RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    assert refused(cuda) is None, "the device's memory is another one"


def test_what_nobody_expected_is_one_line_with_its_place() -> None:
    try:
        sentence(None)  # type: ignore[arg-type]
    except AttributeError as error:
        told = unexpected(error)
    assert told.startswith("AttributeError: ") and "\n" not in told
    assert "(jobs/runs/remarks.py line " in told
    assert "NEGMINE_TRACEBACK=1" in told


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_run(tmp_path_factory.mktemp("refused"))


@pytest.mark.parametrize("kilobytes", [90_000, 150_000, 250_000, 800_000, 1_500_000])
def test_a_small_address_space_is_one_sentence(config: str, kilobytes: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (1024 * kilobytes,) * 2)

    ended = subprocess.run(
        [sys.executable, "-m", "negmine", "mine", config],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )
    assert ended.returncode == STORAGE, ended
    error = ended.stderr[ended.stderr.index("error: ") :]
    assert "Traceback" not in ended.stderr and error.count("\n") == 1
    assert 1024 * kilobytes < LIBRARIES and "ulimit -v" in error


DAMAGES = {"utf-16": "run-1".encode("utf-16"), "bytes": b"\xff\xfe\x80", "nul": b"\0"}


@pytest.mark.parametrize("damage", [*DAMAGES, "folder"])
def test_a_current_that_is_no_text(tmp_path: Path, damage: str) -> None:
    build_run(tmp_path)
    current = tmp_path / "current"
    current.unlink()
    current.mkdir() if damage == "folder" else current.write_bytes(DAMAGES[damage])
    shown = negmine("show", str(tmp_path))
    assert shown.code == (2 if damage == "nul" else STORAGE), shown.err
    assert shown.err.startswith("error: ") and "Traceback" not in shown.err
    listed = negmine("runs", "list", str(tmp_path))
    assert listed.code == 0 and "run-1" in listed.out and "*" not in listed.out
    if damage != "folder":
        assert negmine("runs", "promote", str(tmp_path), "run-1").code == 0
        assert negmine("show", str(tmp_path)).code == 0


JSON = {
    "empty": b"",
    "bytes": bytes(range(128, 256)),
    "utf-16": "{}".encode("utf-16"),
    "list": b"[]",
    "number": b"7",
    "deep": b"[" * 100_000,
    "other types": b'{"rows": "x", "parts": 7, "dead_letters": null, "block_size": [1]}',
    "out of range": b'{"rows": -1, "parts": [{}], "dead_letters": 1e999, "block_size": -3}',
}


@pytest.fixture(scope="module")
def mined(config: str) -> Path:
    # Fingerprints of files as young as these are not kept otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "RACY", 0)
        assert negmine("mine", config, "--set", "output.run_id=one").code == 0
    return Path(config).parent / "out"


@pytest.mark.parametrize("damage", JSON)
def test_damaged_json_of_a_work_directory_is_one_sentence(
    config: str, mined: Path, damage: str
) -> None:
    """Whatever is in a manifest, in the counts of ingest and in the fingerprints of files."""
    (counts,) = mined.glob("work/ingest/*/counts.json")
    (judged,) = mined.glob("work/judge/*/_manifest.json")
    for file in (counts, judged, mined / "work" / "inputs.json"):
        before = file.read_bytes()
        file.write_bytes(JSON[damage])
        for command in ("judge", "doctor"):
            words = (config,) if command == "judge" else (str(mined),)
            ended = negmine(command, *words)
            assert "Traceback" not in ended.err, (file, command, ended.err)
            assert ended.code in (0, STORAGE), (file, command, ended)
        file.write_bytes(before)
