"""Data that can be read two ways, one of which makes positives of negatives: it is asked about."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.jobs.inspection.test_inspection import (
    PAIRS,
    QUERIES,
    TEXTS,
    jsonl,
    said,
    with_column,
)

BOTH = [1, 0, 1, 0, 0, 1]
LISTS = [{"query": q, "documents": [t, f"no {t}"]} for q, t in zip(QUERIES, TEXTS, strict=True)]


def lists(name: str, *values: Any) -> list[dict[str, Any]]:
    return [{**row, name: value} for row, value in zip(LISTS, values * 6, strict=False)]


@pytest.mark.parametrize("of", ["text", "positive"])
@pytest.mark.parametrize("name", ["is_relevant", "is_positive", "is_correct", "target", "qrel"])
def test_a_usual_name_of_a_label_decides(tmp_path: Path, name: str, of: str) -> None:
    found = inspect(jsonl(tmp_path, with_column(name, BOTH, of=of)))
    assert found.input["label"] == name
    assert [len(row.positives) for row in found.rows] == [1, 0, 1]


def test_a_type_of_positives_and_negatives_decides(tmp_path: Path) -> None:
    kinds = ["positive", "negative"] * 3
    assert inspect(jsonl(tmp_path, with_column("type", kinds))).input["label"] == "type"
    assert "label" not in inspect(jsonl(tmp_path, with_column("type", ["normal"] * 6))).input


@pytest.mark.parametrize("of", ["text", "positive"])
def test_zeros_and_ones_of_an_unknown_name_are_asked_about(tmp_path: Path, of: str) -> None:
    path = jsonl(tmp_path, with_column("Relevanz", BOTH, of=of))
    with pytest.raises(DataError, match=r"Relevanz holds 0, 1, and.*input\.label=null takes every"):
        inspect(path)
    assert inspect(path, settings={"label": None}).input["label"] is None


@pytest.mark.parametrize("name", ["valid", "is_valid", "paid", "isPaid", "solid"])
def test_a_name_that_only_ends_like_an_identifier_is_asked_about(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name} holds 0, 1, and"):
        inspect(jsonl(tmp_path, with_column(name, BOTH)))


@pytest.mark.parametrize("name", ["id", "docid", "doc_id", "queryId", "sentence_idx", "paraIndex"])
def test_an_identifier_is_not_asked_about(tmp_path: Path, name: str) -> None:
    assert "label" not in inspect(jsonl(tmp_path, with_column(name, BOTH))).input


@pytest.mark.parametrize("values", [["Y", "N"], ["t", "f"], ["relevant", "irrelevant"]])
def test_words_of_labels_under_an_unknown_name_are_asked_about(
    tmp_path: Path, values: list[str]
) -> None:
    path = jsonl(tmp_path, with_column("said", values * 3))
    with pytest.raises(DataError, match=r"said holds .*--set input\.label=said takes those"):
        inspect(path)
    found = inspect(path, settings={"label": "said"})
    assert [len(row.positives) for row in found.rows] == [1, 0, 1]


def test_words_that_are_no_labels_are_not_asked_about(tmp_path: Path) -> None:
    path = jsonl(tmp_path, with_column("level", ["high", "low"] * 3))
    assert "label" not in inspect(path).input


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_label_in_an_object_beside_the_texts_decides(tmp_path: Path, kind: str) -> None:
    rows = with_column("meta", [{"site": "a", "label": value} for value in BOTH])
    path = jsonl(tmp_path, rows)
    if kind == "parquet":
        path = str(tmp_path / "rows.parquet")
        pq.write_table(pa.Table.from_pylist(rows), path)
    found = inspect(path)
    assert found.input["label"] == "meta.label"
    assert [len(row.positives) for row in found.rows] == [1, 0, 1]


def test_a_label_of_another_text_is_not_the_rows(tmp_path: Path) -> None:
    other = [{"text": "another text", "label": value} for value in BOTH]
    assert "label" not in inspect(jsonl(tmp_path, with_column("other", other))).input


@pytest.mark.parametrize("name", ["is_negative", "not_relevant", "irrelevant", "is_impossible"])
def test_ones_that_say_the_opposite_are_no_labels(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="says by its name which are no positives"):
        inspect(jsonl(tmp_path, with_column(name, BOTH)))


def test_a_score_that_is_named_as_label_needs_a_limit(tmp_path: Path) -> None:
    path = jsonl(tmp_path, with_column("cosine", [0.1, 0.9, 0.8, 0.2, 0.3, 0.7]))
    with pytest.raises(DataError, match=r"cosine \(0.1 to 0.9\) is above 0 everywhere; say above"):
        inspect(path, settings={"label": "cosine"})
    found = inspect(path, settings={"label": "cosine", "label_above": 0.5})
    assert [len(row.positives) for row in found.rows] == [0, 1, 1]


@pytest.mark.parametrize("name", ["rank", "distance"])
def test_a_rank_is_asked_about(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name} says which rows are better"):
        inspect(jsonl(tmp_path, with_column(name, [1, 2, 3, 1, 2, 3])))


def test_classes_of_entailment_are_no_grades(tmp_path: Path) -> None:
    rows = [
        {"premise": q, "hypothesis": t, "label": at % 3}
        for at, (q, t) in enumerate(zip(QUERIES, TEXTS, strict=True))
    ]
    with pytest.raises(DataError, match="may say entailment by 0"):
        inspect(jsonl(tmp_path, rows))


@pytest.mark.parametrize("label", [float("nan"), float("inf"), 10**400])
def test_a_label_that_is_no_finite_number_is_one_sentence(tmp_path: Path, label: float) -> None:
    with pytest.raises(DataError, match="is no number"):
        inspect(jsonl(tmp_path, with_column("label", [label, 1, 1, 1, 1, 1])))


def test_labels_of_the_whole_file_count(tmp_path: Path) -> None:
    """Sorted data has its negatives at the end."""
    rows = [{**row, "label": 1} for row in PAIRS * 50] + [{**row, "label": 0} for row in PAIRS]
    found = inspect(jsonl(tmp_path, rows))
    assert "label says which are positives: above 0, 300 of the 306" in said(found)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert inspect(str(tmp_path / "rows.parquet")).input["label"] == "label"


def test_a_file_that_is_too_large_to_look_through_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("negmine.jobs.inspection.roles.values._BYTES", 3000)
    assert "looked for in the first" in said(inspect(jsonl(tmp_path, PAIRS * 50)))
    with pytest.raises(DataError, match=r"label .* does not say which rows are positives"):
        inspect(jsonl(tmp_path, [{**row, "label": 1} for row in PAIRS * 50]))


@pytest.mark.parametrize(
    ("name", "value", "role"),
    [("label", 0, "label"), ("positive_2", "more", "positive"), ("negative", "no", "given neg")],
)
def test_a_column_that_comes_late_is_not_missed(
    tmp_path: Path, name: str, value: object, role: str
) -> None:
    usual = "positive_1" if name == "positive_2" else "positive"
    rows = [{"query": row["query"], usual: row["positive"]} for row in PAIRS * 50]
    rows += [{**rows[0], "label": 1}] if name == "label" else []
    path = jsonl(tmp_path, [*rows, {**rows[0], name: value}])
    with pytest.raises(DataError, match=f"first rows have no '{name}', and later.*as {role}"):
        inspect(path)


@pytest.mark.parametrize("values", [["1", "0"], [True, False], [2, 0]])
def test_a_list_of_labels_decides(tmp_path: Path, values: list[Any]) -> None:
    found = inspect(jsonl(tmp_path, lists("supporting", values)))
    assert found.input["label"] == "supporting"
    assert [len(row.positives) for row in found.rows] == [1, 1, 1]


def test_a_row_whose_labels_are_too_few_is_bad_alone(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, lists("labels", [1], *[[1, 0]] * 5)))
    assert found.input["label"] == "labels"
    assert [row.bad for row in found.rows] == ["1 labels for 2 texts", "", ""]


def test_lists_of_other_lengths_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="labels holds lists of labels that are not as long"):
        inspect(jsonl(tmp_path, lists("labels", [1, 0, 0])))


@pytest.mark.parametrize("key", ["rel", "relevant", "label", "is_positive"])
def test_labels_in_objects_decide(tmp_path: Path, key: str) -> None:
    rows = [
        {"query": row["query"], "docs": [{"text": t, key: 1 - at} for at, t in enumerate(texts)]}
        for row in LISTS
        if isinstance(texts := row["documents"], list)
    ]
    found = inspect(jsonl(tmp_path, rows))
    assert found.input["label"] == f"docs.{key}"
    assert [len(row.positives) for row in found.rows] == [1, 1, 1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gold_idx", 1),
        ("positive_index", 0),
        ("label", 1),
        ("answer", "B"),
        ("supporting_facts", ["a"]),
    ],
)
def test_a_place_in_a_list_is_asked_about(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(DataError, match=f"{name} may say which text of documents is the positive"):
        inspect(jsonl(tmp_path, lists(name, value)))


def test_the_first_of_a_teachers_list_can_be_named(tmp_path: Path) -> None:
    path = jsonl(tmp_path, lists("scores", [7.5, -2.5]))
    with pytest.raises(DataError, match=r"teacher's score.*--positive 'documents\[0\]'"):
        inspect(path)
    found = inspect(path, settings={"positive": "documents[0]"})
    assert [row.positives for row in found.rows] == [[text] for text in TEXTS[:3]]


def test_a_label_alone_in_a_list_decides(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, with_column("label", [[0], [1], [0], [0], [1], [1]])))
    assert [len(row.positives) for row in found.rows] == [0, 1, 0]


def test_what_is_chosen_from_is_no_positive(tmp_path: Path) -> None:
    rows = [{"question": row["query"], "choices": row["documents"]} for row in LISTS]
    with pytest.raises(DataError, match="choices holds what is chosen from"):
        inspect(jsonl(tmp_path, rows))


@pytest.mark.parametrize("name", ["negative", "neg_text", "distractor", "incorrect_answer"])
def test_a_lone_text_of_a_negative_name_is_no_positive(tmp_path: Path, name: str) -> None:
    rows = [{"query": q, name: t} for q, t in zip(QUERIES, TEXTS, strict=True)]
    with pytest.raises(DataError, match="which column is the positive cannot be told"):
        inspect(jsonl(tmp_path, rows))


def test_a_query_is_not_its_own_positive(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="query cannot be both the query and the positive"):
        inspect(jsonl(tmp_path, PAIRS), settings={"query": "query", "positive": "query"})


def test_a_file_of_negatives_is_left_out_or_refused(tmp_path: Path) -> None:
    rows = [{"query": q, "text": t} for q, t in zip(QUERIES, TEXTS, strict=True)]
    negatives = jsonl(tmp_path, rows, "train_negatives.jsonl")
    for path in (negatives, str(tmp_path)):
        with pytest.raises(DataError, match="says by its name that it holds negatives"):
            inspect(path)
    jsonl(tmp_path, PAIRS, "train_pairs.jsonl")
    found = inspect(str(tmp_path))
    assert found.input["path"] == str(tmp_path / "train_pairs.jsonl")
    assert f"left out: {negatives}" in said(found)


def test_files_of_other_columns_are_named(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "a.jsonl")
    jsonl(tmp_path, with_column("label", BOTH), "b.jsonl")
    with pytest.raises(DataError, match=r"a\.jsonl has the columns .*b\.jsonl 'query', 'text'"):
        inspect(str(tmp_path))


def test_labels_of_files_of_another_order_count(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("query,text,label\nwho is it,it is me,1\nwho else,nobody,1\n")
    (tmp_path / "b.csv").write_text("label,text,query\n0,not you,who was it\n")
    found = inspect(str(tmp_path))
    assert found.input["label"] == "label"
    assert "above 0, 2 of the 3" in said(found)


@pytest.mark.parametrize("name", ["testset", "data_test1", "holdout", "held_out", "testing"])
def test_files_for_evaluation_are_kept_out(tmp_path: Path, name: str) -> None:
    jsonl(tmp_path, PAIRS, "trainset.jsonl")
    kept = jsonl(tmp_path, PAIRS[:1], f"{name}.jsonl")
    assert inspect(str(tmp_path)).input["evaluation_pairs"] == [kept]


def test_files_without_a_use_are_named(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    extra = jsonl(tmp_path, PAIRS, "extra.jsonl")
    assert f"left out: {extra}" in said(inspect(str(tmp_path)))


HEADERLESS = {
    "labels": ("{q}\t{t}\t{n}", "column 3 holds labels"),
    "identifiers first": ("q{n}\t{q}\t{t}", "column 1 holds 'q0'"),
    "identifiers between": ("{q}\td{n}\t{t}", "column 2 holds 'd0'"),
}


@pytest.mark.parametrize("kind", HEADERLESS)
def test_columns_without_names_that_are_no_texts_are_asked_about(tmp_path: Path, kind: str) -> None:
    form, sentence = HEADERLESS[kind]
    numbers = (0, 1) if kind == "labels" else range(6)
    rows = [
        form.format(q=q, t=t, n=n) for q, t, n in zip(QUERIES, TEXTS, [*numbers] * 3, strict=False)
    ]
    path = tmp_path / "rows.tsv"
    path.write_text("\n".join(rows) + "\n")
    with pytest.raises(DataError, match=sentence):
        inspect(str(path))


def test_a_line_of_single_words_may_be_a_header(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("Frage,Antwort\nwer bellt,Der Hund bellt.\nwas ist blau,Der Himmel ist es.\n")
    with pytest.raises(DataError, match=r"may be a header; --set input\.header="):
        inspect(str(path))
    assert inspect(str(path), settings={"header": ["path"]}).counts == {"rows": 2}
    assert inspect(str(path), settings={"header": False}).counts == {"rows": 3}
