"""Batches whose rows do not depend on each other, and the threads that run them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch

LENGTH_STEP = 16
ROW_STEP = 16
TOKEN_BUDGET = {"cpu": 4096, "cuda": 65_536, "mps": 8192}


def token_budget(device: str) -> int:
    """Most padded tokens in a batch on a kind of device."""
    return TOKEN_BUDGET.get(device, TOKEN_BUDGET["cpu"])


def in_row_steps(
    product: Callable[[torch.Tensor], torch.Tensor], input: torch.Tensor
) -> torch.Tensor:
    """A product with a multiple of `ROW_STEP` rows, those that are missing zero and cut again."""
    rows = input.shape[:-1].numel()
    missing = -rows % ROW_STEP
    if not missing:
        return product(input)
    padded = torch.nn.functional.pad(input.reshape(rows, -1), (0, 0, 0, missing))
    return product(padded)[:rows].reshape(*input.shape[:-1], -1)


class _RowPadded(torch.nn.Linear):
    """A Linear that multiplies a multiple of `ROW_STEP` rows, the missing ones zero.

    BLAS takes another kernel, with another order of summation, for a few rows; the layers after
    pooling have only one row a pair.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return in_row_steps(super().forward, input)


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


def fit(tensor: torch.Tensor, width: int, fill: int, left: bool) -> torch.Tensor:
    """A tensor (rows, columns) cut or padded to `width` columns, on the left where asked."""
    have = tensor.shape[1]
    if have >= width:
        return tensor[:, have - width :] if left else tensor[:, :width]
    pad = (width - have, 0) if left else (0, width - have)
    return torch.nn.functional.pad(tensor, pad, value=fill)


@contextmanager
def one_core_each(device: str) -> Iterator[ThreadPoolExecutor]:
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
