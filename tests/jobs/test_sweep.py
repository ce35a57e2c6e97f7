"""`negmine sweep`: a threshold's effect, foretold from stored scores."""

from pathlib import Path

import pytest

from jobs.mine import Miner
from jobs.published import find_run
from jobs.sweep import parse_grid, sweep, sweep_table
from schemas.errors import ConfigError
from tests.jobs.runs import mine


def test_a_swept_threshold_gives_what_mining_with_it_gives(first: tuple[Path, Miner]) -> None:
    """peers.md §5 (1): no rival can say what another threshold would do without mining again."""
    (row,) = sweep(find_run(str(first[0])), "judge_relative_margin", "keep_below", [0.6])
    setting = "policies.judge_relative_margin.keep_below=0.6"
    mined, _ = mine(first[0].parents[1], setting, "output.run_id=swept")
    summary = find_run(str(mined)).manifest["summary"]
    assert row["dropped"] == summary["verdicts"]["judge_relative_margin"]
    assert {tier: row[tier] for tier in summary["tiers"]} == {
        tier: entry["negatives"] for tier, entry in summary["tiers"].items()
    }
    assert row["backfilled"] == sum(entry["backfilled"] for entry in summary["tiers"].values())
    for name in ("eci", "signal", "safety", "harmonic_mean", "negatives"):
        assert row[name] == pytest.approx(summary["eci"]["overall"][name], abs=1e-6)


def test_a_stricter_margin_drops_more(first: tuple[Path, Miner]) -> None:
    values = [0.95, 0.8, 0.5]
    rows = sweep(find_run(str(first[0])), "judge_relative_margin", "keep_below", values)
    assert [row["value"] for row in rows] == values
    dropped = [row["dropped"] for row in rows]
    assert dropped == sorted(dropped)
    assert sweep_table("margin", rows).row_count == 3


@pytest.mark.parametrize("text", ["judge_relative_margin", "a.b", "a=1", "a.b="])
def test_a_grid_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"POLICY\.PARAMETER"):
        parse_grid(text)


@pytest.mark.parametrize(
    ("policy", "parameter", "message"),
    [("margin", "x", "has no policy margin"), ("judge_relative_margin", "keep", "known keys")],
)
def test_an_unknown_policy_or_parameter_is_named(
    first: tuple[Path, Miner], policy: str, parameter: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        sweep(find_run(str(first[0])), policy, parameter, [0.5])
