"""Lightning IR: its RunDataset over every document, and sampled by relevance and by score."""

from pathlib import Path

from common import Found, tell
from lightning_ir import RunDataset


def check(file: Path) -> Found:
    for targets, strategy in (("relevance", "single_relevant"), ("score", "top")):
        data = RunDataset(
            str(file), depth=50, sample_size=4, sampling_strategy=strategy, targets=targets
        )
        for at in range(len(data)):
            sample = data[at]
            assert len(sample.docs) == 4 and all(sample.docs) and sample.query
            assert sample.targets is not None and len(sample.targets) == 4
    whole = RunDataset(str(file), depth=50)
    used = sum(len(whole[at].docs) for at in range(len(whole)))
    return "RunDataset over every document, and sampled by relevance and by score", used


tell("lightning-ir", {"lightning_ir": check})
