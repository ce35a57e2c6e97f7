"""Speed and memory beside other miners and search libraries, on this machine, in turn.

    python benchmarks/peers.py --out bench [--only dense,bm25:bm25s] [--repeats 3]
    python benchmarks/peers.py --out bench --table

Parts: end_to_end, cross_encoder, threshold, dense, bm25, encoder, startup. Every run is a process
of its own and leaves one JSON file, so the same command goes on where it was cut; --table prints
Markdown of what is there.
"""

import argparse
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._paired import Case, measure
from benchmarks._paired_table import selected, table
from benchmarks._peer_bench import Bench
from benchmarks._peer_cases import PARTS
from benchmarks._peer_data import CROSS_ENCODERS


def hard_negatives() -> str:
    """Whether the PyPI package hard-negatives can take part."""
    if importlib.util.find_spec("hard_negatives") is None:
        version = ".".join(map(str, sys.version_info[:2]))
        return (
            "hard-negatives (PyPI, 0.1.10) was not compared: it cannot be imported here "
            f"(Python {version}; it needs 3.12 or later)."
        )
    return "hard-negatives is installed, and no comparison with it is written yet."


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("out/benchmarks/peers"), help="folder of raw results")
    add("--only", default="", help="parts, or part:case, separated by commas")
    add("--repeats", type=int, default=3, help="pairs of runs")
    add("--threads", type=int, default=os.cpu_count(), help="of each side")
    add("--table", action="store_true", help="print Markdown of what was measured; run nothing")
    add("--collection", default="data/scifact", help="BEIR folder of the miners and encoders")
    add("--split", default="train", help="its qrels")
    add("--lexical", default="data/wordnet31", help="BEIR folder of the BM25 part")
    add("--lexical-split", default="train", help="its qrels")
    add("--student", default="all-MiniLM-L6-v2", help="encoder of both sides")
    add("--judge-size", choices=list(CROSS_ENCODERS), default="minilm-l6", help="cross-encoder")
    add("--queries", type=int, default=100, help="of the cross_encoder part")
    add("--documents", type=int, default=1000, help="of the encoder part")
    add("--vectors", type=int, default=100_000, help="documents of the dense part")
    add("--dimension", type=int, default=384, help="of the dense part")
    add("--searches", type=int, default=5000, help="queries of the dense and bm25 parts")
    add("--depth", type=int, default=100, help="k of the searches, depth of cross_encoder")
    return parser.parse_args(words)


def _cases(bench: Bench, wanted: Sequence[str]) -> Iterator[Case]:
    known = {name.split(":")[0] for name in wanted}
    if unknown := known - set(PARTS):
        raise SystemExit(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    for part, make in PARTS.items():
        if not known or part in known:
            yield from (case for case in make(bench) if selected(part, case.name, wanted))


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is missing, then print the table."""
    given = parse(words)
    wanted = [name for name in given.only.split(",") if name]
    given.out = given.out.resolve()
    if not given.table:
        options = {
            name: value for name, value in vars(given).items() if name in Bench.__dataclass_fields__
        }
        for name in ("collection", "lexical"):
            options[name] = str(Path(options[name]).resolve())
        for case in _cases(Bench(**options), wanted):
            measure(case, given.out, given.repeats, given.threads)
    print(table(given.out, wanted))
    print(f"\n{hard_negatives()}")


if __name__ == "__main__":
    main()
