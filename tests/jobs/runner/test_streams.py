"""Standard streams that are closed, full, or of a small character set: one sentence at most."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import build_run
from tests.jobs.collections import small_run
from tests.jobs.vector_files import export

ROOT = Path(__file__).parents[3]
STORAGE = 5


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    build_run(folder)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Its vectors are given: a process need not load a model's libraries."""
    base = tmp_path_factory.mktemp("mined")
    return small_run(base, student={"vectors": export(base / "vectors")})


def run(*words: str, variables: dict[str, str] | None = None, **how: Any) -> Any:
    """The command in a process of its own; stdout and stderr are caught unless told otherwise."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, **(variables or {})}
    command = [sys.executable, "-m", "negmine", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=600, **{**pipes, **how})


def closed(*descriptors: int) -> Callable[[], None]:
    """What closes these in a process before it begins."""

    def close() -> None:
        for number in descriptors:
            os.close(number)

    return close


COMMANDS = {
    "show": ("show", "{}"),
    "why": ("why", "{}", "q000"),
    "table": ("query", "{}", "SELECT query_id, negative FROM negatives"),
    "csv": ("query", "{}", "SELECT query_id, negative FROM negatives", "-f", "csv"),
    "json": ("query", "{}", "SELECT query_id, negative FROM negatives", "-f", "json"),
    "list": ("runs", "list", "{}"),
    "error": ("show", "{}/Δ"),
}


@pytest.mark.parametrize(
    "encoding",
    ["latin-1", *(pytest.param(e, marks=pytest.mark.long) for e in ("utf-8", "ascii", "cp1252"))],
)
@pytest.mark.parametrize("name", COMMANDS)
def test_an_encoding_does_not_change_the_exit_code(output: Path, name: str, encoding: str) -> None:
    words = [word.format(output) for word in COMMANDS[name]]
    ended = run(*words, variables={"PYTHONIOENCODING": encoding})
    assert ended.returncode == (2 if name == "error" else 0), ended.stderr
    assert b"Traceback" not in ended.stderr
    said = (ended.stdout + ended.stderr).decode(encoding)
    if encoding == "utf-8":
        return
    if name in ("show", "error"):
        assert "Delta" in said
    if name in ("table", "csv", "json"):
        assert "\\u6771\\u4eac" in said, "what is not there is an escape"


def test_a_plain_locale_is_enough(output: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = run("show", str(output), variables=plain)
    assert ended.returncode == 0, ended.stderr
    assert b"Delta" in ended.stdout and ended.stdout.isascii()


def test_mine_publishes_and_says_so_in_any_encoding(config: str) -> None:
    ended = run("mine", config, variables={"PYTHONIOENCODING": "latin-1"})
    assert ended.returncode == 0, ended.stderr
    assert b"Delta" in ended.stdout


SILENT = [name for name in COMMANDS if name != "error"]


@pytest.mark.parametrize("name", SILENT)
def test_a_closed_standard_output_is_one_sentence(output: Path, name: str) -> None:
    words = [word.format(output) for word in COMMANDS[name]]
    ended = run(*words, stdout=None, preexec_fn=closed(1))
    assert ended.returncode == STORAGE
    assert ended.stderr == b"error: standard output is closed, so nothing is printed\n"


@pytest.mark.parametrize("name", SILENT)
def test_a_reader_that_went_away_is_one_sentence(output: Path, name: str) -> None:
    words = [word.format(output) for word in COMMANDS[name]]
    reading, writing = os.pipe()
    os.close(reading)
    ended = run(*words, stdout=writing)
    os.close(writing)
    assert ended.returncode == STORAGE
    assert ended.stderr == b"error: standard output was closed before all was printed\n"


def test_a_full_standard_output_is_one_sentence(output: Path) -> None:
    with open("/dev/full", "wb") as full:
        ended = run("show", str(output), stdout=full)
    assert ended.returncode == STORAGE
    assert ended.stderr.startswith(b"error: standard output cannot be written: No space left")
    assert ended.stderr.count(b"\n") == 1


def test_what_mine_prints_is_not_what_it_is_for(config: str) -> None:
    """The run is published, and its exit code says so."""
    ended = run("mine", config, stdout=None, preexec_fn=closed(1))
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.endswith(
        b"note: standard output is closed, so nothing is printed; the work is done\n"
    )
    assert run("show", str(Path(config).parent / "out")).returncode == 0


def test_a_closed_standard_error_changes_nothing(output: Path) -> None:
    for descriptors in ((2,), (0, 2), (0, 1, 2)):
        ended = run("show", f"{output}/nowhere", stdout=None, stderr=None,
                    preexec_fn=closed(*descriptors))  # fmt: skip
        assert ended.returncode == 2
    shown = run("show", str(output), stderr=None, preexec_fn=closed(0, 2))
    assert shown.returncode == 0 and shown.stdout


def test_no_file_gets_the_number_of_a_closed_stream(config: str) -> None:
    """Or what a library prints would end up in it."""
    base = Path(config).parent
    ended = run("mine", config, "--output", str(base / "other"), stdout=None, stderr=None,
                preexec_fn=closed(0, 1, 2))  # fmt: skip
    assert ended.returncode == 0
    assert run("doctor", str(base / "other"), "--deep").returncode == 0
