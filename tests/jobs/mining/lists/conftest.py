"""A run with teacher lists of a judge that reads pairs one by one, beside one without lists."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.jobs.collections import cross_encoder, negmine, small_run

SIZE = 12


@dataclass(frozen=True)
class Mined:
    """Where the runs `plain` and `listed` are, and what is needed to mine more."""

    base: Path
    config: str

    @property
    def output(self) -> Path:
        return self.base / "out"

    @property
    def plain(self) -> Path:
        return self.output / "runs" / "plain"

    @property
    def listed(self) -> Path:
        return self.output / "runs" / "listed"

    def mine(self, run_id: str, *settings: str) -> Path:
        """A published run of the same collection, with other settings."""
        sets = [part for s in (f"output.run_id={run_id}", *settings) for part in ("--set", s)]
        ended = negmine("mine", self.config, *sets)
        assert ended.code == 0, ended.err
        return self.output / "runs" / run_id


@pytest.fixture(scope="session")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Mined:
    base = tmp_path_factory.mktemp("lists")
    judge = {"model": str(cross_encoder(base / "judge")), "device": "cpu"}
    found = Mined(base, small_run(base, judge=judge, output={"path": str(base / "out")}))
    found.mine("plain")
    found.mine("listed", f"lists.size={SIZE}")
    return found
