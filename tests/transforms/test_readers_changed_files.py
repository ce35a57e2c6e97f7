"""A collection whose files are others than those that it was known by: nothing is read of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import DataError
from tests.transforms.input_files import config, write_beir, write_lines
from transforms.readers import identified, read

Made = tuple[dict[str, Any], list[Path]]
DOCUMENTS = [{"doc_id": "1", "text": "a text"}, {"doc_id": "2", "text": "b text"}]
QUERIES = [{"query_id": "1", "text": "a query"}]
QRELS = [{"query_id": "1", "doc_id": "1"}]
TABLES = {"documents": DOCUMENTS, "queries": QUERIES, "qrels": QRELS}


def beir(base: Path) -> Made:
    write_beir(base)
    labels = [{"query_id": "q1", "doc_id": "d1", "decision": "positive"}]
    write_lines(base / "labels.jsonl", labels)
    values = {"format": "beir", "path": str(base), "labels": str(base / "labels.jsonl")}
    names = ("corpus.jsonl", "queries.jsonl", "qrels/train.tsv", "labels.jsonl")
    return values, [base / name for name in names]


def jsonl(base: Path) -> Made:
    files = [write_lines(base / f"{name}.jsonl.gz", rows) for name, rows in TABLES.items()]
    paths = dict(zip(TABLES, map(str, files), strict=True))
    return {"format": "jsonl", **paths}, files


def parquet(base: Path) -> Made:
    files = []
    for name, rows in TABLES.items():
        pq.write_table(pa.Table.from_pylist(rows), base / f"{name}.parquet")
        files.append(base / f"{name}.parquet")
    return {"format": "parquet", **dict(zip(TABLES, map(str, files), strict=True))}, files


def tsv(base: Path) -> Made:
    files = [
        write_lines(base / "documents.tsv", ["1\ta text", "2\tb text"]),
        write_lines(base / "queries.tsv", ["1\ta query"]),
        write_lines(base / "qrels.tsv", ["1 0 1 1"]),
    ]
    return {"format": "tsv", **dict(zip(TABLES, map(str, files), strict=True))}, files


def pairs(base: Path) -> Made:
    file = write_lines(base / "pairs.jsonl", [{"query": "a query", "positive": "a text"}])
    pool = base / "pool.parquet"
    pq.write_table(pa.table({"text": ["a text", "b text"]}), pool)
    names = {"query": "query", "positive": "positive", "pool_text": "text"}
    return {"format": "pairs", "path": str(file), "pool": str(pool), **names}, [file, pool]


def hf(base: Path) -> Made:
    datasets = pytest.importorskip("datasets")
    files = []
    for name, rows in TABLES.items():
        datasets.Dataset.from_list(rows).save_to_disk(str(base / name))
        files += (base / name).glob("*.arrow")
    return {"format": "hf", **{name: str(base / name) for name in TABLES}}, files


FORMATS = pytest.mark.parametrize("write", [beir, jsonl, parquet, tsv, pairs, hf])


def other(file: Path) -> bytes:
    """Content of the same kind and length: an a for each b."""
    data = file.read_bytes()
    if file.suffix == ".gz":
        rows = [{"text": "else"}]
        return write_lines(file.with_name("else.jsonl.gz"), rows).read_bytes()
    assert b"a" in data or b"1" in data
    return data.replace(b"a", b"b").replace(b"1", b"2")


@FORMATS
def test_a_file_that_was_replaced_after_its_fingerprint_is_named(
    tmp_path: Path, write: Callable[[Path], Made]
) -> None:
    values, files = write(tmp_path)
    made = config(**values)
    for file in files:
        _, sources = identified(made, 42, None)
        assert [row for source in sources for row in read(source, made, 42)]
        kept = file.read_bytes()
        file.write_bytes(other(file))
        (source,) = (s for s in sources if file.is_relative_to(s.path))
        with pytest.raises(DataError) as raised:
            list(read(source, made, 42))
        assert str(raised.value).startswith(f"{file} changed while it was read"), raised.value
        file.write_bytes(kept)


def test_arrow_files_of_a_saved_data_set_count(tmp_path: Path) -> None:
    """The library takes its own word for what they hold."""
    values, files = hf(tmp_path)
    made = config(**values)
    before, _ = identified(made, 42, None)
    assert json.dumps(before) == json.dumps(identified(made, 42, None)[0])
    files[0].write_bytes(files[0].read_bytes().replace(b"a text", b"c text"))
    assert identified(made, 42, None)[0] != before


def test_a_file_that_comes_meanwhile_is_not_read(tmp_path: Path) -> None:
    """What is read was listed once, with what it is known by."""
    values, files = parquet(tmp_path / "a" if (tmp_path / "a").mkdir() is None else tmp_path)
    folder = tmp_path / "documents"
    folder.mkdir()
    files[0].rename(folder / "1.parquet")
    made = config(**{**values, "documents": str(folder)})
    _, sources = identified(made, 42, None)
    pq.write_table(pa.Table.from_pylist([{"doc_id": "3", "text": "late"}]), folder / "2.parquet")
    assert sum(1 for source in sources for _ in read(source, made, 42)) == 4
