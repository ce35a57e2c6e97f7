"""Where a command's seconds go: `_profiled.py OUT.json COMMAND ...`, in a process of its own."""

import cProfile
import json
import pstats
import sys
import time
from pathlib import Path
from typing import Any

_PARTS = {
    "imports: command line, config, numpy, pyarrow": (
        "jobs/cli/mining.py",
        "jobs/resolve_config.py",
    ),
    "imports: Beam": ("transforms/lean_beam.py:import_beam",),
    "imports: the rest of negmine and what it uses": ("jobs/mining/publish.py",),
    "pipelines: Beam's graphs and bundles": ("jobs/runner/pipeline.py:run_pipeline",),
    "steps of select and score": ("transforms/data/parts.py:_part",),
    "publish: rows": ("transforms/choosing/publish.py:_write",),
    "publish: report.html": ("jobs/report/__init__.py:write_report",),
    "publish: manifest": ("jobs/mining/manifest.py:run_manifest",),
    "shown at the end": ("jobs/report/verdict.py:render_run",),
    "syncs to disk": ("posix.fsync",),
}
"""Files stand for their import. Beam's own part is what its steps leave of a pipeline."""


def _seconds(stats: Any, what: str) -> float:
    """Cumulative seconds of a function of a file; of a file alone, of its import."""
    file, _, function = what.partition(":")
    wanted = function or "<module>"
    for (path, _, name), (_, _, _, total, _) in stats.items():
        if what == "posix.fsync" and "posix.fsync" in name:
            return float(total)
        if path.endswith(f"/{file}") and name == wanted:
            return float(total)
    return 0.0


def main() -> None:
    out, *words = sys.argv[1:]
    sys.argv = ["negmine", *words]
    started = time.perf_counter()
    profile = cProfile.Profile()
    profile.enable()
    from negmine.jobs.__main__ import main as command

    try:
        command()
    except SystemExit as end:
        if end.code:
            raise
    profile.disable()
    whole = time.perf_counter() - started
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    parts = {name: sum(_seconds(stats, what) for what in wanted) for name, wanted in _PARTS.items()}
    parts["pipelines: Beam's graphs and bundles"] -= (
        parts["steps of select and score"] + parts["publish: rows"]
    )
    known = sum(value for name, value in parts.items() if "syncs" not in name)
    parts["all else"] = whole - known
    Path(out).write_text(json.dumps({"whole": whole, "parts": {"whole": whole, **parts}}))


if __name__ == "__main__":
    main()
