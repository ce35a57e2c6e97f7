"""Two that write at once: the benchmark's own commands, in few orders of their steps."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAIRS = ("relabel + relabel", "export + export", "promote + promote")


def interleavings(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which has not begun anything that a fork would break."""
    command = [sys.executable, "benchmarks/interleavings.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def rows(table: str) -> dict[str, tuple[int, ...]]:
    """Interleavings, waited, refused and lost, by pair."""
    found = re.findall(r"^\| (\w+ \+ [^|]*?) \|((?: \d+ \|)+)$", table, re.MULTILINE)
    return {name: tuple(map(int, re.findall(r"\d+", cells))) for name, cells in found}


def test_nothing_is_lost_and_somebody_waited() -> None:
    ended = interleavings("--count", "9", "--seed", "1", "--pairs", *PAIRS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counts = rows(ended.stdout)
    assert [name.split(",")[0] for name in counts] == list(PAIRS)
    assert all((tried, refused, lost) == (3, 0, 0) for tried, _, refused, lost in counts.values())
    assert any(waited for _, waited, _, _ in counts.values())


@pytest.mark.long
def test_without_locks_labels_are_lost() -> None:
    """So the orders are such that locks are what keeps them."""
    ended = interleavings("--count", "6", "--seed", "1", "--pairs", PAIRS[0], "--unlocked")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert rows(ended.stdout)[PAIRS[0]][3] > 0
    assert re.search(r"relabel \+ relabel, .*: \d+ labels of \d+", ended.stdout)
