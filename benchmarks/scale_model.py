"""What a billion documents would take: a model with measured rates, checked against a larger run.

    python benchmarks/scale_model.py --measure [--out DIR]     # rates; five runs, the last a check
    python benchmarks/scale_model.py --documents 1e9 --queries 1e7 [--workers 100] [--shard 4194304]

Rates are CPU seconds of this machine, and are kept in benchmarks/scale_rates.json. Embedding and
judging on GPUs are not measured: --documents-a-second and --pairs-a-second are yours to say.
"""

import argparse
import shutil
import sys
import tempfile
from dataclasses import fields
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._scale_plan import (  # noqa: E402
    Setting,
    breaks,
    cost,
    data_sets,
    graph_bytes,
    hours,
    steps,
)
from benchmarks._scale_rates import Rates, bytes_a_row, measured  # noqa: E402
from benchmarks.scaling import machine  # noqa: E402

RATES = ROOT / "benchmarks" / "scale_rates.json"
SIZES = ((20_000, 1_000), (40_000, 1_000), (40_000, 4_000), (80_000, 2_000))
CHECK = (100_000, 4_000)
POSTINGS = 44.0
"""Different terms of a document of 60 words, as the collection of `scaling.py` has them."""


def measure(folder: Path) -> None:
    """Measure the rates, print how well they foretell the check, and keep them."""
    rates, errors, place = measured(SIZES, CHECK, 100, folder)
    work = place / "out" / "work"
    by_document = bytes_a_row(work, CHECK[0], ("ingest", "embed", "bm25_index"))
    by_query = bytes_a_row(work, CHECK[1], ("retrieve", "judge", "select"))
    by_query |= {"published": bytes_a_row(place / "out", CHECK[1], ("runs",))["runs"]}
    Rates(rates, by_document, by_query, f"{date.today()}, {machine()}").save(RATES)
    print(f"{CHECK[0]:,} documents, {CHECK[1]:,} queries, CPU seconds\n")
    print("| step | foretold | measured | error |\n|---|---:|---:|---:|")
    for step, (told, taken, error) in errors.items():
        print(f"| {step} | {told:.1f} | {taken:.1f} | {error:+.0%} |")


def size(value: float) -> str:
    """Bytes in decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def project(s: Setting, rates: Rates) -> None:
    """Print the plan."""
    print(f"{s.documents:,} documents, {s.queries:,} queries; rates of {rates.measured}\n")
    print(f"{s.shards:,} shards of {s.shard:,}, {s.blocks:,} blocks of {s.block} queries\n")
    print("| data set | bytes | files |\n|---|---:|---:|")
    for name, (held, files) in data_sets(s, rates).items():
        print(f"| {name} | {size(held)} | {files:,} |")
    heads = ("step", "hours of a core or GPU", "tasks", "a worker: memory, copied", "shuffled")
    heads += (f"hours with {s.workers} workers", "$", "")
    print(f"\n| {' | '.join(heads)} |\n|---|{'---:|' * 6}---|")
    found = list(steps(s, rates, POSTINGS))
    total = 0.0
    for step in found:
        unit = " GPU" if step.gpu else ""
        price = cost(step, s)
        total += 0 if step.note == "instead" else price
        print(
            f"| {step.name} | {step.seconds / 3600:,.1f}{unit} | {step.tasks:,} | "
            f"{size(step.held)}, {size(step.local)} | {size(step.shuffled)} | "
            f"{hours(step, s):,.1f} | {price:,.0f} | {step.note} |"
        )
    stored = sum(held for held, _ in data_sets(s, rates).values())
    print(f"\n${total:,.0f} of machines and shuffle without what stands `instead`; "
          f"${stored / 1e9 * s.storage_price:,.0f} a month of storage\n")  # fmt: skip
    graphs = graph_bytes(s)
    print("graphs: " + ", ".join(f"{name} {size(held)}" for name, held in graphs.items()) + "\n")
    for fault in breaks(s, found, graphs):
        print(f"- {fault}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--out", type=Path)
    for one in fields(Setting):
        needed = {"documents": 10**9, "queries": 10**7}.get(one.name, one.default)
        parser.add_argument(f"--{one.name.replace('_', '-')}", type=float, default=needed)
    given = parser.parse_args()
    if given.measure:
        folder = given.out or Path(tempfile.mkdtemp(prefix="negmine-scale-"))
        measure(folder)
        if given.out is None:
            shutil.rmtree(folder)
        return
    values = {f.name: f.type(getattr(given, f.name)) for f in fields(Setting)}  # type: ignore[operator]
    project(Setting(**values), Rates.load(RATES))


if __name__ == "__main__":
    main()
