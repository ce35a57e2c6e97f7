"""Cross-encoders on GPUs: scores of pairs of texts, from copies of one model."""

from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from negmine.schemas import JsonObject
from negmine.transforms.models.gpu.buckets import BUDGET, Padding
from negmine.transforms.models.gpu.mask import MaskSwitch
from negmine.transforms.models.gpu.replica import Forward, Replica
from negmine.transforms.models.gpu.run import run
from negmine.transforms.models.gpu.tokens import Tokeniser


class GpuCrossEncoder:
    """One cross-encoder with one label on one or several devices."""

    def __init__(
        self, models: Sequence[CrossEncoder], padding: Padding, budget: int = BUDGET
    ) -> None:
        self.padding, self.budget = padding, budget
        forwards = [_forward(model, MaskSwitch([model[0].model])) for model in models]
        self._replicas = [
            (Replica(model.device), forward)
            for model, forward in zip(models, forwards, strict=True)
        ]
        first = models[0]
        self._tokeniser = Tokeniser(first.tokenizer, lambda pairs: dict(first.preprocess(pairs)))

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Sigmoid of the logits, (pairs,) float32; a pair's bits do not depend on the others.

        Raises UnusualFeatures for a model that takes others than ids, a mask and segments.
        """
        tokenise = self._tokeniser.sampled(pairs, "")
        scores = run(
            list(pairs), tokenise, self._replicas, "pairs", self.padding, budget=self.budget
        )
        return scores.reshape(len(pairs))


def _forward(model: CrossEncoder, mask: MaskSwitch) -> Forward:
    def forward(features: JsonObject, full: bool) -> dict[str, torch.Tensor]:
        with mask.dropped(full):
            logits = model(features)["scores"]
        return {"rows": torch.sigmoid(logits.double()).float().reshape(len(logits))}

    return forward
