"""Judges that read the pair's texts: the protocol, and the cross-encoder's; loads no torch."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np

from negmine.transforms.models.specs import CrossEncoderSpec
from negmine.transforms.models.weights import States, loaded_states

DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L6-v2"


class PairJudge(Protocol):
    """Scores (query, document) pairs: higher is more relevant."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Scores of the pairs, (pairs,) float32. Raises ModelError where one is not a number."""
        ...


def load_cross_encoder(spec: CrossEncoderSpec) -> PairJudge:
    """The cross-encoder of a spec, loaded as `load_encoder` does."""
    return _load_once(spec, loaded_states(spec.folder, spec.digest))


@lru_cache(maxsize=2)
def _load_once(spec: CrossEncoderSpec, _: States) -> PairJudge:
    from negmine.transforms.models.cross_encoder import CrossEncoderJudge

    return CrossEncoderJudge(spec)
