"""What a run costs against the size of the corpus and the number of queries, stage by stage.

    python benchmarks/scaling.py [--sizes 10000,100000,1000000] [--queries 1000,10000]
                                 [--depth 100] [--out DIR] [--keep] [--set KEY=VALUE]

Zipf text, given vectors of 384 numbers, one positive a query, BM25 and dense candidates to the
depth and 20 random ones, no judge. Every run is a process of its own whose memory is sampled from
outside. Sizes are run with the most queries, numbers of queries with the last size but one. The
tables are Markdown. --keep leaves the runs in DIR, which is 15 GB for a million documents.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._memory import Held, run  # noqa: E402
from benchmarks._scaling_data import Collection  # noqa: E402

PART, WHOLE = "retrieve to publish", "whole run"
_PACKAGES = ("apache-beam", "pyarrow", "numpy", "scipy", "faiss-cpu", "duckdb")


@dataclass(frozen=True)
class Cost:
    """Seconds and peak memory of the steps of one run, and of `retrieve to publish` and all.

    `cpu` are seconds of all cores, which other work on the machine disturbs less.
    """

    documents: int
    queries: int
    seconds: dict[str, float]
    cpu: dict[str, float]
    peak: dict[str, Held]


def measure(
    documents: int, queries: int, depth: int, folder: Path, keep: bool, settings: Sequence[str] = ()
) -> Cost:
    """Make the collection and mine it in a process of its own."""
    place = folder / f"{documents}x{queries}"
    collection = Collection(place / "collection", documents, queries)
    collection.write()
    shutil.rmtree(place / "out", ignore_errors=True)
    values = {
        **collection.config(),
        "sources": {"bm25": {"depth": depth}, "dense": {"depth": depth}, "random": {"count": 20}},
        "judge": {"kind": "none"},
        "output": {"path": str(place / "out"), "run_id": "run"},
    }
    (place / "run.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    marks = place / "marks.jsonl"
    script = str(ROOT / "benchmarks" / "_scaling_run.py")
    command = [sys.executable, script, str(place / "run.yaml"), str(marks), *settings]
    sampled = run(command, place / "log", ROOT)
    steps = [json.loads(line) for line in marks.read_text().splitlines()]
    spans = {step["step"]: (step["began"], step["ended"]) for step in steps}
    first = next(name for name in spans if name.startswith(("index", "retrieve")))
    last = steps[-1]["ended"]
    cpu = {step["step"]: float(step["cpu"]) for step in steps}
    names = list(spans)
    for name, start in ((PART, first), (WHOLE, names[0])):
        spans[name] = (spans[start][0], last)
        cpu[name] = sum(cpu[step] for step in names[names.index(start) :])
    if not keep:
        shutil.rmtree(place)
    return Cost(
        documents,
        queries,
        {name: ended - began for name, (began, ended) in spans.items()},
        cpu,
        {name: sampled.peak(*span) for name, span in spans.items()},
    )


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log seconds against log size, by least squares; NaN for fewer than two sizes."""
    if len(sizes) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(np.maximum(seconds, 1e-3)), 1)[0])


def table(costs: Sequence[Cost], by: str) -> str:
    """Seconds of each step (CPU), and the exponents of both from each size to the largest."""
    sizes = [getattr(cost, by) for cost in costs]
    heads = [f"{size:,} s (CPU)" for size in sizes]
    heads += [f"exponent {size:,} to {sizes[-1]:,} (CPU)" for size in reversed(sizes[:-1])]
    lines = [["step", *heads], ["---", *["---:"] * len(heads)]]
    for step in costs[-1].seconds:
        wall, cpu = ([taken[step] for taken in t] for t in zip(*map(_taken, costs), strict=True))
        cells = [f"{a:.1f} ({b:.1f})" for a, b in zip(wall, cpu, strict=True)]
        for i in reversed(range(len(sizes) - 1)):
            slopes = (exponent(sizes[i:], taken[i:]) for taken in (wall, cpu))
            cells.append("{:.2f} ({:.2f})".format(*slopes))
        lines.append([step, *cells])
    return _markdown(lines)


def _taken(cost: Cost) -> tuple[dict[str, float], dict[str, float]]:
    return cost.seconds, cost.cpu


def memory_table(costs: Sequence[Cost], by: str) -> str:
    """Peak PSS of each step for each size in MiB, of it anonymous; RSS of the largest size."""
    sizes = [getattr(cost, by) for cost in costs]
    heads = [f"{size:,} PSS (anonymous)" for size in sizes] + [f"{sizes[-1]:,} RSS"]
    lines = [["step, MiB", *heads], ["---", *["---:"] * len(heads)]]
    for step in costs[-1].peak:
        peaks = [cost.peak[step] for cost in costs]
        cells = [f"{p.pss / 2**20:,.0f} ({p.anonymous / 2**20:,.0f})" for p in peaks]
        lines.append([step, *cells, f"{peaks[-1].rss / 2**20:,.0f}"])
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """The machine and the versions, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores ({platform.machine()}), {memory:.0f} GiB; Python "
        f"{platform.python_version()}, {packages}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--queries", default="1000,10000")
    parser.add_argument("--depth", type=int, default=100)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    sizes = sorted(map(int, arguments.sizes.split(",")))
    asked = sorted(map(int, arguments.queries.split(",")))
    folder = arguments.out or Path(tempfile.mkdtemp(prefix="negmine-scaling-"))

    def cost(documents: int, queries: int) -> Cost:
        most = min(queries, documents)
        return measure(documents, most, arguments.depth, folder, arguments.keep, arguments.set)

    command = " ".join(["python benchmarks/scaling.py", *sys.argv[1:]])
    print(f"{date.today()}, {machine()}\n\n    {command}\n")
    by_size = {size: cost(size, asked[-1]) for size in sizes}
    costs = list(by_size.values())
    print(f"{asked[-1]:,} queries, by documents\n\n{table(costs, 'documents')}\n")
    print(f"{memory_table(costs, 'documents')}\n")
    if len(asked) > 1:
        size = sizes[-2] if len(sizes) > 1 else sizes[-1]
        costs = [*(cost(size, queries) for queries in asked[:-1]), by_size[size]]
        print(f"{size:,} documents, by queries\n\n{table(costs, 'queries')}\n")
        print(f"{memory_table(costs, 'queries')}")


if __name__ == "__main__":
    main()
