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
from negmine.jobs.runner.progress import Making, made_by, progress, quietly, tell
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


def write_verdicts(directory: Path, block: Block, *verdicts: str) -> None:
    schema = pa.schema([("verdict", pa.string())])
    write_part(str(directory), block.part, pa.table({"verdict": verdicts}), schema)


def test_candidates_are_told_of_by_verdict_while_they_are_selected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)
    write_verdicts(tmp_path, BLOCKS[0], "known_positive", "hub")
    with progress("select", [Making("select", str(tmp_path), BLOCKS[1:], verdicts=True)]):
        write_verdicts(tmp_path, BLOCKS[1], "hub", "over_quota", "kept", "over_quota")
        time.sleep(0.3)
    *_, line, end = capsys.readouterr().err.splitlines()
    assert line.startswith("select: 10 of 10 rows, ")
    assert line.endswith("; kept 1, over_quota 2, hub 1"), "of the rows made now"
    assert end.startswith("select: 10 rows, ") and "kept" not in end


def test_a_part_that_cannot_be_read_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)
    with progress("select", [Making("select", str(tmp_path), BLOCKS, verdicts=True)]):
        (tmp_path / BLOCKS[0].part).write_text("no Parquet")
        time.sleep(0.1)
        write_verdicts(tmp_path, BLOCKS[0], "kept")
        time.sleep(0.2)
    assert "; kept 1" in capsys.readouterr().err


class Job:
    """A job of an engine that can be asked of."""

    def look(self) -> str:
        return "job 7 is RUNNING"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 0.02)
    monkeypatch.setattr(module, "STALLED", 0.2)


def test_a_job_of_an_engine_that_makes_nothing_is_told_of_with_what_is_missing(
    tmp_path: Path, impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    done, missing = tmp_path / "done", tmp_path / "missing"
    parts = [Making("embed", str(done), BLOCKS), Making("judge", str(missing), BLOCKS)]
    with progress("embed, judge", parts), made_by(Job()):
        for block in BLOCKS:
            write(done, block)
        write(missing, BLOCKS[0])
        time.sleep(1)
    said = [line for line in capsys.readouterr().err.splitlines() if "no new part" in line]
    assert said and len(said) <= 3, "at each doubling"
    assert "judge 10 of 20 rows" in said[0] and "embed 20" not in said[0]
    assert "At the engine, job 7 is RUNNING." in said[0]


def test_a_job_whose_rows_are_not_seen_is_told_of_too(
    impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("ingest"), made_by(Job()):
        time.sleep(0.5)
    assert "how far it is cannot be seen from here. At the engine, job 7" in capsys.readouterr().err


def test_what_this_process_makes_does_not_stand_still(
    impatient: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("ingest"):
        with made_by(Job()):
            pass
        time.sleep(0.5)
    assert "engine" not in capsys.readouterr().err


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
