"""Judges that read the pair's texts: the protocol, and the cross-encoder."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

import numpy as np

from schemas.errors import ModelError
from transforms import storage
from transforms.models.weights import LoadedFiles, States, first_line, loaded_states

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

DEFAULT_CROSS_ENCODER = "cross-encoder/ms-marco-MiniLM-L6-v2"

PIECE = 1024
"""Pairs, neighbours in length, that go to one device at a time."""


@dataclass(frozen=True)
class CrossEncoderSpec:
    """Everything that decides a cross-encoder's scores; hashable, so it is loaded once.

    `digest` is that of the weights, so that files that changed are loaded anew.
    """

    folder: str
    max_length: int | None = None
    device: str = "auto"
    trust_remote_code: bool = False
    digest: str = ""


class PairJudge(Protocol):
    """Scores (query, document) pairs: higher is more relevant."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Scores of the pairs, (pairs,) float32. Raises ModelError where one is not a number."""
        ...


def _devices(device: str) -> list[str | None]:
    """For `auto` every CUDA device where there are several; None leaves the choice to the model."""
    import torch

    if device != "auto":
        return [device]
    count = torch.cuda.device_count()
    return [f"cuda:{number}" for number in range(count)] if count > 1 else [None]


def _load(spec: CrossEncoderSpec, device: str | None) -> "CrossEncoder":
    from sentence_transformers import CrossEncoder

    from transforms.models.batching import make_rows_independent

    try:
        model = CrossEncoder(
            str(storage.fetch_tree(spec.folder)),
            device=device,
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
    if model.num_labels != 1:
        raise ModelError(
            f"the cross-encoder in {spec.folder} has {model.num_labels} labels; a judge "
            "needs one score a pair. Name a reranker as judge.model, or set judge.kind: fusion"
        )
    model.eval().float()
    make_rows_independent(model)
    return model


class CrossEncoderJudge:
    """A sentence-transformers CrossEncoder with one label, in fp32, one copy a device.

    Logits go through a sigmoid. The same pair gives the same bits in any company.
    """

    def __init__(self, spec: CrossEncoderSpec) -> None:
        self.spec = spec
        self._files = LoadedFiles(str(storage.fetch_tree(spec.folder)), spec.digest)
        self.models = [_load(spec, device) for device in _devices(spec.device)]
        self._files.check()
        self._idle: SimpleQueue[CrossEncoder] = SimpleQueue()
        for model in self.models:
            self._idle.put(model)

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Probabilities, (pairs,) float32. Raises ModelError where one is not a number."""
        from transforms.models.cross_encoder import score_pairs

        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][0]) - len(pairs[i][1]))
        pieces = [order[start : start + PIECE] for start in range(0, len(order), PIECE)]
        scores = np.empty(len(pairs), dtype=np.float32)

        def score_piece(rows: list[int]) -> None:
            model = self._idle.get()
            try:
                scores[rows] = score_pairs(model, [pairs[i] for i in rows])
            finally:
                self._idle.put(model)

        if len(self.models) == 1:
            for rows in pieces:
                score_piece(rows)
        else:
            with ThreadPoolExecutor(len(self.models)) as threads:
                for _ in threads.map(score_piece, pieces):
                    pass
        self._files.unchanged()
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


def load_cross_encoder(spec: CrossEncoderSpec) -> PairJudge:
    """The cross-encoder of a spec, loaded as `load_encoder` does."""
    return _load_once(spec, loaded_states(spec.folder, spec.digest))


@lru_cache(maxsize=2)
def _load_once(spec: CrossEncoderSpec, _: States) -> PairJudge:
    return CrossEncoderJudge(spec)
