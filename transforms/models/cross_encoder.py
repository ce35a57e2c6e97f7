"""Cross-encoder inference: pairs of texts to scores that do not depend on the rest of the call."""

from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from negmine.schemas import JsonObject
from negmine.transforms.kernels import underway
from negmine.transforms.models.batching import batches, fit, one_core_each, token_budget

Pair = tuple[str, str]


def longest(model: CrossEncoder) -> int | None:
    """Most tokens that the model takes, None where it does not say."""
    config = getattr(model[0], "config", None)
    limits = (model.max_seq_length, getattr(config, "max_position_embeddings", None))
    return min((limit for limit in limits if limit and limit > 0), default=None)


def score_pairs(model: CrossEncoder, pairs: Sequence[Pair]) -> np.ndarray:
    """Sigmoid of a one-label model's logits, (pairs,) float32.

    On the CPU batches go to threads, and each product stays on one: about twice as fast as one
    batch on all of them, and the same bits for any number of cores. Raises whatever the model
    raises; does not look for NaN.
    """
    scores = np.empty(len(pairs), dtype=np.float32)
    features: JsonObject = model.preprocess(list(pairs))
    per_row = {
        name: value
        for name, value in features.items()
        if isinstance(value, torch.Tensor) and value.ndim == 2 and len(value) == len(pairs)
    }
    whole = {name: value for name, value in features.items() if name not in per_row}
    tokenizer = model.tokenizer
    left = tokenizer.padding_side == "left"
    fill = {"input_ids": int(tokenizer.pad_token_id or 0)}
    budget = token_budget(model.device.type)
    lengths = per_row["attention_mask"].sum(1).numpy()

    def score_batch(batch_of: tuple[np.ndarray, int]) -> None:
        rows, width = batch_of
        index = torch.from_numpy(rows)
        batch = {
            name: fit(value[index], width, fill.get(name, 0), left).to(model.device)
            for name, value in per_row.items()
        }
        with torch.inference_mode():
            logits = model({**whole, **batch})["scores"]
            scores[rows] = torch.sigmoid(logits.double()).float().cpu().numpy().reshape(-1)
        underway.advance(len(rows))

    todo = batches(lengths, budget, longest(model))
    with one_core_each(model.device.type) as threads:
        for _ in threads.map(score_batch, todo):
            pass
    return scores
