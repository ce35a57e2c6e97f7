"""The largest single thing that a planned run would hold."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from negmine.jobs.mining.models import EncoderChoice
from negmine.transforms.kernels.hashing import fingerprint
from negmine.transforms.sources.search import AUTO_SHARD

if TYPE_CHECKING:
    from negmine.jobs.plan.stages import Estimator


def largest(run: "Estimator") -> tuple[str, int]:
    """The largest single thing that a worker holds or maps, and its bytes."""
    shard = min(run.documents, AUTO_SHARD)
    items: dict[str, float] = {
        "vectors of a shard of documents": shard * run.dimension * 4,
        "BM25 weights of a shard": 8 * run.postings() * shard / max(run.documents, 1),
    }
    student = run.rehearsal.student
    if isinstance(student, EncoderChoice):
        weights = Path(student.weights.folder).glob("**/*.safetensors")
        items["the student's weights"] = sum(file.stat().st_size for file in weights)
        items["token vectors of a block"] = _token_bytes(run, student)
    what = max(items, key=lambda name: items[name])
    return what, round(items[what])


def _token_bytes(run: "Estimator", student: EncoderChoice) -> float:
    if not run.run.student_gives_tokens:
        return 0.0
    cost = run.measured["documents", fingerprint(student.identity)][0]
    mean = float(np.mean(run.sample.characters["documents"])) if run.documents else 0.0
    tokens = float(cost.tokens(np.array([mean]))[0])
    block = min(run.documents, run.config.runner.block_size)
    return 2 * 2 * block * tokens * cost.dimension
