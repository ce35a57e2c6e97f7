"""Hostile collections through the command line: refused, whole to the last byte, or told."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from negmine.jobs.terminal import printable
from tests.jobs.collections import (
    document,
    negmine,
    published,
    static_student,
    write_collection,
    write_config,
)
from tests.transforms.input_files import write_lines

DATA = 3
IDS = (
    "../../up", "a/b\\c", "it's", 'say "hi"', "line\nbreak", "cr\rlf\r\n", "tab\tid", "nul\x00id",
    "esc\x1b[31mred\x1b]0;title\x07", "c1\x9b31m", "bidi\u202egnp.exe\u202c", "\u2066iso\u2069",
    "<script>alert(1)</script>", "'; DROP TABLE ledger; --", "[/] [bold red]", "\u2028sep\u2029",
    "{{7*7}}", "%s %(x)s", "x" * 5000, "東京 é e\u0301 👩‍🚀",
)  # fmt: skip


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def student(base: Path) -> str:
    return str(static_student(base / "student"))


def harmless(text: str) -> bool:
    return printable(text, keep="\n") == text


def text_of(at: int) -> str:
    return f"{document(at)} {IDS[at % len(IDS)]} end"


@pytest.fixture(scope="module")
def output(base: Path, student: str) -> Path:
    """A run of documents and queries of these identifiers and texts."""
    return mined(base / "many", student, IDS, [])


def mined(
    base: Path, student: str, identities: Sequence[str], more: Sequence[dict[str, str]]
) -> Path:
    folder = base / "collection"
    documents = [{"doc_id": f"d{i}", "text": text_of(n)} for n, i in enumerate(identities)]
    documents += more
    queries = [{"query_id": f"q{i}", "text": text_of(n)[:30]} for n, i in enumerate(identities)]
    qrels = [{"query_id": f"q{i}", "doc_id": f"d{i}"} for i in identities]
    places = {}
    for name, rows in (("documents", documents), ("queries", queries), ("qrels", qrels)):
        places[name] = str(write_lines(folder / f"{name}.jsonl", rows))
    config = write_config(
        base / "run.yaml",
        input={"format": "jsonl", **places, "max_text_bytes": 12_000_000},
        student={"model": student, "device": "cpu"},
        judge={"kind": "none"},
        tiers={"hard": {"quota": 5}},
    )
    ended = negmine("mine", config, "--output", str(base / "out"))
    assert ended.code == 0, ended.err
    assert harmless(ended.out)
    return base / "out"


def ask(output: Path, sql: str, form: str = "json") -> Any:
    ended = negmine("query", str(output), sql, "--format", form)
    assert ended.code == 0, ended.err
    return json.loads(ended.out) if form == "json" else ended.out


def test_every_identifier_and_text_comes_through_to_the_last_byte(output: Path) -> None:
    documents = ask(output, "SELECT doc_id, text FROM documents")
    assert {row["doc_id"]: row["text"] for row in documents} == {
        f"d{i}": text_of(n) for n, i in enumerate(IDS)
    }
    rows = ask(output, "SELECT query_id, negative_id, negative FROM negatives")
    assert {row["query_id"] for row in rows} == {f"q{i}" for i in IDS}
    known = {f"d{i}": text_of(n) for n, i in enumerate(IDS)}
    assert all(known[row["negative_id"]] == row["negative"] for row in rows)
    assert not (output.parent.parent / "up").exists()


@pytest.mark.parametrize("words", [100_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_a_document_of_megabytes_comes_through_to_the_last_byte(
    tmp_path: Path, student: str, words: int
) -> None:
    big = {"doc_id": "big", "text": "terra aqua " * words + "end"}
    run = mined(tmp_path, student, IDS[:2], [big])
    found = ask(run, "SELECT text FROM documents WHERE doc_id = 'big'")
    served = ask(run, "SELECT DISTINCT negative AS text FROM negatives WHERE negative_id = 'big'")
    assert found == served == [{"text": big["text"]}]


def test_csv_gives_the_same_identifiers_back(output: Path) -> None:
    text = ask(output, "SELECT doc_id FROM documents", "csv")
    read = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert {row[0] for row in read} == {f"d{i}" for i in IDS}


@pytest.mark.parametrize("kind", ["triplet", "n_tuple", "flagembedding"])
def test_exports_hold_the_same_bytes_and_an_audit_reads_them(
    output: Path, student: str, tmp_path: Path, kind: str
) -> None:
    target = tmp_path / ("x.jsonl" if kind == "flagembedding" else "x.parquet")
    options = ["--n", "3"] if kind == "n_tuple" else []
    ended = negmine("export", str(output), "-f", kind, "-o", str(target), *options)
    assert ended.code == 0, ended.err
    if kind == "flagembedding":
        found = [json.loads(line) for line in target.read_bytes().split(b"\n") if line]
        negatives = {text for row in found for text in row["neg"]}
    else:
        table = pq.read_table(target)
        names = [name for name in table.column_names if name.startswith("negative")]
        negatives = {text for name in names for text in table[name].to_pylist()}
    assert negatives
    assert negatives <= {text_of(n) for n in range(len(IDS))}
    models = ("--student", student, "--judge", "none")
    ended = negmine("audit", str(target), "-f", kind, "--output", str(tmp_path / "audit"), *models)
    assert "Traceback" not in ended.err
    assert harmless(ended.out)


@pytest.mark.parametrize("identity", [i for i in IDS if "\x00" not in i])
def test_why_finds_any_identifier_and_shows_no_control_character(
    output: Path, identity: str
) -> None:
    for arguments in ([f"q{identity}"], [f"q{identity}", f"d{identity}"]):
        ended = negmine("why", str(output), *arguments)
        assert ended.code == 0, ended.err
        assert harmless(ended.out)
    ended = negmine("why", str(output), f"q{identity}", "' OR 1=1 --\x1b[2J")
    assert ended.code == 2
    assert "\x1b" not in ended.err


@pytest.mark.parametrize("command", ["show", "report", "query"])
def test_what_is_printed_cannot_steer_a_terminal(output: Path, command: str) -> None:
    sql = ["SELECT doc_id FROM documents"] if command == "query" else []
    ended = negmine(command, str(output), *sql)
    assert ended.code == 0, ended.err
    assert harmless(ended.out + ended.err)
    (page,) = (output / "runs").glob("*/report.html")
    assert "<script>alert" not in page.read_text()
    assert "\u202e" not in page.read_text()


def collection(folder: Path, **files: bytes) -> Path:
    """A whole BEIR folder with some files put in or replaced."""
    write_collection(folder)
    for name, data in files.items():
        path = folder / name.replace("__", ".")
        (folder / path.name.removesuffix(".gz").removesuffix(".zst")).unlink(missing_ok=True)
        path.write_bytes(data)
    return folder


def zeros(kind: str, unpacked: int) -> bytes:
    piece = b"\0" * (1 << 24)
    if kind == "gz":
        made = io.BytesIO()
        with gzip.GzipFile(fileobj=made, mode="wb", compresslevel=1) as out:
            for _ in range(unpacked // len(piece)):
                out.write(piece)
        return made.getvalue()
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join(packer.compress(piece) for _ in range(unpacked // len(piece))) + packer.flush()


@pytest.mark.parametrize("kind", ["gz", pytest.param("zst", marks=pytest.mark.long), "parquet"])
def test_a_bomb_is_refused_in_bounded_memory(base: Path, student: str, kind: str) -> None:
    folder = base / f"bomb-{kind}"
    section: dict[str, Any] = {"format": "beir", "path": str(folder)}
    if kind == "parquet":
        folder.mkdir()
        path = folder / "x.parquet"
        zeros_of = pa.array([0] * 4000, pa.int32())
        repeated = pa.DictionaryArray.from_arrays(zeros_of, ["x" * (1 << 20)])
        ids = [str(at) for at in range(4000)]
        pq.write_table(pa.table({"doc_id": ids, "text": repeated, "query_id": ids}), path)
        assert path.stat().st_size < 100_000
        places = dict.fromkeys(("documents", "queries", "qrels"), str(path))
        section = {"format": "parquet", "bad_rows": 1.0, **places}
    else:
        collection(folder, **{f"corpus__jsonl.{kind}": zeros(kind, 3 << 29)})
    config = write_config(
        base / f"bomb-{kind}.yaml",
        input=section,
        student={"model": student},
        judge={"kind": "none"},
    )
    code = (
        "import re, sys\n"
        "from negmine.jobs.__main__ import main\n"
        f"sys.argv = ['negmine', 'ingest', {config!r}, '--output', {str(base / kind)!r}]\n"
        "try: main()\n"
        "finally: print(*re.findall(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()), "
        "file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert done.returncode == DATA, done.stderr
    assert "unpacks to more than 1,073,741,824" in done.stderr
    assert "input.max_unpacked_bytes" in done.stderr
    assert int(done.stderr.split()[-1]) < 1 << 20


SPECIAL = {
    "pipe": lambda path: os.mkfifo(path),
    "loop": lambda path: path.symlink_to(path),
    "dangling link": lambda path: path.symlink_to(path.with_name("nothing")),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_pipe_a_device_or_a_link_to_nowhere_is_refused(
    base: Path, tmp_path: Path, student: str, kind: str
) -> None:
    folder = write_collection(tmp_path / "in")
    SPECIAL[kind](folder / "more.jsonl")
    (folder / "again").symlink_to(folder)
    section = {"format": "pairs", "path": str(folder)}
    config = write_config(
        tmp_path / "run.yaml", input=section, student={"model": student}, judge={"kind": "none"}
    )
    ended = negmine("mine", config, "--output", str(tmp_path / "out"))
    assert ended.code == DATA
    assert "more.jsonl is a" in ended.err
    assert published(tmp_path / "out") == {}


PARQUET = {
    "a list": (pa.array([["a"], ["b"]]), "holds list<"),
    "a struct": (pa.array([{"a": 1}, {"a": 2}]), "holds struct<"),
    "a date": (pa.array([1, 2], pa.timestamp("ns")), "holds timestamp[ns]"),
    "numbers": (pa.array([1.5, 2.5]), "text is float, expected text"),
    "nothing": (pa.nulls(2), "text is missing"),
    "bytes": (pa.array([b"\xff", b"\xfe"]), "text is not UTF-8"),
    "booleans": (pa.array([True, False]), "text is bool"),
}


@pytest.mark.parametrize("kind", PARQUET)
def test_a_parquet_column_of_another_type_is_refused(
    tmp_path: Path, student: str, kind: str
) -> None:
    column, words = PARQUET[kind]
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"doc_id": ["a", "b"], "text": column, "query_id": ["a", "b"]}), path)
    places = dict.fromkeys(("documents", "queries", "qrels"), str(path))
    section = {"format": "parquet", **places}
    config = write_config(
        tmp_path / "run.yaml", input=section, student={"model": student}, judge={"kind": "none"}
    )
    ended = negmine("mine", config, "--output", str(tmp_path / "out"))
    assert (ended.code, words in ended.err) == (DATA, True), ended.err


def test_hostile_rows_are_dead_letters_and_none_is_lost(tmp_path: Path, student: str) -> None:
    hostile = [
        b'{"_id": "a", "_id": "b", "text": "x"}', b'{"_id": ' + b"9" * 5000 + b', "text": "x"}',
        b'{"_id": "c", "text": ' + b"[" * 100_000, b'{"_id": "\\ud800", "text": "x"}',
        b'{"_id": "' + b"x" * 70_000 + b'", "text": "x"}', b'{"_id": [1], "text": "x"}',
        b"\x00\x00", b'{"_id": "d", "text": "' + b"x" * 1_000_001 + b'"}',
    ]  # fmt: skip
    folder = write_collection(tmp_path / "in")
    with open(folder / "corpus.jsonl", "ab") as file:
        file.write(b"\n".join(hostile) + b"\n")
    config = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(folder), "bad_rows": 0.5},
        student={"model": student, "device": "cpu"},
    )
    ended = negmine("ingest", config, "--output", str(tmp_path / "out"))
    assert ended.code == 0, ended.err
    (ingested,) = (tmp_path / "out" / "work" / "ingest").iterdir()
    dead = pq.read_table(ingested / "dead_letters", partitioning=None).to_pylist()
    assert sorted(row["line"] for row in dead) == list(range(61, 61 + len(hostile)))
    assert all(row["reason"].isprintable() for row in dead)
    assert pq.read_table(ingested / "documents").num_rows == 60
