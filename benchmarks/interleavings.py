"""Two commands that write in one output at once: what is lost, in so many orders of their steps.

    python benchmarks/interleavings.py [--count 200] [--seed 0] [--pairs WORD ...] [--out DIR]

The count is shared out to the pairs of `_written_at_once`. In each interleaving one command is
stopped at a step of its work on files, drawn by the seed, while the other one works, up to a step
of its own every second time; see `_interleaved`. --unlocked lets every lock be had, to see what
they are for. Prints a Markdown table; exit status 1 where something was lost.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}

import argparse
import importlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._interleaved import Ended, alone, in_child, interleaved
from benchmarks._written_at_once import Pair, decide, fixed, mine, pairs, prepare, sums
from negmine.transforms.kernels.hashing import mix

_MODULES = (
    "sentence_transformers",
    "apache_beam",
    "duckdb",
    "faiss",
    "negmine.jobs.cli.mining",
    "negmine.jobs.audit.run",
    "negmine.jobs.runner.pipeline",
    "negmine.jobs.workdir.gc",
    "negmine.jobs.workdir.doctor",
    "negmine.jobs.mining.run",
    "negmine.jobs.mining.publish",
    "negmine.jobs.runs.relabel",
    "negmine.jobs.runs.show",
    "negmine.pipelines.ingest",
    "negmine.pipelines.retrieve",
    "negmine.pipelines.stage",
    "negmine.transforms.choosing.publish",
    "negmine.transforms.choosing.score",
    "negmine.transforms.choosing.select",
    "negmine.transforms.data.query_tables",
    "negmine.transforms.judging.judge",
    "negmine.transforms.vectors.embed",
    "negmine.transforms.exporters",
    "negmine.transforms.metrics.measure",
    "negmine.transforms.models.encoder",
)
HEADINGS = ("pair", "interleavings", "waited", "refused", "lost")


@dataclass
class Counts:
    """What became of a pair's interleavings."""

    tried: int = 0
    waited: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    lost: int = 0


@dataclass
class Stage:
    """Folders of the benchmark: `base` of the inputs, `output` that is copied for each try."""

    root: Path
    locks: bool

    @property
    def base(self) -> Path:
        return self.root / "base"

    @property
    def output(self) -> Path:
        return self.base / "out"

    def copy(self) -> Path:
        """A fresh copy of the output."""
        target = self.root / "try"
        shutil.rmtree(target, ignore_errors=True)
        return Path(shutil.copytree(self.output, target / "out", symlinks=True))

    def run(self, words: list[str], output: Path) -> Ended:
        """A command that has to end well, by itself."""
        folder = self.root / "said"
        shutil.rmtree(folder, ignore_errors=True)
        ended = alone(words, output, folder)
        if ended.code:
            raise SystemExit(f"{' '.join(words)} ended with {ended.code}:\n{ended.err}")
        return ended

    def prepare(self, names: str) -> dict[str, Any]:
        """Make inputs and output, two runs and some labels; what undisturbed commands give.

        Of those that the named pairs need.
        """
        said = self.root / "said"
        in_child(lambda: prepare(self.base), said)
        for run in ("one", "two"):
            self.run(mine(self.base, run)(self.output), self.output)
        in_child(lambda: decide(self.output, self.base), said)
        like = {"plain": in_child(lambda: sums(self.output / "runs" / "one"), said)}

        def relabel(output: Path, name: str) -> None:
            decisions = str(self.base / f"decisions-{name}.jsonl")
            self.run(["relabel", f"{output}:one", decisions], output)

        relabel(self.output, "c")
        for kind in ("labels before", "labels after") if "relabel + mine" in names else ():
            output = self.copy()
            if kind == "labels after":
                relabel(output, "a")
            labels = f"input.labels={output / 'labels.jsonl'}"
            self.run(mine(self.base, "three", labels)(output), output)
            like[kind] = in_child(lambda at=output: sums(at / "runs" / "three"), said)
        output = self.copy()
        for audit in (p.first for p in pairs(self.base, {}) if p.name == "audit --fix + audit"):
            if "audit" in names:
                self.run(audit(output), output)
                like["fixed"] = in_child(lambda: fixed(output), said)
        return like

    def steps(self, pair: Pair) -> tuple[int, int]:
        """Steps of each command of a pair, by itself."""
        counts = []
        for command in (pair.first, pair.second):
            output = self.copy()
            counts.append(self.run(command(output), output).steps)
        return counts[0], counts[1]

    def interleave(self, pair: Pair, steps: tuple[int, int], key: int, place: float) -> Counts:
        """One interleaving: who stops where is drawn by `key`, near `place` in [0, 1)."""
        output, said = self.copy(), self.root / "said"
        shutil.rmtree(said, ignore_errors=True)
        swapped = key % 3 == 2
        words = [pair.first(output), pair.second(output)]
        one, two = (1, 0) if swapped else (0, 1)
        drawn = 1 + int(mix(key, 1) % steps[two])
        stops = (1 + int(place * steps[one]), drawn if key % 2 else None)
        found = interleaved(words[one], words[two], output, said, stops, self.locks)
        first, second = found[::-1] if swapped else found
        faults = in_child(lambda: pair.check(output, first, second), said)
        told = [f"{pair.name}, {'second' if swapped else 'first'} at {stops}: {f}" for f in faults]
        return Counts(
            tried=1,
            waited=int(first.waited or second.waited),
            refused=int(bool(first.code or second.code)),
            faults=told,
            lost=int(bool(faults)),
        )


def measure(stage: Stage, pair: Pair, count: int, seed: int) -> Counts:
    """All interleavings of a pair."""
    steps = stage.steps(pair)
    total: Counter[str] = Counter()
    faults: list[str] = []
    for at in range(count):
        key = int(mix(seed, at) >> 1) // 6 * 6 + at % 6
        found = stage.interleave(pair, steps, key, (at + (key % 1009) / 1009) / count)
        total.update(tried=1, waited=found.waited, refused=found.refused, lost=found.lost)
        faults += found.faults
    return Counts(total["tried"], total["waited"], total["refused"], faults, total["lost"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", nargs="*", default=[""], help="only those named so, in part")
    parser.add_argument("--out", type=Path, help="where to work; else a folder that is removed")
    parser.add_argument("--unlocked", action="store_true")
    chosen = parser.parse_args()
    for module in _MODULES:
        importlib.import_module(module)
    root = Path(chosen.out or tempfile.mkdtemp(prefix="interleavings-")).absolute()
    root.mkdir(parents=True, exist_ok=True)
    stage = Stage(root, not chosen.unlocked)
    started = time.monotonic()
    named = [p.name for p in pairs(stage.base, {}) if any(word in p.name for word in chosen.pairs)]
    like = stage.prepare("; ".join(named))
    wanted = [pair for pair in pairs(stage.base, like) if pair.name in named]
    print(f"| {' | '.join(HEADINGS)} |\n|---|{'---:|' * 4}", flush=True)
    faults, tried, lost = [], 0, 0
    for at, pair in enumerate(wanted):
        share = chosen.count * (at + 1) // len(wanted) - chosen.count * at // len(wanted)
        found = measure(stage, pair, share, chosen.seed)
        cells = (pair.name, found.tried, found.waited, found.refused, found.lost)
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        faults += found.faults
        tried, lost = tried + found.tried, lost + found.lost
    print(f"\n{tried} interleavings, {lost} with a loss, {time.monotonic() - started:.0f} s")
    for fault in faults:
        print(fault)
    if chosen.out is None:
        shutil.rmtree(root)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
