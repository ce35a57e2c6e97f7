"""A helper of a local run: reads what to make from standard input, and makes it until that ends."""

import gc
import logging
import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO, NoReturn

from negmine.transforms.lean_beam import import_beam
from negmine.transforms.processes.messages import Task, receive, send

_PATIENCE = 5.0
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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
    from negmine.transforms.processes.making import Maker

    maker = Maker(threads)
    try:
        while True:
            send(answers, maker.answer(tasks.get()))
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
