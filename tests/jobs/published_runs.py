"""Mines a small real collection for tests: functions of the standard library."""

from pathlib import Path

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.publish import check_output, publish
from negmine.jobs.mining.run import MiningRun

PRESET = str(Path(__file__).parents[2] / "jobs" / "presets" / "stdlib.yaml")


def mine(output: Path, *settings: str) -> tuple[Path, MiningRun]:
    config = load_config(PRESET, ["input.limit=120", "sources.bm25.depth=30", *settings])
    config = config.model_copy(
        update={"output": config.output.model_copy(update={"path": str(output)})}
    )
    miner = MiningRun(config)
    run_id = check_output(miner)
    miner.check()
    miner.run_until("score")
    return publish(miner, run_id), miner
