"""Documents alone: what asks for them, what answers, and how made-up queries are told."""

from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.readers import check, fingerprint_input
from negmine.transforms.readers.pairs.pseudo import PSEUDO
from tests.transforms.input_files import config, ingest, rows, write_lines, write_table

DOCUMENTS = [
    {"id": "d1", "title": "Where cells divide", "text": "Cells divide in two. They then grow."},
    {"id": "d2", "title": "", "text": "What do stars burn? They burn hydrogen to helium."},
    {"id": "d3", "title": None, "text": "Rivers carry sand to the sea"},
]


def made(path: Path, **values: Any) -> dict[str, tuple[str, str]]:
    """Query and document of each pair, by the query's identifier."""
    out = path.parent / "out"
    ingest(config(format="documents", path=str(path), bad_rows=0, **values), out)
    queries, documents = rows(out, "queries"), rows(out, "documents")
    return {
        queries[row["query_ix"]]["query_id"]: (
            queries[row["query_ix"]]["text"],
            documents[row["doc_ix"]]["text"],
        )
        for row in rows(out, "positives")
    }


@pytest.mark.parametrize("name", ["d.jsonl", "d.json", "d.csv", "d.parquet", "d.arrow"])
def test_a_title_or_else_the_first_sentence_asks_for_the_rest(tmp_path: Path, name: str) -> None:
    assert made(write_table(tmp_path / name, DOCUMENTS)) == {
        "pseudo:d1": ("Where cells divide", "Cells divide in two. They then grow."),
        "pseudo:d2": ("What do stars burn?", "They burn hydrogen to helium."),
    }
    assert len(rows(tmp_path / "out", "documents")) == 3


def test_the_first_sentence_is_asked_for_in_spite_of_a_title(tmp_path: Path) -> None:
    found = made(write_table(tmp_path / "d.jsonl", DOCUMENTS), queries="first_sentence")
    assert found["pseudo:d1"] == ("Cells divide in two.", "They then grow.")


def test_a_document_is_what_its_query_does_not_say(tmp_path: Path) -> None:
    for query, document in made(write_table(tmp_path / "d.jsonl", DOCUMENTS)).values():
        assert query not in document


def test_crops_are_two_spans_of_a_document_and_keyed_by_its_identifier(tmp_path: Path) -> None:
    long = [{"id": f"d{i}", "text": " ".join(f"w{i}x{j}" for j in range(60))} for i in range(9)]
    path = write_table(tmp_path / "d.jsonl", long)
    found = made(path, queries="crops", crop=[0.1, 0.3])
    assert len(found) == 9
    for identity, spans in found.items():
        text = next(row["text"] for row in long if row["id"] == identity.removeprefix(PSEUDO))
        assert all(span in text and 6 <= len(span.split()) <= 18 for span in spans)
    backwards = write_table(tmp_path / "e.jsonl", long[::-1])
    assert made(backwards, queries="crops", crop=[0.1, 0.3]) == found


def test_the_seed_counts_where_spans_are_drawn_and_only_there(tmp_path: Path) -> None:
    path = write_table(tmp_path / "d.jsonl", DOCUMENTS)
    for queries, drawn in (("crops", True), ("title", False)):
        made = config(format="documents", path=str(path), queries=queries)
        first, second = (fingerprint_input(made, seed, None) for seed in (1, 2))
        assert (first != second) == drawn


def test_texts_a_line_each_have_the_hash_of_their_text(tmp_path: Path) -> None:
    lines = ["One two three four. Five six seven.", "Eight nine ten.\u2028 Eleven twelve more so."]
    found = made(write_lines(tmp_path / "d.txt", lines))
    assert {query for query, _ in found.values()} == {"One two three four.", "Eight nine ten."}
    assert all(identity.startswith(PSEUDO) for identity in found)


def test_an_identifier_and_a_text_may_stand_without_a_header(tmp_path: Path) -> None:
    lines = [f"d{i}\tIs this number {i}? Yes, it is that one." for i in range(4)]
    assert set(made(write_lines(tmp_path / "d.tsv", lines))) == {f"pseudo:d{i}" for i in range(4)}


def test_an_identifier_twice_with_another_text_is_a_bad_row(tmp_path: Path) -> None:
    twice = [DOCUMENTS[0], {**DOCUMENTS[1], "id": "d1"}]
    with pytest.raises(DataError, match="duplicate id 'd1'"):
        made(write_table(tmp_path / "d.jsonl", twice))


def test_a_row_counts_once_whatever_is_made_of_it(tmp_path: Path) -> None:
    path = write_table(tmp_path / "d.jsonl", DOCUMENTS)
    counts = ingest(config(format="documents", path=str(path)), tmp_path / "out")
    assert (counts["rows"], counts["documents"], counts["queries"]) == (3, 3, 2)


def test_a_file_without_a_column_of_texts_is_refused(tmp_path: Path) -> None:
    path = write_table(tmp_path / "d.jsonl", [{"x": "one two", "y": "three"}])
    with pytest.raises(DataError, match=r"no column of a usual name for input.doc_text"):
        check(config(format="documents", path=str(path)))
