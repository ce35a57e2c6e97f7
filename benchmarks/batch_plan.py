"""Batches of `negmine batches` beside random ones: hardness, false negatives, and the gain.

    python benchmarks/batch_plan.py data/cranfield --division one-known --out DIR
    python benchmarks/batch_plan.py data/scifact --out DIR --student all-MiniLM-L6-v2 --epochs 3

FOLDER, divisions and students are those of training_gain.py. With one known positive a query a
hidden one among a query's in-batch negatives is a false negative. The student is then trained on
the same pairs for as many steps by each kind of batch, and nDCG@10 paired by query; results are
lines as of training_gain.py.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gain.collection import Collection, read_collection, read_qrels
from benchmarks.gain.jobs import append_line
from benchmarks.gain.losses import SCALE
from benchmarks.gain.negative_sets import NegativeSet, published
from benchmarks.gain.students import StaticStudent, TransformerStudent, static_folder
from benchmarks.gain.table import gains, markdown
from benchmarks.gain.training import Packed, evaluate, masked_positives
from benchmarks.training_gain import folder_of, mined
from negmine.jobs.batches.collect import Collected, collect
from negmine.jobs.runs.published import Run, find_run
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.batching.cosines import UNIT, whole
from negmine.transforms.kernels.batching.epochs import TrainingPairs, compose
from negmine.transforms.kernels.batching.suspects import Suspects

Batch = tuple[np.ndarray, np.ndarray]
"""Rows of the pairs (b,), and (b, b) bool: what is no negative of each."""

SEED = 42


@dataclass(frozen=True)
class Method:
    """How batches are made: `hardness` of the plan, 0 = chance; whether the plan masks."""

    name: str
    hardness: float
    masks: bool


METHODS = (
    Method("random", 0.0, False),
    Method("random, masked", 0.0, True),
    Method("plan, hardness 0.25", 0.25, True),
    Method("plan, hardness 0.5", 0.5, True),
    Method("plan, hardness 1", 1.0, True),
)


@dataclass(frozen=True)
class Bench:
    """A run's pairs; `relevant` (query_ix, doc_ix) are all judged, `known` those alone."""

    found: Collected
    known: Suspects
    relevant: set[tuple[int, int]]

    def batches(
        self, method: Method, rows: np.ndarray, size: int, seed: int, epoch: int
    ) -> list[Batch]:
        """Batches of some pairs, with what counts as no negative; rows are those of the run."""
        one = self.found.pairs
        pairs = TrainingPairs(one.query[rows], one.document[rows], one.text[rows], one.key[rows])
        chance = not method.hardness and not method.masks
        order = compose(
            pairs, self.found.queries, self.found.documents,
            self.known if chance else self.found.apart, size, method.hardness, seed, epoch,
        )  # fmt: skip
        left, right = pairs.in_one_batch(
            self.found.masked if method.masks else self.known, order, size
        )
        made = []
        for start in range(0, len(order), size):
            some = order[start : start + size]
            mask = np.zeros((len(some), len(some)), dtype=bool)
            at = slice(*np.searchsorted(left, [start, start + size]))
            mask[left[at] - start, right[at] - start] = True
            made.append((rows[some], mask))
        return made

    def measure(self, batches: Sequence[Batch]) -> list[float]:
        """Mean and greatest cosine of a query with the others' positives that count as negatives,
        their share of the softmax, false negatives and masked positives; means over queries.
        """
        found = []
        for rows, mask in batches:
            queries, docs = self.found.pairs.query[rows], self.found.pairs.document[rows]
            near = (
                whole(self.found.queries[queries]) @ whole(self.found.documents[docs]).T / UNIT**2
            )
            for at, query in enumerate(queries.tolist()):
                counted = ~mask[at]
                counted[at] = False
                if not counted.any():
                    continue
                others = near[at][counted]
                odds = float(np.exp(SCALE * (others - near[at, at])).sum())
                false = sum((query, doc) in self.relevant for doc in docs[counted].tolist())
                found.append(
                    [others.mean(), others.max(), odds / (1 + odds), false, int(mask[at].sum())]
                )
        return np.mean(found, axis=0).tolist()


def reachable(bench: Bench, size: int) -> float:
    """Mean cosine were each query with the `size` - 1 positives nearest to it, which none may be
    together with: no batches of these pairs are harder.
    """
    pairs = bench.found.pairs
    near = whole(bench.found.queries[pairs.query]) @ whole(bench.found.documents[pairs.document]).T
    own = bench.known
    rows, others = pairs.in_one_batch(own, np.arange(len(pairs)), len(pairs))
    near[rows, others] = -np.inf
    np.fill_diagonal(near, -np.inf)
    best = -np.partition(-near, size - 1, axis=1)[:, : size - 1]
    return float(best[np.isfinite(best)].mean()) / UNIT**2


def identifiers(run: Run, name: str, column: str) -> list[str]:
    return list(Dataset(str(run.artifacts()[name])).read([column])[column].to_pylist())


def open_bench(run: Run, collection: Collection, given: argparse.Namespace) -> Bench:
    found = collect(run, given.masked_from)
    queries, docs = identifiers(run, "queries", "query_id"), identifiers(run, "documents", "doc_id")
    at = {doc: number for number, doc in enumerate(docs)}
    positives = collection.relevant
    if given.division == "split":
        positives = read_qrels(given.folder / "qrels" / f"{given.train}.tsv")
    relevant = {
        (number, at[doc])
        for number, query in enumerate(queries)
        for doc in positives.get(query, ())
        if doc in at
    }
    pairs = found.pairs
    texts = int(pairs.text.max()) + 1
    known = Suspects.of(pairs.query, pairs.text, len(queries), texts)
    return Bench(found, known, relevant)


def hardness_table(bench: Bench, given: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown."""
    yield "| batch | | mean cosine | x random | greatest | softmax | false negatives | masked |"
    yield "|---:|---|---:|---:|---:|---:|---:|---:|"
    everything = np.arange(len(bench.found.pairs))
    for size in given.sizes:
        base = 0.0
        for method in METHODS:
            epochs = [
                bench.measure(bench.batches(method, everything, size, SEED, epoch))
                for epoch in range(given.measured)
            ]
            mean, most, share, false, masked = np.mean(epochs, axis=0)
            base = base or mean
            yield (
                f"| {size} | {method.name} | {mean:.3f} | {mean / base:.2f} | {most:.3f} | "
                f"{share:.3f} | {false:.3f} | {masked:.2f} |"
            )
        if len(everything) < 10_000:
            bound = reachable(bench, size)
            told = f"{bound:.3f} | {bound / base:.2f}"
            yield f"| {size} | each with its own nearest | {told} | | | | |"


@dataclass(frozen=True)
class Trainer:
    """A student and the pairs of a bench as rows of its texts."""

    packed: Packed
    query: np.ndarray
    document: np.ndarray

    @classmethod
    def of(cls, bench: Bench, packed: Packed) -> "Trainer":
        ids = bench.found.ids
        queries = [packed.query_row[name] for name in ids["query_id"].to_pylist()]
        documents = [packed.document_row[name] for name in ids["positive_id"].to_pylist()]
        return cls(packed, np.array(queries), np.array(documents))

    def train(
        self, epochs: Iterator[list[Batch]], negatives: NegativeSet, count: int, steps: int
    ) -> None:
        """`steps` steps of InfoNCE over in-batch positives and `count` negatives a query."""
        student = self.packed.student
        listed = self.packed.negatives(negatives)
        none = np.empty(0, dtype=np.int64)
        taken = 0
        for batches in epochs:
            for rows, hidden in batches:
                if len(rows) < 2 or taken == steps:
                    continue
                query = self.query[rows]
                own = [listed.get(name, none)[:count] for name in query.tolist()]
                columns = np.concatenate([self.document[rows], *own])
                masked = masked_positives(query, columns, self.packed.known)
                masked[:, : len(rows)] |= hidden
                cosine = student.cosines(self.packed.queries, query, self.packed.documents, columns)
                logits = SCALE * cosine.masked_fill(
                    torch.from_numpy(masked).to(cosine.device), -1e4
                )
                target = torch.arange(len(rows), device=cosine.device)
                student.step(functional.cross_entropy(logits, target), taken / steps)
                taken += 1


def gain(run: Run, bench: Bench, packed: Packed, given: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown: nDCG@10 after training on each method's batches."""
    trainer, collection = Trainer.of(bench, packed), packed.collection
    asked = np.array(bench.found.ids["query_id"].to_pylist())
    file = given.out / f"{collection.name}-batches-{Path(given.student).name}.jsonl"
    for count in given.negatives:
        lines = []
        for seed in range(given.seeds):
            for fold in range(collection.folds or 1):
                _, held = collection.divide(fold)
                rows = np.arange(len(asked))
                if collection.folds:
                    rows = np.flatnonzero(~np.isin(asked, held))
                steps = given.epochs * -(-len(rows) // given.sizes[0])
                for method in METHODS:
                    packed.student.begin(seed)
                    epochs = (
                        bench.batches(method, rows, given.sizes[0], seed, epoch)
                        for epoch in range(given.epochs)
                    )
                    trainer.train(epochs, published(run.path) if count else {}, count, steps)
                    line = {"collection": collection.name, "student": given.student,
                            "set": method.name, "negatives": count, "seed": seed, "fold": fold,
                            "ndcg": evaluate(packed, held)}  # fmt: skip
                    append_line(file, line)
                    lines.append(line)
        yield f"{count} mined negatives a pair:\n"
        yield markdown(gains(lines, METHODS[0].name), METHODS[0].name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a BEIR folder")
    parser.add_argument("--out", type=Path, default=Path("bench-batches"), metavar="DIR")
    parser.add_argument("--division", choices=("split", "folds", "one-known"), default="split")
    parser.add_argument("--train", default="train", help="split to train on")
    parser.add_argument("--test", default="test", help="split to evaluate on, or to cut into folds")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--queries", type=int, help="training queries, drawn by keyed hash")
    parser.add_argument("--student", default="static", help="static, or a model's folder or name")
    parser.add_argument("--longest", type=int, default=256, help="tokens that a transformer reads")
    parser.add_argument("--set", action="append", default=[], help="setting of the run")
    parser.add_argument("--masked-from", type=float, default=0.7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32], help="trained: the first")
    parser.add_argument("--measured", type=int, default=6, help="epochs that are measured")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--negatives", type=int, nargs="*", default=[0], help="mined ones a pair")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    division = (given.train, given.test, given.folds, given.queries)
    collection = read_collection(given.folder, given.division, given.out, *division)
    static = given.student == "static"
    base = static_folder(given.out / "static") if static else folder_of(given.student)
    run = find_run(str(mined(collection, given, str(base) if static else given.student, "")))
    bench = open_bench(run, collection, given)
    print(
        f"{given.folder}: {len(bench.found.pairs):,} pairs, {len(bench.relevant):,} judged",
        flush=True,
    )
    for line in hardness_table(bench, given):
        print(line, flush=True)
    student = StaticStudent(base) if static else TransformerStudent(base, longest=given.longest)
    for line in gain(run, bench, Packed(collection, student), given):
        print(line, flush=True)


if __name__ == "__main__":
    main()
