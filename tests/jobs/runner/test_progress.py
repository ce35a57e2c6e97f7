"""Progress: lines off a terminal, bars on one and in a notebook, rows of parts and of blocks."""

import contextlib
import io
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from negmine.jobs.runner import progress as module
from negmine.jobs.runner.progress import Making, progress, quietly, tell
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import write_part
from negmine.transforms.kernels import underway

SCHEMA = pa.schema([("doc_ix", pa.int64())])
BLOCKS = [Block(0, 10), Block(10, 20)]


def write(directory: Path, block: Block) -> None:
    rows = pa.table({"doc_ix": range(block.start, block.stop)})
    write_part(str(directory), block.part, rows, SCHEMA)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_there_is_a_line_at_times_and_one_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)
    with progress("embed", [Making("embed", str(tmp_path), BLOCKS)]):
        write(tmp_path, BLOCKS[0])
        with underway.block(10):
            underway.expect(4)
            underway.advance(2)
            time.sleep(0.2)
    *between, end = capsys.readouterr().err.splitlines()
    assert any(line.startswith("embed: 15 of 20 rows, ") and "left" in line for line in between)
    assert end.startswith("embed: 20 rows, ")


def test_a_stage_without_rows_says_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)
    with progress("publish"):
        time.sleep(0.1)
    *between, end = capsys.readouterr().err.splitlines()
    assert between and all("so far" in line for line in between)
    assert end.startswith("publish: 0.1")


def test_a_stage_that_fails_has_no_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(ValueError), progress("embed"):
        raise ValueError
    assert capsys.readouterr().err == ""


def test_nothing_is_told_where_nobody_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    with quietly(), progress("embed"):
        tell("a line")
    tell("another")
    assert capsys.readouterr().err == "another\n"


def test_on_a_terminal_a_bar_counts_rows_of_the_block_that_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress("embed", [Making("embed", str(tmp_path), BLOCKS)]), underway.block(10):
        underway.expect(10)
        underway.advance(7)
        time.sleep(0.8)
    assert "7 rows" in screen.getvalue()
    assert "embed: 20 rows, " in screen.getvalue().splitlines()[-1]


def test_in_a_notebook_the_bar_is_one_of_tqdm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr(module._Notebook, "interval", 0.05)
    with progress("embed", [Making("embed", str(tmp_path), BLOCKS)]):
        write(tmp_path, BLOCKS[0])
        time.sleep(0.3)
    assert "10/20" in capsys.readouterr().err


def test_rows_never_count_backwards(tmp_path: Path) -> None:
    watched = module._Watched("embed", [Making("embed", str(tmp_path), BLOCKS)])
    with underway.block(10):
        underway.expect(1)
        underway.advance(5)
        assert watched.done() == pytest.approx(9.9)
    assert watched.done() == pytest.approx(9.9)
    write(tmp_path, BLOCKS[0])
    assert watched.done() == 10


def test_of_two_blocks_at_once_the_first_counts() -> None:
    def other() -> None:
        with underway.block(50):
            underway.expect(1)
            underway.advance(1)

    with underway.block(10):
        underway.expect(4)
        underway.advance(1)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert underway.rows_underway() <= 10
    assert underway.rows_underway() == 0
