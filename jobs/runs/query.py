"""SQL over a published run: in-memory DuckDB that can read the run and nothing else."""

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError, StorageError
from negmine.transforms import storage
from negmine.transforms.data.sql import (
    connect,
    dataset_sql,
    file_sql,
    has_parts,
    partitioned_sql,
    sql_string,
)

SQL_FOLDER = Path(__file__).parent / "sql"
_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+(?=\S)", re.IGNORECASE)
_READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_BATCH = 1_000


@dataclass(frozen=True)
class Result:
    """Columns of an answer, and its rows, read as they are asked for."""

    columns: list[str]
    rows: Iterator[tuple[object, ...]]


@dataclass(frozen=True)
class NamedQuery:
    """A query that comes with negmine: `sql/<name>.sql`, described by its first line."""

    name: str
    description: str
    sql: str


def named_queries() -> dict[str, NamedQuery]:
    """The queries that can be asked for by name."""
    queries = {}
    for file in sorted(SQL_FOLDER.glob("*.sql")):
        sql = file.read_text(encoding="utf-8")
        description = sql.partition("\n")[0].removeprefix("--").strip()
        queries[file.stem] = NamedQuery(file.stem, description, sql)
    return queries


@dataclass
class Database:
    """Views of one run: `negatives`, `positives`, `ledger`, `sets`, `metrics`, `refreshed`,
    `lists`, and of its stage outputs: `candidates`, `documents`, `queries`.

    Use it in a `with` block. Views whose files are gone are left out, and `absent` says why.
    """

    run: Run
    absent: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> "Database":
        self._spill = tempfile.TemporaryDirectory(prefix="negmine-query-")
        self._connection = connect(memory=None)
        try:
            self._create_views()
        except duckdb.Error as error:
            self.close()
            raise StorageError(
                f"{self.run.path} cannot be read: {_first_line(error)}. Mine the run again"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything; nothing was written."""
        self._connection.close()
        self._spill.cleanup()

    def relation(self, text: str) -> duckdb.DuckDBPyRelation:
        """The answer to SQL, or to a query by its name, read when it is asked for.

        Raises ConfigError with DuckDB's own message.
        """
        sql = self._sql(text)
        try:
            _refuse_writes(self._connection, sql)
            # A cursor of its own: relations are read when others already ask something else.
            return self._connection.cursor().sql(sql)
        except duckdb.Error as error:
            raise ConfigError(self._explain(error)) from error

    def ask(self, text: str) -> Result:
        """Answer SQL, or a query by its name. Raises ConfigError with DuckDB's own message."""
        sql = self._sql(text)
        try:
            _refuse_writes(self._connection, sql)
            answer = self._connection.execute(sql)
            columns = [column[0] for column in answer.description or ()]
            first = answer.fetchmany(_BATCH)
        except duckdb.Error as error:
            raise ConfigError(self._explain(error)) from error
        return Result(columns, self._rows(answer, first))

    def _sql(self, text: str) -> str:
        known = named_queries()
        name = text.strip()
        if name in known:
            return known[name].sql
        if re.fullmatch(r"\w+", name):
            raise ConfigError(f"no query named {name}; there are {', '.join(known)}, or write SQL")
        return text

    def _rows(
        self, answer: duckdb.DuckDBPyConnection, batch: list[tuple[object, ...]]
    ) -> Iterator[tuple[object, ...]]:
        while batch:
            yield from batch
            try:
                batch = answer.fetchmany(_BATCH)
            except duckdb.Error as error:
                raise ConfigError(self._explain(error)) from error

    def _explain(self, error: Exception) -> str:
        message = str(error).strip()
        for view, reason in self.absent.items():
            if re.search(rf"Table with name {view} does not exist", message, re.IGNORECASE):
                advice = "" if view == "refreshed" else ". Mine again to make it anew"
                return f"view {view} is not there: {reason}{advice}"
        return message

    def _create_views(self) -> None:
        run, connection = self.run, self._connection
        self._view("negatives", partitioned_sql(run.path / "negatives", "tier"))
        self._view("ledger", partitioned_sql(run.path / "ledger", "verdict"))
        sets = run.path / "sets"
        self._view("sets", dataset_sql(sets) if has_parts(sets) else None)
        refreshed = run.path / "refreshed"
        if has_parts(refreshed):
            self._view("refreshed", dataset_sql(refreshed))
        else:
            self.absent["refreshed"] = f"run {run.run_id} was not made by negmine refresh"
        lists = run.path / "lists"
        if has_parts(lists):
            self._view("lists", dataset_sql(lists))
        else:
            self.absent["lists"] = f"run {run.run_id} was mined without lists.size"
        edits = run.path / "edits"
        if has_parts(edits):
            self._view("edits", dataset_sql(edits))
        else:
            self.absent["edits"] = f"run {run.run_id} was mined without sources.edited"
        positives = run.path / "positives"
        if has_parts(positives):
            self._view("positives", dataset_sql(positives))
        else:
            self.absent["positives"] = f"run {run.run_id} was published without it"
        metrics = run.path / "metrics.parquet"
        if storage.is_file(metrics):
            self._view("metrics", file_sql(storage.fetch(metrics)))
        else:
            self.absent["metrics"] = f"run {run.run_id} was published without it"
        artifacts = run.artifacts()
        for name, columns in (
            ("documents", "doc_ix, doc_id, text, text_key"),
            ("queries", "query_ix, query_id, text, text_key, merged_ids"),
        ):
            if name in artifacts and has_parts(artifacts[name]):
                self._view(name, dataset_sql(artifacts[name], columns))
            else:
                self.absent[name] = run.missing_artifact(name)
        branches = [
            dataset_sql(path, f"{sql_string(name.removeprefix('candidates_'))} AS source, *")
            for name, path in sorted(artifacts.items())
            if name.startswith("candidates_") and has_parts(path)
        ]
        if branches:
            self._view("candidates", " UNION ALL BY NAME ".join(branches))
        else:
            self.absent["candidates"] = run.missing_artifact("candidates_dense")
        allowed = sorted({str(run.path), *map(str, artifacts.values()), self._spill.name})
        connection.execute("SET temp_directory = ?", [self._spill.name])
        connection.execute("SET allowed_directories = ?", [allowed])
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")

    def _view(self, name: str, sql: str | None) -> None:
        if sql is None:
            self._empty(name)
        else:
            self._connection.execute(f"CREATE VIEW {name} AS {sql}")

    def _empty(self, name: str) -> None:
        from negmine.jobs.runs.views import no_rows  # pyarrow, which other queries do without

        self._connection.register(name, no_rows(name))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _node_types(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        kind = tree.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE"):
            yield kind
        for value in tree.values():
            yield from _node_types(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _node_types(value)


def _refuse_writes(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise ConfigError unless `sql` is one statement that only reads.

    The parse tree is asked, not the text: COPY and INSERT may hide in a WITH clause.
    """
    explained = _EXPLAIN.match(sql)
    body = sql[explained.end() :] if explained else sql
    statements = connection.extract_statements(body)
    if len(statements) != 1:
        raise ConfigError(f"give one SQL statement; this is {len(statements)}")
    answer = connection.execute("SELECT json_serialize_sql(?)", [body]).fetchone()
    tree = json.loads(answer[0]) if answer else {"error": True}
    if tree["error"] or not set(_node_types(tree)) <= _READING_NODES:
        raise ConfigError(
            "only statements that read are allowed: SELECT, WITH, FROM, DESCRIBE, SHOW, "
            "SUMMARIZE and EXPLAIN of those; a published run is never changed"
        )
