"""What artifacts of the whole collection cost, extrapolated from those of samples of it."""

from collections.abc import Sequence

import numpy as np

from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.plan import kernels
from negmine.jobs.plan.sample import Mined, Size, artifact_name
from negmine.jobs.workdir.artifacts import Artifact
from negmine.transforms.judging.sample import RANDOM


class Extrapolation:
    """Costs by the size of the whole, from what samples of growing size took.

    `overhead` is the least that any step of a sample took, in seconds.
    """

    def __init__(
        self, mined: Sequence[Mined], size: Size, encoders: Sequence[EncoderChoice]
    ) -> None:
        self.mined, self.size, self.encoders = mined, size, encoders
        self.last = mined[-1]
        self.overhead = min(t.seconds for m in mined for t in m.taken.values())
        self._read: dict[tuple[str, str], float] = {}

    def units(self, artifact: Artifact, size: Size) -> float:
        """What the cost of an artifact grows with: its rows, where there is nothing better."""
        match artifact.stage:
            case "embed":
                texts = texts_of(artifact)
                most_read = self.characters_read(artifact)
                return float(np.minimum(size.characters[texts], most_read).sum())
            case "bm25_index":
                return size.text
            case "retrieve":
                most = max(size.candidates.values())
                return size.queries * size.candidates.get(artifact.key.get("source", ""), most)
            case "check_judge":
                each = sum(size.candidates.values()) if artifact.waits else 1 + RANDOM
                return artifact.rows * each
            case "judge" | "select" | "score" | "publish":
                return size.pairs
        return artifact.rows

    def line(self, artifact: Artifact, name: str = "") -> tuple[float, float, float, float]:
        """Fixed seconds, seconds a unit, fixed bytes and bytes a unit.

        The fixed part is any pipeline's overhead, and what the process loads: the first sample paid
        for it. `name` is of the step of a sample that tells, where it is not the artifact's own.
        """
        name = name or artifact_name(artifact)
        if artifact.stage == "retrieve" and name not in self.last.taken:
            name = "retrieve random"  # which stands in for what files tell
        both = [(m, m.taken.get(name)) for m in self.mined]
        found = [(self.units(t.artifact, m.size), t.seconds, t.bytes) for m, t in both if t]
        if not found:
            return self.overhead, 0.0, 0.0, 0.0
        (units, cold, _), (many, last, more) = found[0], found[-1]
        few, first, less = found[-2] if len(found) > 1 else (0.0, self.overhead, 0)
        if len(found) < 3 or many <= few:
            rate = max(last - self.overhead, 0.0) / max(many, 1)
        else:
            rate = max(last - first, 0.0) / (many - few)
        size = max(more - less, 0) / (many - few) if many > few else more / max(many, 1)
        return max(self.overhead, cold - rate * units), rate, max(more - size * many, 0.0), size

    def scaled(self, artifact: Artifact, name: str = "") -> tuple[float, float]:
        """Seconds and bytes of an artifact of the whole."""
        fixed, rate, base, size = self.line(artifact, name)
        units = self.units(artifact, self.size)
        return fixed + rate * units, base + size * units

    def encoder(self, artifact: Artifact) -> EncoderChoice | None:
        """The model that makes vectors; None where they are given."""
        key = artifact.key["encoder"]
        return next((e for e in self.encoders if e.identity.items() <= key.items()), None)

    def characters_read(self, artifact: Artifact) -> float:
        """Characters of a text beyond which the model reads no further."""
        encoder, texts = self.encoder(artifact), texts_of(artifact)
        if encoder is None:
            return float("inf")
        name = (encoder.digest, texts)
        if name not in self._read:
            own = getattr(self.last.sample, texts)["text"].to_pylist()
            self._read[name] = kernels.characters_read(encoder, texts, own)
        return self._read[name]


def texts_of(artifact: Artifact) -> str:
    """Which texts an artifact of vectors is of."""
    return "documents" if "documents" in artifact.key else "queries"
