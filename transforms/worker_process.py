"""A helper of a local run: reads what to make from standard input, and makes it until that ends."""

import gc
import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, BinaryIO, Generic, NamedTuple, NoReturn, TypeVar

from negmine.transforms.lean_beam import import_beam

Result = TypeVar("Result")

_SIZE = 8
KNOWN = 4
"""Functions that a helper keeps, those that were sent last."""
_PATIENCE = 5.0
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def serve(threads: int) -> NoReturn:
    """Make elements, one after another, until standard input ends; then end, whatever goes on.

    What is being written then is removed. Ctrl-C is for the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in _VARIABLES:
        os.environ[name] = str(threads)
    if sys.stderr is None:  # started from a process without one, as a service may be
        sys.stderr = os.fdopen(_silence(), "w")
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    tasks: SimpleQueue[Task] = SimpleQueue()

    gc.set_threshold(50_000, 20, 20)

    # Started before anything else is imported: that takes a second, in which the other may end.
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()

    logging.basicConfig(level=logging.ERROR)

    import_beam()

    from negmine.transforms.kernels.threads import share_threads

    share_threads(threads)
    functions: dict[str, Callable[[object], object]] = {}
    try:
        while True:
            send(answers, _answer(tasks.get(), functions))
    except (OSError, SystemExit):
        pass
    os._exit(0)


def _silence() -> int:
    """File descriptor 2, of nothing: not of answers, to which libraries would write."""
    found = os.open(os.devnull, os.O_WRONLY)
    if found != 2:
        os.dup2(found, 2)
        os.close(found)
    return 2


def _read(tasks: "SimpleQueue[Task]") -> None:
    stream: BinaryIO = sys.stdin.buffer
    try:
        while True:
            task = receive(stream)
            assert isinstance(task, Task)
            tasks.put(task)
    except (EOFError, OSError):
        threading.Timer(_PATIENCE, os._exit, (1,)).start()
        os.kill(os.getpid(), signal.SIGTERM)


def _answer(task: Task, functions: dict[str, Callable[[object], object]]) -> Made[object] | Failed:
    from apache_beam.internal import pickler

    from negmine.transforms import counters

    try:
        if task.function is not None:
            while len(functions) >= KNOWN:
                functions.pop(next(iter(functions)))
            functions[task.key] = pickler.loads(task.function)
        if not task.key:
            return Made(None, {}, os.getpid(), _peak())
        with counters.collecting() as counted:
            value = functions[task.key](task.element)
        return Made(value, dict(counted), os.getpid(), _peak())
    except Exception as error:
        return Failed(_sendable(error), traceback.format_exc())


def _peak() -> int:
    # Not by getrusage: there the peak of the process that started this one counts too.
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            found = next(line for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0
    return 1024 * int(found.split()[1])


def _sendable(error: Exception) -> Exception:
    """The error, or one with its words where it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
