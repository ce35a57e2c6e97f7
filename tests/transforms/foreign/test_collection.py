"""An audited set as a collection: identifiers, ranks, repeats and what is known beside the file."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign.collection import Foreign, collect
from negmine.transforms.foreign.references import judgements, texts
from negmine.transforms.readers.rows import text_id
from tests.transforms.foreign.sets import (
    Mined,
    flagembedding,
    tevatron,
    triplets,
    write_jsonl,
)


def tables(directory: Path, name: str) -> list[dict[str, object]]:
    return pq.read_table(directory / f"{name}.parquet").to_pylist()


def test_texts_are_named_by_their_hash_and_ranked_by_their_place(tmp_path: Path) -> None:
    rows = [Mined("q", "p", ("a", "b", "a")), Mined("r", "b", ("p",))]
    path = write_jsonl(tmp_path / "f.jsonl", flagembedding(rows))
    counts = collect(Foreign((str(path),), "flagembedding"), tmp_path / "out")
    assert (counts["rows"], counts["negatives"], counts["queries"], counts["widest"]) == (
        2,
        4,
        2,
        2,
    )
    assert {d["doc_id"]: d["text"] for d in tables(tmp_path / "out", "documents")} == {
        text_id(t): t for t in "pab"
    }
    given = {
        (g["query_id"], g["doc_id"]): (g["rank"], g["occurrences"])
        for g in tables(tmp_path / "out", "given")
    }
    assert given == {
        (text_id("q"), text_id("a")): (1, 2),
        (text_id("q"), text_id("b")): (2, 1),
        (text_id("r"), text_id("p")): (1, 1),
    }


def test_triplets_of_a_query_are_ranked_over_its_rows(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "f.jsonl", triplets([Mined("q", "p", ("c", "a", "b"))]))
    collect(Foreign((str(path),), "triplet"), tmp_path / "out")
    ranks = {g["doc_id"]: g["rank"] for g in tables(tmp_path / "out", "given")}
    assert ranks == {text_id("c"): 1, text_id("a"): 2, text_id("b"): 3}


def test_an_identifier_of_two_texts_is_told_apart(tmp_path: Path) -> None:
    rows = [Mined("q", "p", ("first",)), Mined("r", "p", ("second", "first"))]
    path = write_jsonl(tmp_path / "f.jsonl", tevatron(rows, str, lambda t: t if t == "p" else "x"))
    collect(Foreign((str(path),), "tevatron"), tmp_path / "out")
    named = {d["doc_id"]: d["text"] for d in tables(tmp_path / "out", "documents")}
    assert named == {"p": "p", "x": "first", f"x~{text_id('second')}": "second"}


def test_texts_have_the_identifiers_of_the_corpus(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "f.jsonl", flagembedding([Mined("A  q", "The p", ("n", "other"))])
    )
    write_jsonl(
        tmp_path / "corpus.jsonl",
        [
            {"_id": "d2", "title": "", "text": "the P"},
            {"_id": "d1", "text": "n"},
            {"_id": "d9", "text": "further"},
            {"_id": "d8", "text": "unused"},
        ],
    )
    write_jsonl(tmp_path / "queries.jsonl", [{"_id": "q1", "text": "a Q"}])
    (tmp_path / "train.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td9\t1\nq1\td1\t0\nq1\tgone\t1\n"
    )
    foreign = Foreign(
        (str(path),),
        "flagembedding",
        str(tmp_path),
        str(tmp_path),
        str(tmp_path / "train.tsv"),
    )
    counts = collect(foreign, tmp_path / "out")
    assert (counts["outside_corpus"], counts["judgements_without_document"]) == (1, 1)
    assert {d["doc_id"] for d in tables(tmp_path / "out", "documents")} == {
        "d1",
        "d2",
        "d9",
        text_id("other"),
    }
    assert tables(tmp_path / "out", "qrels") == [
        {"query_id": "q1", "doc_id": "d2"},
        {"query_id": "q1", "doc_id": "d9"},
    ]


def test_a_broken_file_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    path = write_jsonl(
        tmp_path / "f.jsonl", [*flagembedding([Mined("q", "p", ("a",))]), {"query": 1}]
    )
    with pytest.raises(DataError, match="line 2"):
        collect(Foreign((str(path),), "flagembedding"), tmp_path / "out")
    path = write_jsonl(path, flagembedding([Mined("q", "p", ("a",))]))
    assert collect(Foreign((str(path),), "flagembedding"), tmp_path / "out")["rows"] == 1


def test_references_are_read_from_every_usual_layout(tmp_path: Path) -> None:
    (tmp_path / "collection.tsv").write_text("1\tone text\n2\tanother\n")
    assert [tuple(t) for t in texts(tmp_path / "collection.tsv", "corpus")] == [
        ("1", "one text"),
        ("2", "another"),
    ]
    table = pq.write_table
    import pyarrow as pa

    table(pa.table({"docid": ["1"], "title": ["T"], "text": ["x"]}), tmp_path / "c.parquet")
    assert [tuple(t) for t in texts(tmp_path / "c.parquet", "corpus")] == [("1", "T x")]
    (tmp_path / "trec.tsv").write_text("1\t0\t7\t1\n1\t0\t8\t0\n")
    assert list(judgements(tmp_path / "trec.tsv")) == [("1", "7")]
    write_jsonl(tmp_path / "qrels.jsonl", [{"query_id": 1, "doc_id": 7, "grade": 2}])
    assert list(judgements(tmp_path / "qrels.jsonl")) == [("1", "7")]
    write_jsonl(tmp_path / "odd.jsonl", [{"name": 1, "text": "x"}])
    with pytest.raises(DataError, match="has the columns name, text and none of doc_id, _id"):
        list(texts(tmp_path / "odd.jsonl", "corpus"))
