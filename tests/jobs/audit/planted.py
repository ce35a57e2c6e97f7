"""A generated set, clean, and the same with one defect of each kind planted in it."""

import json
from pathlib import Path
from typing import Any

from tests.jobs.collections import document, negmine
from tests.transforms.foreign.sets import (
    Mined,
    flagembedding,
    msmarco,
    n_tuples,
    tevatron,
    triplets,
    write_jsonl,
)

QUERIES = 40
STEPS = (13, 17, 29, 31)
FORMATS = ("triplet", "n_tuple", "flagembedding", "tevatron", "msmarco")
NEAR = f"{document(9)} luna"
"""The positive of query 9 and one more word: four of five shingles are shared."""

HUB = "50 51 52 53 54 55 56"


def query(at: int) -> str:
    return " ".join([*document(at).split()[:2], str(at)])


def clean() -> list[Mined]:
    """Query i, document i, and four documents that no query nearby has as positive."""
    return [
        Mined(query(i), document(i), tuple(document((i + step) % 60) for step in STEPS))
        for i in range(QUERIES)
    ]


def planted() -> tuple[list[Mined], set[tuple[str, str, str]]]:
    """The set with defects, and the (reason, query, negative) that an audit has to find."""
    rows = clean()
    expected = set()

    def put(at: int, place: int, text: str, reason: str) -> None:
        negatives = list(rows[at].negatives)
        negatives[place] = text
        rows[at] = rows[at]._replace(negatives=tuple(negatives))
        expected.add((reason, query(at), text))

    rows.append(Mined(query(3), document(58), rows[3].negatives))
    put(3, 1, document(58), "known_positive")
    put(5, 0, document(5), "known_positive")
    put(7, 2, document(7).upper(), "same_text_as_positive")
    put(9, 3, NEAR, "near_duplicate_of_positive")
    put(11, 1, document(11 + STEPS[0]), "repeated")
    put(13, 3, document(13 + STEPS[1]).title(), "same_text_as_negative")
    put(15, 0, query(15).upper(), "query_itself")
    put(17, 3, " ".join(reversed(rows[17].negatives[0].split())), "near_duplicate_of_negative")
    return rows, expected


def with_hub() -> list[Mined]:
    """The clean set with one document as last negative of every query."""
    return [row._replace(negatives=(*row.negatives[:3], HUB)) for row in clean()]


def name(text: str) -> str:
    """An identifier of a text, as a corpus would have one."""
    return "id-" + text.replace(" ", "_")


def write(folder: Path, format: str, rows: list[Mined]) -> tuple[Path, list[str]]:
    """The set in a format; returns the file, and the options that the format needs beside it."""
    if format == "msmarco":
        texts = {t for row in rows for t in (row.positive, *row.negatives)}
        write_jsonl(folder / "corpus.jsonl", [{"_id": name(t), "text": t} for t in sorted(texts)])
        asked = sorted({row.query for row in rows})
        write_jsonl(folder / "queries.jsonl", [{"_id": name(t), "text": t} for t in asked])
        path = write_jsonl(folder / "mined.jsonl.gz", msmarco(rows, name, name))
        return path, ["--corpus", str(folder), "--queries", str(folder / "queries.jsonl")]
    records: Any
    if format == "tevatron":
        records = tevatron(rows, name, name)
    else:
        made = {"triplet": triplets, "n_tuple": n_tuples, "flagembedding": flagembedding}
        records = made[format](rows)
    return write_jsonl(folder / "mined.jsonl", records), []


def audited(student: Path, path: Path, format: str, output: Path, *options: str) -> dict[str, Any]:
    """What `negmine audit --json` says; without a judge unless the options name one."""
    judge = () if "--judge" in options else ("--judge", "none")
    ended = negmine(
        *("audit", str(path), "--format", format, "--output", str(output), "--json"),
        *("--student", str(student), *judge, *options),
    )
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def counts(found: dict[str, Any]) -> dict[str, int]:
    """Entries of each defect."""
    return {entry["reason"]: entry["entries"] for entry in found["findings"] if entry["defect"]}
