"""What a helper makes of the tasks that it is sent."""

import os
import pickle
import traceback
from collections.abc import Callable

from apache_beam.internal import pickler

from negmine.transforms import counters
from negmine.transforms.kernels.threads import share_threads
from negmine.transforms.processes.messages import KNOWN, Failed, Made, Task


class Maker:
    """Calls functions, the last of which it keeps, with the elements of tasks."""

    def __init__(self, threads: int) -> None:
        """Kernels use so many threads."""
        share_threads(threads)
        self._functions: dict[str, Callable[[object], object]] = {}

    def answer(self, task: Task) -> Made[object] | Failed:
        """What was made, or what was raised."""
        functions = self._functions
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
