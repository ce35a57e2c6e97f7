"""What Automodel's guide has one check by hand: found, and mended by --fix, in its own format."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from negmine.schemas.errors import DataError
from negmine.transforms.foreign import rows
from negmine.transforms.foreign.layout import find_layout
from tests.jobs.audit.planted import audited, clean, counts, name
from tests.jobs.audit.planted import write as written
from tests.jobs.collections import document, negmine
from tests.transforms.foreign.sets import automodel, write_automodel


def entries(size: int = 8) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Entries of clean rows, and the texts of their identifiers."""
    mined = clean()[:size]
    texts = {name(t): t for row in mined for t in (row.positive, *row.negatives)}
    return automodel(mined, name, name), texts


def write(folder: Path, made: list[dict[str, Any]], texts: dict[str, str]) -> Path:
    return write_automodel(folder, made, texts)


def fixed_entries(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text())["data"])


def test_all_six_are_found_and_mended(student: Path, tmp_path: Path) -> None:
    made, texts = entries()
    made[1]["neg_doc"][0] = {"id": "nowhere", "score": 1.0}  # 1: every document exists
    twin = [{"id": name(document(58)), "score": 2.0}]
    made.append({**made[2], "pos_doc": twin, "neg_doc": list(made[2]["neg_doc"])})  # 1: unique
    texts[name(document(58))] = document(58)
    made[2]["neg_doc"][0] = {"id": name(document(58)), "score": 1.0}  # 2: a sibling's positive
    made[3]["neg_doc"][1] = made[3]["neg_doc"][0]  # 3: unique in its row
    made[4]["neg_doc"][0]["score"] = -math.inf  # 4: finite
    made[5]["neg_doc"][1]["score"] = None
    made[6]["neg_doc"] = made[6]["neg_doc"][:2]  # 5: enough for n_passages
    path = write(tmp_path / "set", made, texts)
    copy = tmp_path / "elsewhere" / "train.json"  # 6: the corpus is found from there
    found = audited(
        student, path.parent, "automodel", tmp_path / "out", "--fix", str(copy), "--n-passages", "4"
    )
    assert counts(found) == {
        "unknown_document": 1,
        "known_positive": 1,
        "repeated": 1,
        "score_not_finite": 2,
        "too_few_negatives": 2,
    }
    assert found["counts"]["repeated_query_ids"] == 1
    left = fixed_entries(copy)
    assert len(left) == len(made) - 1
    assert len({entry["question_id"] for entry in left}) == len(left)
    assert all(len(entry["neg_doc"]) >= 3 and entry["lineage"] == "kept" for entry in left)
    layout = find_layout("automodel", [str(copy)], None, None)
    assert layout.corpus == str(tmp_path / "set" / "corpus" / "train.parquet")
    again = audited(student, copy, "automodel", tmp_path / "again", "--n-passages", "4")
    assert again["clean"] and not again["counts"]["repeated_query_ids"]


def test_a_positive_without_a_finite_score_takes_its_row_with_it(tmp_path: Path) -> None:
    made, texts = entries(2)
    made[0]["pos_doc"][0]["score"] = math.nan
    path = write(tmp_path, made, texts)
    first, second = rows(str(path), "automodel")
    assert {negative.fault for negative in first.negatives} == {"score_not_finite"}
    assert {negative.fault for negative in second.negatives} == {""}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"corpus": []}, "declares 0 corpora and not one"),
        ({"corpus": [{"path": "gone"}]}, "declares the corpus gone, and .* is not there"),
        ({"data": 3}, 'has no list "data" of objects'),
    ],
)
def test_what_cannot_be_audited_is_said(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    made, texts = entries(2)
    path = write(tmp_path, made, texts)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match=words):
        find_layout("automodel", [str(path)], None, None)


def test_an_entry_of_another_corpus_is_named(tmp_path: Path) -> None:
    made, texts = entries(3)
    made[2]["corpus_id"] = "other"
    path = write(tmp_path, made, texts)
    with pytest.raises(DataError, match="entry 3: its corpus_id is 'other'"):
        find_layout("automodel", [str(path)], None, None)


def test_a_positive_that_the_corpus_lacks_ends_the_audit(student: Path, tmp_path: Path) -> None:
    made, texts = entries(2)
    made[1]["pos_doc"] = [{"id": "lost"}]
    path = write(tmp_path, made, texts)
    ended = negmine("audit", str(path), "-f", "automodel", "--output", str(tmp_path / "out"),
                    "--student", str(student), "--judge", "none")  # fmt: skip
    assert ended.code == 3 and "'lost' is not in --corpus" in ended.err


@pytest.mark.parametrize("format", ["tevatron_v2", "pylate_kd", "colbert"])
def test_texts_are_found_in_the_folder_of_the_rows(format: str, tmp_path: Path) -> None:
    path, options = written(tmp_path, format, clean()[:2])
    layout = find_layout(format, [str(tmp_path)], None, None)
    assert layout.files == [path]
    beside = dict(zip(options[::2], options[1::2], strict=True))
    assert (layout.corpus, layout.queries) == (beside.get("--corpus"), beside.get("--queries"))
