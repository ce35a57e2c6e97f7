"""What data is taken for, and the sentence where that cannot be told."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.inspection.inspection import Inspection, inspect
from negmine.jobs.load_config import config_of
from negmine.schemas.errors import ConfigError, DataError
from tests.transforms.input_files import write_beir, write_lines

QUERIES = [f"where is thing number {i}" for i in "abcdef"]
TEXTS = [f"Thing number {i} is on the shelf." for i in "abcdef"]
PAIR_TEXTS = list(zip(QUERIES, TEXTS, strict=True))
PAIRS = [{"query": q, "positive": t} for q, t in PAIR_TEXTS]


def roles(found: Inspection) -> dict[str, str]:
    return {column.name: column.role for column in found.columns if column.role}


def said(found: Inspection) -> str:
    return "\n".join(found.notes)


def jsonl(folder: Path, rows: list[Any], name: str = "rows.jsonl") -> str:
    return str(write_lines(folder / name, rows))


def with_column(name: str, values: list[Any], of: str = "text") -> list[dict[str, Any]]:
    """Rows of a query, a text that answers it, and one more column."""
    rows = zip(QUERIES, TEXTS, values, strict=True)
    return [{"query": q, of: t, name: value} for q, t, value in rows]


def test_what_is_usual_needs_no_key_but_format_and_path(tmp_path: Path) -> None:
    path = jsonl(tmp_path, PAIRS)
    found = inspect(path)
    assert found.values == {"input": {"format": "pairs", "path": path}, "judge": {"kind": "fusion"}}
    assert roles(found) == {"query": "query", "positive": "positive"}
    assert found.counts == {"rows": 6}
    assert [(row.query, row.positives) for row in found.rows] == [
        (q, [t]) for q, t in zip(QUERIES[:3], TEXTS[:3], strict=True)
    ]


def test_what_is_understood_is_a_valid_config(tmp_path: Path) -> None:
    import yaml

    found = inspect(jsonl(tmp_path, with_column("label", [1, 0, 1, 0, 1, 1])))
    written = yaml.safe_load(found.yaml())
    assert written["input"] == found.values["input"]
    assert config_of(written, "written").judge.kind == "fusion"


def test_text_of_strangers_cannot_reach_the_terminal(tmp_path: Path) -> None:
    rows = [{"query": "a \x1b[2Jb", "positive": "c \u202e d", "e\x1bf": "g h"} for _ in range(3)]
    told = inspect(jsonl(tmp_path, rows)).text()
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"\x1b" in told


def test_columns_without_a_role_are_named(tmp_path: Path) -> None:
    assert "not used: url" in said(inspect(jsonl(tmp_path, with_column("url", ["u"] * 6))))


def test_columns_of_languages_are_told_as_what_is_read(tmp_path: Path) -> None:
    own = {"query": "query", "positive": "positive"}
    one = jsonl(tmp_path, [{**row, "lang": "en"} for row in PAIRS])
    each = jsonl(
        tmp_path, [{**row, "query_lang": "en", "positive_lang": "de"} for row in PAIRS], "b.jsonl"
    )
    found = inspect(one)
    assert roles(found) == {**own, "lang": "language"} and "not used" not in said(found)
    both = {"query_lang": "language (query)", "positive_lang": "language (positive)"}
    assert roles(inspect(each)) == {**own, **both}
    none = {"query_language": None, "positive_language": None}
    found = inspect(one, settings=none)
    assert roles(found) == own and "not used: lang" in said(found)
    documents = [{"_id": "d", "text": "x", "lang": "de"}]
    folder = write_beir(tmp_path / "in", documents, [{"_id": "q", "text": "y"}], [("q", "d", 1)])
    assert roles(inspect(str(folder)))["documents: lang"] == "language"


def test_two_columns_of_unknown_names_go_by_their_order_and_it_says_so(tmp_path: Path) -> None:
    rows = [{"Frage": q, "Antwort": t} for q, t in zip(QUERIES, TEXTS, strict=True)]
    found = inspect(jsonl(tmp_path, rows))
    assert roles(found) == {"Frage": "query", "Antwort": "positive"}
    assert "--query Antwort --positive Frage" in said(found)


def test_three_columns_of_unknown_names_are_asked_for_in_one_sentence(tmp_path: Path) -> None:
    rows = [{"x": q, "y": t, "z": t[::-1]} for q, t in zip(QUERIES, TEXTS, strict=True)]
    path = jsonl(tmp_path, rows)
    with pytest.raises(DataError, match=r"its columns are 'x', 'y', 'z'. Say it: --query COLUMN"):
        inspect(path)
    found = inspect(path, settings={"query": "y", "positive": ["x", "z"]})
    assert roles(found) == {"x": "positive", "y": "query", "z": "positive"}


def test_a_column_that_is_named_and_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column 'nix'; its columns are 'query', 'positive'"):
        inspect(jsonl(tmp_path, PAIRS), settings={"query": "nix"})


LABELS: dict[str, tuple[list[Any], float, int]] = {
    "0 and 1": ([1, 0, 1, 0, 0, 1], 0, 3),
    "true and false": ([True, False, True, True, False, True], 0, 4),
    "grades": ([0, 1, 2, 3, 0, 0], 0, 3),
    "-1 and 1": ([-1, 1, -1, -1, -1, 1], 0, 2),
    "words": (["yes", "no", "no", "yes", "yes", "yes"], 0, 4),
}
TOLD: dict[str, tuple[list[Any], float, int]] = {
    "1 to 5": ([1, 2, 3, 4, 5, 5], 3, 3),
    "1 and 2": ([1, 2, 1, 1, 1, 1], 1, 1),
    "shares": ([0.1, 0.4, 0.6, 0.9, 0.5, 1.0], 0.5, 3),
    "0 to 5, not whole": ([0.0, 1.5, 2.4, 2.6, 5.0, 4.2], 2.5, 3),
}


@pytest.mark.parametrize("kind", LABELS)
def test_a_label_says_which_texts_are_positives(tmp_path: Path, kind: str) -> None:
    labels, above, positives = LABELS[kind]
    found = inspect(jsonl(tmp_path, with_column("label", labels)))
    assert found.input["label"] == "label"
    assert found.input.get("label_above", 0) == above
    assert f"above {above:g}, {positives} of the 6" in said(found)
    numbers = [{"yes": 1, "no": 0}.get(label, label) for label in labels[:3]]
    assert sum(len(row.positives) for row in found.rows) == sum(n > above for n in numbers)


@pytest.mark.parametrize("kind", TOLD)
def test_the_limit_of_a_score_is_asked_for(tmp_path: Path, kind: str) -> None:
    labels, above, positives = TOLD[kind]
    path = jsonl(tmp_path, with_column("label", labels))
    with pytest.raises(DataError, match=r"does not say which rows.*input\.label_above=VALUE takes"):
        inspect(path)
    found = inspect(path, settings={"label_above": above})
    assert found.input["label"] == "label"
    assert f"above {above:g}, {positives} of the 6" in said(found)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (["entailment", "neutral"] * 3, "'entailment' is no number; write 1 for positives"),
        ([-3.5, 2.25, 0.5, -1.0, 4.0, 1.5], "does not say which rows are positives"),
    ],
)
def test_a_label_that_cannot_be_read_is_asked_for(
    tmp_path: Path, values: list[Any], sentence: str
) -> None:
    path = jsonl(tmp_path, with_column("label", values))
    with pytest.raises(DataError, match=sentence):
        inspect(path)
    assert "label" not in roles(inspect(path, settings={"label": None})).values()


def test_a_score_beside_what_is_called_a_positive_is_not_a_label(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, with_column("score", [0.5, 1.5, 2, 3, 1, 4], of="positive")))
    assert "label" not in found.input
    assert "score is not used: every row is a positive" in said(found)


def test_zeros_and_ones_beside_what_is_called_a_positive_are_a_label(tmp_path: Path) -> None:
    """As sentence-transformers' miner writes labelled pairs."""
    found = inspect(jsonl(tmp_path, with_column("label", [1, 0, 0, 1, 0, 0], of="positive")))
    assert found.input["label"] == "label"
    assert [len(row.positives) for row in found.rows] == [1, 0, 0]


def test_given_negatives_are_told_of(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, with_column("negative", TEXTS[::-1], of="positive")))
    assert found.input["negative"] == "negative"
    assert "given negatives (negative)" in said(found)


def test_documents_alone_become_pseudo_pairs_and_it_says_so(tmp_path: Path) -> None:
    found = inspect(jsonl(tmp_path, [{"id": t[-9:], "text": f"One two three. {t}"} for t in TEXTS]))
    assert found.input["format"] == "documents"
    assert found.input["queries"] == "first_sentence"
    assert "pseudo-pairs are made" in said(found)
    crops = inspect(found.place, settings={"queries": "crops"})
    assert crops.input["queries"] == "crops"


def test_judgements_alone_are_no_pairs(tmp_path: Path) -> None:
    rows = [{"query_id": i, "doc_id": i, "score": 1} for i in range(5)]
    trec = [f"{i} 0 {i} 1" for i in range(5)]
    for path in (jsonl(tmp_path, rows), write_lines(tmp_path / "train.qrels", trec)):
        with pytest.raises(DataError, match="holds judgements alone"):
            inspect(str(path))


def test_documents_and_queries_without_qrels_are_refused(tmp_path: Path) -> None:
    for name in ("corpus", "queries"):
        jsonl(tmp_path, [{"_id": "1", "text": "one two"}], f"{name}.jsonl")
    with pytest.raises(DataError, match="no qrels that say which answer which"):
        inspect(str(tmp_path))


def test_other_splits_are_kept_out_of_training(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "beir")
    write_lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q3\td3\t1"])
    found = inspect(str(folder))
    assert found.input["evaluation_splits"] == ["test"]
    assert "kept for evaluation: test" in said(found)
    assert inspect(str(folder), settings={"split": "test"}).input["split"] == "test"


def test_a_split_without_the_columns_is_left_out_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    jsonl(folder, PAIRS, "train.jsonl")
    jsonl(folder, PAIRS[:2], "dev.jsonl")
    jsonl(folder, [{"query": q} for q in QUERIES], "test.jsonl")
    found = inspect(str(folder))
    assert found.input["path"] == f"{folder}/train.jsonl"
    assert found.input["evaluation_pairs"] == [f"{folder}/dev.jsonl"]
    assert "kept for evaluation: dev" in said(found)
    assert f"left out: {folder}/test.jsonl" in said(found)


def test_splits_without_a_train_are_asked_for(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "beir", split="dev")
    write_lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q3\td3\t1"])
    with pytest.raises(DataError, match="the splits dev, test and no train; say --split NAME"):
        inspect(str(folder))


def test_a_pool_goes_with_pairs_alone(tmp_path: Path) -> None:
    pool = jsonl(tmp_path, [{"nr": 1, "Inhalt": "one two three"}], "pool.jsonl")
    found = inspect(jsonl(tmp_path, PAIRS), pool)
    assert (found.input["pool"], found.input["pool_text"]) == (pool, "Inhalt")
    assert found.counts["further documents"] == 1
    with pytest.raises(ConfigError, match="--pool goes with pairs"):
        inspect(str(write_beir(tmp_path / "beir")), pool)


def test_files_of_several_kinds_are_not_guessed_at(tmp_path: Path) -> None:
    jsonl(tmp_path / "data", PAIRS, "a.jsonl")
    pq.write_table(pa.Table.from_pylist(PAIRS), tmp_path / "data" / "b.parquet")
    with pytest.raises(DataError, match=r"files of several kinds \(a.jsonl, b.parquet\)"):
        inspect(str(tmp_path / "data"))


def test_files_that_a_pattern_names_are_one_set(tmp_path: Path) -> None:
    for name in ("a", "b"):
        jsonl(tmp_path, PAIRS, f"{name}.jsonl")
    found = inspect(f"{tmp_path}/*.jsonl")
    assert found.input["path"] == f"{tmp_path}/*.jsonl"
    assert found.counts == {"rows": 12}


def test_lists_without_names_are_told_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"name their places: jq -c '{query: \.\[0\]"):
        inspect(jsonl(tmp_path, [[q, t] for q, t in zip(QUERIES, TEXTS, strict=True)]))


@pytest.mark.parametrize(("text", "sentence"), [("", "is empty"), ("query,answer\n", "has no row")])
def test_a_file_without_rows_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(DataError, match=sentence):
        inspect(str(tmp_path / "rows.csv"))


def test_a_folder_of_text_files_is_told_that_lines_are_documents(tmp_path: Path) -> None:
    for at in range(3):
        write_lines(tmp_path / "texts" / f"{at}.txt", ["One two three. Four five six."])
    assert "each line of these files is a document" in said(inspect(str(tmp_path / "texts")))


def test_a_wrapped_json_file_is_told_how_to_unwrap(tmp_path: Path) -> None:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"version": "1", "data": PAIRS}))
    with pytest.raises(DataError, match=r"jq -c '.data\[\]'"):
        inspect(str(path))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("rows.xlsx", "is a spreadsheet; save its sheet as CSV"),
        ("rows.zip", "Unpack it: unzip"),
        ("rows.pdf", "which is not known"),
    ],
)
def test_a_file_of_another_kind_is_named_for_what_it_is(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 something")
    with pytest.raises(DataError, match=sentence):
        inspect(str(tmp_path / name))


def test_letters_of_an_unknown_encoding_are_asked_for(tmp_path: Path) -> None:
    rows = "".join(f"где находится вещь {i};Вещь на полке {i}\n" for i in range(20))
    path = tmp_path / "rows.csv"
    path.write_bytes(f"query;answer\n{rows}".encode("cp1251"))
    with pytest.raises(DataError, match=r"is not UTF-8 .* say which encoding it has"):
        inspect(str(path))
    found = inspect(str(path), settings={"encoding": "cp1251"})
    assert found.rows[0].query == "где находится вещь 0"


def test_a_broken_line_does_not_make_a_file_western(tmp_path: Path) -> None:
    lines = [b"query,answer", *(f"wo ist es {i},überall {i}".encode() for i in range(200))]
    lines[50] = b"br\xfccken,\xe4ste"
    (tmp_path / "rows.csv").write_bytes(b"\n".join(lines))
    found = inspect(str(tmp_path / "rows.csv"))
    assert "encoding" not in found.input
    assert found.counts == {"rows": 200}


def test_rows_of_a_large_file_are_estimated_and_said_to_be(tmp_path: Path) -> None:
    row = json.dumps({"query": "q " * 300, "positive": "p " * 300})
    path = tmp_path / "rows.jsonl"
    path.write_text(f"{row}\n" * 20_000)
    (count,) = inspect(str(path)).counts.values()
    assert str(count).startswith("about ")
    assert int(str(count).removeprefix("about ").replace(",", "")) == pytest.approx(
        20_000, rel=0.02
    )


def test_a_data_set_by_name_is_looked_at_through_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clone of a repository in the working directory goes the way that the hub's name goes."""
    pytest.importorskip("datasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    from negmine.jobs.inspection import hub

    for split, rows in (("train", PAIRS), ("test", PAIRS[:2])):
        path = tmp_path / "someone" / "pairs" / "data" / f"{split}-00000-of-00001.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
    found = hub.look("someone/pairs", None)
    assert found.values["format"] == "hf_pairs"
    assert found.values["path"].endswith("/train")
    assert found.head is not None
    assert found.head.rows == PAIRS
