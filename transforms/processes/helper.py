"""A helper as the process that started it sees it, see `transforms.workers`."""

import os
import pickle
import subprocess
import sys
from collections import deque
from contextlib import suppress

from negmine.transforms.processes.messages import KNOWN, Failed, Made, Task, receive, send

PATIENCE = 5.0
"""Seconds that a helper has to remove what it was writing."""

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from negmine.transforms.processes.serving import serve; serve(int(sys.argv[1]))"
)


class Gone(Exception):
    """A helper ended without an answer, as where the system needs its memory."""


class Helper:
    """A process that makes one element at a time."""

    def __init__(self, threads: int) -> None:
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-c", _START, str(threads), *map(str, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._known: deque[str] = deque(maxlen=KNOWN)
        try:
            self._exchange(Task("", None, None))
        except Exception as error:  # whatever another program says, where that was started
            self.end(0)
            raise Gone from error

    def make(self, key: str, function: bytes, element: object) -> Made[object] | Failed:
        """Have the element made by a function, pickled, that is known by `key` once it was sent.

        Raises Gone where the process ended.
        """
        new = key not in self._known
        if new:
            self._known.append(key)
        return self._exchange(Task(key, function if new else None, element))

    def _exchange(self, task: Task) -> Made[object] | Failed:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            send(self._process.stdin, task)
            found = receive(self._process.stdout)
        except (OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
            raise Gone from error
        if not isinstance(found, Made | Failed):
            raise Gone  # another program's, where that was started
        return found

    def dismiss(self) -> None:
        """Have it end as soon as it can, with what it was writing removed."""
        with suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def forget(self) -> None:
        """Let go of the pipes, in a copy of the process that has them."""
        # Not closed: another thread may have held their locks when the copy was made.
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None and not stream.closed:
                os.dup2(nothing, stream.fileno(), inheritable=False)
        os.close(nothing)

    def end(self, patience: float = PATIENCE) -> None:
        """Have it end, and see that it did."""
        self.dismiss()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
