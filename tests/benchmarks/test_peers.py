"""The comparison with peers in small: every part runs, counts agree, and figures are finite."""

import math
import os
import sys
from pathlib import Path

import pytest

from benchmarks import _process, peers
from benchmarks._paired import Case, Row, Side, measure, read_json
from benchmarks._paired_table import compared, records, table
from tests.jobs.collections import write_collection

pytest.importorskip("bm25s")
pytest.importorskip("datasets")

pytestmark = pytest.mark.long

SMALL = (
    *("--repeats=1", "--queries=4", "--documents=8", "--vectors=300", "--dimension=16"),
    *("--searches=5", "--depth=10", "--judge-size=tinybert-l2"),
)
CASES = (
    "end_to_end/fp32",
    "cross_encoder/tinybert-l2",
    "dense/kernel",
    "dense/stage",
    "bm25/bm25s",
    "bm25/rank_bm25",
)
ONLY = "end_to_end:fp32,cross_encoder,dense,bm25,startup:help"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Most parts over 60 documents, one pair of runs each."""
    folder = tmp_path_factory.mktemp("peers")
    collection = str(write_collection(folder / "collection"))
    places = ["--collection", collection, "--lexical", collection, "--out", str(folder / "out")]
    peers.main([*places, *SMALL, "--only", ONLY])
    return folder / "out"


@pytest.mark.parametrize("case", CASES)
def test_every_figure_has_a_finite_ratio(out: Path, case: str) -> None:
    rows = list(compared(out / case))
    assert rows
    assert all(math.isfinite(row["ratio"]) and row["ratio"] > 0 for row in rows)


@pytest.mark.parametrize("case", CASES)
def test_both_sides_counted_the_same(out: Path, case: str) -> None:
    names = read_json(out / case / "case.json")["equal"]
    (mine,), (theirs,) = (records(out / case, side) for side in ("ours", "theirs"))
    assert {name: mine["counts"][name] for name in names} == {
        name: theirs["counts"][name] for name in names
    }
    assert all(mine["counts"].values())


def test_searches_find_the_same_scores(out: Path) -> None:
    for case in ("dense/kernel", "dense/stage", "bm25/bm25s"):
        found = [
            run["details"]["mean_score"]
            for s in ("ours", "theirs")
            for run in records(out / case, s)
        ]
        assert found[0] == pytest.approx(found[1], abs=1e-4)


def test_our_judge_reads_fewer_pairs_than_theirs(out: Path) -> None:
    (mine,), (theirs,) = (
        records(out / "cross_encoder/tinybert-l2", side) for side in ("ours", "theirs")
    )
    assert 0 < mine["details"]["pairs_judged"] < theirs["details"]["pairs_judged"]


def test_start_up_is_measured_ten_times_and_alone(out: Path) -> None:
    assert len(records(out / "startup/help", "ours")) == 10
    assert not records(out / "startup/help", "theirs")


def test_the_table_says_where_and_how(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    peers.main(["--out", str(out), "--table"])
    shown = capsys.readouterr().out
    assert "not alike" not in shown
    assert all(
        word in shown
        for word in ("cores", "torch", "load average", "threads a side", "hard-negatives")
    )


def test_memory_is_that_of_the_whole_process_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child of the command holds 200 MB for half a second, and until a sample has it."""
    seen, held = tmp_path / "seen", _process._held

    def noted(process: int) -> int:
        found = held(process)
        if found > 200_000_000:
            seen.touch()
        return found

    monkeypatch.setattr(_process, "_held", noted)
    child = (
        "import os, time; held = bytearray(200_000_000); time.sleep(0.5)\n"
        f"while not os.path.exists({str(seen)!r}): time.sleep(0.01)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    side = Side("parent", lambda _: [sys.executable, "-c", code], lambda _: {})
    measure(Case("memory", "tree", (side,), (Row("memory"),)), tmp_path, 1, 1)
    (run,) = records(tmp_path / "memory" / "tree", "ours")
    assert run["peak_bytes"] > 200_000_000
    assert run["figures"]["wall"] > 0.5


def test_a_cut_measurement_goes_on_and_sides_take_turns(tmp_path: Path) -> None:
    order = tmp_path / "order"

    def write(name: str) -> Side:
        code = f"open({str(order)!r}, 'a').write({name!r})"
        return Side(name, lambda _: [sys.executable, "-c", code], lambda _: {})

    case = Case("turns", "two", (write("a"), write("b")), (Row("turns"),))
    measure(case, tmp_path / "out", 2, 1)
    assert order.read_text() == "abab"
    os.remove(tmp_path / "out/turns/two/001-theirs.json")
    measure(case, tmp_path / "out", 2, 1)
    assert order.read_text() == "ababb"
    assert "turns" in table(tmp_path / "out")


def test_a_failed_run_shows_its_output_and_leaves_no_figure(tmp_path: Path) -> None:
    side = Side(
        "bad", lambda _: [sys.executable, "-c", "raise SystemExit('no luck')"], lambda _: {}
    )
    with pytest.raises(SystemExit, match="no luck"):
        measure(Case("bad", "one", (side,), (Row("bad"),)), tmp_path, 1, 1)
    assert not records(tmp_path / "bad" / "one", "ours")


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no part speed; there are end_to_end"):
        peers.main(["--out", str(tmp_path), "--only", "speed"])
