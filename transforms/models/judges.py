"""Judges that read the pair's texts: the protocol, and the cross-encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from schemas.errors import ModelError
from transforms.models.weights import first_line

DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L6-v2"


@dataclass(frozen=True)
class CrossEncoderSpec:
    """Everything that decides a cross-encoder's scores; hashable, so it is loaded once."""

    folder: str
    max_length: int | None = None
    device: str = "auto"
    trust_remote_code: bool = False


class PairJudge(Protocol):
    """Scores (query, document) pairs: higher is more relevant."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Scores of the pairs, (pairs,) float32. Raises ModelError where one is not a number."""
        ...


class CrossEncoderJudge:
    """A sentence-transformers CrossEncoder with one label; logits go through a sigmoid."""

    def __init__(self, spec: CrossEncoderSpec) -> None:
        import torch
        from sentence_transformers import CrossEncoder

        try:
            self.model = CrossEncoder(
                spec.folder,
                device=None if spec.device == "auto" else spec.device,
                trust_remote_code=spec.trust_remote_code,
                local_files_only=True,
                **({} if spec.max_length is None else {"max_length": spec.max_length}),
            )
        except Exception as error:
            raise ModelError(
                f"the cross-encoder in {spec.folder} cannot be loaded "
                f"({first_line(error)}); fetch it again, or set judge.kind: fusion, which needs no "
                "download"
            ) from error
        if self.model.num_labels != 1:
            raise ModelError(
                f"the cross-encoder in {spec.folder} has {self.model.num_labels} labels; a judge "
                "needs one score a pair. Name a reranker as judge.model, or set judge.kind: fusion"
            )
        self.spec = spec
        self._sigmoid = torch.nn.Sigmoid()

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Probabilities in [0, 1], (pairs,) float32; batches are sorted by length."""
        if not pairs:
            return np.empty(0, dtype=np.float32)
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][0]) - len(pairs[i][1]))
        scores = np.empty(len(pairs), dtype=np.float32)
        scores[order] = self.model.predict(
            [pairs[i] for i in order],
            batch_size=32,
            activation_fn=self._sigmoid,
            show_progress_bar=False,
        )
        refuse_nan(scores, f"the cross-encoder in {self.spec.folder}")
        return scores


def refuse_nan(scores: np.ndarray, who: str) -> None:
    """Raise ModelError where a score is not a finite number."""
    bad = int((~np.isfinite(scores)).sum())
    if bad:
        raise ModelError(
            f"{who} gave {bad} of {len(scores)} scores that are not numbers; its weights are "
            "damaged or it is not a reranker"
        )


@lru_cache(maxsize=2)
def load_cross_encoder(spec: CrossEncoderSpec) -> PairJudge:
    """The cross-encoder of a spec, loaded once a process."""
    return CrossEncoderJudge(spec)
