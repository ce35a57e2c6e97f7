"""What a local run and its helpers send each other, and how."""

import pickle
from dataclasses import dataclass
from typing import IO, Generic, NamedTuple, TypeVar

Result = TypeVar("Result")

KNOWN = 4
"""Functions that a helper keeps, those that were sent last."""
_SIZE = 8


class Task(NamedTuple):
    """An element to be made by a function, pickled by Beam; None where `key` was sent before."""

    key: str
    function: bytes | None
    element: object


@dataclass(frozen=True)
class Made(Generic[Result]):
    """A result, what was counted on the way, and the process and its peak memory, bytes."""

    value: Result
    counted: dict[str, int]
    process: int
    peak: int


@dataclass(frozen=True)
class Failed:
    """What was raised, and where."""

    error: BaseException
    where: str


def send(stream: IO[bytes], value: object) -> None:
    """Write one object."""
    data = pickle.dumps(value, protocol=5)
    stream.write(len(data).to_bytes(_SIZE, "little") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> object:
    """Read one object. Raises EOFError where the other side has ended."""
    return pickle.loads(_exactly(stream, int.from_bytes(_exactly(stream, _SIZE), "little")))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
