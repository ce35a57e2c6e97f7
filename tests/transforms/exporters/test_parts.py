"""Splits keep together what belongs together; epochs have the samples that their schedule says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.schemas.errors import ConfigError, DataError
from negmine.transforms.exporters import Options, Source, export
from negmine.transforms.exporters.epochs import Epochs
from negmine.transforms.exporters.parts import Curriculum, weights
from negmine.transforms.exporters.reading.split import parse_split
from tests.builders import TIERS, Layout
from tests.transforms.exporters.test_exporters import source_of

MANY = Layout(queries=60, positives=2)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(tmp_path / "out", MANY)


def change(folder: Path, name: str, become: dict[str, str]) -> None:
    """Replace values of a column in all parts below a folder."""
    for part in folder.rglob("part-*.parquet"):
        table = pq.ParquetFile(part).read()
        if name in table.column_names:
            at = table.schema.get_field_index(name)
            values = [become.get(value, value) for value in table[name].to_pylist()]
            column = pa.array(values, table.schema.field(at).type)
            pq.write_table(table.set_column(at, table.schema.field(at), column), part)


def anchors(file: Path) -> set[str]:
    return set(pq.read_table(file)["anchor"].to_pylist())


def test_a_split_writes_two_files_that_share_no_query_and_counts_both(
    source: Source, tmp_path: Path
) -> None:
    options = Options(split=("val", 0.2))
    report = export(source, "triplet", tmp_path / "t.parquet", options)
    train, val = anchors(tmp_path / "t.parquet"), anchors(tmp_path / "t-val.parquet")
    assert not train & val and len(train | val) == 60
    told = {part["name"]: part["queries"] for part in report.parts}
    assert told == {"train": len(train), "val": len(val)}
    assert len(val) == 12
    assert report.queries.told("queries") == "queries: 60 of 60"
    assert report.files == ["t.parquet", "t-val.parquet"]
    again = export(source, "triplet", tmp_path / "u.jsonl", options)
    assert [part["queries"] for part in again.parts] == [48, 12]
    assert anchors(tmp_path / "t-val.parquet") == {
        json.loads(line)["anchor"]
        for line in (tmp_path / "u-val.jsonl").read_text().split("\n")
        if line
    }


def test_queries_that_share_a_positive_are_on_one_side(source: Source, tmp_path: Path) -> None:
    shared = {f"d{at:03d}-positive-2": f"d{at - at % 5:03d}-positive-2" for at in range(60)}
    change(source.run / "positives", "positive_id", shared)
    report = export(source, "triplet", tmp_path / "t.parquet", Options(split=("val", 0.2)))
    groups = {int(text.split()[1].rstrip(":")) // 5 for text in anchors(tmp_path / "t.parquet")}
    held = {int(text.split()[1].rstrip(":")) // 5 for text in anchors(tmp_path / "t-val.parquet")}
    assert not groups & held and held
    # Some of the twelve groups have near-duplicates of each other's queries in them besides.
    assert report.parts[1]["groups"] <= 12 and report.parts[1]["largest"] >= 5


def test_near_duplicates_are_on_one_side(source: Source, tmp_path: Path) -> None:
    table = pq.ParquetFile(next((source.run / "positives").glob("*.parquet"))).read()
    texts = dict(zip(table["query_id"].to_pylist(), table["query"].to_pylist(), strict=True))
    long = "how does one find the shortest path between two nodes of a weighted graph quickly"
    twins = {texts[f"q{at:03d}"]: f"{long} {'please ' * at}".strip() for at in range(3)}
    for folder in ("negatives", "positives"):
        change(source.run / folder, "query", twins)
    for seed in range(4):
        seeded = replace(source, seed=seed)
        export(seeded, "triplet", tmp_path / "t.parquet", Options(split=("val", 0.5)))
        inside = {text in anchors(tmp_path / "t-val.parquet") for text in twins.values()}
        assert len(inside) == 1


def test_the_seed_draws_others_and_folders_have_a_folder_a_part(
    source: Source, tmp_path: Path
) -> None:
    options = Options(split=("dev", 0.25))
    for seed in (1, 2):
        export(replace(source, seed=seed), "tevatron_v2", tmp_path / str(seed), options)
    files = sorted(p.relative_to(tmp_path / "1").as_posix() for p in (tmp_path / "1").rglob("*.*"))
    assert files == [
        f"{part}/{name}.jsonl" for part in ("dev",) for name in ("corpus", "train")
    ] + ["export.json", "train/corpus.jsonl", "train/train.jsonl"]
    first, second = ((tmp_path / seed / "dev" / "train.jsonl").read_text() for seed in "12")
    assert first != second


def test_a_hugging_face_folder_has_the_parts_as_splits(source: Source, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    told = replace(source, about={"student": "all-MiniLM-L6-v2"})
    report = export(told, "hf", tmp_path / "hf", Options(split=("val", 0.2), scores=True))
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(tmp_path / "hf"), cache_dir=cache)
    assert {name: len(split) for name, split in loaded.items()} == {
        part["name"]: part["rows"] for part in report.parts
    }
    assert loaded["train"].column_names == ["anchor", "positive", "negative", "scores"]
    sets = datasets.load_dataset(str(tmp_path / "hf"), "sets", split="val", cache_dir=cache)
    assert sets.num_rows == report.parts[1]["queries"] == 12
    card = (tmp_path / "hf" / "README.md").read_text()
    assert "student: all-MiniLM-L6-v2" in card and "queries: 60 of 60" in card


def test_what_is_no_split_is_said(source: Source, tmp_path: Path) -> None:
    assert parse_split("val=0.05") == ("val", 0.05)
    for text in ("val", "val=2", "train=0.1", "a/b=0.1", "=0.1", "val=x"):
        with pytest.raises(ConfigError, match=r"write NAME=SHARE"):
            parse_split(text)
    same = {f"d{at:03d}-positive-2": "d000-positive-2" for at in range(60)}
    change(source.run / "positives", "positive_id", same)
    with pytest.raises(DataError, match="they form 1 groups that share"):
        export(source, "triplet", tmp_path / "t.parquet", Options(split=("val", 0.1)))
    assert not list(tmp_path.glob("t*"))
    with pytest.raises(ConfigError, match="standard output takes one file"):
        export(source, "triplet", "-", Options(split=("val", 0.1)))


def test_an_epoch_has_the_tiers_that_its_schedule_says(source: Source, tmp_path: Path) -> None:
    options = Options(epochs=3, schedule="random:1 -> hard:1", n=2, positives="best")
    report = export(source, "triplet", tmp_path / "e", options)
    assert [part["negatives"] for part in report.parts] == [
        {"hard": 0, "semi_hard": 0, "random": 2},
        {"hard": 1, "semi_hard": 0, "random": 1},
        {"hard": 2, "semi_hard": 0, "random": 0},
    ]
    found = []
    for epoch in range(3):
        texts = pq.read_table(tmp_path / "e" / f"epoch-{epoch}.parquet")["negative"].to_pylist()
        found.append({tier: sum(f"-{tier}-" in text for text in texts) for tier in TIERS})
    # There is one random negative a query, and none for the last: the others fill up.
    assert found[0]["random"] == 59 and sum(found[0].values()) == 120
    assert found[1] == {"hard": 61, "semi_hard": 0, "random": 59}
    assert found[2] == {"hard": 120, "semi_hard": 0, "random": 0}


def test_epochs_draw_differently_and_always_the_same(source: Source, tmp_path: Path) -> None:
    options = Options(epochs=2, schedule="hard:1", n=1, positives="best")
    for name in ("a", "b"):
        export(source, "n_tuple", tmp_path / name, options)
    first, second = ((tmp_path / "a" / f"epoch-{at}.parquet").read_bytes() for at in (0, 1))
    assert first != second
    assert (tmp_path / "b" / "epoch-1.parquet").read_bytes() == second


def test_no_negative_comes_twice_before_all_came(source: Source, tmp_path: Path) -> None:
    options = Options(epochs=3, n=2, schedule=f"{TIERS[0]}:1", tiers=(TIERS[0],))
    export(source, "triplet", tmp_path / "e", options)
    epochs = [pq.read_table(file) for file in sorted((tmp_path / "e").glob("epoch-*.parquet"))]
    every = pq.read_table(source.run / "negatives" / f"tier={TIERS[0]}")
    have: dict[str, set[str]] = {}
    for query, negative in zip(
        every["query"].to_pylist(), every["negative"].to_pylist(), strict=True
    ):
        have.setdefault(query, set()).add(negative)
    for query, negatives in have.items():
        seen: list[str] = []
        for epoch in epochs[: len(negatives) // 2]:
            rows = zip(epoch["anchor"].to_pylist(), epoch["negative"].to_pylist(), strict=True)
            seen += sorted({negative for anchor, negative in rows if anchor == query})
        assert len(seen) == len(set(seen))


def test_equal_positives_under_two_identifiers_are_on_one_side(
    source: Source, tmp_path: Path
) -> None:
    table = pq.read_table(source.run / "positives")
    texts = dict(zip(table["query_id"].to_pylist(), table["positive"].to_pylist(), strict=True))
    first, *others = sorted(texts)
    change(source.run / "positives", "positive", {texts[q]: f" {texts[first]} " for q in others})
    with pytest.raises(DataError, match="they form 1 groups"):
        export(source, "triplet", tmp_path / "t.parquet", Options(split=("val", 0.2)))


def test_the_reader_hands_out_one_epoch_after_another(source: Source, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    options = Options(epochs=2, n=2, split=("val", 0.1), short="repeat")
    export(source, "n_tuple", tmp_path / "e", options)
    epochs = Epochs(tmp_path / "e")
    assert len(epochs) == 2
    assert [train.column_names[-1] for train in epochs] == ["negative_2"] * 2
    assert epochs.part("val").num_rows == 12
    assert epochs.file(5) == tmp_path / "e" / "epoch-1.parquet"
    with pytest.raises(IndexError):
        epochs[2]
    with pytest.raises(ConfigError, match=r"holds no epochs\.json"):
        Epochs(tmp_path)


def test_schedules_are_lines_between_weights() -> None:
    tiers = ["hard", "semi_hard", "random"]
    first, last = weights("easy_to_hard", tiers)
    assert first.tolist() == [0, 0.5, 1] and last.tolist() == [1, 0.5, 0]
    curriculum = Curriculum(tiers, first, last, epochs=3, n=6, seed=1)
    counts: list[dict[str, Any]] = [curriculum.counts(epoch) for epoch in range(3)]
    assert counts[0] == {"hard": 0, "semi_hard": 2, "random": 4}
    assert counts[1] == {"hard": 2, "semi_hard": 2, "random": 2}
    assert counts[2] == {"hard": 4, "semi_hard": 2, "random": 0}
    assert np.array_equal(*weights("even", tiers))
    for text, words in {
        "hard": "write easy_to_hard",
        "hard:1 -> soft:1": "names the tier 'soft'",
        "hard:0": "no tier has a weight",
    }.items():
        with pytest.raises(ConfigError, match=words):
            weights(text, tiers)


def test_what_has_no_epochs_is_refused(source: Source, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give their number with --epochs"):
        export(source, "triplet", tmp_path / "x.parquet", Options(schedule="even"))
    with pytest.raises(ConfigError, match="colbert is a folder of files"):
        export(source, "colbert", tmp_path / "x", Options(epochs=2))
