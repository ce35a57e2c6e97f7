"""Runs by language: a mix of negatives, sources held to languages, translations kept out."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest

from negmine.jobs.batches.collect import collect
from negmine.jobs.mining.preflight.languages import check_mix
from negmine.jobs.runs.published import find_run
from negmine.schemas.errors import ConfigError
from negmine.transforms.kernels.languages import Languages, numbered
from tests.jobs.collections import digest, document, negmine, small_run, static_student
from tests.transforms.input_files import write_beir

DOCUMENTS, QUERIES, QUOTA = 60, 12, 4
LANGUAGES = ("de", "en", "fr")
BOTH = {
    "bm25": {"languages": "both", "language": "auto"},
    "dense": {"languages": "both"},
    "random": {"languages": "both"},
}
SETTINGS: dict[str, Any] = {
    "sources": BOTH,
    "tiers": {"hard": {"quota": QUOTA}},
    "language_mix": {"same": 0.5, "other": 0.5},
}


def language(at: int) -> str:
    return LANGUAGES[at % 3]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("languages")
    texts = [{"_id": f"d{i:04}", "text": document(i)} for i in range(DOCUMENTS)]
    asked = [{"_id": f"q{i:04}", "text": " ".join(document(i).split()[:2])} for i in range(QUERIES)]
    known = [(f"q{i:04}", f"d{i:04}", 1) for i in range(QUERIES)]
    write_beir(base / "silent", texts, asked, known)
    for at, row in enumerate((*texts, *asked)):
        row["lang"] = language(at % DOCUMENTS)
    write_beir(base / "told", texts, asked, known)
    static_student(base / "student")
    return base


def ran(base: Path, out: Path, folder: str = "told", **sections: Any) -> Path:
    values = {
        "input": {"format": "beir", "path": str(base / folder)},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "output": {"path": str(out)},
    }
    ended = negmine("mine", small_run(out.with_suffix(".d"), **{**values, **sections}))
    assert ended.code == 0, ended.err
    return Path(find_run(str(out)).path)


def rows(run: Path, sql: str, name: str = "negatives") -> list[tuple[Any, ...]]:
    files = str(run / name / "**" / "*.parquet")
    grouped = "GROUP BY query_id, language" if "list(" in sql else ""
    return duckdb.connect().execute(f"SELECT {sql} FROM '{files}' {grouped}").fetchall()


def test_half_of_the_negatives_are_of_other_languages_however_the_run_is_cut(
    base: Path, tmp_path: Path
) -> None:
    run = ran(base, tmp_path / "a", **SETTINGS)
    found = rows(run, "query_id, negative_id, query_language, language")
    assert len(found) == QUERIES * QUOTA
    for query, negative, asked, own in found:
        assert (asked, own) == (language(int(query[1:])), language(int(negative[1:])))
    assert sum(asked == own for *_, asked, own in found) / len(found) == pytest.approx(
        0.5, abs=0.05
    )
    cut = {name: {**BOTH[name], "shards": 4} for name in ("bm25", "dense")}
    again = ran(
        base, tmp_path / "b", **{**SETTINGS, "sources": {**BOTH, **cut}}, runner={"block_size": 5}
    )
    assert digest(run) == digest(again)


@pytest.mark.parametrize("which", ["same", "other"])
def test_sources_give_documents_of_the_languages_that_they_are_held_to(
    base: Path, tmp_path: Path, which: str
) -> None:
    sources = {name: {"languages": which} for name in BOTH}
    run = ran(base, tmp_path / "out", sources=sources)
    found = rows(run, "query_language = language, len(sources), is_positive", "ledger")
    assert {same for same, many, positive in found if many and not positive} == {which == "same"}


def test_negatives_follow_the_languages_of_the_positives(base: Path, tmp_path: Path) -> None:
    run = ran(base, tmp_path / "out", sources=BOTH, language_mix="positives")
    assert rows(run, "count(*) > 0, bool_and(query_language = language)") == [(True, True)]


def test_the_nearest_of_each_other_language_are_kept_out(base: Path, tmp_path: Path) -> None:
    policies = {"translation_of_positive": {"nearest": 2}}
    run = ran(base, tmp_path / "out", **SETTINGS, policies=policies)
    places = "list(value::INTEGER ORDER BY value), max(threshold)"
    found = rows(
        run,
        f"query_id, language, {places}, bool_and(language <> query_language)",
        "ledger/verdict=translation_of_positive",
    )
    assert len(found) == QUERIES * 2
    for _, _, places, limit, other in found:
        assert set(places) <= {1, 2} and places and limit == 2.0 and other


def test_batches_keep_translations_apart_from_their_query(base: Path, tmp_path: Path) -> None:
    policies = {"translation_of_positive": {"nearest": 2}}
    run = ran(base, tmp_path / "out", **SETTINGS, policies=policies)
    dropped = rows(run, "query_id, doc_id", "ledger/verdict=translation_of_positive")
    asked = {(query, f"d{query[1:]}") for query, _ in dropped}
    asked |= {(query, doc) for query, doc in dropped if int(doc[1:]) < QUERIES}
    found = collect(find_run(str(tmp_path / "out")), 0.5)
    document = dict(
        zip(found.pairs.text.tolist(), found.ids["positive_id"].to_pylist(), strict=True)
    )
    query = dict(zip(found.pairs.query.tolist(), found.ids["query_id"].to_pylist(), strict=True))
    apart = {
        (query[at], document[text])
        for at in query
        for text in found.apart.texts[slice(*found.apart.offsets[[at, at + 1]])].tolist()
    }
    assert asked <= apart and len(asked) > QUERIES


def test_a_collection_without_languages_is_as_it_was_and_asks_for_them(
    base: Path, tmp_path: Path
) -> None:
    run = ran(base, tmp_path / "out", "silent")
    schema = (
        duckdb.connect()
        .execute(f"DESCRIBE SELECT * FROM '{run / 'negatives' / '*' / '*.parquet'}'")
        .fetchall()
    )
    assert not {"language", "query_language"} & {name for name, *_ in schema}
    for setting in (
        {"language_mix": "corpus"},
        {"sources": {"dense": {"languages": "other"}}},
        {"sources": {"bm25": {"language": "auto"}}},
        {"policies": {"translation_of_positive": {"nearest": 2}}},
    ):
        config = small_run(
            tmp_path / "b", **setting, input={"format": "beir", "path": str(base / "silent")}
        )
        ended = negmine("mine", config)
        assert ended.code == 2 and "input.doc_language" in ended.err, ended.err


@pytest.mark.parametrize(
    ("side", "column", "setting"),
    [
        ("queries", "query_language", {"language_mix": {"same": 0.5, "other": 0.5}}),
        ("queries", "query_language", {"sources": {"dense": {"languages": "both"}}}),
        ("documents", "doc_language", {"language_mix": {"de": 1.0}}),
        ("documents", "doc_language", {"policies": {"translation_of_positive": {}}}),
    ],
)
def test_a_setting_is_refused_where_one_side_has_no_languages(
    base: Path, tmp_path: Path, side: str, column: str, setting: dict[str, Any]
) -> None:
    given = {"format": "beir", "path": str(base / "told"), column: None}
    ended = negmine("mine", small_run(tmp_path, **setting, input=given))
    assert ended.code == 2, ended.err
    assert f"none of the {60 if side == 'documents' else 12} {side} has one" in ended.err
    assert f"input.{column}" in ended.err


def test_queries_need_no_language_for_shares_by_code_and_some_without_are_remarked_on(
    base: Path, tmp_path: Path
) -> None:
    texts = [json.loads(line) for line in (base / "told" / "corpus.jsonl").open()]
    asked = [json.loads(line) for line in (base / "told" / "queries.jsonl").open()]
    for at, row in enumerate(texts):
        row["lang"] = row["lang"] if at % 2 else None
    for row in asked:
        row["lang"] = None
    known = [(row["_id"], row["_id"].replace("q", "d"), 1) for row in asked]
    write_beir(tmp_path / "some", texts, asked, known)
    given = {"format": "beir", "path": str(tmp_path / "some")}
    run = ran(base, tmp_path / "out", input=given, language_mix={"de": 0.5, "en": 0.5})
    remarks = json.loads((run / "manifest.json").read_text())["remarks"]
    told = [remark for remark in remarks if remark["code"] == "languages_not_known"]
    assert [remark["numbers"]["share"] for remark in told] == [0.5]
    assert "50 % of the documents have no language" in told[0]["title"]


def test_a_mix_of_a_language_that_no_document_is_in_is_refused(base: Path, tmp_path: Path) -> None:
    given = {"format": "beir", "path": str(base / "told")}
    ended = negmine("mine", small_run(tmp_path, language_mix={"it": 1.0}, input=given))
    assert ended.code == 2, ended.err
    assert "no document is in it: the documents are in de, en, fr" in ended.err


@pytest.mark.parametrize(
    ("documents", "queries", "mix", "said"),
    [
        (["de", None], ["de"], {"same": 0.5, "other": 0.5}, "no document is in another language"),
        (["de", "fr"], ["en"], {"same": 0.5, "other": 0.5}, "no document is in the language of"),
        (["de"], ["en"], {"other": 1.0, "same": 0.0}, ""),
        (["de", "en"], ["en", "de"], {"other": 0.5, "same": 0.5}, ""),
        (["de"], ["en"], {"de": 1.0, "it": 0.0}, ""),
    ],
)
def test_a_mix_that_no_query_can_have_is_refused(
    documents: list[str | None], queries: list[str | None], mix: dict[str, float], said: str
) -> None:
    known = Languages(numbered(documents), numbered(queries))
    with pytest.raises(ConfigError, match=said) if said else nullcontext():
        check_mix(mix, known)


def test_a_report_says_that_languages_alone_give_positives_away(base: Path, tmp_path: Path) -> None:
    sources = {name: {"languages": "other"} for name in BOTH}
    run = ran(base, tmp_path / "out", sources=sources)
    of_all = "metric = 'language_auc' AND tier IS NULL"
    auc = (
        duckdb.connect()
        .execute(f"SELECT value FROM '{run / 'metrics.parquet'}' WHERE {of_all}")
        .fetchone()
    )
    assert auc == (1.0,)
    assert "Languages alone give positives away: AUC 1.000" in (run / "report.html").read_text()
