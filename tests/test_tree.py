"""The tree keeps within what a reader can hold: sizes, circles, late imports, `Any`."""

from pathlib import Path

import pytest

from benchmarks.tree import measure

MOST = {
    "longest module": 320,
    "most modules in one folder": 15,
    "in jobs/ itself": 11,
    "in transforms/ itself": 11,
    "circles of imports": 0,
    "imports inside functions": 60,
    "Any": 120,
    "longest function": 84,
}


@pytest.fixture(scope="module")
def measured() -> dict[str, str]:
    return measure(Path(__file__).parents[1])


@pytest.mark.parametrize(("what", "most"), MOST.items())
def test_the_tree_is_within_its_limits(measured: dict[str, str], what: str, most: int) -> None:
    assert int(measured[what].split()[0]) <= most, f"{what}: python benchmarks/tree.py ."
