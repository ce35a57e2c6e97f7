"""What is compared with whom, part by part, and the target of each figure."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import _peer_data as data
from benchmarks._paired import Case, Row, Side
from benchmarks._peer_bench import Bench
from benchmarks._peer_miners import current, input_section, ours, read_collection
from benchmarks._process import negmine, run
from benchmarks._side import side

ST = "sentence-transformers"
_POLICIES: list[dict[str, Any]] = [
    {"known_positive": {}},
    {"same_text": {}},
    {"near_duplicate_of_positive": {}},
    {"near_duplicate_of_negative": {}},
    {"suspected_positive": {}},
]


def _mine(bench: Bench, collection: str, split: str, **more: Any) -> Side:
    arguments = {"collection": collection, "split": split, "model": bench.folder, **more}
    return side(ST, "_peer_miners.sentence_transformers", arguments, folder="out")


def end_to_end(bench: Bench) -> Iterator[Case]:
    """a. The whole run without a judge, three negatives a query."""
    for name, mine, theirs, limit in (
        ("defaults", "auto", "fp32", 0.55),
        ("fp32", "fp32", "fp32", 1.0),
        ("bf16", "bf16", "bf16", None),
    ):
        config = {
            "input": bench.input(),
            "student": {"model": bench.student, "precision": mine},
            "judge": {"kind": "none"},
            "tiers": {"hard": {"quota": 3}},
        }
        yield Case(
            "end_to_end",
            name,
            (ours(config), _mine(bench, bench.collection, bench.split, precision=theirs)),
            (Row(f"mine, no judge, {name}", limit=limit),),
            equal=("negatives", "queries", "documents"),
            settings={"collection": bench.collection, "split": bench.split},
            note=f"Ours with student.precision {mine}: BM25, dense and random candidates, metrics "
            f"and report included. Theirs with its defaults (num_negatives 3, range_max 3 + most "
            f"positives, batch_size 32, no FAISS) and weights in {theirs}.",
        )


def cross_encoder(bench: Bench) -> Iterator[Case]:
    """b. The same with a cross-encoder, five negatives from the first 100."""
    reduced = bench.shared / f"queries-{bench.queries}"
    judge = bench.shared / f"cross-encoder-{bench.judge_size}"

    def prepare() -> None:
        data.some_queries(bench.collection, bench.split, bench.queries, reduced)
        texts, known = read_collection(str(reduced), data.SPLIT)
        pairs = data.scored_pairs(texts, known)
        data.cross_encoder(judge, bench.judge_size, pairs, bench.folder)

    config = {
        "input": input_section(str(reduced), data.SPLIT),
        "student": {"model": bench.student},
        "sources": {"dense": {"depth": bench.depth}, "bm25": None, "random": None},
        "judge": {"kind": "cross_encoder", "model": str(judge)},
        "policies": [{"judge_relative_margin": {"keep_below": 0.95}}],
        "tiers": {"hard": {"quota": 5}},
        "sampling": {"method": "top"},
    }
    options = {"num_negatives": 5, "range_max": bench.depth, "relative_margin": 0.05}
    theirs = _mine(bench, str(reduced), data.SPLIT, cross_encoder=str(judge), options=options)
    yield Case(
        "cross_encoder",
        bench.judge_size,
        (ours(config), theirs),
        (Row(f"mine, cross-encoder {bench.judge_size}, {bench.queries} queries", limit=0.30),),
        prepare,
        equal=("queries", "documents"),
        settings={"collection": bench.collection, "queries": bench.queries, "depth": bench.depth},
        note="Both keep what the judge puts at least 5 % below the lowest positive. Its weights "
        "are random, so that it does not favour positives: a trained judge drops fewer of the "
        "first candidates, and ours would read fewer pairs. A query may have fewer than five left.",
    )


def threshold(bench: Bench) -> Iterator[Case]:
    """c. Another threshold on a run that is there."""
    output = bench.shared / "threshold"
    cache = bench.shared / "st-cache"

    def config(share: float) -> dict[str, Any]:
        calibrated = {"judge_calibrated_threshold": {"positives_above": share}}
        return {
            "input": bench.input(),
            "student": {"model": bench.student},
            "judge": {"kind": "fusion"},
            "policies": [*_POLICIES, calibrated],
        }

    def command(folder: Path) -> list[str]:
        made = len(list((output / "runs").glob("[!.]*"))) if output.exists() else 0
        return ours(config(0.6 - 0.001 * (made + 1)), str(output)).command(folder)

    again = Side("negmine", command, ours(config(0.5), str(output)).read)
    options = {"cache_folder": str(cache)}
    theirs = _mine(bench, bench.collection, bench.split, options=options)

    def prepare() -> None:
        if not (output / "current").is_file():
            _once(again.command, bench)
        if not cache.is_dir():
            _once(theirs.command, bench)

    yield Case(
        "threshold",
        "again",
        (again, theirs),
        (Row("another threshold, process start to end", limit=4.0, alone=True),),
        prepare,
        settings={"collection": bench.collection, "split": bench.split},
        note="Ours: fusion judge, all later stages, metrics and report. Theirs: without a judge, "
        "from its embedding cache, whose key leaves out the weights; without the cache it is "
        "end_to_end again.",
    )


def _once(command: Callable[[Path], list[str]], bench: Bench) -> None:
    folder = bench.shared / "running"
    folder.mkdir(parents=True, exist_ok=True)
    run(command(folder), folder / "log", bench.threads)


def dense(bench: Bench) -> Iterator[Case]:
    """d. Exact search, k of many: the kernel, and the stage around it."""
    shape = f"{bench.vectors}x{bench.dimension}"
    folders = {
        "documents": bench.shared / f"vectors-{shape}",
        "queries": bench.shared / f"vectors-{bench.searches}x{bench.dimension}-queries",
    }

    def prepare() -> None:
        sizes = (bench.vectors, bench.searches)
        for seed, (folder, rows) in enumerate(zip(folders.values(), sizes, strict=True)):
            data.write_vectors(folder, data.unit_vectors(rows, bench.dimension, seed))

    given = {name: str(folder) for name, folder in folders.items()} | {"k": bench.depth}
    faiss = side("faiss IndexFlatIP", "_peer_search.faiss_flat", given)
    kernel = side("exact_top_k", "_peer_search.dense_kernel", given)
    stage = side(
        "retrieve stage", "_peer_search.dense_stage", {**given, "block_size": 512}, folder="out"
    )
    for name, mine in (("kernel", kernel), ("stage", stage)):
        yield Case(
            "dense",
            name,
            (mine, faiss),
            (
                Row(
                    f"top {bench.depth} of {shape}, {bench.searches} queries, {name}",
                    "search",
                    1.15,
                ),
            ),
            prepare,
            equal=("queries", "hits"),
            settings={"vectors": shape, "queries": bench.searches, "k": bench.depth},
        )


def bm25(bench: Bench) -> Iterator[Case]:
    """e. BM25: index and search."""
    queries = bench.shared / f"lexical-{bench.searches}.json"
    link = bench.shared / "lexical"

    def prepare() -> None:
        sets = data.ingested(bench.lexical, bench.lexical_split, bench.shared / "lexical-run")
        if not link.is_symlink():
            link.symlink_to(sets["documents"].directory.resolve())
        texts = sets["queries"].read(["text"])["text"].to_pylist()[: bench.searches]
        queries.write_text(json.dumps(texts))

    given = {"documents": str(link), "queries": str(queries), "k": bench.depth}
    mine = side("negmine", "_peer_search.ours_bm25", given, folder="out")
    fast = {**given, "threads": bench.threads}
    settings = {"collection": bench.lexical, "queries": bench.searches, "k": bench.depth}
    what = f"top {bench.depth}, {bench.searches} queries"
    yield Case(
        "bm25",
        "bm25s",
        (mine, side("bm25s, numba", "_peer_search.bm25s_search", fast)),
        (Row(f"BM25 {what}", "search", 1.15), Row("BM25 index from texts", "index")),
        prepare,
        equal=("queries", "hits"),
        settings=settings,
        note="Our search starts from query texts, theirs from tokens; its own tokeniser with the "
        "same stop words and stemmer. Our index is written to Parquet and read back.",
    )
    slow = {**given, "limit": 20}
    yield Case(
        "bm25",
        "rank_bm25",
        (mine, side("rank-bm25", "_peer_search.rank_bm25", slow)),
        (
            Row("BM25, milliseconds a query", "milliseconds", 0.01),
            Row("BM25 index, rank-bm25", "index"),
        ),
        prepare,
        settings=settings,
        note="rank-bm25 answers 20 queries one by one, ours all of them in blocks.",
    )


def encoder(bench: Bench) -> Iterator[Case]:
    """f. Tokens a second, padding not counted."""
    documents = bench.shared / f"documents-{bench.documents}"
    given = {"documents": str(documents), "folder": bench.folder}
    for precision in ("fp32", "bf16"):
        swept = bench.shared / f"sweep-{bench.documents}-{precision}.json"
        settings = {**given, "precision": precision}

        def prepare(swept: Path = swept, settings: dict[str, Any] = settings) -> None:
            sets = data.ingested(bench.collection, bench.split, bench.shared / "encoder-run")
            data.some_documents(sets["documents"], bench.documents, documents)
            if not swept.is_file():
                arguments = {**settings, "to": str(swept)}
                _once(side(ST, "_peer_encoder.sweep", arguments).command, bench)

        mine = side(
            "embed stage", "_peer_encoder.embed_stage", {**settings, "block_size": 512}, "out"
        )
        theirs = side(ST, "_peer_encoder.encode", {**settings, "swept": str(swept)})
        label = f"encoder {precision}, tokens a second"
        yield Case(
            "encoder",
            precision,
            (mine, theirs),
            (Row(label, "tokens_per_second", 0.92, at_least=True),),
            prepare,
            equal=("texts", "tokens"),
            settings={"documents": bench.documents, "collection": bench.collection},
            note="Theirs: encode of the texts sorted by length at the fastest of the batch sizes "
            "8, 16, 32, 64, 128 and 256.",
        )


def startup(bench: Bench) -> Iterator[Case]:
    """g. What one waits for before anything happens."""
    output = bench.shared / "startup"

    def prepare() -> None:
        if not (output / "current").is_file():
            student = data.static_student(bench.shared / "static", bench.folder)
            config = {
                "input": bench.input(),
                "student": {"model": student},
                "judge": {"kind": "none"},
            }
            _once(ours(config, str(output)).command, bench)

    def query(_: Path) -> list[str]:
        return negmine("query", str(current(output)), "select 1")

    commands: dict[str, tuple[str, Callable[[Path], list[str]], float]] = {
        "help": ("negmine --help", lambda _: negmine("--help"), 0.4),
        "query": ("negmine query RUN 'select 1'", query, 1.0),
    }
    for name, (label, command, limit) in commands.items():
        yield Case(
            "startup",
            name,
            (Side("negmine", command, lambda _: {}),),
            (Row(label, limit=limit),),
            prepare if name == "query" else lambda: None,
            repeats=10,
        )


PARTS: dict[str, Callable[[Bench], Iterator[Case]]] = {
    part.__name__: part
    for part in (end_to_end, cross_encoder, threshold, dense, bm25, encoder, startup)
}
