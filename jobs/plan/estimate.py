"""`negmine plan`: what a run would take and write, estimated before any long stage runs."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from negmine.jobs.mining.run import MiningRun
from negmine.schemas.config import Config


@dataclass(frozen=True)
class Stage:
    """A step of the run: `rows` of a `unit`, and what they take; `state` is `done` or `reused`
    where nothing is left to do, else `estimate`. `seconds_most` exceeds `seconds` where the work
    depends on what the judge finds. `memory` is what the run is expected to hold at most
    meanwhile, mapped pages too.
    """

    stage: str
    what: str
    rows: int
    unit: str
    seconds: float
    seconds_most: float
    bytes: int
    state: str
    note: str = ""
    memory: int = 0


@dataclass(frozen=True)
class Plan:
    """What a run would cost on this machine."""

    stages: tuple[Stage, ...]
    memory: tuple[str, int]

    @property
    def seconds(self) -> float:
        """Seconds still to come, at least."""
        return sum(stage.seconds for stage in self.stages if stage.state == "estimate")

    @property
    def seconds_most(self) -> float:
        """Seconds still to come, at most."""
        return sum(stage.seconds_most for stage in self.stages if stage.state == "estimate")

    @property
    def bytes(self) -> int:
        """Bytes still to be written."""
        return sum(stage.bytes for stage in self.stages if stage.state == "estimate")

    def as_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        from negmine.jobs.plan.table import sentence

        what, size = self.memory
        return {
            "stages": [asdict(stage) for stage in self.stages],
            "seconds": round(self.seconds, 1),
            "seconds_most": round(self.seconds_most, 1),
            "bytes": self.bytes,
            "largest_in_memory": {"what": what, "bytes": size},
            "sentence": sentence(self),
        }


def plan(config: Config, options: Sequence[str] = ()) -> Plan:
    """Ingest, time a sample, and extrapolate; no later stage of the run is started or written.

    Raises what `mine` raises for an input or a model that is not there, before any work.
    """
    from negmine.jobs.plan.artifacts import Rehearsal
    from negmine.jobs.plan.memory import largest
    from negmine.jobs.plan.stages import Estimator

    miner = MiningRun(config, options)
    miner.check()
    _ = miner.ingested
    with tempfile.TemporaryDirectory(prefix="negmine-plan-") as directory:
        rehearsal = Rehearsal(miner, f"{directory}/stand_ins")
        rehearsal.ask()
        estimator = Estimator(miner, rehearsal, Path(directory))
        return Plan(tuple(estimator.stages()), largest(estimator))
