"""Inputs to outputs over one or several devices: tokenise ahead, fill buckets, hand out batches."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from negmine.transforms.kernels import underway
from negmine.transforms.models.gpu.buckets import BUDGET, Batch, Buckets
from negmine.transforms.models.gpu.replica import Forward, Outputs, Replica, Variant
from negmine.transforms.models.gpu.tokens import Input, Tokens

_AHEAD = 512
"""Inputs that are tokenised at once, while the devices compute the ones before."""


@dataclass(frozen=True)
class Padding:
    """Token that fills rows up, the side, and the most tokens that a model takes."""

    token: int
    left: bool
    limit: int | None


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
    """Output `rows` of each input, (inputs, …), the same for any company and number of devices.

    Batches go to the devices in turn. `name` tells this way to call the models from others;
    `ragged` is given each batch and its output `ragged`, where there is one, on this thread.
    """
    order = sorted(range(len(inputs)), key=lambda i: -_size(inputs[i]))
    pieces = [order[start : start + _AHEAD] for start in range(0, len(order), _AHEAD)]
    buckets = Buckets(padding.limit, budget)
    outputs = [Outputs(len(inputs), ragged) for _ in replicas]
    variants: list[Variant] = []
    turn = 0

    def compute(batch: Batch) -> None:
        nonlocal turn
        which = turn % len(replicas)
        replicas[which][0].run(batch, variants[which], outputs[which])
        turn += 1
        underway.advance(len(batch.numbers))

    with ThreadPoolExecutor(1, thread_name_prefix="tokenise") as ahead:
        found = [ahead.submit(tokenise, [inputs[i] for i in piece]) for piece in pieces[:2]]
        for place, piece in enumerate(pieces):
            tokens = found.pop(0).result()
            if place + 2 < len(pieces):
                found.append(ahead.submit(tokenise, [inputs[i] for i in pieces[place + 2]]))
            if not variants:
                variants = [
                    Variant(name, forward, padding.token, padding.left, tokens.typed, tokens.rest)
                    for _, forward in replicas
                ]
            for batch in buckets.add(piece, tokens):
                compute(batch)
        for batch in buckets.rest():
            compute(batch)
    return _together(len(inputs), replicas, outputs)


def _size(one: Input) -> int:
    return len(one) if isinstance(one, str) else len(one[0]) + len(one[1])


def _together(
    inputs: int, replicas: Sequence[tuple[Replica, Forward]], outputs: Sequence[Outputs]
) -> np.ndarray:
    whole: np.ndarray | None = None
    for (replica, _), output in zip(replicas, outputs, strict=True):
        replica.finish()
        numbers, rows = output.fetch("rows")
        if whole is None:
            whole = np.zeros((inputs, *rows.shape[1:]), dtype=rows.dtype)
        if len(numbers):
            if whole.shape[1:] != rows.shape[1:]:
                whole = np.zeros((inputs, *rows.shape[1:]), dtype=rows.dtype)
            whole[numbers] = rows
    assert whole is not None
    return whole
