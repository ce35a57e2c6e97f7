"""Titles of a pool: put before its texts where the positives have them, and only there."""

from pathlib import Path
from typing import Any

import pytest

from negmine.jobs.inspection.inspection import inspect
from negmine.schemas.errors import DataError
from tests.transforms.input_files import config, ingest, rows, write_lines, write_table

TITLES = {"Cells": "Cells divide in two.", "Stars": "Stars burn hydrogen.", "Sand": "Rivers carry."}
JOINED = [f"{title} {text}" for title, text in TITLES.items()]
POOL = [{"docid": f"d{i}", "title": t, "text": x} for i, (t, x) in enumerate(TITLES.items())]
FORMS: dict[str, list[Any]] = {
    "titled": [[{"title": t, "text": x}] for t, x in TITLES.items()],
    "texts": list(TITLES.values()),
    "joined texts": JOINED,
    "objects without titles": [[{"text": x}] for x in TITLES.values()],
    "objects of joined texts": [[{"text": x}] for x in JOINED],
}


def collection(folder: Path, positives: list[Any], suffix: str = "jsonl") -> dict[str, str]:
    """The first two positives as pairs, and the pool of all three."""
    pairs = [{"query": f"what is {i}", "positive": p} for i, p in enumerate(positives[:2])]
    pool = [dict(row) for row in POOL]
    return {
        "path": str(write_lines(folder / "train.jsonl", pairs)),
        "pool": str(write_table(folder / f"corpus.{suffix}", pool)),
    }


def corpus(folder: Path, **values: Any) -> set[str]:
    ingest(config(format="pairs", **values), folder / "made")
    return {row["text"] for row in rows(folder / "made", "documents")}


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_titles_are_read_where_the_positives_have_them(tmp_path: Path, suffix: str) -> None:
    paths = collection(tmp_path, FORMS["titled"], suffix)
    assert corpus(tmp_path, **paths) == set(JOINED)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_titles_are_left_out_where_the_positives_are_texts(tmp_path: Path, suffix: str) -> None:
    paths = collection(tmp_path, FORMS["texts"], suffix)
    assert corpus(tmp_path, **paths) == set(TITLES.values())


def test_objects_without_titles_leave_open_what_their_texts_hold(tmp_path: Path) -> None:
    paths = collection(tmp_path, FORMS["objects without titles"])
    with pytest.raises(DataError, match=r"objects without one.*input\.pool_title: null"):
        corpus(tmp_path, **paths)
    assert corpus(tmp_path, **paths, pool_title=None) == set(TITLES.values())


def test_positives_of_several_forms_stop(tmp_path: Path) -> None:
    paths = collection(tmp_path, FORMS["texts"])
    held = {"query": "who", "positive": {"title": "Sand", "text": TITLES["Sand"]}}
    kept = [str(write_lines(tmp_path / "test.jsonl", [held]))]
    with pytest.raises(DataError, match=r"several ways: .*\(texts alone\).*\(with a title\)"):
        corpus(tmp_path, **paths, evaluation_pairs=kept)


@pytest.mark.parametrize("form", FORMS)
def test_of_a_folder_the_texts_themselves_decide(tmp_path: Path, form: str) -> None:
    collection(tmp_path / "in", FORMS[form])
    found = inspect(str(tmp_path / "in"))
    whole = "joined" in form or form == "titled"
    assert found.input["pool_title"] == ("title" if whole else None)
    assert corpus(tmp_path, **{k: v for k, v in found.input.items() if k != "format"}) == set(
        JOINED if whole else TITLES.values()
    )
    assert any("--set input.pool_title=" in note for note in found.notes)


def test_a_folder_whose_texts_decide_both_ways_stops(tmp_path: Path) -> None:
    collection(tmp_path, [JOINED[0], TITLES["Stars"]])
    with pytest.raises(DataError, match=r"1 stand there as they are, and 1 with their title"):
        inspect(str(tmp_path))
    assert inspect(str(tmp_path), settings={"pool_title": None}).input["pool_title"] is None
