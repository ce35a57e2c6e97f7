"""The same run here and on a cluster that `cluster.py up` started: one row of a table.

    python benchmarks/cluster/run.py FOLDER COLLECTION --out DIR [--split train] [--judge fusion]
        [--limit N] [--block-size N] [--set KEY=VALUE ...] [--reuse]

COLLECTION is `stdlib`, a folder in BEIR layout, or a config (.yaml). Prints wall seconds of both,
the jobs, how much of the time lies in the engine's jobs, the elements (on Spark: tasks) that each
of its workers read, the machine's load before and after, and whether all that is published has the
same SHA-256; exit status 1 where it has not. `--reuse` takes the local run that lies in DIR.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks._whole_runs import RUN_ID, digest, mine
from benchmarks.cluster.cluster import options
from benchmarks.cluster.engines import engine
from benchmarks.cluster.processes import load
from benchmarks.cluster.versions import VERSIONS

PUBLISHED = ("negatives", "positives", "ledger", "sets", "metrics.parquet")
HEADINGS = (
    "engine | Beam here, there | collection | here s | there s | in jobs s | jobs | read | load "
    "| SHA-256"
)


def settings(given: argparse.Namespace) -> list[str]:
    """What a run of the arguments sets."""
    found = [f"output.run_id={RUN_ID}", f"runner.block_size={given.block_size}"]
    if Path(given.collection).is_dir():
        found.append(f"input.split={given.split}")
    if given.limit:
        found.append(f"input.limit={given.limit}")
    return [*found, f"judge.kind={given.judge}"] if given.judge else found


def collection_of(given: argparse.Namespace) -> Path:
    """What is mined, by the name that `negmine mine` takes."""
    name = Path(given.collection)
    return name if given.collection == "stdlib" else name.resolve()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("collection")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--judge")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--block-size", type=int, default=64)
    parser.add_argument("--set", action="append", default=[], help="as of negmine mine")
    parser.add_argument("--reuse", action="store_true")
    given = parser.parse_args()
    folder, out = given.folder.resolve(), given.out.resolve()
    collection, wanted = collection_of(given), [*settings(given), *given.set]
    cluster = load(folder)
    asked = engine(cluster.engine)
    workers = sum(name[-1].isdigit() for name in cluster.processes) or 1
    before, load_before = len(asked.done(cluster, folder)), os.getloadavg()[0]

    here = 0.0 if given.reuse else mine(collection, out / "here", wanted)
    there = mine(collection, out / "there", wanted, options(cluster, folder, workers))

    import apache_beam

    made = asked.done(cluster, folder)[before:]
    seconds = [job.seconds for job in made]
    read: Counter[str] = Counter()
    for job in made:
        read.update(job.read)
    expected, found = (digest(out / name, *PUBLISHED) for name in ("here", "there"))
    named = [Path(given.collection).name, given.limit, given.judge, *given.set]
    cells = [
        f"{VERSIONS[cluster.engine].name} {cluster.version}",
        f"{apache_beam.__version__}, {cluster.beam}",
        " ".join(map(str, filter(None, named))),
        f"{here:.0f}",
        f"{there:.0f}",
        "-" if None in seconds else f"{sum(filter(None, seconds)):.0f}",
        str(len(made)),
        ", ".join(f"{name} {count}" for name, count in sorted(read.items())) or "-",
        f"{load_before:.0f} to {os.getloadavg()[0]:.0f}",
        f"{found[:12]}, {'the same' if found == expected else f'NOT {expected[:12]}'}",
    ]
    print(f"| {HEADINGS} |\n|{'---|' * len(cells)}\n| {' | '.join(cells)} |")
    return int(found != expected)


if __name__ == "__main__":
    sys.exit(main())
