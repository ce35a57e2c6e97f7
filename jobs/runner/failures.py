"""What the machine refused, and what nobody expected, each as one sentence for the user."""

import os
import re
import resource
import traceback
from collections.abc import Iterator
from pathlib import Path

from negmine.jobs.terminal import printable
from negmine.schemas.errors import StorageError

EVERYTHING = "NEGMINE_TRACEBACK"
"""Variable of the environment that has a traceback printed with an error nobody expected."""

LIBRARIES = 2 << 30
"""Measured: bytes of address space that Beam, DuckDB, Arrow and FAISS take once they are loaded. In
fewer some library now and then does not fail but crashes, and nothing can be said any more."""

_KEPT = "Finished parts are kept, the same command goes on from there"
_NO_MEMORY = re.compile(
    r"bad_alloc|out of memory|OutOfMemory|MemoryError|mmap failed|"
    r"(?:can(?:'t|not)|failed to|unable to|could not) (?:allocate|map segment)",
    re.IGNORECASE,
)
_NO_THREADS = re.compile(
    r"can't start new thread|pthread_create|thread creation failed", re.IGNORECASE
)
_ON_A_DEVICE = re.compile(r"CUDA|MPS|HIP")


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what is behind it, nearest first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def check_address_space() -> None:
    """Raise StorageError where the process may not even load what a run needs (ulimit -v)."""
    if told := little_address_space():
        raise StorageError(told)


def little_address_space() -> str | None:
    """What to say where `ulimit -v` is below what the libraries take; None where it is not."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY or limit >= LIBRARIES:
        return None
    return (
        f"this process may use {limit:,} bytes of address space (ulimit -v), and the libraries "
        f"of a run take more than {LIBRARIES:,}; raise that limit"
    )


def refused(error: BaseException) -> str | None:
    """What to say where the machine's memory or threads are behind an error; None for others."""
    for cause in causes(error):
        words = f"{type(cause).__name__} {cause}"
        if _ON_A_DEVICE.search(words):
            continue
        detail = " ".join(str(cause).split())[:160]
        if isinstance(cause, MemoryError) or _NO_MEMORY.search(words):
            limit = resource.getrlimit(resource.RLIMIT_AS)[0]
            held = "" if limit == resource.RLIM_INFINITY else f", {limit:,} bytes by ulimit -v"
            return (
                f"there is not enough memory{held}{f' ({detail})' if detail else ''}. Lower "
                "runner.block_size or the sources' depth, set runner.memory, or give the process "
                f"more. {_KEPT}"
            )
        if _NO_THREADS.search(words):
            return (
                f"the machine refuses another thread ({detail}). Raise its limit of processes "
                "or of memory (ulimit -u, ulimit -v), or let libraries use fewer threads "
                f"(OMP_NUM_THREADS=1). {_KEPT}"
            )
    return None


def unexpected(error: BaseException) -> str:
    """One line about an error that is a defect of ours: what, and where in our code."""
    here = str(Path(__file__).parents[2])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(here)]
    where = (
        f", {os.path.relpath(frames[-1].filename, here)} line {frames[-1].lineno}" if frames else ""
    )
    first = str(error).strip().partition("\n")[0]
    return (
        f"{type(error).__name__}: {printable(first)[:300]} ({where.removeprefix(', ')}). Nobody "
        f"expected this: please report it, with what {EVERYTHING}=1 prints"
    )
