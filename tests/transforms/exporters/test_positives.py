"""Exports carry every positive: counts in are counts out, and the report says what is missing."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.schemas.errors import DataError, StorageError
from negmine.transforms.exporters import Options, Report, Source, export
from negmine.transforms.exporters.reading import block
from negmine.transforms.exporters.reading.block import QueryBlock
from negmine.transforms.exporters.reading.tally import (
    FEWER_THAN_N,
    NO_NEGATIVES,
    NOT_BEST,
    NOT_PUBLISHED,
)
from tests.builders import QUOTAS, Layout, document_text, positive_id, query_text
from tests.transforms.exporters.test_exporters import CORE, source_of

SEVERAL = Layout(positives=3)
WIDTH = sum(QUOTAS.values())
FORMATS = CORE


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out", SEVERAL)


def records(report: Report) -> list[dict[str, Any]]:
    assert report.path is not None
    return list(pq.read_table(report.path).to_pylist())


def positives(report: Report) -> list[tuple[str, str]]:
    """Distinct pairs of query and positive in a file, in its order."""
    found = [
        (row.get("anchor", row.get("query")), text)
        for row in records(report)
        for text in row.get("pos") or [row["positive"]]
    ]
    return list(dict.fromkeys(found))


def known(queries: int = 8, each: int = 3) -> list[tuple[str, str]]:
    return [
        (query_text(at), document_text(positive_id(at, number)))
        for at in range(queries)
        for number in range(1, each + 1)
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_every_positive_reaches_every_format_best_first(
    name: str, source: Source, tmp_path: Path
) -> None:
    options = Options(short="repeat") if name == "n_tuple" else Options()
    report = export(source, name, tmp_path / "x.parquet", options)
    assert positives(report) == known()
    assert (report.positives.given, report.positives.written) == (24, 24)
    assert report.positives.told("positives") == "positives: 24 of 24"


@pytest.mark.parametrize("name", FORMATS)
def test_the_best_alone_is_there_when_asked_for(name: str, source: Source, tmp_path: Path) -> None:
    report = export(source, name, tmp_path / "x.parquet", Options(positives="best"))
    expected = [pair for at, pair in enumerate(known()) if at % 3 == 0]
    assert positives(report) == expected[: report.queries.written]
    assert report.positives.missing[NOT_BEST] == 16
    assert report.positives.adds_up


def test_a_triplet_is_a_pair_of_a_positive_and_a_negative(source: Source, tmp_path: Path) -> None:
    report = export(source, "triplet", tmp_path / "t.parquet", Options(scores=True))
    assert report.rows == 3 * (8 * WIDTH - 1)
    first = records(report)[: 3 * WIDTH]
    assert [row["scores"][0] for row in first] == [6.0] * WIDTH + [5.0] * WIDTH + [4.0] * WIDTH
    negatives = [row["negative"] for row in first]
    assert negatives[:WIDTH] == negatives[WIDTH : 2 * WIDTH] == negatives[2 * WIDTH :]
    assert negatives[0] == document_text("d000-hard-1")


def test_an_n_tuple_is_a_positive_with_the_querys_negatives(source: Source, tmp_path: Path) -> None:
    report = export(source, "n_tuple", tmp_path / "n.parquet", Options(scores=True))
    rows = records(report)
    assert len(rows) == 3 * 7
    assert [row["scores"][0] for row in rows[:3]] == [6.0, 5.0, 4.0]
    assert len({(row["negative_1"], row["negative_4"]) for row in rows[:3]}) == 1


def test_flagembedding_has_them_in_a_list_with_their_scores(source: Source, tmp_path: Path) -> None:
    report = export(source, "flagembedding", tmp_path / "f.parquet", Options(scores=True))
    for row in records(report):
        assert len(row["pos"]) == 3
        assert row["pos_scores"] == [6.0, 5.0, 4.0]
        assert len(row["neg_scores"]) == len(row["neg"])


def test_what_is_missing_is_counted_with_the_reason_and_examples(
    source: Source, tmp_path: Path
) -> None:
    report = export(source, "triplet", tmp_path / "t.parquet", Options(tiers=("random",)))
    assert report.positives.as_json() == {
        "in": 24,
        "out": 21,
        "missing": {NO_NEGATIVES: 3},
        "examples": {NO_NEGATIVES: ["q007"]},
    }
    assert report.queries.as_json()["missing"] == {NO_NEGATIVES: 1}
    told = "positives: 21 of 24: 3 of queries without negatives"
    assert report.positives.told("positives") == told
    report = export(source, "n_tuple", tmp_path / "n.parquet", Options())
    assert report.positives.missing == {FEWER_THAN_N: 3}
    assert report.queries.told("queries") == "queries: 7 of 8: 1 with fewer than n negatives"


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_of_older_code_has_one_a_query_and_the_report_says_so(
    name: str, tmp_path: Path
) -> None:
    old = source_of(tmp_path / "out", Layout(positives=3, known=False))
    options = Options(short="repeat") if name == "n_tuple" else Options()
    report = export(old, name, tmp_path / "x.parquet", options)
    assert positives(report) == known(each=1)
    assert report.positives.as_json()["missing"] == {NOT_PUBLISHED: 16}
    assert "mine again to have all" in report.positives.told("positives")


def test_the_report_beside_the_file_has_the_counts_grades_and_input(
    source: Source, tmp_path: Path
) -> None:
    told = Source(**{**vars(source), "input": {"merged_queries": 4}})
    export(told, "flagembedding", tmp_path / "f.jsonl", Options())
    facts = json.loads((tmp_path / "f.jsonl.export.json").read_text())
    assert facts["positives"] == {"in": 24, "out": 24, "missing": {}, "examples": {}}
    assert facts["queries"] == {"in": 8, "out": 8, "missing": {}, "examples": {}}
    assert facts["grades"] == {"in": 24, "out": 0}
    assert facts["input"] == {"merged_queries": 4}
    assert "24 positives have a grade, and flagembedding has no place for it" in facts["notes"][0]


def test_one_grade_for_all_needs_no_note(tmp_path: Path) -> None:
    report = export(source_of(tmp_path / "out"), "triplet", tmp_path / "t.parquet", Options())
    assert report.notes == []
    assert report.grades == {"in": 8, "out": 0}


def test_a_positive_without_a_judges_score_means_the_students_for_all(
    source: Source, tmp_path: Path
) -> None:
    part = next((source.run / "positives").glob("*.parquet"))
    table = pq.read_table(part)
    at = table.schema.get_field_index("judge_score")
    scores = [None, *table["judge_score"].to_pylist()[1:]]
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(scores, "f4")), part)
    report = export(source, "triplet", tmp_path / "t.parquet", Options(scores=True))
    assert report.scores == "dense"
    assert "1 of 55 negatives and positives have no judge score" in report.notes[0]
    assert records(report)[0]["scores"][0] == pytest.approx(0.95)


def test_a_run_that_does_not_hold_what_it_counts_is_refused(source: Source, tmp_path: Path) -> None:
    part = next((source.run / "positives").glob("*.parquet"))
    table = pq.read_table(part)
    pq.write_table(table.slice(3), part)
    with pytest.raises(StorageError, match="no positive in it"):
        export(source, "triplet", tmp_path / "t.parquet", Options())
    assert not (tmp_path / "t.parquet").exists()


def test_nothing_left_to_export_says_why_and_keeps_the_file_that_is_there(
    source: Source, tmp_path: Path
) -> None:
    file = tmp_path / "n.parquet"
    file.write_text("before")
    with pytest.raises(DataError, match="queries: 0 of 8: 8 with fewer than n negatives"):
        export(source, "n_tuple", file, Options(n=9))
    part = source.run / "negatives" / "tier=random"
    for name in part.glob("*.parquet"):
        pq.write_table(pq.read_table(name, partitioning=None).slice(0, 0), name)
    with pytest.raises(DataError, match="no negatives of the tiers random"):
        export(source, "triplet", file, Options(tiers=("random",)))
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["n.parquet"]


def blocks(counts: list[tuple[int, int]]) -> QueryBlock:
    """A block of queries with so many positives and negatives each, of texts of a letter."""

    def rows(name: str, sizes: list[int]) -> pa.Table:
        ids = [f"q{at:03d}" for at, size in enumerate(sizes) for _ in range(size)]
        texts = pa.array([name[0]] * len(ids), pa.large_string())
        return pa.table({"query_id": ids, "query": texts, name: texts})

    return QueryBlock(
        rows("negative", [n for _, n in counts]), rows("positive", [p for p, _ in counts])
    )


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=6))
def test_pairs_are_every_positive_with_every_negative_in_order(
    counts: list[tuple[int, int]],
) -> None:
    made = blocks(counts)
    expected, at_positive, at_negative = [], 0, 0
    for query, (ours, theirs) in enumerate(counts):
        expected += [
            (query, at_positive + p, at_negative + n) for p in range(ours) for n in range(theirs)
        ]
        at_positive, at_negative = at_positive + ours, at_negative + theirs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "ROWS", 4)
        pieces = list(made.pairs())
    assert all(len(piece.query) <= 4 for piece in pieces)
    found = [tuple(map(int, row)) for piece in pieces for row in zip(*piece, strict=True)]
    assert found == expected


def test_a_query_with_hundreds_of_positives_is_made_in_bounded_pieces() -> None:
    pieces = list(blocks([(700, 100), (1, 1)]).pairs())
    assert sum(len(piece.query) for piece in pieces) == 70_001
    assert max(len(piece.query) for piece in pieces) == block.ROWS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "TEXT_BYTES", 30)
        small = list(blocks([(5, 5)]).pairs())
    assert max(len(piece.query) for piece in small) <= 10
    assert np.concatenate([piece.positive for piece in small]).tolist() == sorted(
        [0, 1, 2, 3, 4] * 5
    )


@pytest.mark.parametrize("kind", ["parquet", "csv", "json"])
def test_texts_are_the_same_in_every_kind_of_file(
    kind: str, source: Source, tmp_path: Path
) -> None:
    datasets = pytest.importorskip("datasets")
    file = tmp_path / f"t.{'jsonl' if kind == 'json' else kind}"
    report = export(source, "triplet", file, Options())
    table = datasets.load_dataset(
        kind, data_files=str(file), split="train", cache_dir=str(tmp_path / "cache")
    )
    expected = export(source, "triplet", tmp_path / "expected.parquet", Options())
    assert table.num_rows == report.rows
    assert table.to_list() == records(expected)
    if kind == "csv":
        with duckdb.connect() as database:
            found = database.execute("SELECT count(*) FROM read_csv(?)", [str(file)]).fetchone()
        assert found == (report.rows,)
