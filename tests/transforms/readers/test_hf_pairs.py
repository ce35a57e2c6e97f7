"""Hugging Face data sets of pairs, through the library: saved folders, splits, clones by name."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.readers import check, fingerprint_input
from tests.transforms.input_files import config, ingest, rows

datasets = pytest.importorskip("datasets")
PAIRS = [
    {"anchor": "who is a", "positive": ["a one", "a two"], "score": 0.5},
    {"anchor": "who is b", "positive": ["b one"], "score": 0.1},
]
TEST = [{"anchor": "who is c", "positive": ["c one"], "score": 1.0}]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hf") / "saved"
    splits = {"train": PAIRS, "test": TEST}
    made = {name: datasets.Dataset.from_list(found) for name, found in splits.items()}
    datasets.DatasetDict(made).save_to_disk(str(folder))
    return str(folder)


def found(directory: Path, **values: Any) -> dict[str, list[str]]:
    ingest(config(format="hf_pairs", **values), directory)
    queries, documents = rows(directory, "queries"), rows(directory, "documents")
    pairs: dict[str, list[str]] = {}
    for row in rows(directory, "positives"):
        texts = pairs.setdefault(queries[row["query_ix"]]["text"], [])
        texts.append(documents[row["doc_ix"]]["text"])
    return {query: sorted(texts) for query, texts in pairs.items()}


def test_a_split_of_a_saved_dictionary_is_read(saved: str, tmp_path: Path) -> None:
    pairs = found(tmp_path, path=f"{saved}/train")
    assert pairs == {"who is a": ["a one", "a two"], "who is b": ["b one"]}


def test_a_split_is_kept_out_of_training(saved: str, tmp_path: Path) -> None:
    made = {"path": f"{saved}/train", "evaluation_pairs": [f"{saved}/test"]}
    assert set(found(tmp_path, **made)) == {"who is a", "who is b"}
    with pytest.raises(ConfigError, match="is what is mined"):
        check(config(format="hf_pairs", path=f"{saved}/train", evaluation_pairs=[f"{saved}/train"]))


def test_labels_are_heeded(saved: str, tmp_path: Path) -> None:
    made = {"path": f"{saved}/train", "label": "score", "label_above": 0.2}
    assert set(found(tmp_path, **made)) == {"who is a"}


def test_a_column_that_is_not_there_is_named(saved: str) -> None:
    with pytest.raises(DataError, match="its columns are 'anchor', 'positive', 'score'"):
        check(config(format="hf_pairs", path=f"{saved}/train", positive="nix"))


def test_the_content_is_what_identifies_it(saved: str, tmp_path: Path) -> None:
    made = config(format="hf_pairs", path=f"{saved}/train")
    other = config(format="hf_pairs", path=f"{saved}/test")
    assert fingerprint_input(made, 1, None) == fingerprint_input(made, 1, None)
    assert fingerprint_input(made, 1, None) != fingerprint_input(other, 1, None)


def test_a_clone_goes_by_name_configuration_and_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "someone" / "pairs" / "data" / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(PAIRS), path)
    pairs = found(tmp_path / "out", path="someone/pairs:default/train")
    assert pairs == {"who is a": ["a one", "a two"], "who is b": ["b one"]}
