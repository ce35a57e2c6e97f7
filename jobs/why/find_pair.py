"""Which query and document are meant: by identifier, else by their text or a part of it."""

from dataclasses import dataclass
from typing import NamedTuple

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.query import Database
from negmine.jobs.terminal import printable
from negmine.schemas.errors import ConfigError
from negmine.transforms.data.sql import sql_string

_LISTED = 10
_SHOWN = 100


class Text(NamedTuple):
    """An identifier and its text, None where the run has none."""

    id: str
    text: str | None


@dataclass(frozen=True)
class Finder:
    """Looks up queries and documents of a run."""

    run: Run
    database: Database

    def query(self, asked: str) -> Text:
        """The query of that identifier, else the one that has that text, whole before in part.

        Raises ConfigError, listing what there is, where there is none or more than one.
        """
        known = self._rows(f"SELECT query_id FROM ledger WHERE query_id = {sql_string(asked)}")
        if known:
            return Text(asked, self._text("queries", "query_id", "negatives", "query", asked))
        texts = self._source("queries", "query_id", "negatives", "query")
        found = self._matching(f"{texts} WHERE id IN (SELECT query_id FROM ledger)", asked)
        if not found:
            raise self._unknown_query(asked)
        return self._only(found, asked, "queries", "query")

    def document(self, query_id: str, asked: str) -> Text:
        """The query's candidate of that identifier, else the one that has that text.

        Raises ConfigError, listing what there is, where there is none or more than one.
        """
        candidates = f"SELECT doc_id FROM ledger WHERE query_id = {sql_string(query_id)}"
        if self._rows(f"{candidates} AND doc_id = {sql_string(asked)}"):
            return Text(asked, self._text("documents", "doc_id", "negatives", "negative", asked))
        texts = self._source("documents", "doc_id", "negatives", "negative")
        found = self._matching(f"{texts} WHERE id IN ({candidates})", asked)
        if not found:
            raise ConfigError(
                f"document {asked!r} is no candidate of query {query_id!r}: no source returned it "
                "and it is no known positive, and no candidate's text holds it; negmine why "
                f"{self.run.path} {query_id} lists the candidates"
            )
        return self._only(found, asked, f"candidates of query {query_id!r}", "document")

    def positive(self, query_id: str) -> Text | None:
        """The positive that the query was mined with."""
        rows = self._rows(f"SELECT positive_id FROM sets WHERE query_id = {sql_string(query_id)}")
        if not rows or rows[0][0] is None:
            return None
        known = str(rows[0][0])
        return Text(known, self._text("documents", "doc_id", "negatives", "positive", known))

    def _source(self, view: str, key: str, published: str, column: str) -> str:
        """`id, text` of the work directory, or, where it is gone, what was published."""
        if view not in self.database.absent:
            return f"SELECT id, text FROM (SELECT {key} AS id, text FROM {view})"
        key = {"query": "query_id"}.get(column, f"{column}_id")
        texts = f"SELECT DISTINCT {key} AS id, {column} AS text FROM {published}"
        return f"SELECT id, text FROM ({texts})"

    def _text(self, view: str, key: str, published: str, column: str, known: str) -> str | None:
        source = self._source(view, key, published, column)
        rows = self._rows(f"{source} WHERE id = {sql_string(known)} LIMIT 1")
        return None if not rows or rows[0][1] is None else str(rows[0][1])

    def _matching(self, source: str, asked: str) -> list[Text]:
        """By whole text, else by a part, else by a part of the identifier; case does not matter."""
        wanted = sql_string(asked.strip().lower())
        if not asked.strip():
            return []
        rows: list[tuple[object, ...]] = []
        for test in (
            f"trim(lower(text)) = {wanted}",
            f"contains(lower(text), {wanted})",
            f"contains(lower(id), {wanted})",
        ):
            rows = self._rows(f"{source} AND {test} ORDER BY id LIMIT {_LISTED + 1}")
            if rows:
                break
        return [Text(str(known), None if text is None else str(text)) for known, text in rows]

    def _only(self, found: list[Text], asked: str, among: str, what: str) -> Text:
        if len(found) == 1:
            return found[0]
        some = [f"  {known}  {printable(short(text, _SHOWN))}" for known, text in found[:_LISTED]]
        more = ["  ..."] if len(found) > _LISTED else []
        count = f"more than {_LISTED}" if more else str(len(found))
        listed = "\n".join([*some, *more])
        raise ConfigError(
            f"{count} {among} hold {asked!r}; give more of its text, or the {what}'s identifier:\n"
            f"{listed}"
        )

    def _unknown_query(self, asked: str) -> ConfigError:
        return ConfigError(
            f"run {self.run.run_id} has no query {asked!r}, neither by identifier nor by text. A "
            "query merged into another of the same text has that one's id, and one without a "
            "positive in the split is left out"
        )

    def _rows(self, sql: str) -> list[tuple[object, ...]]:
        return list(self.database.ask(sql).rows)


def short(text: str | None, letters: int) -> str:
    """A text cut to so many letters."""
    text = text or ""
    return text if len(text) <= letters else text[: letters - 3] + "..."
