"""Splits of a folder: which is mined, which are kept out, and what stops because neither is."""

import json
from pathlib import Path

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from negmine.transforms.readers import read, sources
from negmine.transforms.readers.rows import Document
from tests.jobs.inspection.test_inspection import PAIRS, jsonl, said
from tests.transforms.input_files import config, write_beir, write_lines, write_table

HEADER = "query-id\tcorpus-id\tscore"
TRAIN, TEST = [HEADER, "q1\td1\t1", "q2\td2\t1"], [HEADER, "q3\td3\t1"]


def beir(folder: Path, judged: dict[str, list[str]]) -> str:
    """A BEIR folder with these files of judgements, by their way from it; rows JSON for .jsonl."""
    write_beir(folder)
    (folder / "qrels" / "train.tsv").unlink()
    for way, lines in judged.items():
        (folder / way).parent.mkdir(parents=True, exist_ok=True)
        rows = [dict(zip(HEADER.split("\t"), line.split("\t"), strict=False)) for line in lines[1:]]
        text = [json.dumps(row) for row in rows] if way.endswith(".jsonl") else lines
        (folder / way).write_text("".join(f"{line}\n" for line in text))
    return str(folder)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("qrels/train.jsonl", "qrels/test.tsv"),
        ("qrels/train.tsv", "qrels/test.jsonl"),
        ("qrels/train.tsv", "qrels/old/test.tsv"),
        ("qrels/train.tsv", "qrels/dev/test.tsv"),
        ("qrels/train.tsv", "test/qrels.tsv"),
    ],
)
def test_the_train_split_is_mined_and_the_test_kept_out_wherever_they_stand(
    tmp_path: Path, train: str, test: str
) -> None:
    folder = beir(tmp_path / "in", {train: TRAIN, test: TEST})
    found = inspect(folder)
    assert found.input["qrels"] == f"{folder}/{train}"
    assert found.input["evaluation_qrels"] == [f"{folder}/{test}"]
    assert "kept for evaluation: test" in said(found)
    assert [s.evaluation for s in sources(config(**found.input)) if s.kind == "qrels"] == [0, 1]


@pytest.mark.parametrize("suffix", [".tsv", ".csv", ".txt", ".tab", ".qrels", ".TSV"])
def test_splits_of_beir_are_read_by_every_suffix_that_is_listed(
    tmp_path: Path, suffix: str
) -> None:
    lines = [line.replace("\t", ",") for line in TRAIN] if suffix == ".csv" else TRAIN
    folder = beir(tmp_path / "in", {f"qrels/train{suffix}": lines, "qrels/test.tsv": TEST})
    found = inspect(folder)
    assert found.input == {"format": "beir", "path": folder, "evaluation_splits": ["test"]}
    assert found.counts["judgements"] == 2
    assert sources(config(**found.input))


def test_a_split_in_a_file_without_a_suffix_stops(tmp_path: Path) -> None:
    folder = beir(tmp_path / "in", {"qrels/train.tsv": TRAIN, "qrels/test": TEST})
    with pytest.raises(DataError, match=r"qrels/test is of the split 'test' .* rename or convert"):
        inspect(folder)
    (tmp_path / "in" / "qrels" / "test").rename(tmp_path / "in" / "qrels" / "test.trec")
    with pytest.raises(DataError, match=r"qrels/test\.trec is of the split 'test'"):
        inspect(folder)
    jsonl(tmp_path / "pairs", PAIRS, "train.jsonl")
    (tmp_path / "pairs" / "test.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"test\.xlsx is of the split 'test' by its name"):
        inspect(str(tmp_path / "pairs"))


def test_two_files_of_a_split_stop(tmp_path: Path) -> None:
    comma = [line.replace("\t", ",") for line in TRAIN]
    folder = beir(tmp_path / "in", {"qrels/train.tsv": TRAIN, "qrels/train.csv": comma})
    with pytest.raises(DataError, match=r"of the split 'train' \(train.csv, train.tsv\)"):
        inspect(folder)
    with pytest.raises(DataError, match=r"train.csv, train.tsv, all of the split 'train'"):
        sources(config(format="beir", path=folder))


def test_a_second_file_of_documents_stops_unless_the_format_is_named(tmp_path: Path) -> None:
    folder = beir(tmp_path / "in", {"qrels/train.tsv": TRAIN, "qrels/test.tsv": TEST})
    jsonl(tmp_path / "in", [{"_id": "d9", "text": "more"}], "corpus-2.jsonl")
    with pytest.raises(DataError, match=r"corpus-2.jsonl.* --set input.format=beir reads"):
        inspect(folder)
    assert inspect(folder, settings={"format": "beir"}).input["evaluation_splits"] == ["test"]


def test_what_has_no_use_in_a_beir_folder_is_named(tmp_path: Path) -> None:
    folder = beir(tmp_path / "in", {"qrels/train.tsv": TRAIN, "qrels/biology.tsv": TEST})
    (tmp_path / "in" / "README").write_text("no data")
    (tmp_path / "in" / "test.py").write_text("pass")
    jsonl(tmp_path / "in", [{"a": 1}], "statistics.jsonl")
    found = inspect(folder)
    assert found.input["evaluation_splits"] == ["biology"]
    assert f"left out: {folder}/statistics.jsonl" in said(found)


def test_a_file_beside_the_same_packed_is_read_once(tmp_path: Path) -> None:
    folder = beir(tmp_path / "in", {"qrels/train.tsv": TRAIN, "qrels/test.tsv": TEST})
    write_lines(tmp_path / "in" / "qrels" / "train.tsv.gz", TRAIN)
    found = inspect(folder)
    assert found.input["format"] == "beir"
    assert f"left out: {folder}/qrels/train.tsv.gz" in said(found)
    assert len(sources(config(**found.input))) == 4


@pytest.mark.parametrize("way", ["test/x/part.jsonl", "splits/v1/test.jsonl"])
def test_splits_of_pairs_in_deeper_folders_are_kept_out(tmp_path: Path, way: str) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    (tmp_path / way).parent.mkdir(parents=True)
    jsonl(tmp_path, PAIRS[:1], way)
    other = tmp_path / "notes" / "old"
    other.mkdir(parents=True)
    jsonl(other, PAIRS, "extra.jsonl")
    found = inspect(str(tmp_path))
    assert found.input["evaluation_pairs"] == [f"{tmp_path}/{way}"]
    assert f"left out: {other}/extra.jsonl" in said(found)


def test_the_output_of_a_run_inside_the_folder_is_no_data(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    for way in ("runs/1/negatives/test", "work/ingest/1/documents"):
        (tmp_path / "out" / way).mkdir(parents=True)
        jsonl(tmp_path / "out" / way, PAIRS, "part.jsonl")
    assert inspect(str(tmp_path)).notes == []


KEPT = {
    "no given negatives": ({"neg": "another"}, ("query", "pos"), ("query", "pos")),
    "no labels": ({"label": 1}, ("query", "positive"), ("query", "positive")),
    "other usual names": ({}, ("query", "positive"), ("question", "answer")),
    "another case": ({}, ("query", "positive"), ("Query", "Positive")),
    "a longer name": ({}, ("query", "positive"), ("query", "positive_text")),
    "the names of the mined beside usual ones": ({}, ("query", "passage"), ("query", "passage")),
}


@pytest.mark.parametrize("kind", KEPT)
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_of_an_evaluation_only_query_and_positive_are_asked(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    more, mined, kept = KEPT[kind]
    rows = [dict(zip(mined, row.values(), strict=True)) | more for row in PAIRS[:4]]
    write_table(tmp_path / f"train.{suffix}", rows)
    held = [dict(zip(kept, row.values(), strict=True)) for row in PAIRS[4:]]
    if kind.endswith("usual ones"):
        held = [row | {"answer": "yes"} for row in held]
    file = write_table(tmp_path / f"test.{suffix}", held)
    found = inspect(str(tmp_path))
    assert found.input["evaluation_pairs"] == [str(file)]
    made = config(**found.input)
    (source,) = [source for source in sources(made) if source.evaluation]
    read_texts = {row.text for row in read(source, made, 42) if isinstance(row, Document)}
    assert read_texts == {row["positive"] for row in PAIRS[4:]}


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ({"question": "who", "reply": "it is me"}, "which of its columns is the positive"),
        ({"query": "who", "pos_1": "it is me", "pos_2": "you"}, "is the positive cannot be told"),
        (
            {"query": "who", "positive": "me", "positive_2": "you"},
            "its column 'positive_2' may hold positives",
        ),
        (
            {"query": "who", "positive": "me", "other_positives": "you"},
            "its column 'other_positives' may hold positives",
        ),
        (
            {"query": "who", "answer": "me", "passage": "it is me"},
            "beside 'answer' its column 'passage' may hold positives",
        ),
    ],
)
def test_an_evaluation_whose_columns_cannot_be_told_stops(
    tmp_path: Path, kept: dict[str, str], sentence: str
) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    jsonl(tmp_path, [kept], "test.jsonl")
    with pytest.raises(DataError, match=sentence) as caught:
        inspect(str(tmp_path))
    assert "--set input.evaluation_pairs=[] mines as if it were not there" in str(caught.value)
    found = inspect(str(tmp_path), settings={"evaluation_pairs": []})
    assert f"left out: {tmp_path}/test.jsonl" in said(found)


def test_files_of_a_split_that_hold_no_pairs_are_left_out_and_named(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    jsonl(tmp_path, [{"eval_loss": 0.1, "epoch": 1}], "eval_results.json")
    assert f"left out: {tmp_path}/eval_results.json" in said(inspect(str(tmp_path)))


def test_an_evaluation_without_the_header_of_what_is_mined_stops(tmp_path: Path) -> None:
    write_table(tmp_path / "train.csv", PAIRS)
    (tmp_path / "test.csv").write_text("who is it that calls,it is me\nwho else is it,no one\n")
    with pytest.raises(DataError, match="give it the header of what is mined"):
        inspect(str(tmp_path))


def test_judgements_of_a_test_beside_pairs_stop(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    jsonl(tmp_path, [{"_id": "d1", "text": "a text"}], "corpus.jsonl")
    write_lines(tmp_path / "qrels" / "test.tsv", TEST)
    with pytest.raises(DataError, match="judgements of the split 'test', and pairs are mined"):
        inspect(str(tmp_path))


def test_an_evaluation_whose_positives_are_identifiers_stops(tmp_path: Path) -> None:
    jsonl(tmp_path, PAIRS, "train.jsonl")
    jsonl(tmp_path, [{"id": "t1", "query": "who is it", "positive_ids": [7]}], "test.jsonl")
    with pytest.raises(DataError, match="its column 'positive_ids' holds identifiers of documents"):
        inspect(str(tmp_path))
