"""Queries: every view, nothing but reading, three ways to print, and a quick start."""

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negmine.jobs.runs.published import find_run
from negmine.jobs.runs.query import Database, Result, named_queries
from negmine.jobs.runs.render import WRITERS
from negmine.jobs.terminal import printable
from negmine.schemas.errors import ConfigError, StorageError
from negmine.schemas.metrics import METRICS
from negmine.transforms.data.datasets import write_part
from negmine.transforms.metrics.rows import Row, to_table
from tests.builders import HOSTILE, Layout, build_run, query_text


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "it's [a] date=2026 *out*"
    table = to_table([Row("signal", 0.5, 8), Row("signal", 0.7, 8, "hard", low=0.6, high=0.8)])
    layout = Layout(parent="run-0", lists=True)
    write_part(str(build_run(folder, layout)), "metrics.parquet", table, METRICS)
    return folder


@pytest.fixture
def database(output: Path) -> Iterator[Database]:
    with Database(find_run(str(output))) as opened:
        yield opened


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    return list(database.ask(sql).rows)


def test_every_view_is_there(database: Database) -> None:
    names = ("negatives", "positives", "ledger", "sets", "metrics", "refreshed")
    names += ("lists", "candidates", "documents", "queries")
    counts = [rows(database, f"SELECT count(*) FROM {name}")[0][0] for name in names]
    assert counts == [31, 8, 47, 8, 2, 31, 39, 48, 39, 8]
    assert database.absent == {"edits": "run run-1 was mined without sources.edited"}


def test_partitions_and_sources_are_text_columns(database: Database) -> None:
    assert rows(database, "SELECT DISTINCT tier FROM negatives ORDER BY 1") == [
        ("hard",),
        ("random",),
        ("semi_hard",),
    ]
    assert rows(database, "FROM ledger SELECT count(*) WHERE verdict = 'known_positive'") == [(8,)]
    assert rows(database, "SELECT DISTINCT source FROM candidates ORDER BY 1") == [
        ("bm25",),
        ("dense",),
    ]
    assert "date" not in database.ask("FROM negatives").columns


def test_metrics_are_asked_by_name_and_tier(database: Database) -> None:
    sql = "SELECT value, low FROM metrics WHERE metric = 'signal' ORDER BY tier NULLS FIRST"
    assert rows(database, sql) == [(0.5, None), (0.7, 0.6)]


def test_a_run_without_metrics_says_so(output: Path) -> None:
    run = find_run(str(output))
    (run.path / "metrics.parquet").unlink()
    with (
        Database(run) as database,
        pytest.raises(ConfigError, match="view metrics is not there: run run-1 was published"),
    ):
        database.ask("FROM metrics")


def test_a_run_without_a_parent_says_so(tmp_path: Path) -> None:
    build_run(tmp_path)
    with (
        Database(find_run(str(tmp_path))) as database,
        pytest.raises(ConfigError, match="refreshed is not there: run run-1 was not made by"),
    ):
        database.ask("refreshed")


def test_texts_come_back_as_they_are(database: Database) -> None:
    texts = rows(database, "SELECT DISTINCT query FROM negatives ORDER BY query")
    assert texts == [(query_text(at),) for at in range(8)]


@pytest.mark.parametrize("name", named_queries())
def test_named_queries_run_and_describe_themselves(name: str, database: Database) -> None:
    answer = database.ask(name)
    assert answer.columns
    list(answer.rows)
    assert named_queries()[name].description


def test_tier_counts_and_drop_reasons_count(database: Database) -> None:
    assert [row[:3] for row in rows(database, "tier_counts")] == [
        ("hard", 16, 8),
        ("semi_hard", 8, 8),
        ("random", 7, 7),
    ]
    assert rows(database, "drop_reasons")[0][:3] == ("kept", None, 31)
    assert rows(database, "short_queries")[0][0] == "q007"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "DESCRIBE negatives",
        "SHOW TABLES",
        "SUMMARIZE sets",
        "EXPLAIN SELECT * FROM negatives",
        "explain analyze SELECT 'COPY_QUERY_NODE'",
        "SELECT 1 UNION SELECT 2;",
        "WITH RECURSIVE a(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM a WHERE i<3) FROM a",
        "-- a comment\nSELECT 'DROP TABLE x; COPY'",
    ],
)
def test_statements_that_read_are_answered(sql: str, database: Database) -> None:
    assert rows(database, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT 1",
        "DROP VIEW negatives",
        "COPY (SELECT 1) TO '{run}/x.csv'",
        "WITH a AS (COPY (SELECT 1) TO '{run}/x.csv') SELECT * FROM a",
        "SELECT (WITH a AS (COPY (SELECT 1) TO '{run}/x.csv') SELECT count(*) FROM a)",
        "DESCRIBE WITH a AS (COPY (SELECT 1) TO '{run}/x.csv') SELECT * FROM a",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{run}/x.csv'",
        "EXPLAIN /* */ ANALYZE COPY (SELECT 1) TO '{run}/x.csv'",
        "EXPLAIN EXPLAIN ANALYZE COPY (SELECT 1) TO '{run}/x.csv'",
        "EXPORT DATABASE '{run}/x'",
        "ATTACH '{run}/x.db'",
        "SET threads = 1",
        "PRAGMA enable_progress_bar",
        "INSTALL httpfs",
        "CALL duckdb_tables()",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW negatives",
        "",
        "-- nothing",
    ],
)
def test_everything_else_is_refused(sql: str, database: Database) -> None:
    run = database.run.path
    before = sorted(run.rglob("*"))
    with pytest.raises(ConfigError):
        rows(database, sql.format(run=str(run).replace("'", "''")))
    assert sorted(run.rglob("*")) == before
    assert rows(database, "SELECT count(*) FROM negatives") == [(31,)]


@pytest.mark.parametrize(
    "sql", ["FROM read_csv('{}')", "FROM '{}'", "FROM glob('{}*')", "FROM read_text('{}')"]
)
def test_files_outside_the_run_cannot_be_read(sql: str, database: Database, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"Permission Error|file system operations"):
        rows(database, sql.format(secret))


def test_mistakes_come_with_duckdbs_message(database: Database) -> None:
    with pytest.raises(ConfigError, match='"tear" not found'):
        database.ask("SELECT tear FROM negatives")
    with pytest.raises(ConfigError, match="no query named teir_counts; there are drop_reasons"):
        database.ask("teir_counts")
    with pytest.raises(ConfigError, match="Conversion Error"):
        rows(database, "SELECT CAST(query_id AS INT) FROM negatives")


def test_views_without_files_are_absent_and_say_why(output: Path) -> None:
    shutil.rmtree(output / "work" / "retrieve")
    with Database(find_run(str(output))) as database:
        assert rows(database, "SELECT count(*) FROM documents") == [(39,)]
        with pytest.raises(ConfigError, match="view candidates is not there: the work directory"):
            database.ask("SELECT * FROM candidates")


def test_a_run_without_negatives_has_empty_views(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    shutil.rmtree(run / "negatives")
    with Database(find_run(str(run))) as database:
        assert rows(database, "SELECT query, tier FROM negatives") == []
        assert rows(database, "tier_counts") == []


def test_a_damaged_run_is_a_storage_error(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    for part in (run / "sets").glob("*.parquet"):
        part.write_bytes(b"no parquet")
    with (
        pytest.raises(StorageError, match=r"cannot be read: .*Mine the run again"),
        Database(find_run(str(run))),
    ):
        pass


def written(result: Result, shape: str) -> str:
    stream = io.StringIO()
    WRITERS[shape](result, stream)
    return stream.getvalue()


def test_csv_and_json_hold_any_text(database: Database) -> None:
    sql = "SELECT query_id, query, sources, bm25_score FROM negatives ORDER BY ALL"
    expected = rows(database, sql)
    table = list(csv.reader(io.StringIO(written(database.ask(sql), "csv"), newline="")))
    assert table[0] == ["query_id", "query", "sources", "bm25_score"]
    assert [row[1] for row in table[1:]] == [row[1] for row in expected]
    records = json.loads(written(database.ask(sql), "json"))
    assert [record["query"] for record in records] == [row[1] for row in expected]
    assert records[0]["sources"] == ["bm25", "dense"]


def test_json_is_valid_with_nan_blobs_maps_and_repeated_names(database: Database) -> None:
    sql = "SELECT 'nan'::FLOAT AS a, 1 AS a, 'x'::BLOB AS b, MAP {'k': 1} AS m, DATE '2026-01-02' d"
    assert json.loads(written(database.ask(sql), "json")) == [
        {"a": None, "a_1": 1, "b": "78", "m": {"k": 1}, "d": "2026-01-02"}
    ]
    assert json.loads(written(database.ask("SELECT 1 AS a WHERE false"), "json")) == []


def test_a_table_shows_hostile_texts_harmlessly(database: Database) -> None:
    text = written(database.ask("SELECT text FROM queries ORDER BY query_ix"), "table")
    assert "[bold red]markup[/]" in text and "\\x1b[31m" in text and "\\u202e" in text
    assert not {"\x1b", "\u202e", "\u2066", "\x85", "\u2028", "\x00"} & set(text)


def test_a_long_table_says_where_it_stops(database: Database) -> None:
    text = written(database.ask("SELECT * FROM range(3000)"), "table")
    assert "first 1,000 rows" in text and " 999" in text and " 1000" not in text


def test_printable_keeps_words_and_emoji() -> None:
    assert printable("naïve 東京 👩‍🚀") == "naïve 東京 👩‍🚀"
    assert printable("a\nb\tc\u202ed\x9b") == "a\\nb\\tc\\u202ed\\x9b"
    assert all(printable(printable(text)) == printable(text) for text in HOSTILE)


@given(st.text(st.characters(exclude_characters="@:/")), st.sampled_from(["", "\n", "\n\t"]))
def test_printable_of_a_text_is_that_of_its_characters(text: str, keep: str) -> None:
    escaped = "".join(printable(letter, keep=keep) for letter in text)
    assert printable(text, keep=keep) == escaped


def test_a_query_imports_nothing_heavy(output: Path) -> None:
    code = (
        "import sys\n"
        "from negmine.jobs.runs.published import find_run\n"
        "from negmine.jobs.runs.query import Database\n"
        "import negmine.jobs.cli.runs, negmine.jobs.runs.render\n"
        f"with Database(find_run({str(output)!r})) as d: list(d.ask('tier_counts').rows)\n"
        "heavy = {'torch', 'apache_beam', 'pandas', 'pyarrow', 'faiss', 'pydantic', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_layout_of_files_does_not_matter(tmp_path: Path) -> None:
    one, many = (
        build_run(tmp_path / "a", Layout(parts=1)),
        build_run(tmp_path / "b", Layout(parts=8)),
    )
    sql = "SELECT * FROM negatives ORDER BY ALL"
    with Database(find_run(str(one))) as first, Database(find_run(str(many))) as second:
        assert rows(first, sql) == rows(second, sql)
