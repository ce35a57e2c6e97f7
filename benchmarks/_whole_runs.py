"""Whole runs in processes of their own: command, result, and SHA-256 of what they publish."""

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
RUN_ID = "run"
_BEAM = "apache_beam.runners"


def write_config(
    path: Path, collection: Path, split: str, student: str, judge: str, block_size: int
) -> Path:
    """The YAML of a run over a BEIR folder; the rest are defaults."""
    sections = {
        "input": {"format": "beir", "path": str(collection.resolve()), "split": split},
        "student": {"model": student},
        "judge": {"kind": judge},
        "runner": {"block_size": block_size},
        "output": {"run_id": RUN_ID},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(sections, sort_keys=False))
    return path


def command(
    config: Path, output: Path, settings: Sequence[str] = (), beam: Sequence[str] = ()
) -> list[str]:
    """`negmine mine` of this checkout."""
    sets = [word for setting in settings for word in ("--set", setting)]
    start = [sys.executable, "-m", "negmine", "mine", str(config), "--output", str(output)]
    return [*start, *sets, "--", *beam]


def environment() -> dict[str, str]:
    """This process's, with this checkout first and this Python as `python`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def mine(
    config: Path, output: Path, settings: Sequence[str] = (), beam: Sequence[str] = ()
) -> float:
    """Run to the end; seconds. Raises SystemExit with its stderr where it fails."""
    started = time.perf_counter()
    words = command(config, output, settings, beam)
    ended = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {ended.returncode}:\n{ended.stderr}")
    return time.perf_counter() - started


def digest(output: Path, *names: str) -> str:
    """One SHA-256 over the names and bytes of the Parquet files of parts of the published run."""
    run = output / "runs" / RUN_ID
    files = [file for name in names for file in ((run / name).rglob("*.parquet"))]
    files += [run / name for name in names if (run / name).is_file()]
    if not files:
        raise FileNotFoundError(f"{run} holds none of {', '.join(names)}")
    total = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{file.relative_to(run)} {content}\n".encode())
    return total.hexdigest()


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("localhost", 0))
        port: int = held.getsockname()[1]
    return port


def _await(port: int, seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@contextmanager
def worker_services(folder: Path) -> Iterator[list[str]]:
    """Beam's Python job service and worker pool, each a process; the options that lead there."""
    ports = _free_port(), _free_port()
    service = f"{_BEAM}.portability.local_job_service_main"
    pool = f"{_BEAM}.worker.worker_pool_main"
    commands = (
        [service, "--port", str(ports[0])],
        [pool, "--container_executable=", f"--service_port={ports[1]}"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "services.log").open("w") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", *words],
                stdout=log,
                stderr=log,
                env=environment(),
                cwd=folder,
            )
            for words in commands
        ]
        try:
            for port in ports:
                _await(port)
            yield [
                "--runner=PortableRunner",
                f"--job_endpoint=localhost:{ports[0]}",
                "--environment_type=EXTERNAL",
                f"--environment_config=localhost:{ports[1]}",
                "--job_server_timeout=604800",
            ]
        finally:
            for process in started:
                process.terminate()
                process.wait(600)
