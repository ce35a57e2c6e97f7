"""A command in a process of its own: its wall time, and the peak memory of all that it starts."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[1]
_SAMPLE_SECONDS = 0.05
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
)


@dataclass(frozen=True)
class Finished:
    """How long a command took, and the most memory it held.

    `peak_bytes` is the highest sum of resident memory over its processes, sampled every 50 ms;
    memory-mapped pages count, shared ones once a process.
    """

    seconds: float
    peak_bytes: int


def environment(threads: int) -> dict[str, str]:
    """This process's, with this checkout first, no network for models, and so many threads."""
    return {
        **os.environ,
        **dict.fromkeys(_THREADS, str(threads)),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(ROOT),
        "TOKENIZERS_PARALLELISM": "true",
        "TQDM_DISABLE": "1",
    }


def negmine(*arguments: str) -> list[str]:
    """The installed command where it is beside this Python, else the module."""
    installed = Path(sys.executable).with_name("negmine")
    start = [str(installed)] if installed.is_file() else [sys.executable, "-m", "negmine"]
    return [*start, *arguments]


def _held(pid: int) -> int:
    try:
        parent = psutil.Process(pid)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def run(command: Sequence[str], log: Path, threads: int) -> Finished:
    """Run to the end. Raises SystemExit with the end of its output where it fails."""
    peak = 0
    ended = threading.Event()
    with log.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(threads), stdout=out, stderr=subprocess.STDOUT
        )

        def watch() -> None:
            nonlocal peak
            while not ended.wait(_SAMPLE_SECONDS):
                peak = max(peak, _held(process.pid))

        sampler = threading.Thread(target=watch, daemon=True)
        sampler.start()
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            seconds = time.perf_counter() - started
            ended.set()
            sampler.join()
    if code:
        tail = log.read_text(errors="replace")[-4000:]
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{tail}")
    return Finished(seconds, peak)
