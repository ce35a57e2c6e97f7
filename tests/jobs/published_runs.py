"""Mines a small real collection for tests: functions of the standard library."""

import json
import shutil
from pathlib import Path

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.publish import check_output, publish
from negmine.jobs.mining.run import MiningRun
from tests.jobs.collections import THREE_TIERS

PRESET = str(Path(__file__).parents[2] / "jobs" / "presets" / "stdlib.yaml")


def work_without(miner: MiningRun, folder: Path, *stages: str) -> str:
    """The setting of a copy of a run's work directory in which some stages' artifacts are not."""
    root = miner.work.root
    left_out = {root / stage for stage in stages}
    assert all(path.is_dir() for path in left_out), f"{root} has not all of {stages}"

    def ignored(parent: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(parent) / name in left_out]

    shutil.copytree(root, folder, ignore=ignored)
    return f"output.workdir={folder}"


def prepared(output: Path, *settings: str) -> MiningRun:
    """A run that nothing was made of yet, or as much as its work directory holds."""
    small = ("input.limit=120", "sources.bm25.depth=30", f"tiers={json.dumps(THREE_TIERS)}")
    return MiningRun(load_config(PRESET, [*small, *settings], str(output)))


def mine(output: Path, *settings: str) -> tuple[Path, MiningRun]:
    """The folder of the published run, and the run."""
    miner = prepared(output, *settings)
    run_id = check_output(miner)
    miner.check()
    miner.run_until("score")
    return publish(miner, run_id), miner
