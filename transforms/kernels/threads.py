"""Threads of kernels: one where a sum must have the same bits, else a process's own share."""

import os
from contextlib import AbstractContextManager, suppress
from functools import lru_cache
from pathlib import Path

import numpy  # noqa: F401  (brings the BLAS that is limited)
from threadpoolctl import ThreadpoolController

_UNKNOWN_MEMORY = 8 << 30
_GROUP_LIMITS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)

_share: int | None = None
"""Threads of this process; None = one a processor."""


@lru_cache(maxsize=1)
def _loaded() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """NumPy's BLAS on one thread. Looking for it, 4 ms, is done once a process."""
    return _loaded().limit(limits=1, user_api="blas")


def blas_architecture() -> str | None:
    """Processor that NumPy's BLAS chose its kernels for, such as Haswell; None where unknown."""
    found = [entry for entry in _loaded().info() if entry.get("architecture")]
    own = [entry for entry in found if "numpy" in str(entry.get("filepath"))]
    return str((own or found)[0]["architecture"]) if found else None


def processors() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine_memory() -> int:
    """Bytes of memory that the machine has, or that the group of this process may use."""
    found = []
    try:
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        found.append(_UNKNOWN_MEMORY)
    for file in _GROUP_LIMITS:
        with suppress(OSError, ValueError):
            found.append(int(Path(file).read_text(encoding="ascii")))
    return min(found)


def own_threads() -> int:
    """Threads for a kernel of this process: all processors, or its share beside other workers."""
    return _share or processors()


def share_threads(threads: int | None) -> None:
    """From now on kernels of this process use so many threads; None = one a processor."""
    global _share
    _share = threads


class shared_by:
    """In the body this process's kernels use the threads that one of so many workers has."""

    def __init__(self, workers: int) -> None:
        self.threads = max(1, processors() // workers)

    def __enter__(self) -> None:
        self._before = _share
        share_threads(self.threads)

    def __exit__(self, *_: object) -> None:
        share_threads(self._before)
