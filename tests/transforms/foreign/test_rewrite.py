"""Cleaned copies: bad entries gone, everything else as it was."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from negmine.transforms.foreign import rows
from negmine.transforms.foreign.rewrite import rewrite
from tests.transforms.foreign.sets import (
    Mined,
    flagembedding,
    n_tuples,
    read_jsonl,
    read_table,
    tevatron,
    triplets,
    write_jsonl,
    write_table,
)

ROWS = [Mined(f"q{i}", f"p{i}", tuple(f"n{i}{k}" for k in "abc")) for i in range(3)]
BAD = {2: {("", 1)}, 3: {("", 1), ("", 2), ("", 3)}}


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow", "stream.arrow", "f.jsonl", "f.jsonl.gz"])
@pytest.mark.parametrize("keep_short", [False, True])
def test_n_tuples_keep_their_width_or_get_nulls(
    name: str, keep_short: bool, tmp_path: Path
) -> None:
    records = [
        {"id": at, **record, "scores": [9.0, 3.0, 2.0, 1.0]}
        for at, record in enumerate(n_tuples(ROWS))
    ]
    source, target = tmp_path / name, tmp_path / "out" / name
    metadata = {b"huggingface": b'{"info": 1}'}
    if "jsonl" in name:
        write_jsonl(source, records)
    else:
        table = pa.Table.from_pylist(records).replace_schema_metadata(metadata)
        write_table(source, table, stream=name.startswith("stream"))
    dropped = rewrite(source, target, "n_tuple", BAD, keep_short)
    found = read_jsonl(target) if "jsonl" in name else read_table(target).to_pylist()
    short: dict[str, Any] = {"negative_1": "n1b", "negative_2": "n1c", "negative_3": None}
    short = {**records[1], **short, "scores": [9.0, 2.0, 1.0, None]}
    assert found == ([records[0], short] if keep_short else [records[0]])
    assert [list(record) for record in found] == [list(records[0])] * len(found)
    assert dropped == ([3] if keep_short else [2, 3])
    if "jsonl" not in name:
        assert read_table(target).schema.metadata == metadata


def test_a_triplet_goes_with_its_negative(tmp_path: Path) -> None:
    records = triplets(ROWS)
    source = write_table(tmp_path / "f.parquet", pa.Table.from_pylist(records))
    target = tmp_path / "out.parquet"
    assert rewrite(source, target, "triplet", {1: {("", 1)}, 9: {("", 1)}}, False) == [1, 9]
    assert read_table(target).to_pylist() == records[1:8]
    assert pq.ParquetFile(target).schema_arrow == pq.ParquetFile(source).schema_arrow


def test_lists_lose_entries_and_what_stands_beside_them(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "f.jsonl", flagembedding(ROWS))
    target = tmp_path / "out.jsonl"
    assert rewrite(source, target, "flagembedding", BAD, False) == [3]
    first, second = read_jsonl(target)
    assert first == flagembedding(ROWS)[0]
    assert second == {
        **flagembedding(ROWS)[1],
        "neg": ["n1b", "n1c"],
        "neg_scores": [1, 2],
    }


def test_untouched_lines_keep_their_bytes(tmp_path: Path) -> None:
    source = tmp_path / "f.jsonl"
    odd = b'{ "neg":["n0a"],"query" : "q\\u00e9", "pos":["p"], "own": 1.50 }'
    source.write_bytes(odd + b"\n" + odd.replace(b"n0a", b"bad") + b"\n\n" + odd + b"\n")
    target = tmp_path / "out.jsonl"
    assert rewrite(source, target, "flagembedding", {2: {("", 1)}}, False) == [2]
    assert target.read_bytes() == odd + b"\n" + odd + b"\n"


def test_passages_and_systems_lose_only_what_is_bad(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "t.jsonl", tevatron(ROWS, str, str))
    target = tmp_path / "out.jsonl"
    assert rewrite(source, target, "tevatron", BAD, False) == [3]
    assert [p["docid"] for p in read_jsonl(target)[1]["negative_passages"]] == ["n1b", "n1c"]
    record: dict[str, Any] = {
        "qid": 1,
        "pos": [1],
        "neg": {"bm25": [2, 3], "dense": [{"pid": 2, "ce-score": 1}]},
    }
    source = write_jsonl(tmp_path / "m.jsonl.gz", [record])
    target = tmp_path / "out.jsonl.gz"
    assert rewrite(source, target, "msmarco", {1: {("dense", 1), ("bm25", 2)}}, False) == []
    assert read_jsonl(target) == [{**record, "neg": {"bm25": [2], "dense": []}}]
    assert rewrite(
        source, target, "msmarco", {1: {(s, i) for s in record["neg"] for i in (1, 2)}}, False
    ) == [1]
    assert read_jsonl(target) == []


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[list[Mined], dict[int, set[tuple[str, int]]]]:
    width = draw(st.integers(1, 4))
    texts = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)
    rows = draw(
        st.lists(
            st.builds(Mined, texts, texts, st.tuples(*[texts] * width)), min_size=1, max_size=5
        )
    )
    places = st.sets(st.tuples(st.just(""), st.integers(1, width)), min_size=1)
    return rows, draw(st.dictionaries(st.integers(1, len(rows)), places))


@pytest.mark.parametrize("format", ["n_tuple", "flagembedding"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(case=spoilt())
def test_a_copy_reads_as_the_rows_without_what_is_bad(
    format: str, case: tuple[list[Mined], dict[int, set[tuple[str, int]]]], tmp_path: Path
) -> None:
    mined, bad = case
    made = n_tuples(mined) if format == "n_tuple" else flagembedding(mined)
    source = write_jsonl(tmp_path / "source.jsonl", made)
    dropped = rewrite(source, tmp_path / "copy.jsonl", format, bad, format == "n_tuple")
    expected = {}
    for number, row in enumerate(mined, 1):
        keep = [t for at, t in enumerate(row.negatives, 1) if ("", at) not in bad.get(number, ())]
        expected[number] = [text.strip() for text in keep]
    found = [
        [n.document.text for n in row.negatives]
        for row in rows(str(tmp_path / "copy.jsonl"), format)
    ]
    assert found == [kept for kept in expected.values() if kept]
    assert dropped == [number for number, kept in expected.items() if not kept]
