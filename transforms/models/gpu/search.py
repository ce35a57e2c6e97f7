"""Greatest inner products on a CUDA device by torch, in pieces that fit its memory."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

_BYTES = 1 << 30
"""Scores on the device at once."""
_kept: dict[tuple[int, tuple[int, ...]], tuple[weakref.ref[np.ndarray], torch.Tensor]] = {}
"""The documents that were searched last, on the device, by address and shape; at most one array."""


def nearest(
    queries: np.ndarray,
    documents: np.ndarray,
    fetch: int,
    device: str = "cuda",
    most_bytes: int = _BYTES,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (q, fetch) float32, greatest first, and rows of `documents` (q, fetch) int64.

    `queries` (q, d) and `documents` (n, d) are float32, `fetch` at most n; sums are in float32 in
    any order, as of FAISS. Where memory does not suffice the pieces are halved. Raises
    torch.OutOfMemoryError where one query with a few documents is too much.
    """
    while True:
        try:
            return _nearest(queries, documents, fetch, torch.device(device), most_bytes)
        except torch.OutOfMemoryError:
            _kept.clear()
            torch.cuda.empty_cache()
            if most_bytes <= 1 << 20:
                raise
            most_bytes //= 2


def _nearest(
    queries: np.ndarray,
    documents: np.ndarray,
    fetch: int,
    device: torch.device,
    most_bytes: int,
) -> tuple[np.ndarray, np.ndarray]:
    rows = min(len(queries), max(1, most_bytes // (4 * 65_536)))
    columns = max(fetch, most_bytes // (4 * rows))
    asked = torch.from_numpy(queries).to(device)
    best: list[tuple[torch.Tensor, torch.Tensor]] = []
    with torch.inference_mode(), _whole_float32():
        for start, piece in _pieces(documents, columns, device, most_bytes):
            for place, first in enumerate(range(0, len(queries), rows)):
                scores = asked[first : first + rows] @ piece.T
                found = torch.topk(scores, min(fetch, piece.shape[0]), dim=1)
                values, ids = found.values, found.indices + start
                if start:
                    values = torch.cat([best[place][0], values], dim=1)
                    ids = torch.cat([best[place][1], ids], dim=1)
                    top = torch.topk(values, min(fetch, values.shape[1]), dim=1)
                    values, ids = top.values, ids.gather(1, top.indices)
                    best[place] = values, ids
                else:
                    best.append((values, ids))
        whole = [torch.cat(column).cpu().numpy() for column in zip(*best, strict=True)]
    return whole[0], whole[1]


def _pieces(
    documents: np.ndarray, columns: int, device: torch.device, most_bytes: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """Documents on the device with the number of the first, `columns` at a time.

    An array that cannot change stays there for the next block of queries, where it takes no more
    than a quarter of the free memory.
    """
    whole = _on_device(documents, device)
    for start in range(0, len(documents), columns):
        if whole is not None:
            yield start, whole[start : start + columns]
        else:
            yield start, torch.tensor(documents[start : start + columns]).to(device)


def _on_device(documents: np.ndarray, device: torch.device) -> torch.Tensor | None:
    if documents.flags.writeable or device.type != "cuda":
        return None
    key = documents.ctypes.data, documents.shape
    if key in _kept:
        return _kept[key][1]
    _kept.clear()
    if documents.nbytes > torch.cuda.mem_get_info(device)[0] // 4:
        return None
    owner = documents if documents.base is None else documents.base
    try:
        # Once the memory is given back its address may hold something else.
        alive = weakref.ref(owner, lambda _: _kept.clear())
    except TypeError:
        return None
    _kept[key] = alive, torch.tensor(documents).to(device)
    return _kept[key][1]


@contextmanager
def _whole_float32() -> Iterator[None]:
    """Products of float32 numbers in float32, not in TF32, whatever else in the process asks."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
