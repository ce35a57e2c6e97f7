"""What a job costs on an engine before and after its work: small runs here and there, in turn.

    python benchmarks/cluster/job_start.py FOLDER --out DIR [--pairs 2]

FOLDER holds a cluster that `cluster.py up` started. 60 documents and 12 queries with given vectors
hold next to no work and need no model: what a run takes longer there than here is its jobs' start
and end. `ingest` is one job, `mine` all of a run. Prints the seconds of each, of them those that
lie in the engine's jobs, and what is paid by the job; the load of the machine is beside them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import yaml

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks._scaling_data import Collection
from benchmarks._whole_runs import ROOT, environment
from benchmarks.cluster.cluster import options
from benchmarks.cluster.engines import engine
from benchmarks.cluster.processes import load


def config(folder: Path) -> Path:
    """The YAML of a run over the small collection, which is made where it is missing."""
    collection = Collection(folder / "collection", 60, 12)
    collection.write()
    values = {**collection.config(), "judge": {"kind": "none"}}
    file = folder / "run.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def seconds(words: Sequence[str]) -> float:
    """Wall seconds of a command of negmine; SystemExit with what it said where it fails."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "negmine", *words]
    ended = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=2)
    given = parser.parse_args()
    folder, out = given.folder.resolve(), given.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    run, cluster = config(out), load(folder)
    asked = engine(cluster.engine)
    workers = sum(name[-1].isdigit() for name in cluster.processes) or 1
    there = ["--", *options(cluster, folder, workers)]

    heads = "| run | jobs | here s | there s | in jobs s | a job s | load |"
    print(f"{heads}\n|---|---|---|---|---|---|---|")
    paid: dict[str, list[float]] = {"ingest": [], "mine": []}
    for what in ("ingest", "mine") * given.pairs:
        for side in ("here", "there"):
            shutil.rmtree(out / side, ignore_errors=True)
        took_here = seconds([what, str(run), "--output", str(out / "here")])
        before = len(asked.done(cluster, folder))
        took = seconds([what, str(run), "--output", str(out / "there"), *there])
        jobs = asked.done(cluster, folder)[before:]
        inside = [job.seconds for job in jobs]
        paid[what].append((took - took_here) / len(jobs))
        cells = [what, str(len(jobs)), f"{took_here:.1f}", f"{took:.1f}"]
        cells.append("-" if None in inside else f"{sum(filter(None, inside)):.1f}")
        cells += [f"{paid[what][-1]:.1f}", f"{os.getloadavg()[0]:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
    for what, each in paid.items():
        print(f"\nA job of `{what}` costs {median(each):.1f} s.")


if __name__ == "__main__":
    main()
