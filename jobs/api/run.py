"""A published run as an object: its data sets, exports, report, and what can be asked of it."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from negmine.jobs import actions
from negmine.jobs.api.dataset import mapped
from negmine.jobs.api.errors import plainly
from negmine.jobs.api.given import Model, place_model
from negmine.jobs.api.shown import Answer, Report, as_text
from negmine.jobs.refresh.request import Request
from negmine.jobs.runner.progress import quietly
from negmine.jobs.runs.published import REPORT, Run, find_run
from negmine.schemas import JsonObject

if TYPE_CHECKING:
    import datasets
    import duckdb

    from negmine.jobs.runs.query import Database


@dataclass(frozen=True, repr=False)
class MinedRun(Run):
    """One published run, and everything that the commands can do with it.

    As long as it lives, nothing deletes it. Its data sets are DuckDB relations: `.df()`,
    `.arrow()`, `.filter(...)`; they are read when they are asked for.
    """

    _found: Run | None = field(default=None, compare=False)

    @cached_property
    def _database(self) -> "Database":
        from negmine.jobs.runs.query import Database

        database = Database(self).__enter__()
        weakref.finalize(self, database.close)
        return database

    @plainly
    def sql(self, sql: str) -> "duckdb.DuckDBPyRelation":
        """Rows of a SELECT over the run's views, or of a named query; see `negmine query`.

        Raises ConfigError with DuckDB's own message, and for what does not only read.
        """
        return self._database.relation(sql)

    @property
    def negatives(self) -> "duckdb.DuckDBPyRelation":
        """One row a query and negative, sorted by query, tier and rank within each part."""
        return self.sql("SELECT * FROM negatives")

    @property
    def positives(self) -> "duckdb.DuckDBPyRelation":
        """One row a query and positive."""
        return self.sql("SELECT * FROM positives")

    @property
    def ledger(self) -> "duckdb.DuckDBPyRelation":
        """Every candidate with its verdict."""
        return self.sql("SELECT * FROM ledger")

    @property
    def sets(self) -> "duckdb.DuckDBPyRelation":
        """One row a query: counts, S, Δ, N and ECI of its negatives."""
        return self.sql("SELECT * FROM sets")

    @property
    def metrics(self) -> "duckdb.DuckDBPyRelation":
        """Every number of the report, with its interval."""
        return self.sql("SELECT * FROM metrics")

    @property
    def summary(self) -> JsonObject:
        """Counts and estimates, as in the manifest."""
        return dict(self.manifest.get("summary") or {})

    @plainly
    def report(self) -> Report:
        """The run's page; written where it is not there."""
        page = self.path / REPORT
        return Report(page if page.is_file() else actions.write_report(self))

    @plainly
    def why(self, query: str, document: str | None = None) -> Answer:
        """What became of a query's candidates, or the whole story of one.

        Raises ConfigError where the run has no such query or candidate.
        """
        from negmine.jobs.why.explain import explain_candidate, explain_query

        if document is None:
            return Answer(explain_query(self, query))
        return Answer(explain_candidate(self, query, document))

    @plainly
    def sweep(self, settings: Mapping[str, Sequence[object]]) -> list[JsonObject]:
        """What other settings would give, a row a point of the grid; see `negmine sweep`.

        `settings`: from key to the values to try, such as
        `{"judge_calibrated_threshold.positives_above": [0.3, 0.5]}`. Raises ConfigError for an
        unknown key or value, StorageError where the stage outputs are gone.
        """
        from negmine.jobs.sweep import grid, run

        return run.sweep(self, grid.grid_of(settings))

    @plainly
    def refresh(
        self,
        student: Model | list[Model] | tuple[Model, ...] = (),
        *,
        judge: Literal["pinned", "checkpoint"] = "pinned",
        settings: Sequence[str] = (),
        output: str | None = None,
        quiet: bool = False,
    ) -> "MinedRun":
        """Mine again with the trained student, or with one a fold; see `negmine refresh`."""
        models = [*student] if isinstance(student, list | tuple) else [student]
        named = tuple(place_model(model, output or str(self.output)) for model in models)
        request = Request(named, judge, tuple(settings), output)
        with quietly(quiet):
            return opened(actions.refresh(self, request))

    @plainly
    def export(
        self, format: str | None = None, output: str | None = None, **options: object
    ) -> Path:
        """Write the run in a trainer's format; options as of `negmine export`, by their names.

        `use="MarginMSELoss"` picks the format, as `--for` does.

        Gives the file or folder that was written. Raises ConfigError for an unknown format or
        option, StorageError where it cannot be written.
        """
        return Path(str(actions.export(self, format, output, **options).path))

    @plainly
    def to_dataset(self, format: str = "triplet", **options: object) -> "datasets.Dataset":
        """The run in a format of columns, as a `datasets.Dataset` mapped from disk.

        It is kept beside the run, in `<output>/exports/`. Raises ConfigError where `datasets` is
        not installed, and as `export`.
        """
        return mapped(self, format, options)

    def _verdict(self) -> str:
        return as_text(actions.verdict(self))

    def __repr__(self) -> str:
        return f"MinedRun({str(self.path)!r})"

    def _repr_html_(self) -> str:
        return Answer(self._verdict())._repr_html_()


def opened(found: Run) -> MinedRun:
    """The run as an object; `found` is kept, for it holds the lock."""
    return MinedRun(found.path, found)


@plainly
def open_run(reference: str | Path) -> MinedRun:
    """The run that `reference` names: its folder, `OUTPUT` (its current run) or `OUTPUT:run_id`.

    Raises ConfigError, naming the runs that exist, where there is no such complete run.
    """
    return opened(find_run(str(reference)))
