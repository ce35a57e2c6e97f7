"""Runs of two sides in turn, each in its own process, kept as one JSON file a run."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks._process import run

WALL = "wall"
_PACKAGES = (
    "negmine",
    "sentence-transformers",
    "torch",
    "transformers",
    "faiss-cpu",
    "bm25s",
    "numba",
    "rank-bm25",
    "apache-beam",
    "numpy",
    "scipy",
)


@dataclass(frozen=True)
class Side:
    """One contestant.

    Attributes:
        name: how the table calls it.
        command: what to start, given an empty folder for its files.
        read: `figures` (seconds or rates), `counts` and `details` of the run, from that folder.
    """

    name: str
    command: Callable[[Path], list[str]]
    read: Callable[[Path], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """A line of the table: which figure of the runs, and what it is held to.

    `limit` bounds ours / theirs, or ours itself where `alone` or there is nobody to compare with;
    it is the greatest allowed, or the least where `at_least`.
    """

    label: str
    figure: str = WALL
    limit: float | None = None
    at_least: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Case:
    """What is compared, ours first. `prepare` makes what the runs share and is not timed.

    Attributes:
        part, name: its folder below the output.
        equal: counts that both sides must have alike.
        repeats: at least so many of each.
        note: said beneath the table.
    """

    part: str
    name: str
    sides: tuple[Side, ...]
    rows: tuple[Row, ...]
    prepare: Callable[[], None] = lambda: None
    equal: tuple[str, ...] = ()
    repeats: int = 1
    note: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


def machine(threads: int) -> dict[str, Any]:
    """Processor, cores, memory, system and Python, and the packages that the sides use."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def read_json(file: Path) -> Any:
    return json.loads(file.read_text())


def write_json(file: Path, value: Any) -> None:
    """Write whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    building = file.with_name(f".{file.name}.tmp")
    building.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")
    building.replace(file)


def _run_file(out: Path, case: Case, side: int, repeat: int) -> Path:
    return out / case.part / case.name / f"{repeat:03d}-{('ours', 'theirs')[side]}.json"


def measure(case: Case, out: Path, repeats: int, threads: int) -> None:
    """Make the runs that are missing: ours, theirs, ours, theirs, …"""
    folder = out / case.part / case.name
    _write_case(case, folder)
    wanted = [
        (repeat, number)
        for repeat in range(max(repeats, case.repeats))
        for number in range(len(case.sides))
    ]
    missing = [at for at in wanted if not _run_file(out, case, at[1], at[0]).is_file()]
    if missing:
        print(f"{case.part}:{case.name}", file=sys.stderr)
        case.prepare()
    for repeat, number in missing:
        record = _run_once(case.sides[number], folder / "running", threads)
        write_json(_run_file(out, case, number, repeat), record)
        seconds = record["figures"][WALL]
        print(f"  {case.sides[number].name} {repeat + 1}: {seconds:.2f} s", file=sys.stderr)


def _write_case(case: Case, folder: Path) -> None:
    described = {
        "part": case.part,
        "name": case.name,
        "sides": [side.name for side in case.sides],
        "rows": [vars(row) for row in case.rows],
        "equal": list(case.equal),
        "settings": dict(case.settings),
        "note": case.note,
    }
    file = folder / "case.json"
    if file.is_file():
        before = read_json(file)
        if before["settings"] != json.loads(json.dumps(described["settings"])):
            raise SystemExit(
                f"{folder} holds runs with the settings {before['settings']}, not "
                f"{described['settings']}; give another --out, or remove that folder"
            )
    write_json(file, described)


def _run_once(side: Side, folder: Path, threads: int) -> dict[str, Any]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = side.command(folder)
    load = os.getloadavg()[0]
    finished = run(command, folder / "log", threads)
    record = side.read(folder)
    shutil.rmtree(folder)
    return {
        "side": side.name,
        "figures": {WALL: finished.seconds, **record.get("figures", {})},
        "peak_bytes": finished.peak_bytes,
        "counts": record.get("counts", {}),
        "details": record.get("details", {}),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
        "machine": machine(threads),
    }


def unequal(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """Counts that are not alike in all runs, in words."""
    out = []
    for name in names:
        found = {str(record["counts"].get(name)) for record in records}
        if len(found) > 1:
            out.append(f"{name}: {', '.join(sorted(found))}")
    return out
