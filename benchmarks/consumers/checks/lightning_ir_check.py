"""Lightning IR: its RunDataset over every query, with relevance and with scores as targets."""

from pathlib import Path

from common import Found, tell
from lightning_ir import RunDataset


def check(file: Path) -> Found:
    used = 0
    for targets, strategy in (("relevance", "single_relevant"), ("score", "top")):
        data = RunDataset(
            str(file), depth=50, sample_size=4, sampling_strategy=strategy, targets=targets
        )
        used = 0
        for at in range(len(data)):
            sample = data[at]
            assert len(sample.docs) == 4 and all(sample.docs) and sample.query
            assert sample.targets is not None and len(sample.targets) == 4
            used += 1
    return "RunDataset over every query: relevance, then score", used


tell("lightning-ir", {"lightning_ir": check})
