"""NumPy's matrix products on one thread, so that a sum has the same bits on every machine."""

from contextlib import AbstractContextManager
from functools import lru_cache

import numpy  # noqa: F401  (brings the BLAS that is limited)
from threadpoolctl import ThreadpoolController


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
