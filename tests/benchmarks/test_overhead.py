"""The overhead benchmark in small: the same negatives with and without the pipeline around."""

import math
from pathlib import Path

import pytest

from benchmarks import overhead
from benchmarks._paired import read_json
from benchmarks._paired_table import compared, records
from tests.jobs.collections import write_collection

pytestmark = pytest.mark.long

CASES = ("scifact-none", "wordnet-none")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cases over collections of 60 documents, one pair of runs each."""
    folder = tmp_path_factory.mktemp("overhead")
    collection = str(write_collection(folder / "collection"))
    places = ["--scifact", collection, "--wordnet", collection, "--out", str(folder / "out")]
    overhead.main([*places, "--only", ",".join(CASES), "--queries", "9", "--repeats", "1"])
    return folder / "out"


@pytest.mark.parametrize("case", CASES)
def test_both_sides_give_the_same_negatives(out: Path, case: str) -> None:
    (whole,), (bare,) = (records(out / "overhead" / case, side) for side in ("ours", "theirs"))
    assert whole["counts"] == bare["counts"]
    assert whole["counts"]["negatives"] > 0
    assert whole["counts"]["queries"] == (9 if case == "wordnet-none" else 12)


@pytest.mark.parametrize("case", CASES)
def test_every_stage_has_a_ratio(out: Path, case: str) -> None:
    rows = list(compared(out / "overhead" / case))
    assert len(rows) == 1 + len(overhead.STAGES)
    assert all(math.isfinite(row["ratio"]) and row["ratio"] > 0 for row in rows)
    stages = sum(row["ours"] for row in rows[1:])
    assert 0 < stages < rows[0]["ours"]


def test_the_table_names_both_cases_and_no_difference(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overhead.main(["--out", str(out), "--table"])
    shown = capsys.readouterr().out
    assert all(f"{case}, whole" in shown for case in CASES)
    assert "not alike" not in shown
    assert "load average" in shown


def test_runs_that_are_there_are_not_made_again(out: Path) -> None:
    collection = str(out.parent / "collection")
    file = out / "overhead" / "scifact-none" / "000-ours.json"
    before = file.stat().st_mtime_ns
    again = ["--out", str(out), "--scifact", collection, "--only", "scifact-none"]
    overhead.main([*again, "--repeats", "1"])
    assert file.stat().st_mtime_ns == before


def test_runs_of_other_settings_are_not_mixed(out: Path, tmp_path: Path) -> None:
    other = str(write_collection(tmp_path / "other"))
    with pytest.raises(SystemExit, match="another --out"):
        overhead.main(["--out", str(out), "--scifact", other, "--only", "scifact-none"])
    assert read_json(out / "overhead" / "scifact-none" / "case.json")["settings"]["judge"] == "none"
