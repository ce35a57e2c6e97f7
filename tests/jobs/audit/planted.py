"""A generated set, clean, and the same with one defect of each kind planted in it."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.jobs.collections import document, negmine
from tests.transforms.foreign.sets import (
    Mined,
    automodel,
    automodel_inline,
    colbert,
    flagembedding,
    labeled_lists,
    labeled_pairs,
    lightning_ir,
    ms_swift,
    msmarco,
    n_tuples,
    pylate_kd,
    tevatron,
    tevatron_v2,
    triplets,
    write_automodel,
    write_jsonl,
    write_table,
)

QUERIES = 40
STEPS = (13, 17, 29, 31)
FORMATS = (
    "triplet",
    "n_tuple",
    "flagembedding",
    "tevatron",
    "msmarco",
    "automodel",
    "automodel_inline",
    "ms_swift",
    "labeled_list",
    "tevatron_v2",
    "pylate_kd",
    "colbert",
)
PER_DOCUMENT = ("labeled_pair", "lightning_ir")
"""Formats with a row a document, whose row says of no other that it is the positive."""
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


_OF_TEXTS: dict[str, Any] = {
    "triplet": triplets,
    "n_tuple": n_tuples,
    "flagembedding": flagembedding,
    "automodel_inline": automodel_inline,
    "ms_swift": ms_swift,
    "labeled_list": labeled_lists,
    "labeled_pair": labeled_pairs,
}


def write(folder: Path, format: str, rows: list[Mined]) -> tuple[Path, list[str]]:
    """The set in a format; returns the file, and the options that the format needs beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    if format == "msmarco":
        said = sorted({t for row in rows for t in (row.positive, *row.negatives)})
        write_jsonl(folder / "corpus.jsonl", [{"_id": name(t), "text": t} for t in said])
        questions = sorted({row.query for row in rows})
        write_jsonl(folder / "queries.jsonl", [{"_id": name(t), "text": t} for t in questions])
        path = write_jsonl(folder / "mined.jsonl.gz", msmarco(rows, name, name))
        return path, ["--corpus", str(folder), "--queries", str(folder / "queries.jsonl")]
    texts = {name(t): t for row in rows for t in (row.positive, *row.negatives)}
    asked = {name(row.query): row.query for row in rows}
    if format == "automodel":
        return write_automodel(folder, automodel(rows, name, name), texts), []
    if format == "tevatron_v2":
        documents = [{"docid": key, "text": text} for key, text in texts.items()]
        write_jsonl(folder / "corpus.jsonl", documents)
        path = write_jsonl(folder / "train.jsonl", tevatron_v2(rows, name, name))
        return path, ["--corpus", str(folder / "corpus.jsonl")]
    if format == "pylate_kd":
        texts_of = {"documents": ("document_id", texts), "queries": ("query_id", asked)}
        for kind, (key, found) in texts_of.items():
            table = pa.table({key: list(found), "text": list(found.values())})
            write_table(folder / f"{kind}.parquet", table)
        made = pa.Table.from_pylist(pylate_kd(rows, name, name))
        beside = [str(folder / f"{kind}.parquet") for kind in texts_of]
        path = write_table(folder / "train.parquet", made)
        return path, ["--corpus", beside[0], "--queries", beside[1]]
    if format == "colbert":
        for kind, found in (("collection", texts), ("queries", asked)):
            lines = "".join(f"{key}\t{text}\n" for key, text in found.items())
            (folder / f"{kind}.tsv").write_text(lines)
        path = write_jsonl(folder / "triples.jsonl", colbert(rows, name, name))
        beside = [str(folder / f"{kind}.tsv") for kind in ("collection", "queries")]
        return path, ["--corpus", beside[0], "--queries", beside[1]]
    records: Any
    if format in ("tevatron", "lightning_ir"):
        records = {"tevatron": tevatron, "lightning_ir": lightning_ir}[format](rows, name, name)
    else:
        records = _OF_TEXTS[format](rows)
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
