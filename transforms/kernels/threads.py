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
