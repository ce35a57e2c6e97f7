"""Batches of `negmine batches` beside random ones: hardness, false negatives, and the gain.

    python benchmarks/batch_plan.py data/cranfield --split test --hide --out DIR --static
    python benchmarks/batch_plan.py data/scifact --split train --test test --out DIR --static

FOLDER is a BEIR folder. With --hide one positive a query stays known and the others are hidden, so
that a hidden one among a query's in-batch negatives is a false negative; evaluation is by folds
over the queries, with all positives. --static takes word vectors as the student, trains it on the
same pairs for as many steps, and prints nDCG@10 paired by query. --run takes a run that is there.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._batch_training import Batch, Task, Tokens, ndcg, paired, static_student, train
from benchmarks._hidden_positives import beir, read_positives, split_positives, write_reduced
from negmine.jobs.batches.collect import Collected, collect
from negmine.jobs.mining.publish import mine
from negmine.jobs.runs.published import Run, find_run
from negmine.schemas.config import Config
from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.sql import connect, partitioned_sql
from negmine.transforms.kernels.batching.cosines import UNIT, whole
from negmine.transforms.kernels.batching.epochs import TrainingPairs, compose
from negmine.transforms.kernels.batching.suspects import Suspects
from negmine.transforms.kernels.hashing import mix

SEED = 42
SCALE = 20.0


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


def mined(given: argparse.Namespace, out: Path) -> Run:
    """The run that is measured: a given one, or one mined now."""
    if given.run:
        return find_run(given.run)
    folder, split = given.folder, given.split
    if given.hide:
        positives = read_positives(folder, split, str(out / "read"))
        known, _ = split_positives(positives, "A", SEED)
        folder, split = str(write_reduced(folder, split, known, out / "known")), "known"
    model = static_student(out / "student") if given.static else given.model
    config = {
        "input": {**beir(folder, split).model_dump(), "limit": given.limit},
        "student": {"model": str(model)},
        "judge": {"kind": given.judge, **({"model": given.model} if given.judge != "none" else {})},
        "output": {"path": str(out / "mined")},
        "seed": SEED,
    }
    return mine(Config.model_validate(config))


def judged(folder: str, split: str) -> dict[str, set[str]]:
    """Positives of each query of a split, by identifier."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in (Path(folder) / "qrels" / f"{split}.tsv").read_text().splitlines()[1:]:
        query, doc, grade = line.split("\t")
        if float(grade) > 0:
            found[query].add(doc)
    return found


def identifiers(run: Run, name: str, column: str) -> list[str]:
    return list(Dataset(str(run.artifacts()[name])).read([column])[column].to_pylist())


def open_bench(run: Run, given: argparse.Namespace) -> Bench:
    found = collect(run, given.masked_from)
    queries, docs = identifiers(run, "queries", "query_id"), identifiers(run, "documents", "doc_id")
    at = {doc: number for number, doc in enumerate(docs)}
    positives = judged(given.folder, given.split)
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


def negatives_of(run: Run, bench: Bench, count: int) -> np.ndarray:
    """The hardest `count` negatives of each pair's query by position, repeated where fewer."""
    if not count:
        return np.empty((len(bench.found.pairs), 0), dtype=np.int64)
    at = {doc: number for number, doc in enumerate(identifiers(run, "documents", "doc_id"))}
    sql = partitioned_sql(run.path / "negatives", "tier")
    listed: dict[str, list[int]] = defaultdict(list)
    with connect() as database:
        asked = f"SELECT query_id, negative_id FROM ({sql}) WHERE tier = 'hard' ORDER BY ALL"
        for query, doc in database.sql(asked).fetchall():
            listed[query].append(at[doc])
    rows = [listed.get(query) or [0] for query in bench.found.ids["query_id"].to_pylist()]
    return np.array([(row * count)[:count] for row in rows], dtype=np.int64)


def gain(run: Run, bench: Bench, given: argparse.Namespace) -> Iterator[str]:
    """Lines of Markdown: nDCG@10 after training on each method's batches."""
    texts = [json.loads(line) for line in (Path(given.folder) / "queries.jsonl").open()]
    number = {query["_id"]: at for at, query in enumerate(texts)}
    documents = binary_column(Dataset(str(run.artifacts()["documents"])), "text")
    table, tokenizer = opened(str(static_student(given.out / "student")))
    queries = Tokens.of([query["text"] for query in texts], tokenizer)
    docs = Tokens.of(documents.texts(range(len(documents))), tokenizer)
    at = {doc: place for place, doc in enumerate(identifiers(run, "documents", "doc_id"))}
    relevant = {
        number[query]: {at[doc] for doc in found if doc in at}
        for query, found in judged(given.folder, given.test or given.split).items()
        if found & at.keys()
    }
    asked = np.array([number[query] for query in bench.found.ids["query_id"].to_pylist()])
    yield "| negatives | batches | nDCG@10 | gain over random |"
    yield "|---:|---|---:|---:|"
    for count in given.negatives:
        mined_negatives = negatives_of(run, bench, count)
        scores: dict[str, dict[int, list[float]]] = {m.name: defaultdict(list) for m in METHODS}
        for seed in range(given.seeds):
            for fold in range(max(1, given.folds)):
                held = {q for q in relevant if given.folds and int(mix(7, q)) % given.folds == fold}
                rows = np.flatnonzero(~np.isin(asked, list(held)))
                tested = {q: relevant[q] for q in held} if given.folds else relevant
                task = Task(
                    queries, docs, asked, bench.found.pairs.document, mined_negatives, tested
                )
                steps = given.epochs * -(-len(rows) // given.sizes[0])
                for method in METHODS:
                    epochs = (
                        bench.batches(method, rows, given.sizes[0], seed, epoch)
                        for epoch in range(given.epochs)
                    )
                    trained = train(task, table, epochs, steps, given.rate)
                    for query, value in ndcg(task, trained).items():
                        scores[method.name][query].append(value)
        for method in METHODS:
            mean, _, difference, error = paired(scores[method.name], scores["random"])
            yield f"| {count} | {method.name} | {mean:.4f} | {difference:+.4f} ± {error:.4f} |"


def opened(model: str) -> tuple[torch.Tensor, Any]:
    """Vectors of a static student's tokens, and its tokenizer."""
    from sentence_transformers import SentenceTransformer

    module = SentenceTransformer(model, device="cpu")[0]
    return module.embedding.weight.detach().clone(), module.tokenizer


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", help="a BEIR folder")
    parser.add_argument("--split", default="train", help="qrels that are mined")
    parser.add_argument("--test", help="qrels of the evaluation; default: --split, by --folds")
    parser.add_argument("--hide", action="store_true", help="keep one positive a query")
    parser.add_argument("--out", type=Path, default=Path("bench-batches"), metavar="DIR")
    parser.add_argument("--run", help="measure this run, do not mine")
    parser.add_argument("--limit", type=int, help="queries to mine")
    parser.add_argument("--static", action="store_true", help="a static student, and train it")
    parser.add_argument("--model", default="all-MiniLM-L6-v2", help="the judge's, and the student")
    parser.add_argument("--judge", choices=("fusion", "none"), default="fusion")
    parser.add_argument("--masked-from", type=float, default=0.7)
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--measured", type=int, default=6, help="epochs that are measured")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--negatives", type=int, nargs="*", default=[0], help="mined ones a pair")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    run = mined(given, given.out)
    bench = open_bench(run, given)
    print(
        f"{given.folder}: {len(bench.found.pairs):,} pairs, {len(bench.relevant):,} judged",
        flush=True,
    )
    for line in hardness_table(bench, given):
        print(line, flush=True)
    if given.static:
        for line in gain(run, bench, given):
            print(line, flush=True)


if __name__ == "__main__":
    main()
