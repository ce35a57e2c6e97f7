"""Encoders on GPUs: vectors, and bits of token vectors, from copies of one model."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from negmine.schemas import JsonObject
from negmine.transforms.models.gpu.buckets import BUDGET, Batch, Padding
from negmine.transforms.models.gpu.mask import MaskSwitch
from negmine.transforms.models.gpu.replica import Replica
from negmine.transforms.models.gpu.run import run
from negmine.transforms.models.gpu.tokens import Tokeniser
from negmine.transforms.models.specs import Kind

TokenBits = Callable[[JsonObject], torch.Tensor]
"""A model's output to (rows, width, dimension) int16: bfloat16 bits of normalised vectors."""


class GpuEncoder:
    """One sentence-transformers model on one or several devices.

    `token_bits` gives the token vectors of a forward pass, and is not called without need.
    """

    def __init__(
        self,
        models: Sequence[SentenceTransformer],
        padding: Padding,
        token_bits: TokenBits,
        budget: int = BUDGET,
    ) -> None:
        self.models, self.padding, self.token_bits = models, padding, token_bits
        self.budget = budget
        self.replicas = [Replica(model.device) for model in models]
        self._masks = [MaskSwitch(_transformers(model)) for model in models]
        self._tokenisers: dict[tuple[Kind, str], Tokeniser] = {}
        self._lock = threading.Lock()

    def encode(
        self, texts: Sequence[str], kind: Kind, prompt: str, special: Sequence[int] | None
    ) -> tuple[np.ndarray, list[np.ndarray] | None]:
        """Vectors (texts, dimension) float32; where `special` tokens are named, token vectors too.

        Token vectors are (tokens, dimension) uint16 a text, special ones left out.
        Raises UnusualFeatures for a model that takes others than ids, a mask and segments.
        """
        tokenise = self._tokeniser(kind, prompt).sampled(texts, prompt)
        found: list[np.ndarray] | None = None if special is None else [_NONE] * len(texts)

        def split(batch: Batch, bits: np.ndarray) -> None:
            assert found is not None and special is not None
            ids, lengths = batch.packed[:, : batch.width], batch.packed[:, -1:]
            places = np.arange(batch.width) - (batch.width - lengths if self.padding.left else 0)
            keep = (places >= 0) & (places < lengths) & ~np.isin(ids, special)
            for number, row, kept in zip(batch.numbers, bits, keep, strict=True):
                found[number] = row[kept].view(np.uint16)

        forwards = [
            self._forward(which, kind, special is not None) for which in range(len(self.models))
        ]
        name = f"{kind}{'' if special is None else ' with tokens'}"
        pairs = list(zip(self.replicas, forwards, strict=True))
        vectors = run(list(texts), tokenise, pairs, name, self.padding, split, self.budget)
        return vectors, found

    def _tokeniser(self, kind: Kind, prompt: str) -> Tokeniser:
        def preprocess(texts: list) -> JsonObject:
            return dict(self.models[0].preprocess(texts, prompt=prompt or None, task=kind))

        with self._lock:
            if (kind, prompt) not in self._tokenisers:
                tokenizer = getattr(self.models[0], "tokenizer", None)
                self._tokenisers[kind, prompt] = Tokeniser(tokenizer, preprocess)
            return self._tokenisers[kind, prompt]

    def _forward(self, which: int, kind: Kind, tokens: bool) -> Callable:
        model, mask = self.models[which], self._masks[which]

        def forward(features: JsonObject, full: bool) -> dict[str, torch.Tensor]:
            with mask.dropped(full):
                output = dict(model(features, task=kind))
            found = {"rows": output["sentence_embedding"].float()}
            if tokens:
                found["ragged"] = self.token_bits(output)
            return found

        return forward


_NONE = np.empty((0, 0), dtype=np.uint16)


def _transformers(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [module.model for module in model.modules() if isinstance(module, Transformer)]
