"""Writes the files of one small collection in any shape, and keeps what has to be found in each."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq


class Pair(NamedTuple):
    """A query with its positives."""

    query: str
    positives: tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """Data in one shape.

    Attributes:
        name: what it is, in words.
        path: what is named on the command line.
        options: further words of the command.
        queries, positives: what has to be found; None where a sentence is expected.
        says: a part of the sentence that is expected instead of a run.
    """

    name: str
    path: str
    queries: int | None
    positives: int | None
    options: tuple[str, ...] = field(default=())
    says: str = ""


def collection(texts: Sequence[tuple[str, str]], several: int = 5) -> list[Pair]:
    """Pairs of these (query, document); each `several`-th query has the next document too."""
    made = []
    for at, (query, document) in enumerate(texts):
        following = texts[(at + 1) % len(texts)][1]
        positives = (document, following) if at % several == 0 else (document,)
        made.append(Pair(query, positives))
    return made


def one_line(text: str) -> str:
    """A text without line ends and tabs."""
    return " ".join(text.split())


class Maker:
    """Writes the shapes of one collection below a folder."""

    def __init__(self, folder: Path, pairs: Sequence[Pair]) -> None:
        self.folder, self.pairs = folder, pairs
        self.documents = list(dict.fromkeys(text for pair in pairs for text in pair.positives))
        self.ids = {text: f"d{at}" for at, text in enumerate(self.documents)}
        self.queries = len(pairs)
        self.positives = sum(len(pair.positives) for pair in pairs)
        self.found: list[Shape] = []

    def rows(self) -> list[tuple[str, str]]:
        """A row for each positive."""
        return [(pair.query, text) for pair in self.pairs for text in pair.positives]

    def negatives(self, at: int, count: int) -> list[str]:
        """Documents that are no positives of a query."""
        other = [text for text in self.documents if text not in self.pairs[at].positives]
        return [other[(at * 7 + k) % len(other)] for k in range(count)]

    def path(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add(self, name: str, path: Path, *options: str, says: str = "") -> None:
        """A shape in which everything has to be found, or that says a sentence."""
        counts = (None, None) if says else (self.queries, self.positives)
        self.found.append(Shape(name, str(path), *counts, options=options, says=says))

    def expect(self, name: str, path: Path, queries: int, positives: int) -> None:
        """A shape in which so many queries and positives have to be found."""
        self.found.append(Shape(name, str(path), queries, positives))

    def jsonl(self, name: str, values: Sequence[Any]) -> Path:
        data = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()
        path = self.path(name)
        with pa.output_stream(str(path)) as out:  # compressed as the suffix says
            out.write(data)
        return path

    def csv(
        self, name: str, rows: Sequence[Sequence[object]], mark: str = ",", code: str = "utf-8"
    ) -> Path:
        text = io.StringIO()
        csv.writer(text, delimiter=mark, lineterminator="\r\n").writerows(rows)
        path = self.path(name)
        path.write_bytes(text.getvalue().encode(code))
        return path

    def parquet(self, name: str, columns: dict[str, Any]) -> Path:
        path = self.path(name)
        pq.write_table(pa.table(columns), path)
        return path
