"""A collection whose files are others than those that it was known by: nothing is read of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import identified, read
from tests.transforms.foreign.sets import read_table
from tests.transforms.input_files import config, write_beir, write_lines, write_table

Rows = list[dict[str, str]]
Made = tuple[dict[str, Any], list[Path]]
Write = Callable[[Path], Made]
TABLES: dict[str, Rows] = {
    "documents": [{"doc_id": "1", "text": "a text"}, {"doc_id": "2", "text": "b text"}],
    "queries": [{"query_id": "1", "text": "a query"}],
    "qrels": [{"query_id": "1", "doc_id": "1"}],
}
PAIRS = [{"query": "a query", "positive": "a text"}, {"query": "other a", "positive": "a b c"}]
POOL = [{"text": "a text"}, {"text": "b text"}]
SUFFIXES = (
    ".jsonl",
    ".jsonl.gz",
    ".jsonl.zst",
    ".json",
    ".csv",
    ".csv.gz",
    ".tsv",
    ".tsv.zst",
    ".parquet",
    ".arrow",
    ".stream.arrow",
)


def beir(packed: str, base: Path) -> Made:
    write_beir(base)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/train.tsv") if packed else ():
        write_lines(base / f"{name}{packed}", (base / name).read_bytes().splitlines())
        (base / name).unlink()
    labels = [{"query_id": "q1", "doc_id": "d1", "decision": "positive"}]
    test = write_lines(
        base / "qrels" / f"test.tsv{packed}", ["query-id\tcorpus-id\tscore", "q3\td3\t1"]
    )
    write_lines(base / f"labels.jsonl{packed}", labels)
    values = {"format": "beir", "path": str(base), "labels": str(base / f"labels.jsonl{packed}")}
    names = ("corpus.jsonl", "queries.jsonl", "qrels/train.tsv", "labels.jsonl")
    files = [base / f"{name}{packed}" for name in names]
    return {**values, "evaluation_splits": ["test"]}, [*files, test]


def columns(format: str, suffix: str, base: Path) -> Made:
    """Files of a suffix in a format that names columns, those of an evaluation too."""
    found = {name: write_table(base / f"{name}{suffix}", rows) for name, rows in TABLES.items()}
    values: dict[str, Any] = {name: str(file) for name, file in found.items()}
    for name in ("queries", "qrels"):
        file = write_table(base / f"evaluation_{name}{suffix}", TABLES[name])
        values[file.name.partition(".")[0]], found[f"evaluation_{name}"] = [str(file)], file
    return {"format": format, **values}, list(found.values())


def trec(base: Path) -> Made:
    files = [
        write_lines(base / "documents.tsv", ["1\ta text", "2\tb text"]),
        write_lines(base / "queries.tsv", ["1\ta query"]),
        write_lines(base / "qrels.tsv", ["1 0 1 1"]),
    ]
    return {"format": "tsv", **dict(zip(TABLES, map(str, files), strict=True))}, files


def pairs(suffix: str, base: Path) -> Made:
    files = [write_table(base / f"p{suffix}", PAIRS), write_table(base / f"pool{suffix}", POOL)]
    held_out = write_table(base / f"held{suffix}", PAIRS[1:])
    values = {"path": str(files[0]), "pool": str(files[1]), "evaluation_pairs": [str(held_out)]}
    return {"format": "pairs", **values}, [*files, held_out]


def hf(base: Path) -> Made:
    datasets = pytest.importorskip("datasets")
    files: list[Path] = []
    for name, rows in TABLES.items():
        datasets.Dataset.from_list(rows).save_to_disk(str(base / name))
        files += (base / name).glob("*.arrow")
    return {"format": "hf", **{name: str(base / name) for name in TABLES}}, files


def parquet(base: Path) -> Made:
    return columns("parquet", ".parquet", base)


def _formats() -> dict[str, Write]:
    found: dict[str, Write] = {"trec": trec, "hf": hf}
    for packed in ("", ".gz", ".zst"):
        found[f"beir{packed}"] = lambda base, packed=packed: beir(packed, base)
    for suffix in SUFFIXES:
        table = "parquet" if suffix in (".parquet", ".arrow", ".stream.arrow") else "jsonl"
        format = "tsv" if suffix.startswith((".csv", ".tsv")) else table
        found[f"{format}{suffix}"] = lambda base, f=format, s=suffix: columns(f, s, base)
        found[f"pairs{suffix}"] = lambda base, s=suffix: pairs(s, base)
    for format, suffix in (("jsonl", ".csv"), ("parquet", ".tsv"), ("parquet", ".json")):
        found[f"{format} of{suffix}"] = lambda base, f=format, s=suffix: columns(f, s, base)
    return found


FORMATS = _formats()


def other_content(file: Path) -> bytes:
    """A sound file of the same kind and columns that holds something else."""
    if file.suffix in (".gz", ".zst"):
        rows = ["a line", "of something else"]
        return write_lines(file.with_name(f"else{file.suffix}"), rows).read_bytes()
    if file.suffix in (".parquet", ".arrow"):
        table = read_table(file)
        kind = ".stream.arrow" if file.read_bytes()[:6] != b"ARROW1" else ".arrow"
        suffix = ".parquet" if file.suffix == ".parquet" else kind
        rows = [{name: f"{text} else" for name, text in row.items()} for row in table.to_pylist()]
        return write_table(file.parent.parent / f"else{suffix}", rows).read_bytes()
    data = file.read_bytes()
    return data.replace(b"a ", b"b ").replace(b'"1"', b'"2"').replace(b"1\n", b"2\n") + b"\n"


def other_columns(file: Path) -> bytes:
    """What has none of the columns, so that nobody can say where anything stands."""
    return write_lines(file.with_name(f"else{file.suffix}"), ["word,word,word,word"]).read_bytes()


def cut_off(file: Path) -> bytes:
    data = file.read_bytes()
    return data[: len(data) // 2]


@pytest.mark.parametrize("change", [other_content, other_columns, cut_off])
@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_was_replaced_after_its_fingerprint_is_named(
    tmp_path: Path, format: str, change: Callable[[Path], bytes]
) -> None:
    values, files = FORMATS[format](tmp_path)
    made = config(**values)
    _, sources = identified(made, 42, None)
    assert all(list(read(source, made, 42)) for source in sources)
    for file in files:
        kept = file.read_bytes()
        file.write_bytes(change(file))
        assert file.read_bytes() != kept
        (source,) = (s for s in sources if file.is_relative_to(s.path))
        with pytest.raises(DataError) as raised:
            list(read(source, made, 42))
        # A saved data set is opened by its library, which may refuse it first.
        told = str(raised.value)
        unopened = format == "hf" and change is not other_content and str(file.parent) in told
        assert told.startswith(f"{file} changed while it was read") or unopened, told
        file.write_bytes(kept)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_as_it_was_is_read_again(tmp_path: Path, format: str) -> None:
    """Its times may be others: what counts is what it holds."""
    values, files = FORMATS[format](tmp_path)
    made = config(**values)
    _, sources = identified(made, 42, None)
    before = [list(read(source, made, 42)) for source in sources]
    for file in files:
        file.write_bytes(file.read_bytes())
    assert [list(read(source, made, 42)) for source in sources] == before
    assert all(before)


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
    values, files = parquet(tmp_path / "a")
    folder = tmp_path / "documents"
    folder.mkdir()
    files[0].rename(folder / "1.parquet")
    made = config(**{**values, "documents": str(folder)})
    _, sources = identified(made, 42, None)
    write_table(folder / "2.parquet", [{"doc_id": "3", "text": "late"}])
    documents = [source for source in sources if source.kind == "documents"]
    assert sum(1 for source in documents for _ in read(source, made, 42)) == 2
