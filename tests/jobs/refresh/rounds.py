"""What the tests of refreshing share: the runs, their rows, and cosines by hand."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from tests.jobs.collections import Ended, document, negmine


@dataclass(frozen=True)
class Rounds:
    """A folder with the runs `one` and `two` in `out`, the config of `one`, two new students."""

    base: Path
    config: str
    new: Path
    other: Path

    @property
    def output(self) -> Path:
        return self.base / "out"

    def run(self, name: str) -> Path:
        return self.output / "runs" / name

    def refresh(self, name: str, *arguments: str, of: str = "one") -> Ended:
        """Refresh a run under a name of its own; it must end well."""
        reference = f"{self.output}:{of}"
        return done("refresh", reference, *arguments, "--set", f"output.run_id={name}")


def done(*arguments: str) -> Ended:
    """Run a command that must end well."""
    ended = negmine(*arguments)
    assert ended.code == 0, ended.err
    return ended


def manifest(run: Path) -> dict[str, Any]:
    return dict(json.loads((run / "manifest.json").read_text(encoding="utf-8")))


def rows(run: Path, name: str) -> list[dict[str, Any]]:
    """Rows of a published data set; the value of a partition is in the row."""
    found = []
    for file in sorted((run / name).rglob("*.parquet")):
        key, _, value = file.parent.name.partition("=")
        table = pq.read_table(file, partitioning=None)
        found += [row | ({key: value} if value else {}) for row in table.to_pylist()]
    return found


def ledger(run: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["query_id"], row["doc_id"]): row for row in rows(run, "ledger")}


def texts(documents: int = 60, queries: int = 12) -> dict[str, str]:
    """Texts of `collections.write_collection` by identifier."""
    found = {f"d{at:04}": document(at) for at in range(documents)}
    return found | {f"q{at:04}": " ".join(document(at).split()[:2]) for at in range(queries)}


def cosines(model: Path) -> dict[tuple[str, str], float]:
    """Cosine of every query and document under a model, by sentence-transformers alone."""
    from sentence_transformers import SentenceTransformer

    known = texts()
    vectors = SentenceTransformer(str(model), device="cpu").encode(list(known.values()))
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    by_id = dict(zip(known, vectors, strict=True))
    return {
        (q, d): float(by_id[q] @ by_id[d])
        for q in known
        for d in known
        if q[0] == "q" and d[0] == "d"
    }
