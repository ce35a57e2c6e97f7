"""A copy of a model on one device: batches of a shape are captured once and replayed."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch

from negmine.schemas import JsonObject
from negmine.transforms.models.gpu.buckets import Batch

Forward: TypeAlias = Callable[[JsonObject, bool], dict[str, torch.Tensor]]
"""Features on the device, and whether there is no mask, to outputs of a row each."""

_STAGES = 4
"""Batches that the host may be ahead of the device."""
_WARM_UPS = 2


@dataclass(frozen=True)
class Variant:
    """One way to call a model. `name` tells it from others with the same `rest`.

    Attributes:
        left: whether rows are padded there.
        typed: whether it is given segments.
        rest: what it is given besides.
    """

    name: str
    forward: Forward = field(compare=False)
    left: bool
    typed: bool
    rest: JsonObject = field(compare=False)

    @property
    def key(self) -> tuple[str, bool, str]:
        return self.name, self.typed, repr(sorted(self.rest.items()))


class Replica:
    """Runs batches on one device; several threads may ask, and take turns.

    On CUDA nothing waits for a batch: inputs go through pinned memory, the forward pass is a graph
    that is replayed, and outputs stay on the device until they are fetched. What cannot be captured
    runs as it is.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.cuda = device.type == "cuda"
        self.captures = self.cuda
        self._lock = threading.RLock()
        self._shapes: dict[object, _Shape] = {}
        self._most: dict[int, int] = {}
        if self.cuda:
            self._stream = torch.cuda.Stream(device)
            self._pool = torch.cuda.graph_pool_handle()

    def run(self, batch: Batch, variant: Variant, into: "Outputs") -> None:
        """Have a batch computed; where memory does not suffice, in halves, and later ones too.

        Raises torch.OutOfMemoryError where one row is too much.
        """
        start = 0
        while start < len(batch.numbers):
            size = min(batch.size, self._most.get(batch.width, batch.size))
            try:
                part = batch.part(start, size)
                with self._lock:
                    self._run(part, variant, into)
                start += len(part.numbers)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise
                self._most[batch.width] = size // 2
                self._forget_shapes()

    def _forget_shapes(self) -> None:
        with self._lock:
            self._shapes.clear()
            if self.cuda:
                torch.cuda.synchronize(self.device)
                self._pool = torch.cuda.graph_pool_handle()
                torch.cuda.empty_cache()

    def _run(self, batch: Batch, variant: Variant, into: "Outputs") -> None:
        key = (variant.key, batch.width, batch.size, batch.masked)
        with torch.inference_mode():
            if not self.cuda:
                shape = _Shape(batch, variant, self.device)
                shape.packed.copy_(_filled(batch, torch.empty_like(shape.packed)))
                into.keep(batch, shape.forward())
                return
            with torch.cuda.device(self.device), torch.cuda.stream(self._stream):
                shape = self._shapes.get(key) or _Shape(batch, variant, self.device)
                shape.stage(batch)
                if key not in self._shapes:
                    self._capture(shape)
                    self._shapes[key] = shape
                into.keep(batch, shape.replay())

    def _capture(self, shape: "_Shape") -> None:
        if not self.captures:
            return
        try:
            shape.capture(self._pool)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError:
            # Such as a model that looks at its values on the host: it runs as it is.
            self.captures = False
            torch.cuda.synchronize(self.device)

    def finish(self) -> None:
        """Wait until all that was asked for is computed."""
        if self.cuda:
            self._stream.synchronize()


class _Shape:
    """Inputs of one shape on a device, and the graph that computes from them."""

    def __init__(self, batch: Batch, variant: Variant, device: torch.device) -> None:
        self.width, self.masked, self.variant = batch.width, batch.masked, variant
        self.paired = batch.paired
        columns = batch.packed.shape[1]
        self.packed = torch.zeros((batch.size, columns), dtype=torch.int32, device=device)
        self.places = torch.arange(batch.width, dtype=torch.int32, device=device)
        self.graph: torch.cuda.CUDAGraph | None = None
        self.outputs: dict[str, torch.Tensor] = {}
        self.stages: deque[tuple[torch.Tensor, torch.cuda.Event]] = deque()

    def forward(self) -> dict[str, torch.Tensor]:
        """Compute from what is packed."""
        length = self.packed[:, -1:]
        first = self.width - length if self.variant.left else torch.zeros_like(length)
        mask = (self.places >= first) & (self.places < first + length)
        ids = self.packed[:, : self.width].long()
        features = {"input_ids": ids, "attention_mask": mask.long()}
        if self.paired:
            features["token_type_ids"] = self.packed[:, self.width : 2 * self.width].long()
        elif self.variant.typed:
            features["token_type_ids"] = torch.zeros_like(ids)
        return self.variant.forward({**self.variant.rest, **features}, not self.masked)

    def stage(self, batch: Batch) -> None:
        """Send inputs over, through pinned memory that no earlier batch is still read from."""
        if len(self.stages) < _STAGES:
            pinned = torch.empty(self.packed.shape, dtype=torch.int32, pin_memory=True)
            event = torch.cuda.Event()
        else:
            pinned, event = self.stages.popleft()
            event.synchronize()
        self.packed.copy_(_filled(batch, pinned), non_blocking=True)
        event.record()
        self.stages.append((pinned, event))

    def capture(self, pool: tuple[int, int]) -> None:
        """Record the forward pass. Raises RuntimeError for one that cannot be."""
        for _ in range(_WARM_UPS):
            self.forward()
        torch.cuda.current_stream().synchronize()
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(pool=pool, capture_error_mode="thread_local")
        try:
            self.outputs = self.forward()
        finally:
            graph.capture_end()
        self.graph = graph

    def replay(self) -> dict[str, torch.Tensor]:
        """Outputs, which the next replay of any shape may write over."""
        if self.graph is None:
            return self.forward()
        self.graph.replay()
        return self.outputs


def _filled(batch: Batch, into: torch.Tensor) -> torch.Tensor:
    """A batch's rows and, until its shape is full, copies of the first, shorter than its width."""
    rows = into.numpy()
    rows[: len(batch.packed)] = batch.packed
    rows[len(batch.packed) :] = batch.packed[0]
    if batch.masked:
        rows[len(batch.packed) :, -1] = min(int(batch.packed[0, -1]), max(1, batch.width - 1))
    return into


class Outputs:
    """What a replica computed of some inputs, kept on its device until all is there.

    `rows` outputs are (rows, …) and fetched at once; those of `ragged` are (rows, width, …), so
    large that each batch is fetched while the next ones run.
    """

    def __init__(self, inputs: int, ragged: Callable[[Batch, np.ndarray], None]) -> None:
        self.inputs = inputs
        self.numbers: list[np.ndarray] = []
        self._ragged = ragged
        self._rows: dict[str, torch.Tensor] = {}
        self._under_way: deque[tuple[Batch, torch.Tensor, torch.cuda.Event | None]] = deque()

    def keep(self, batch: Batch, outputs: dict[str, torch.Tensor]) -> None:
        """Take a batch's outputs over, in the order of the device's work."""
        self.numbers.append(batch.numbers)
        for name, value in outputs.items():
            if name == "ragged":
                self._fetch_ragged(batch, value)
                continue
            if name not in self._rows:
                shape = (self.inputs, *value.shape[1:])
                self._rows[name] = torch.zeros(shape, dtype=value.dtype, device=value.device)
            index = torch.from_numpy(batch.numbers).to(value.device, non_blocking=True)
            self._rows[name].index_copy_(0, index, value[: len(batch.numbers)])

    def _fetch_ragged(self, batch: Batch, value: torch.Tensor) -> None:
        event = None
        value = value[: len(batch.numbers)]
        if value.is_cuda:
            pinned = torch.empty(value.shape, dtype=value.dtype, pin_memory=True)
            value = pinned.copy_(value, non_blocking=True)
            event = torch.cuda.Event()
            event.record()
        self._under_way.append((batch, value, event))
        while len(self._under_way) > 2:
            self._take_ragged()

    def _take_ragged(self) -> None:
        batch, value, event = self._under_way.popleft()
        if event is not None:
            event.synchronize()
        self._ragged(batch, value.numpy())

    def fetch(self, name: str) -> np.ndarray:
        """An output, a row each input; only those of `numbers` were computed here."""
        while self._under_way:
            self._take_ragged()
        rows = self._rows[name]
        if rows.is_cuda:
            rows = torch.empty(rows.shape, dtype=rows.dtype, pin_memory=True).copy_(rows)
        return rows.numpy()
