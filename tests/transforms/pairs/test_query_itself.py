"""Which documents are a query itself: by identifier, by text, by near-duplicate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from negmine.transforms.data.columns import binary_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.search.candidates import Candidates
from negmine.transforms.pairs.features import Collection
from negmine.transforms.pairs.query_itself import QueryFeatures, one_collection, query_features
from tests.transforms.input_files import config, ingest, write_beir

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho"
FILLER, FILLING = "answer", "nothing of the kind"
"""A document that is everybody's positive, so that every query is mined."""


def passage(at: int, words: int = 12) -> str:
    names = WORDS.split()
    return " ".join(
        names[(at * step + step) % len(names)] + str(at) for step in range(1, words + 1)
    )


def collection(
    folder: Path,
    documents: Sequence[tuple[str, str]],
    queries: Sequence[tuple[str, str]],
    queries_are_documents: Literal["auto"] | bool = "auto",
    **settings: Any,
) -> Collection:
    """The ingested collection; its vectors are not looked at."""
    write_beir(
        folder / "in",
        [{"_id": i, "text": text} for i, text in [*documents, (FILLER, FILLING)]],
        [{"_id": i, "text": text} for i, text in queries],
        [(i, FILLER, 1) for i, _ in queries],
    )
    ingest(config(format="beir", path=str(folder / "in"), **settings), folder / "work")
    sets = [Dataset(str(folder / "work" / n)) for n in ("documents", "queries", "positives")]
    for dataset in sets:
        dataset.finish(fingerprint=dataset.path, stage="ingest")
    return Collection(*sets, sets[0], sets[1], queries_are_documents=queries_are_documents)


def ids(dataset: Dataset, column: str) -> list[str]:
    return binary_column(dataset, column).texts(range(dataset.rows))


def features(found: Collection) -> dict[tuple[str, str], dict[str, Any]]:
    """Features of every query with every document, by their identifiers."""
    queries, documents = found.queries.rows, found.documents.rows
    query_ix = np.repeat(np.arange(queries), documents)
    doc_ix = np.tile(np.arange(documents), queries)
    pairs = Candidates(query_ix, doc_ix, np.zeros(len(doc_ix), dtype=bool), {}, {})
    texts = binary_column(found.queries, "text").texts(range(queries))
    made = query_features(found, pairs, texts, query_ix)
    assert made.jaccard.dtype == np.float32
    names = [(q, d) for q in ids(found.queries, "query_id") for d in ids(found.documents, "doc_id")]
    return {
        pair: {name: getattr(made, name)[row] for name in QueryFeatures.__annotations__}
        for row, pair in enumerate(names)
    }


def own(found: Collection) -> set[tuple[str, str]]:
    """Pairs that are the same by identifier."""
    return {pair for pair, values in features(found).items() if values["same_id"]}


def test_text_decides_whatever_case_and_space(tmp_path: Path) -> None:
    made = features(collection(tmp_path, [("d", "  The CAT sat. ")], [("q", "the cat  sat.")]))
    assert made["q", "d"]["same_text"]
    assert made["q", "d"]["jaccard"] == 1
    assert not made["q", FILLER]["same_text"]


def test_a_query_with_a_word_more_is_near(tmp_path: Path) -> None:
    made = features(
        collection(
            tmp_path,
            [("near", passage(1)), ("half", passage(1, 6) + " " + passage(2, 6))],
            [("q", passage(1) + " more")],
        )
    )
    assert made["q", "near"]["jaccard"] == pytest.approx(10 / 11)
    assert made["q", "half"]["jaccard"] < 0.8
    assert not made["q", "near"]["same_text"]


@pytest.mark.parametrize(
    ("query", "document", "near"),
    [
        ("cat", "cat", True),
        ("cat", "cats", False),
        ("cat", "cat dog", False),
        ("cat", "the cat sat on the mat", False),
        ("new york", "york new", False),
        ("new york", "New York", True),
        ("new york", "new york city", False),
        ("+ - *", "* - +", False),
    ],
)
def test_short_queries_are_near_to_nothing_but_themselves(
    query: str, document: str, near: bool, tmp_path: Path
) -> None:
    made = features(collection(tmp_path, [("d", document)], [("q", query)]))
    assert bool(made["q", "d"]["jaccard"] >= 0.8) is near


def test_identifiers_decide_where_texts_of_equal_ones_agree(tmp_path: Path) -> None:
    documents = [(str(i), passage(i)) for i in range(8)]
    queries = [(str(i), passage(i)) for i in range(5)] + [("6", "rewritten from end to end")]
    found = collection(tmp_path, documents, queries)
    assert own(found) == {(str(i), str(i)) for i in (0, 1, 2, 3, 4, 6)}


def test_a_title_or_a_passage_cut_out_of_the_document_agrees_with_it(tmp_path: Path) -> None:
    """As in citation prediction, where a query is the title of a paper of the corpus."""
    documents = [(f"paper{i}", passage(i, 5) + ": " + passage(i + 40, 30)) for i in range(6)]
    queries = [(f"paper{i}", passage(i, 5)) for i in range(6)]
    found = collection(tmp_path, documents, queries)
    assert len(own(found)) == 6
    assert max(values["jaccard"] for values in features(found).values()) < 0.5


def test_numbers_that_meet_by_accident_are_no_identifiers_in_common(tmp_path: Path) -> None:
    documents = [(str(i), passage(i)) for i in range(12)]
    queries = [(str(i), passage(i + 1)) for i in range(10)]
    found = collection(tmp_path, documents, queries)
    assert own(found) == set()
    assert features(found)["3", "4"]["same_text"], "the text decides all the same"


@pytest.mark.parametrize(("agreeing", "together"), [(1, False), (4, False), (5, True)])
def test_half_of_the_pairs_and_two_at_least_must_agree(
    agreeing: int, together: bool, tmp_path: Path
) -> None:
    documents = [(f"n{i}", passage(i)) for i in range(10)]
    queries = [(f"n{i}", passage(i if i < agreeing else i + 30)) for i in range(10)]
    found = collection(tmp_path, documents, queries)
    assert one_collection(found.documents, found.queries) is together


def test_one_pair_is_too_few_to_tell(tmp_path: Path) -> None:
    queries = [("n0", passage(0)), ("x", passage(1)), ("y", passage(2))]
    found = collection(tmp_path, [("n0", passage(0)), ("n1", passage(9))], queries)
    assert not one_collection(found.documents, found.queries)


@pytest.mark.parametrize("asked", [True, False])
def test_the_config_can_say_what_the_identifiers_mean(asked: bool, tmp_path: Path) -> None:
    documents = [(str(i), passage(i)) for i in range(4)]
    queries = [(str(i), passage(i if asked is False else i + 9)) for i in range(4)]
    found = collection(tmp_path, documents, queries, asked)
    assert len(own(found)) == (4 if asked else 0)


def test_a_merged_query_has_the_documents_of_all_its_identifiers(tmp_path: Path) -> None:
    documents = [(f"n{i}", passage(i)) for i in range(5)]
    queries = [(f"n{i}", passage(i)) for i in range(3)] + [("n4", passage(2).upper())]
    found = own(collection(tmp_path, documents, queries))
    assert {document for query, document in found if query == "n2"} == {"n2", "n4"}


@pytest.mark.parametrize("asked", ["auto", True, False])
@pytest.mark.parametrize("words", [4, 30], ids=["title", "whole"])
def test_passages_of_a_document_with_the_identifier_are_the_query_itself(
    asked: Literal["auto"] | bool, words: int, tmp_path: Path
) -> None:
    documents = [(f"n{i}", passage(i, 30)) for i in range(6)]
    queries = [(f"n{i}", passage(i, words)) for i in range(5)] + [("n5", passage(4, words).upper())]
    found = collection(tmp_path, documents, queries, asked, passages={"words": 10})
    cut = {(f"n{i}", f"n{i}#{n}") for i in range(5) for n in (1, 2, 3)}
    merged = {("n4", f"n5#{n}") for n in (1, 2, 3)}
    assert own(found) == (set() if asked is False else cut | merged)


def test_passages_of_numbers_that_meet_by_accident_are_none(tmp_path: Path) -> None:
    documents = [(f"{i}#{n}", passage(9 * i + n)) for i in range(8) for n in range(3)]
    assert (
        own(collection(tmp_path, documents, [(str(i), passage(90 + i)) for i in range(8)])) == set()
    )


def test_identifiers_are_compared_as_written_in_any_script(tmp_path: Path) -> None:
    names = ["é", "e\u0301", "日本", "Z", "a", "😀", "\U00020000"]
    documents = [(name, passage(at)) for at, name in enumerate(names)]
    found = collection(tmp_path, documents, [*documents[:3], *documents[5:], ("z", "nothing")])
    assert own(found) == {(name, name) for name in (*names[:3], *names[5:])}
