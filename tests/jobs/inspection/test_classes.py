"""Labels of Hugging Face data sets that are classes: their names decide, not their numbers."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import negmine
from negmine.jobs.api.given import place_table
from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from negmine.transforms.foreign import rows as audited
from negmine.transforms.readers import check
from negmine.transforms.readers.tables.classes import classes_of
from tests.jobs.inspection.test_inspection import said
from tests.transforms.input_files import config, ingest, rows, write_lines

datasets = pytest.importorskip("datasets")

RELEVANT = ["relevant", "irrelevant"]
"""The positives are of class 0."""

KINDS = ("saved", "parquet", "given")


def data(names: list[str], labels: list[int], text: str = "passage") -> Any:
    """Rows whose text says the name of its class."""
    features = {name: datasets.Value("string") for name in ("query", text)}
    features["label"] = datasets.ClassLabel(names=names)
    made = [
        {"query": f"who is {at}", text: f"number {at} is {names[n] if n >= 0 else 'open'}"}
        for at, n in enumerate(labels)
    ]
    found = [{**row, "label": n} for row, n in zip(made, labels, strict=True)]
    return datasets.Dataset.from_list(found, features=datasets.Features(features))


def place(made: Any, kind: str, folder: Path) -> str:
    """The path of a data set that is saved, written as Parquet or given as an object."""
    folder.mkdir(parents=True, exist_ok=True)
    path = str(folder / kind)
    if kind == "given":
        return place_table(made, str(folder), "pairs")
    if kind == "parquet":
        path += ".parquet"
        made.to_parquet(path)
    else:
        made.save_to_disk(path)
    return path


def file_of(path: str) -> str:
    """The file, or the Arrow file of a saved data set."""
    return next(map(str, Path(path).glob("*.arrow")), path)


def positives(directory: Path, **values: Any) -> set[str]:
    ingest(config(**values), directory)
    documents = rows(directory, "documents")
    return {documents[row["doc_ix"]]["text"] for row in rows(directory, "positives")}


@pytest.mark.parametrize("kind", KINDS)
def test_names_say_which_rows_are_positives(tmp_path: Path, kind: str) -> None:
    found = inspect(place(data(RELEVANT, [0, 1, 0, 1]), kind, tmp_path))
    assert found.input["label"] == "label"
    assert "label says which are positives (relevant): above 0, 2 of the 4" in said(found)
    texts = positives(tmp_path / "out", **found.input)
    assert texts == {"number 0 is relevant", "number 2 is relevant"}


@pytest.mark.parametrize(
    "names", [["irrelevant", "relevant"], ["0", "1"], ["not_equivalent", "equivalent"], ["no", "Y"]]
)
def test_names_in_the_usual_order_are_as_numbers(tmp_path: Path, names: list[str]) -> None:
    made = place(data(names, [0, 1, -1]), "saved", tmp_path)
    assert positives(tmp_path / "out", **inspect(made).input) == {f"number 1 is {names[1]}"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "names",
    [
        ["entailment", "not_entailment"],
        ["entailment", "neutral", "contradiction"],
        ["poor", "fair", "good"],
    ],
)
def test_names_that_do_not_say_it_are_asked_about(
    tmp_path: Path, kind: str, names: list[str]
) -> None:
    path = place(data(names, [0, 1]), kind, tmp_path)
    with pytest.raises(DataError, match=rf"label holds the classes 0 '{names[0]}'.*cast_column"):
        inspect(path)
    with pytest.raises(DataError, match=r"label holds the classes .*set input\.label=null"):
        check(config(format="pairs", path=file_of(path), label="label"))
    assert inspect(path, settings={"label": None}).input["label"] is None


@pytest.mark.parametrize("name", ["class", "kind"])
def test_classes_of_an_unknown_name_are_asked_about(tmp_path: Path, name: str) -> None:
    made = data(["entailment", "neutral", "contradiction"], [0, 1, 2]).rename_column("label", name)
    with pytest.raises(DataError, match=f"{name} holds the classes 0 'entailment'"):
        inspect(place(made, "parquet", tmp_path))
    words = [{**row, name: made.features[name].int2str(row[name])} for row in made]
    with pytest.raises(DataError, match=f"{name} holds 'contradiction', 'entailment'"):
        inspect(str(write_lines(tmp_path / "rows.jsonl", words)))


def test_topics_are_no_labels(tmp_path: Path) -> None:
    made = data(["law", "art", "tax"], [0, 1, 2]).rename_column("label", "topic")
    assert "label" not in inspect(place(made, "parquet", tmp_path)).input


def test_a_data_set_of_the_library_goes_by_names(tmp_path: Path) -> None:
    path = place(data(RELEVANT, [0, 1]), "saved", tmp_path)
    texts = positives(tmp_path / "out", format="hf_pairs", path=path, label="label")
    assert texts == {"number 0 is relevant"}
    path = place(data(["entailment", "neutral"], [0, 1]), "saved", tmp_path / "nli")
    with pytest.raises(DataError, match="label holds the classes 0 'entailment', 1 'neutral'"):
        check(config(format="hf_pairs", path=path, label="label"))


def test_classes_in_lists_of_objects_have_names(tmp_path: Path) -> None:
    label = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=RELEVANT)}
    features = datasets.Features({"query": datasets.Value("string"), "passages": [label]})
    texts = [{"text": "the right one", "label": 0}, {"text": "another one", "label": 1}]
    made = [{"query": f"who is {at}", "passages": texts} for at in range(3)]
    path = place(datasets.Dataset.from_list(made, features=features), "parquet", tmp_path)
    found = inspect(path).input
    assert found["label"] == "passages.label"
    assert positives(tmp_path / "out", **found) == {"the right one"}


@pytest.mark.parametrize("format", ["hf", "parquet"])
def test_grades_of_judgements_go_by_names(tmp_path: Path, format: str) -> None:
    parts = {"documents": {"_id": "d", "text": "a text"}, "queries": {"_id": "q", "text": "who"}}
    made = {name: datasets.Dataset.from_list([row]) for name, row in parts.items()}
    made["documents"] = datasets.Dataset.from_list(
        [{"_id": name, "text": f"text {name}"} for name in ("d", "e")]
    )
    for names, grade in ((RELEVANT, 1), (["good", "bad"], 0)):
        found = [
            {"query_id": "q", "doc_id": "d", "label": 1 - grade},
            {"query_id": "q", "doc_id": "e", "label": grade},
        ]
        features = datasets.Features(
            {
                **{name: datasets.Value("string") for name in ("query_id", "doc_id")},
                "label": datasets.ClassLabel(names=names),
            }
        )
        made["qrels"] = datasets.Dataset.from_list(found, features=features)
        folder = tmp_path / names[0]
        folder.mkdir()
        paths = {}
        for name, part in made.items():
            (folder / name).mkdir()
            paths[name] = place(part, "saved" if format == "hf" else "parquet", folder / name)
        if names is RELEVANT:
            assert positives(folder / "out", format=format, **paths) == {"text d"}
        else:
            with pytest.raises(DataError, match=r"label holds the classes .*input\.grade=null"):
                check(config(format=format, **paths))


def test_a_table_that_is_given_keeps_names_and_nothing_else(tmp_path: Path) -> None:
    path = place_table(data(RELEVANT, [0, 1]), str(tmp_path), "pairs")
    schema = pq.read_schema(path)
    assert classes_of(schema.metadata) == {"label": ("relevant", "irrelevant")}
    noted = pa.table({"query": ["a"]}).replace_schema_metadata({"huggingface": "{", "note": "x"})
    assert pq.read_schema(place_table(noted, str(tmp_path), "pairs")).metadata in (None, {})


def test_an_audit_asks_where_names_and_numbers_differ(tmp_path: Path) -> None:
    path = place(data(RELEVANT, [0, 1]), "parquet", tmp_path)
    with pytest.raises(DataError, match=r"label 0 is the class 'relevant', .*--label-above X"):
        list(audited(path, "labeled_pair"))
    assert [len(row.positives) for row in audited(path, "labeled_pair", label_above=0)] == [0, 1]
    path = place(data(["irrelevant", "relevant"], [0, 1]), "parquet", tmp_path / "right")
    assert [len(row.positives) for row in audited(path, "labeled_pair")] == [0, 1]


def test_mining_from_python_goes_by_names(tmp_path: Path) -> None:
    with pytest.raises(negmine.NegmineError, match="label holds the classes 0 'entailment'"):
        negmine.mine(
            pairs=data(["entailment", "neutral"], [0, 1]), output=tmp_path / "out", quiet=True
        )
