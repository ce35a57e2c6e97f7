"""Inputs to outputs over one or several devices: tokenise ahead, fill buckets, hand out batches."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch

from negmine.transforms.kernels import underway
from negmine.transforms.models.gpu.buckets import BUDGET, Batch, Buckets, Padding
from negmine.transforms.models.gpu.replica import Forward, Outputs, Replica, Variant
from negmine.transforms.models.gpu.tokens import Input, Tokens, size

_AHEAD = 2048
"""Inputs that are tokenised at once, while the devices compute the ones before."""
_TOKENISERS = 2


def devices(asked: str) -> list[str]:
    """CUDA devices that `auto`, `cuda` or one of them stand for; none where it is another kind."""
    if asked.startswith("cuda:"):
        return [asked]
    count = torch.cuda.device_count() if asked in ("auto", "cuda") else 0
    return [f"cuda:{number}" for number in range(count if asked == "auto" else min(count, 1))]


def run(
    inputs: Sequence[Input],
    tokenise: Callable[[list[Input]], Tokens],
    replicas: Sequence[tuple[Replica, Forward]],
    name: str,
    padding: Padding,
    ragged: Callable[[Batch, np.ndarray], None] = lambda *_: None,
    budget: int = BUDGET,
) -> np.ndarray:
    """Output `rows` of each input, (inputs, …), the same for any company and any devices.

    Batches go to the devices in turn. `name` tells this way to call the models from others;
    `ragged` is given each batch and its output `ragged`, where there is one, on this thread.
    """
    sizes = np.fromiter(map(size, inputs), dtype=np.int64, count=len(inputs))
    order = np.argsort(-sizes, kind="stable")
    pieces = [order[start : start + _AHEAD] for start in range(0, len(order), _AHEAD)]
    buckets = Buckets(padding, budget)
    outputs = [Outputs(len(inputs), ragged) for _ in replicas]
    variants: list[Variant] = []
    turn = 0

    def compute(batch: Batch) -> None:
        nonlocal turn
        which = turn % len(replicas)
        replicas[which][0].run(batch, variants[which], outputs[which])
        turn += 1
        underway.advance(len(batch.numbers))

    with ThreadPoolExecutor(_TOKENISERS, thread_name_prefix="tokenise") as ahead:
        texts = ([inputs[i] for i in piece.tolist()] for piece in pieces)
        found = deque(ahead.submit(tokenise, some) for some in islice(texts, _TOKENISERS + 1))
        for piece in pieces:
            tokens = found.popleft().result()
            found.extend(ahead.submit(tokenise, some) for some in islice(texts, 1))
            if not variants:
                variants = [
                    Variant(name, forward, padding.left, tokens.typed, tokens.rest)
                    for _, forward in replicas
                ]
            for batch in buckets.add(piece, tokens):
                compute(batch)
        for batch in buckets.rest():
            compute(batch)
    for replica, _ in replicas:
        replica.finish()
    if len(outputs) == 1:
        return outputs[0].fetch("rows")
    whole: np.ndarray | None = None
    for output in outputs:
        if len(output.numbers):
            rows = output.fetch("rows")
            whole = np.empty_like(rows) if whole is None else whole
            whole[np.concatenate(output.numbers)] = rows[np.concatenate(output.numbers)]
    assert whole is not None
    return whole
