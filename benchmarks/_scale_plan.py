"""Bytes, files, memory, hours and cost of a run of any size, from rates and the code's sizes."""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import apache_beam as beam
import numpy as np

from benchmarks._scale_rates import Rates
from negmine.transforms.data.blocks import plan_blocks
from negmine.transforms.data.parts import CreateBlocks
from negmine.transforms.sources.search import SearchShards, plan_shards

HOUR = 3600.0
_COPIED = 1e9
"""Bytes a second from a store to a worker's disk: assumed."""


@dataclass(frozen=True)
class Setting:
    """What is asked, and on what; prices in dollars, every one of them to be replaced by yours."""

    documents: int
    queries: int
    width: int = 384
    characters: int = 360
    depth: int = 100
    random: int = 20
    quota: int = 5
    block: int = 512
    embedded: int = 8192
    shard: int = 4_194_304
    ann_share: float = 0.12
    cores: int = 16
    processes: int = 8
    memory: float = 128e9
    disk: float = 3e12
    workers: int = 100
    machine_price: float = 0.91184
    gpu_price: float = 4.29
    storage_price: float = 0.02
    shuffle_price: float = 0.011
    disk_price: float = 0.000054
    documents_a_second: float = 3000.0
    pairs_a_second: float = 5000.0
    job_start: float = 180.0

    @property
    def shards(self) -> int:
        """Shards of documents."""
        return len(plan_shards(self.documents, -(-self.documents // self.shard)))

    @property
    def blocks(self) -> int:
        """Blocks of queries."""
        return -(-self.queries // self.block)

    @property
    def candidates(self) -> int:
        """Candidates of a query when no two sources agree."""
        return 2 * self.depth + self.random


@dataclass(frozen=True)
class Step:
    """A step of the plan; `seconds` are of one core, or of one GPU where it says so.

    Attributes:
        tasks: pieces that workers take, one after another; 1 for what one process does.
        held: bytes of memory of a worker process, mapped pages left out.
        local: bytes that each worker copies to its own disk.
        shuffled: bytes that go through the engine's shuffle.
    """

    name: str
    seconds: float
    tasks: int
    held: float
    local: float = 0.0
    shuffled: float = 0.0
    gpu: bool = False
    note: str = ""


def data_sets(s: Setting, rates: Rates) -> dict[str, tuple[float, int]]:
    """Bytes and files of what stays in the work directory and of what is published."""
    parts = -(-s.documents // s.embedded)
    made: dict[str, tuple[float, int]] = {}
    for stage, each in rates.document_bytes.items():
        made[stage] = each * s.documents, parts
    for stage, each in rates.query_bytes.items():
        made[stage] = each * s.queries, s.blocks
    partial = 12.0 * s.shards * s.queries * s.depth
    made["partial results of a source, until merged"] = partial, s.shards * s.blocks
    return made


def steps(s: Setting, rates: Rates, postings: float) -> Iterator[Step]:
    """The steps of a run with an index, both sources and a cross-encoder.

    `postings` are those of a document.
    """

    def at(name: str) -> float:
        return rates.steps[name].seconds(s.documents, s.queries)

    vectors, texts = 4.0 * s.width * s.documents, float(s.characters) * s.documents
    shuffled = 12.0 * s.shards * s.queries * s.depth
    tasks = s.shards * -(-s.blocks // 64)
    lengths = 8.0 * s.documents
    yield Step("ingest", at("ingest"), 1, 2.6e9, note="one DuckDB; reading is spread over files")
    embedded = s.documents / s.documents_a_second
    parts = -(-s.documents // s.embedded)
    yield Step("embed", embedded, parts, 2e9, gpu=True, note="documents a second: a parameter")
    yield Step("index bm25", at("index bm25"), parts, 1e9)
    held = lengths + 24 * postings * s.shard
    local = (8 * postings + 8) * s.documents
    yield Step("retrieve bm25", at("retrieve bm25"), tasks, held, local, shuffled)
    dense = at("retrieve dense")
    held = 4.0 * s.width * s.shard / 16 + 2e9
    yield Step("retrieve dense, flat", dense, tasks, held, vectors, shuffled)
    share = s.ann_share * dense
    yield Step("retrieve dense, ivfpq", share, tasks, held, vectors, shuffled, note="instead")
    features = at("judge") + at("retrieve random")
    yield Step("judge: features", features, s.blocks, 3e9, vectors + texts)
    least = s.queries * (1 + s.quota) / s.pairs_a_second
    yield Step("judge: pairs, least", least, s.blocks, 3e9, texts, gpu=True, note="a quota each")
    most = s.queries * s.candidates / s.pairs_a_second
    yield Step("judge: pairs, most", most, s.blocks, 3e9, texts, gpu=True, note="instead")
    yield Step("select", at("select"), s.blocks, 2e9, vectors)
    published = -(-s.queries // 8192)
    yield Step("publish", at("publish"), published, 3e9, texts, note="metrics: one process")


def hours(step: Step, s: Setting, seed: int = 0) -> float:
    """Hours until the last task of a step ends, by `simulated`, with the start of its job."""
    slots = s.workers * (1 if step.gpu else s.cores)
    copying = step.local / _COPIED
    working = simulated(step.tasks, slots, step.seconds / max(step.tasks, 1), seed)
    return (s.job_start + copying + working) / HOUR


def simulated(tasks: int, slots: int, seconds: float, seed: int = 0, spread: float = 0.3) -> float:
    """Seconds until all tasks are done: each free slot takes the next one.

    A task's time is log-normal with the mean `seconds`; one in a thousand is lost with its worker
    and done again. More than 200,000 tasks are drawn in as many groups.
    """
    group = -(-tasks // 200_000)
    count = -(-tasks // group)
    rng = np.random.default_rng(seed)
    taken = rng.lognormal(-(spread**2) / 2, spread / math.sqrt(group), count) * seconds * group
    taken *= np.where(rng.random(count) < 0.001, 2.0, 1.0)
    free = [0.0] * min(slots, count)
    for time in taken:
        heapq.heapreplace(free, free[0] + float(time))
    return max(free)


@dataclass
class _Nothing:
    """Stands for a searcher: its bytes are in the graph of any size."""

    shared = False

    empty: tuple[int, ...] = field(default=())


def graph_bytes(s: Setting) -> dict[str, int]:
    """Bytes of the graphs that grow with the run, of graphs built as they are submitted."""

    def size(stage: beam.PTransform) -> int:
        pipeline = beam.Pipeline(runner="PortableRunner")
        _ = pipeline | stage
        return int(pipeline.to_runner_api().ByteSize())

    shards = plan_shards(s.documents, s.shards)
    blocks = plan_blocks(s.queries, s.block)
    search: object = SearchShards(_Nothing(), shards, blocks, s.depth)  # type: ignore[arg-type]
    return {
        "embed": size(CreateBlocks(plan_blocks(s.documents, s.embedded))),
        "retrieve": size(search),
        "judge": size(CreateBlocks(blocks)),
    }


def cost(step: Step, s: Setting) -> float:
    """Dollars: work, copying, disks of the workers as long as it takes, and the shuffle."""
    price = s.gpu_price if step.gpu else s.machine_price
    working = step.seconds / HOUR * (price if step.gpu else price / s.cores)
    copying = step.local / _COPIED / HOUR * s.workers * price
    disks = step.local / 1e9 * s.workers * hours(step, s) * s.disk_price
    return working + copying + disks + step.shuffled / 1e9 * s.shuffle_price


def breaks(s: Setting, found: Sequence[Step], graphs: dict[str, int]) -> list[str]:
    """What a worker, a folder or an engine cannot take, the worst first."""
    faults: list[tuple[float, str]] = []
    for step in found:
        if step.local > s.disk:
            share = step.local / s.disk
            faults.append((share, f"{step.name}: each worker copies {step.local / 1e12:.1f} TB"))
        processes = 1 if step.gpu else s.processes
        if step.held * processes > s.memory:
            share = step.held * processes / s.memory
            said = f"{step.name}: {processes} processes hold {step.held * processes / 1e9:.0f} GB"
            faults.append((share, said))
        if step.tasks == 1 and step.seconds > HOUR:
            faults.append((step.seconds / HOUR, f"{step.name}: one process works that many hours"))
    files = s.shards * s.blocks
    if files > 10_000_000:
        faults.append((files / 1e7, f"retrieve: {files:,} partial results are a file each"))
    for name, size in graphs.items():
        if size > 10_000_000:
            faults.append((size / 1e7, f"{name}: a graph of {size:,} bytes"))
    return [f"{text} ({share:.1f} times what is there)" for share, text in sorted(faults)[::-1]]
