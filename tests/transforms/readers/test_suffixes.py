"""One table of suffixes: what every reader of files takes, and what it says of the rest."""

import gzip
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from negmine.jobs.mining.judging.given_scores import score_files
from negmine.schemas.errors import DataError
from negmine.transforms.data.query_tables import files_sql
from negmine.transforms.foreign.files import container, expand
from negmine.transforms.foreign.references import judgements, texts
from negmine.transforms.readers import check, read, sources
from negmine.transforms.readers.labels import label_source
from negmine.transforms.readers.rows import Document
from negmine.transforms.storage.suffixes import compression_of, kind_of_file
from negmine.transforms.vectors.files import VectorFiles
from tests.transforms.input_files import config, write_lines

ROWS = [{"doc_id": "d1", "text": "one"}, {"doc_id": "d2", "text": "two"}]


@pytest.mark.parametrize(
    ("name", "kind", "packing"),
    [
        ("a.parquet", "parquet", None),
        ("a.PQ", "parquet", None),
        ("a.jsonl.GZ", "jsonl", "gzip"),
        ("a.ndjson.zst", "jsonl", "zstd"),
        ("a.JSON", "jsonl", None),
        ("a.tsv.Zst", "tsv", "zstd"),
        ("a.qrels", "tsv", None),
        ("a.csv", "csv", None),
        ("a.feather", "arrow", None),
        ("a.parquet.gz", "", "gzip"),
        ("a.jsonl.bz2", "", None),
        ("a.xlsx", "", None),
        ("a", "", None),
        ("a.gz", "", "gzip"),
    ],
)
def test_a_suffix_says_what_a_file_is(name: str, kind: str, packing: str | None) -> None:
    assert (kind_of_file(name), compression_of(name)) == (kind, packing)


def write(path: Path) -> Path:
    table = pa.Table.from_pylist(ROWS)
    kind = kind_of_file(path)
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "arrow":
        pyarrow.feather.write_feather(table, path)
    elif kind == "csv":
        write_lines(path, ["doc_id,text", *(",".join(row.values()) for row in ROWS)])
    elif kind == "tsv":
        write_lines(path, ["doc_id\ttext", *("\t".join(row.values()) for row in ROWS)])
    else:
        write_lines(path, ROWS)
    if compression_of(path) == "gzip" and path.suffix != ".gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def made(path: Path, format: str = "jsonl") -> dict[str, Any]:
    """A collection whose documents, queries and qrels are one file."""
    named = dict.fromkeys(("documents", "queries", "qrels"), str(path))
    ids = {"query_id": "doc_id", "qrels_query_id": "text", "qrels_doc_id": "doc_id"}
    return {"format": format, **named, **(ids if format != "tsv" else {})}


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    "name", ["a.parquet", "a.PQ", "a.jsonl", "a.JSONL.GZ", "a.arrow", "a.csv", "a.tsv", "A.TSV"]
)
def test_documents_are_read_as_their_suffix_says(tmp_path: Path, name: str, format: str) -> None:
    settings = config(**made(write(tmp_path / name), format))
    found = list(read(sources(settings)[0], settings, 1))
    assert [row[1:3] for row in found if isinstance(row, Document)] == [
        ("d1", "one"),
        ("d2", "two"),
    ]


def test_a_file_without_a_suffix_is_what_the_format_says(tmp_path: Path) -> None:
    path = write(tmp_path / "documents")
    settings = config(**made(path))
    assert len(list(read(sources(settings)[0], settings, 1))) == 2
    with pytest.raises(DataError, match=r"input\.path: .*documents has no suffix"):
        check(config(format="pairs", path=str(path)))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xlsx", r"input\.documents: .*a\.xlsx ends in \.xlsx, which is not known; .* \.jsonl"),
        ("a.jsonl.bz2", r"Unpack it: bunzip2 -k .*a\.jsonl\.bz2"),
        ("a.parquet.gz", r"ends in \.parquet\.gz"),
        ("a.dat", "Rename it, so that its end says what it is"),
    ],
)
def test_an_unknown_suffix_is_refused_by_name(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match=message):
        check(config(**made(tmp_path / name)))
    with pytest.raises(DataError, match="which is not"):
        check(config(**made(tmp_path / "a.*")))


def test_a_format_says_which_other_one_reads_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is Parquet by its suffix .* Set input\.format to parq"):
        check(config(**made(write(tmp_path / "a.parquet"), "tsv")))


def test_a_folder_without_files_of_the_format_says_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"holds no jsonl file; it holds \.csv: name them by"):
        check(config(**made(tmp_path)))


SCORES = {"query_id": "q", "doc_id": "d", "score": 0.5}
COLUMNS = {"query": ("query_id", "VARCHAR"), "score": ("score", "DOUBLE")}


@pytest.mark.parametrize("name", ["s.parquet", "s.pq", "s.jsonl", "s.JSON", "s.ndjson.GZ"])
def test_scores_and_candidates_are_read_as_their_suffix_says(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if kind_of_file(path) == "parquet":
        pq.write_table(pa.Table.from_pylist([SCORES]), path)
    else:
        data = write_lines(tmp_path / "plain", [SCORES]).read_bytes()
        path.write_bytes(gzip.compress(data) if compression_of(path) else data)
    for place in (path, tmp_path / f"{path.stem[:1]}*{path.suffix}"):
        files = score_files(str(place))
        assert files == [str(path)]
    with duckdb.connect() as connection, files_sql(files, COLUMNS) as sql:
        assert connection.execute(sql).fetchall() == [("q", 0.5)]


def test_compressed_and_plain_scores_are_read_together(tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "a.jsonl", [SCORES])
    packed = write_lines(tmp_path / "b.jsonl.gz", [SCORES])
    with duckdb.connect() as connection, files_sql([str(plain), str(packed)], COLUMNS) as sql:
        found = connection.execute(sql).fetchall()
    assert found == [("q", 0.5)] * 2


def command(error: DataError) -> list[str]:
    return shlex.split(str(error).split("Convert it: ")[1])


@pytest.mark.parametrize("name", ["s.csv", "s.tsv", "s.arrow"])
def test_scores_of_another_kind_name_the_command_that_converts(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name)
    with pytest.raises(DataError, match=r"judge\.path: .* which is not read here") as caught:
        score_files(str(path))
    python, *arguments = command(caught.value)
    assert python == "python"
    subprocess.run([sys.executable, *arguments], cwd=tmp_path, check=True)
    assert pq.read_table(tmp_path / "s.parquet").to_pylist() == ROWS
    with pytest.raises(DataError, match="names no scores; it names"):
        score_files(str(tmp_path / f"*{path.suffix}"))


@pytest.mark.parametrize("name", ["v.parquet", "v.PQ"])
def test_vectors_are_parquet_in_any_case(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"id": ["a"], "vector": [[1.0]]}), tmp_path / name)
    for path in (tmp_path / name, tmp_path):
        assert VectorFiles.of(str(path), "id", "vector", "key").width() == 1
    (tmp_path / "v.jsonl").write_text("{}")
    with pytest.raises(DataError, match=r"key: .*v\.jsonl is JSON .* Convert it: python -c"):
        VectorFiles.of(str(tmp_path / "v.jsonl"), "id", "vector", "key")


def test_labels_are_json(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("query_id,doc_id,decision\n")
    with pytest.raises(DataError, match=r"input\.labels: .*labels\.csv is CSV"):
        label_source(str(tmp_path / "labels.csv"))


def test_audited_files_and_what_stands_beside_them(tmp_path: Path) -> None:
    assert [container(name) for name in ("a.pq", "a.IPC", "a.jsonl.GZ")] == [
        "parquet",
        "arrow",
        "jsonl",
    ]
    for name in ("a.PQ", "b.Arrow", "c.ndjson", "notes.txt", "dataset_info.json"):
        (tmp_path / name).write_text("")
    assert [file.name for file in expand(str(tmp_path))] == ["a.PQ", "b.Arrow", "c.ndjson"]
    for name in ("t.csv", "t.tsv", "t.pq", "t.feather", "t.json"):
        found = list(texts(write(tmp_path / name), "corpus"))
        assert found == [("d1", "one"), ("d2", "two")]
    write_lines(tmp_path / "q.csv", ["corpus-id,query-id,score", "d1,q1,1", "d2,q1,0"])
    assert list(judgements(tmp_path / "q.csv")) == [("q1", "d1")]
    with pytest.raises(DataError, match=r"--corpus: .*t\.xml ends in \.xml"):
        list(texts(tmp_path / "t.xml", "corpus"))
