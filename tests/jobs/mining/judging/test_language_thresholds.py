"""A judge whose scores differ from language to language: thresholds of each, from its own queries.

German pairs score one less than French ones, as under a judge that was trained on French. Two
queries are Danish, too few for a threshold of their own.
"""

import json
import random
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from negmine.jobs.api.run import open_run
from negmine.jobs.runs.published import Run, find_run
from negmine.schemas.errors import ConfigError
from tests.jobs.collections import document, negmine, small_run, static_student
from tests.transforms.input_files import write_beir

DOCUMENTS = 62
LOWER = {"de": 1.0, "fr": 0.0, "da": 1.0}
NAME = "judge_calibrated_threshold"
BY_LANGUAGE = [
    part
    for name in (NAME, "suspected_positive")
    for part in ("--set", f"policies.{name}.by_language=true")
]


def language(at: int) -> str:
    return "da" if at >= 60 else ("de", "fr")[at % 2]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("thresholds")
    texts = [{"_id": f"d{i:04}", "text": document(i % 60) + f" {i}"} for i in range(DOCUMENTS)]
    asked: list[dict[str, Any]] = [
        {"_id": f"q{i:04}", "text": " ".join(document(i % 60).split()[:3]) + f" {i}"}
        for i in range(DOCUMENTS)
    ]
    known = [(f"q{i:04}", f"d{i:04}", 1) for i in range(DOCUMENTS)]
    write_beir(base / "silent", texts, asked, known)
    for at, row in enumerate(asked):
        row["lang"] = language(at)
    write_beir(base / "told", texts, asked, known)
    static_student(base / "student")
    with (base / "scores.jsonl").open("w") as lines:
        for query in range(DOCUMENTS):
            for at in range(DOCUMENTS):
                pair = {"query_id": f"q{query:04}", "doc_id": f"d{at:04}"}
                chance = random.Random(f"{query}-{at}").random()
                score = (query // 2 / 30 if at == query else chance) - LOWER[language(query)]
                lines.write(json.dumps({**pair, "score": score}) + "\n")
    return base


def config(base: Path, folder: str, collection: str = "told", **sections: Any) -> str:
    values = {
        "input": {"format": "beir", "path": str(base / collection)},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "judge": {"kind": "precomputed", "path": str(base / "scores.jsonl")},
        "output": {"path": str(base / folder)},
    }
    return small_run(base / f"{folder}.d", **{**values, **sections})


@pytest.fixture(scope="module")
def run(base: Path) -> Run:
    ended = negmine("mine", config(base, "own"), *BY_LANGUAGE)
    assert ended.code == 0, ended.err
    return find_run(str(base / "own"))


def median(base: Path, languages: set[str]) -> float:
    """What half of the positives of the queries in these languages reach."""
    rows = map(json.loads, (base / "scores.jsonl").read_text().splitlines())
    scores = [
        np.float32(row["score"])
        for row in rows
        if row["query_id"][1:] == row["doc_id"][1:]
        and language(int(row["doc_id"][1:])) in languages
    ]
    return float(sorted(scores)[-((len(scores) + 1) // 2)])


def dropped(path: Path) -> dict[str, int]:
    """Candidates that the threshold dropped, by the language of their query."""
    files = str(path / "ledger" / "*" / "*.parquet")
    sql = f"SELECT query_language, count(*) FROM '{files}' WHERE policy = '{NAME}' GROUP BY 1"
    return dict(duckdb.connect().sql(sql).fetchall())


def test_each_language_has_the_threshold_of_its_own_positives(base: Path, run: Run) -> None:
    shown = negmine("show", str(base / "own"))
    assert f"{NAME}, threshold by language of query: de " in shown.out
    (told,) = [entry[NAME] for entry in run.manifest["policies"] if NAME in entry]
    assert told["thresholds"] == pytest.approx(
        {"de": median(base, {"de"}), "fr": median(base, {"fr"})}
    )
    assert told["threshold"] == pytest.approx(median(base, {"de", "fr", "da"}))
    files = str(run.path / "ledger" / "*" / "*.parquet")
    limits = duckdb.connect().sql(
        f"SELECT DISTINCT query_language, threshold FROM '{files}' WHERE policy = '{NAME}'"
    )
    expected = {**told["thresholds"], "da": told["threshold"]}
    for code, limit in limits.fetchall():
        assert limit == pytest.approx(expected[code])


def test_one_threshold_drops_by_language_and_those_of_each_drop_alike(base: Path, run: Run) -> None:
    ended = negmine("mine", config(base, "one"))
    assert ended.code == 0, ended.err
    one, own = dropped(find_run(str(base / "one")).path), dropped(Path(run.path))
    assert one.get("de", 0) < one["fr"] / 10
    assert own["de"] == pytest.approx(own["fr"], rel=0.2)


def test_the_same_negatives_however_the_run_is_cut(base: Path, run: Run) -> None:
    ended = negmine("mine", config(base, "cut", runner={"block_size": 7}), *BY_LANGUAGE)
    assert ended.code == 0, ended.err
    assert dropped(find_run(str(base / "cut")).path) == dropped(Path(run.path))


def test_sweep_and_batches_and_why_go_by_them_too(base: Path, run: Run) -> None:
    output = str(base / "own")
    swept = negmine("sweep", output, "--policy", f"{NAME}.by_language=true,false", "--json")
    assert swept.code == 0, swept.err
    by_language, by_all = json.loads(swept.out)
    assert by_language["dropped"] == sum(dropped(Path(run.path)).values())
    assert by_all["dropped"] != by_language["dropped"]
    planned = negmine("batches", output, "--size", "8")
    assert planned.code == 0, planned.err
    files = str(run.path / "ledger" / "*" / "*.parquet")
    query, doc, threshold = (
        duckdb.connect()
        .sql(
            f"SELECT query_id, doc_id, threshold FROM '{files}' WHERE policy = '{NAME}' "
            "AND query_language = 'de' ORDER BY ALL LIMIT 1"
        )
        .fetchall()[0]
    )
    told = negmine("why", output, query, doc)
    assert told.code == 0 and f"{threshold:.4g}" in told.out, told.out


def test_a_collection_without_languages_is_refused(base: Path) -> None:
    asked = config(base, "silent-out", "silent")
    ended = negmine("mine", asked, *BY_LANGUAGE)
    assert ended.code == 2 and ".by_language goes by the languages" in ended.err
    given = {"threshold": 0.9, "thresholds": {"de": 0.1}}
    ended = negmine("mine", config(base, "silent-given", "silent", policies={NAME: given}))
    assert ended.code == 2 and f"policies.{NAME}.thresholds goes by" in ended.err, ended.err
    assert negmine("mine", asked).code == 0
    swept = negmine("sweep", str(base / "silent-out"), "--policy", f"{NAME}.by_language=true")
    assert swept.code == 2 and "by_language" in swept.err, swept.err
    grid = {f"{NAME}.threshold": [0.9], f"{NAME}.thresholds": [{"de": 0.1}]}
    with pytest.raises(ConfigError, match=f"{NAME}.thresholds goes by the languages"):
        open_run(str(base / "silent-out")).sweep(grid)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"threshold": 0.5, "by_language": True}, "leave one of them out"),
        ({"thresholds": {"de": 0.1}}, "need threshold"),
        ({"threshold": 0.5, "thresholds": {"german": 0.1}}, "no language"),
        ({"threshold": 0.5, "thresholds": {"de": 0.1, "deu": 0.2}}, "already"),
        ({"threshold": 0.5, "thresholds": [0.1]}, "mapping"),
    ],
)
def test_contradictions_are_refused(base: Path, given: dict[str, Any], told: str) -> None:
    ended = negmine("plan", config(base, "refused", policies={NAME: given}))
    assert ended.code == 2 and told in ended.err, ended.err


def test_thresholds_by_language_can_be_given(base: Path) -> None:
    given = {"threshold": 0.9, "thresholds": {"deu": -0.9}}
    ended = negmine("mine", config(base, "given", policies={NAME: given}))
    assert ended.code == 0, ended.err
    (entry,) = [e[NAME] for e in find_run(str(base / "given")).manifest["policies"] if NAME in e]
    assert entry["thresholds"] == {"de": -0.9}
    found = dropped(find_run(str(base / "given")).path)
    assert found["de"] > 5 * found["fr"]


def test_where_no_language_has_queries_enough_all_have_the_threshold_of_all(base: Path) -> None:
    few = config(base, "few", input={"format": "beir", "path": str(base / "told"), "limit": 20})
    ended = negmine("mine", few, *BY_LANGUAGE)
    assert ended.code == 0, ended.err
    output = str(base / "few")
    (entry,) = [e[NAME] for e in find_run(output).manifest["policies"] if NAME in e]
    assert entry["by_language"] and entry["thresholds"] == {} and entry["threshold"] is not None
    files = str(find_run(output).path / "ledger" / "*" / "*.parquet")
    sql = f"SELECT query_id, doc_id FROM '{files}' ORDER BY ALL LIMIT 1"
    (pair,) = duckdb.connect().sql(sql).fetchall()
    point = f"{NAME}.positives_above=0.5"
    for command in (
        ["batches", output, "--size", "4"],
        ["sweep", output, "--policy", point],
        ["why", output, *pair],
    ):
        ended = negmine(*command)
        assert ended.code == 0, (command, ended.err)
