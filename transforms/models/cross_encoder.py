"""Cross-encoder inference: pairs of texts to scores that do not depend on the rest of the call."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sentence_transformers import CrossEncoder

LENGTH_STEP = 16
ROW_STEP = 16
TOKEN_BUDGET = {"cpu": 4096, "cuda": 65_536, "mps": 8192}

Pair = tuple[str, str]


class _RowPadded(torch.nn.Linear):
    """A Linear that multiplies a multiple of `ROW_STEP` rows, the missing ones zero.

    BLAS takes another kernel, with another order of summation, for a few rows; the layers after
    pooling have only one row a pair.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        rows = input.shape[:-1].numel()
        missing = -rows % ROW_STEP
        if not missing:
            return super().forward(input)
        padded = torch.nn.functional.pad(input.reshape(rows, -1), (0, 0, 0, missing))
        return super().forward(padded)[:rows].reshape(*input.shape[:-1], -1)


def make_rows_independent(model: torch.nn.Module) -> None:
    """Let a row's bits not depend on how many rows the Linear layers are given with it."""
    for module in model.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = _RowPadded


def batches(
    lengths: np.ndarray, budget: int, limit: int | None
) -> Iterator[tuple[np.ndarray, int]]:
    """Rows of one padded length at a time, longest first, and that length.

    A row is padded to its own length rounded up to `LENGTH_STEP`, at most `limit`, never to its
    neighbours'. Rows that fill it are kept apart, for attention without a mask is another kernel.

    Args:
        lengths: (rows,) tokens of each row.
        budget: most padded tokens in a batch of several rows.
        limit: most tokens that the model takes, None for no limit.
    """
    padded = -(-np.maximum(lengths, 1) // LENGTH_STEP) * LENGTH_STEP
    if limit is not None:
        padded = np.maximum(np.minimum(padded, min(limit, 2**31)), lengths)
    groups = 2 * padded + (lengths == padded)
    for group in np.unique(groups)[::-1]:
        rows, width = np.flatnonzero(groups == group), int(group) // 2
        size = max(1, budget // width)
        for start in range(0, len(rows), size):
            yield rows[start : start + size], width


def _fit(tensor: torch.Tensor, width: int, fill: int, left: bool) -> torch.Tensor:
    have = tensor.shape[1]
    if have >= width:
        return tensor[:, have - width :] if left else tensor[:, :width]
    pad = (width - have, 0) if left else (0, width - have)
    return torch.nn.functional.pad(tensor, pad, value=fill)


def _longest(model: CrossEncoder) -> int | None:
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
    features: dict[str, Any] = model.preprocess(list(pairs))
    per_row = {
        name: value
        for name, value in features.items()
        if isinstance(value, torch.Tensor) and value.ndim == 2 and len(value) == len(pairs)
    }
    whole = {name: value for name, value in features.items() if name not in per_row}
    tokenizer = model.tokenizer
    left = tokenizer.padding_side == "left"
    fill = {"input_ids": int(tokenizer.pad_token_id or 0)}
    budget = TOKEN_BUDGET.get(model.device.type, TOKEN_BUDGET["cpu"])
    lengths = per_row["attention_mask"].sum(1).numpy()

    def score_batch(batch_of: tuple[np.ndarray, int]) -> None:
        rows, width = batch_of
        index = torch.from_numpy(rows)
        batch = {
            name: _fit(value[index], width, fill.get(name, 0), left).to(model.device)
            for name, value in per_row.items()
        }
        with torch.inference_mode():
            logits = model({**whole, **batch})["scores"]
            scores[rows] = torch.sigmoid(logits.double()).float().cpu().numpy().reshape(-1)

    todo = batches(lengths, budget, _longest(model))
    with _threads(model.device.type) as threads:
        for _ in threads.map(score_batch, todo):
            pass
    return scores


@contextmanager
def _threads(device: str) -> Iterator[ThreadPoolExecutor]:
    """As many workers as torch has threads, each with one; a GPU has one worker."""
    cores = torch.get_num_threads() if device == "cpu" else 1
    if cores == 1:
        with ThreadPoolExecutor(1) as pool:
            yield pool
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(cores)
