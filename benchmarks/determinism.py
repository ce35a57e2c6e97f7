"""The same bytes from every runner, block size and number of shards, on one kind of processor.

    python benchmarks/determinism.py COLLECTION [--split train] [--out DIR] [--variants 1,2,...]

COLLECTION is a folder in BEIR layout. Each variant is a whole run with a work directory of its
own; PortableRunner's workers are processes behind Beam's Python job service. Prints a Markdown
table; exit status 1 unless every variant published the same bytes.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._whole_runs import digest, mine, worker_services, write_config


@dataclass(frozen=True)
class Variant:
    """What must not change the result."""

    runner: str
    block_size: int
    shards: int

    @property
    def name(self) -> str:
        blocks = f"blocks of {self.block_size}"
        return f"{self.runner}, {blocks}, {self.shards} shard{'s' * (self.shards > 1)}"


VARIANTS = (
    Variant("FnApiRunner", 512, 1),
    Variant("FnApiRunner", 100, 3),
    Variant("FnApiRunner", 2048, 8),
    Variant("PortableRunner", 512, 1),
    Variant("PortableRunner", 512, 3),
)
PUBLISHED = (("negatives",), ("positives",), ("ledger", "sets"), ("metrics.parquet",))


@dataclass(frozen=True)
class Result:
    """Seconds of a variant's run and the SHA-256 of each of PUBLISHED."""

    variant: Variant
    seconds: float
    digests: tuple[str, ...]

    def row(self) -> str:
        cells = [self.variant.name, f"{self.seconds:.0f}", *(f"`{d[:16]}`" for d in self.digests)]
        return f"| {' | '.join(cells)} |"


def run(variant: Variant, config: Path, out: Path) -> Result:
    """Mine with one variant in an empty folder below `out`."""
    output = out / f"{variant.runner}-{variant.block_size}-{variant.shards}"
    shutil.rmtree(output, ignore_errors=True)
    settings = [f"runner.block_size={variant.block_size}"]
    settings += [f"sources.{source}.shards={variant.shards}" for source in ("bm25", "dense")]
    if variant.runner == "FnApiRunner":
        seconds = mine(config, output, settings)
    else:
        with worker_services(output) as beam:
            seconds = mine(config, output, settings, beam)
    return Result(variant, seconds, tuple(digest(output, *names) for names in PUBLISHED))


def compare(variants: Sequence[Variant], config: Path, out: Path) -> bool:
    """Run the variants, print the table and the verdict; whether all published the same bytes."""
    headings = ["variant", "seconds", *(f"SHA-256 of {' + '.join(names)}" for names in PUBLISHED)]
    print(f"| {' | '.join(headings)} |\n|---|---:|{'---|' * len(PUBLISHED)}", flush=True)
    found = set()
    for variant in variants:
        result = run(variant, config, out)
        print(result.row(), flush=True)
        found.add(result.digests)
    same = len(found) == 1
    print(f"\n{'same bytes' if same else 'NOT the same bytes'} in {len(variants)} whole runs")
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, default=Path("out/determinism"))
    parser.add_argument("--student", default="all-MiniLM-L6-v2")
    parser.add_argument("--judge", default="fusion")
    parser.add_argument("--variants", default=",".join(map(str, range(1, len(VARIANTS) + 1))))
    given = parser.parse_args()
    out = given.out.resolve()
    config = write_config(
        out / "run.yaml", given.collection, given.split, given.student, given.judge, 512
    )
    chosen = [VARIANTS[int(number) - 1] for number in given.variants.split(",")]
    sys.exit(0 if compare(chosen, config, out) else 1)


if __name__ == "__main__":
    main()
