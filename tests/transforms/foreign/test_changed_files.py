"""Audited files, and those beside them, that are others than those that they were known by."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign.collection import Foreign, collect, input_paths
from negmine.transforms.foreign.rewrite import rewrite
from negmine.transforms.storage.digests import digest_of
from tests.transforms.foreign.sets import (
    Mined,
    flagembedding,
    msmarco,
    n_tuples,
    read_table,
    tevatron,
    triplets,
)
from tests.transforms.input_files import write_lines, write_table

ROWS = [
    Mined("a query", "a text", ("b text", "c text")),
    Mined("other a", "d text", ("a b c", "d e f")),
]
TEXTS = sorted({text for row in ROWS for text in (row.positive, *row.negatives)})
LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json")
TABLES = (".parquet", ".arrow", ".stream.arrow")
DELIMITED = (".csv", ".csv.gz", ".tsv", ".tsv.zst")
FORMATS = {"triplet": triplets, "n_tuple": n_tuples, "flagembedding": flagembedding}
SETS = [
    *((format, suffix) for format in ("triplet", "n_tuple") for suffix in (*LINES, *TABLES)),
    *(("flagembedding", suffix) for suffix in LINES),
]


def query_id(text: str) -> str:
    return f"q{[row.query for row in ROWS].index(text)}"


def doc_id(text: str) -> str:
    return f"d{TEXTS.index(text)}"


def known(foreign: Foreign) -> Foreign:
    return replace(foreign, digests={str(path): digest_of(path) for path in input_paths(foreign)})


def other_content(file: Path) -> bytes:
    """A sound file of the same kind and columns that holds something else."""
    other = file.with_name(file.name.replace(file.name.partition(".")[0], "else", 1))
    if file.suffix in (".gz", ".zst"):
        return write_lines(other, ['{"a": "line"}']).read_bytes()
    if file.suffix in (".parquet", ".arrow"):
        rows = read_table(file).to_pylist()
        changed = [{name: f"{text} else" for name, text in row.items()} for row in rows]
        return write_table(other, changed).read_bytes()
    return file.read_bytes().replace(b"a ", b"b ").replace(b"d1", b"d9") + b"\n"


def other_columns(file: Path) -> bytes:
    return write_lines(file.with_name(f"else{file.suffix}"), ["word,word,word,word"]).read_bytes()


def cut_off(file: Path) -> bytes:
    data = file.read_bytes()
    return data[: len(data) // 2]


CHANGES = pytest.mark.parametrize("change", [other_content, other_columns, cut_off])
Change = Callable[[Path], bytes]


@CHANGES
@pytest.mark.parametrize(("format", "suffix"), SETS)
def test_a_set_that_was_replaced_after_its_fingerprint_is_named(
    tmp_path: Path, format: str, suffix: str, change: Change
) -> None:
    file = write_table(tmp_path / f"mined{suffix}", FORMATS[format](ROWS))
    foreign = known(Foreign((str(file),), format))
    assert collect(foreign, tmp_path / "before")["negatives"] == 4
    file.write_bytes(change(file))
    with pytest.raises(DataError) as raised:
        collect(foreign, tmp_path / "after")
    assert str(raised.value).startswith(f"{file} changed while it was read"), raised.value
    copy = tmp_path / f"copy{suffix}"
    with pytest.raises(DataError) as raised:
        rewrite(file, copy, format, {}, False, foreign.digests[str(file)])
    assert str(raised.value).startswith(f"{file} changed while it was read"), raised.value
    assert not copy.exists()


@CHANGES
@pytest.mark.parametrize("suffix", [*LINES, *TABLES, *DELIMITED])
def test_what_lies_beside_a_set_is_held_too(tmp_path: Path, suffix: str, change: Change) -> None:
    mined = write_lines(tmp_path / "mined.jsonl", msmarco(ROWS, query_id, doc_id))
    corpus = [{"doc_id": doc_id(text), "text": text} for text in TEXTS]
    queries = [{"query_id": query_id(row.query), "text": row.query} for row in ROWS]
    qrels = [{"query_id": query_id(r.query), "doc_id": doc_id(r.positive)} for r in ROWS]
    beside = {
        what: write_table(tmp_path / f"{what}{suffix}", rows)
        for what, rows in (("corpus", corpus), ("queries", queries), ("qrels", qrels))
    }
    foreign = known(Foreign((str(mined),), "msmarco", **{w: str(f) for w, f in beside.items()}))
    assert collect(foreign, tmp_path / "before")["negatives"] == 4
    for file in beside.values():
        kept = file.read_bytes()
        file.write_bytes(change(file))
        with pytest.raises(DataError) as raised:
            collect(foreign, tmp_path / "after")
        assert str(raised.value).startswith(f"{file} changed while it was read"), raised.value
        file.write_bytes(kept)
    assert collect(foreign, tmp_path / "after")["negatives"] == 4


@pytest.mark.parametrize("suffix", LINES)
def test_lists_with_identifiers_are_held(tmp_path: Path, suffix: str) -> None:
    for format, records in (("tevatron", tevatron), ("msmarco", msmarco)):
        file = write_table(tmp_path / f"{format}{suffix}", records(ROWS, query_id, doc_id))
        corpus = [{"_id": doc_id(text), "text": text} for text in TEXTS]
        queries = [{"_id": query_id(row.query), "text": row.query} for row in ROWS]
        write_lines(tmp_path / "corpus.jsonl", corpus)
        write_lines(tmp_path / "queries.jsonl", queries)
        foreign = known(Foreign((str(file),), format, str(tmp_path), str(tmp_path)))
        file.write_bytes(other_content(file))
        with pytest.raises(DataError) as raised:
            collect(foreign, tmp_path / "out")
        assert str(raised.value).startswith(f"{file} changed while it was read"), raised.value
