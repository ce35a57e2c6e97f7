"""`negmine why`: what became of a query's candidates, or the whole story of one of them."""

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.query import Database
from negmine.jobs.terminal import printable
from negmine.jobs.why import find_pair
from negmine.jobs.why.find_pair import Finder
from negmine.jobs.why.story import Story, story
from negmine.schemas import JsonObject
from negmine.schemas.sources import RETRIEVING
from negmine.transforms.data.sql import sql_string

_FIRST = ("doc_id", "verdict", "tier", "rank")
_LAST = ("dense_score AS student", "judge_score AS judge")
_LETTERS = 600


@dataclass(frozen=True)
class Candidates:
    """A query's candidates with their verdicts, most similar first: `rows` by `columns`."""

    query: find_pair.Text
    columns: list[str]
    rows: list[tuple[object, ...]]

    def as_json(self) -> JsonObject:
        """As JSON values."""
        listed = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"query": self.query._asdict(), "candidates": listed}


def candidates(run: Run, query: str, limit: int | None = None) -> Candidates:
    """The candidates of a query that is named by its identifier or by its text.

    Raises ConfigError where the run has no such query, or more than one is meant.
    """
    with Database(run) as database:
        found = Finder(run, database).query(query)
        listed = ", ".join([*_FIRST, *_ranks(database, run), *_LAST])
        answer = database.ask(
            f"SELECT {listed} FROM ledger WHERE query_id = {sql_string(found.id)} "
            "ORDER BY dense_score DESC, doc_id" + (f" LIMIT {limit}" if limit else "")
        )
        return Candidates(found, answer.columns, list(answer.rows))


def explain_query(run: Run, query: str, limit: int = 50) -> RenderableType:
    """The query's candidates with their verdicts, most similar first; see `candidates`."""
    found = candidates(run, query, limit)
    title = f"query {printable(found.query.id)}: candidates by similarity, the first {limit}"
    table = Table(title=Text(title), title_justify="left", box=None)
    for column in found.columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in found.rows:
        table.add_row(*(_cell(value) for value in row))
    return Group(_text("query", found.query), Text(), table)


def _ranks(database: Database, run: Run) -> list[str]:
    """Ranks of the sources that retrieve: those that the run has; all where it does not say."""
    on = run.manifest.get("config", {}).get("sources") or {}
    there = database.ask("SELECT * FROM ledger LIMIT 0").columns
    return [
        f"{source}_rank AS {source}"
        for source in RETRIEVING
        if f"{source}_rank" in there and on.get(source, {}) is not None
    ]


def explain_candidate(run: Run, query: str, document: str) -> RenderableType:
    """A candidate's verdict in a sentence, the texts, the ledger's row, and every policy's test.

    Raises ConfigError where the pair is not in the ledger, or more than one is meant.
    """
    return render(story(run, query, document))


def render(told: Story) -> RenderableType:
    """A story for the terminal."""
    texts = [_text("query", told.query), _text("document", told.document)]
    if told.positive and told.positive.id != told.document.id:
        texts.append(_text("positive", told.positive))
    facts = Table(show_header=False, box=None)
    for name, value in told.facts.items():
        facts.add_row(name.replace("_", " "), _cell(value))
    parts: list[RenderableType] = [Text(printable(told.sentence), style="bold"), Text(), *texts]
    parts += [Padding(facts, (1, 0))]
    if told.tests:
        parts.append(_tests(told))
    return Group(*parts, *map(Text, told.notes))


def _text(name: str, found: find_pair.Text) -> Text:
    shown = find_pair.short(found.text, _LETTERS) if found.text is not None else "(no text here)"
    return Text.assemble(
        (f"{name} {printable(found.id)}", "dim"), "\n", printable(shown, keep="\n"), "\n"
    )


def _tests(told: Story) -> Table:
    table = Table(title="policies, in order", title_justify="left", box=None)
    for column in ("drops as", "value", "threshold", "fires"):
        table.add_column(column, overflow="fold")
    for test in told.tests:
        fires = Text("yes", style="bold") if test.fires else Text("no")
        table.add_row(test.drops_as, _cell(test.value), _cell(test.threshold), fires)
    return table


def _cell(value: object) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.4f}")
    if isinstance(value, list):
        return Text(", ".join(map(printable, value)))
    return Text(printable(value))
