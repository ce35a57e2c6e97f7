"""`negmine why`: what became of a query's candidates, or the whole story of one of them."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from negmine.jobs.runs.published import Run
from negmine.jobs.runs.query import Database
from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject
from negmine.schemas.config import Sampling
from negmine.schemas.errors import ConfigError
from negmine.schemas.policies import Policy
from negmine.schemas.policy_list import with_promises
from negmine.schemas.selection import Selection
from negmine.schemas.sources import RETRIEVING
from negmine.transforms.data.blocks import Block
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.data.sql import sql_string
from negmine.transforms.kernels.choosing.policies import Pairs, decide, outcomes
from negmine.transforms.kernels.choosing.sampling import preference
from negmine.transforms.kernels.choosing.tiers import served_positive, similarity_ratio
from negmine.transforms.pairs.table import to_pairs

_FIRST = ("doc_id", "verdict", "tier", "rank")
_LAST = ("dense_score AS student", "judge_score AS judge")


def explain_query(run: Run, query_id: str, limit: int = 50) -> RenderableType:
    """The query's candidates with their verdicts, most similar first.

    Raises ConfigError where the run has no such query.
    """
    with Database(run) as database:
        listed = ", ".join([*_FIRST, *_ranks(database, run), *_LAST])
        answer = database.ask(
            f"SELECT {listed} FROM ledger WHERE query_id = {sql_string(query_id)} "
            f"ORDER BY dense_score DESC, doc_id LIMIT {limit + 1}"
        )
        rows = list(answer.rows)
    if not rows:
        raise _unknown(run, query_id)
    title = f"query {printable(query_id)}: candidates by similarity, the first {limit}"
    table = Table(title=Text(title), title_justify="left", box=None)
    for column in answer.columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows[:limit]:
        table.add_row(*(_cell(value) for value in row))
    return table


def _ranks(database: Database, run: Run) -> list[str]:
    """Ranks of the sources that retrieve: those that the run has; all where it does not say."""
    on = run.manifest.get("config", {}).get("sources") or {}
    there = database.ask("SELECT * FROM ledger LIMIT 0").columns
    return [
        f"{source}_rank AS {source}"
        for source in RETRIEVING
        if f"{source}_rank" in there and on.get(source, {}) is not None
    ]


def explain_candidate(run: Run, query_id: str, doc_id: str) -> RenderableType:
    """A candidate's sources, ranks, scores, the test of every policy, verdict and tier.

    Raises ConfigError where the pair is not in the ledger.
    """
    with Database(run) as database:
        answer = database.ask(
            f"SELECT * FROM ledger WHERE query_id = {sql_string(query_id)} "
            f"AND doc_id = {sql_string(doc_id)}"
        )
        found = next(answer.rows, None)
        if found is None:
            _known_query(database, run, query_id)
            raise ConfigError(
                f"document {doc_id!r} is no candidate of query {query_id!r}: no source returned "
                f"it and it is no known positive; negmine why {run.path} {query_id} lists them"
            )
    facts = dict(zip(answer.columns, found, strict=True))
    story = Table(show_header=False, box=None)
    for name, value in facts.items():
        story.add_row(name.replace("_", " "), _cell(value))
    return Group(story, Text(), _policies(run, query_id, doc_id))


def _known_query(database: Database, run: Run, query_id: str) -> None:
    sql = f"SELECT 1 FROM ledger WHERE query_id = {sql_string(query_id)} LIMIT 1"
    if next(database.ask(sql).rows, None) is None:
        raise _unknown(run, query_id)


def _unknown(run: Run, query_id: str) -> ConfigError:
    return ConfigError(
        f"run {run.run_id} has no query {query_id!r}. A query merged into another of the same "
        "text has that one's id, and one without a positive in the split is left out"
    )


def _cell(value: object) -> Text:
    if value is None:
        return Text("-", style="dim")
    if isinstance(value, float):
        return Text(f"{value:.4f}")
    if isinstance(value, list):
        return Text(", ".join(map(printable, value)))
    return Text(printable(value))


def _policies(run: Run, query_id: str, doc_id: str) -> RenderableType:
    artifacts = run.artifacts()
    absent = [name for name in ("judged", "documents", "queries") if name not in artifacts]
    if absent:
        return Text(f"the tests of each policy are not shown: {run.missing_artifact(absent[0])}")
    pairs, row = _judged_pairs(artifacts, query_id, doc_id)
    selection = _selection(run)
    table = Table(title="policies, in order", title_justify="left", box=None)
    for column in ("drops as", "value", "threshold", "fires"):
        table.add_column(column, overflow="fold")
    for _, test in outcomes(pairs, selection.policies):
        numbers = [_cell(float(values[row])) for values in (test.value, test.threshold)]
        fires = Text("yes", style="bold") if test.fired[row] else Text("no")
        table.add_row(str(test.verdict), *numbers, fires)
    served = served_positive(pairs)
    ratio = similarity_ratio(pairs.dense[row], pairs.dense[served[0]])
    lines = [f"similarity relative to the served positive: {ratio:.4f}"]
    if ratio != ratio:
        lines = ["no similarity: the vector of query, document or served positive is zero"]
    safe = decide(pairs, selection.policies).policy < 0
    if safe[row]:
        order = preference(pairs, served, selection.sampling, selection.seed)
        place = int((order[safe] > order[row]).sum()) + 1
        lines.append(
            f"{selection.sampling.method} tries it as number {place} of the {safe.sum()} "
            "candidates of the query that no policy drops"
        )
    return Group(table, *map(Text, lines))


def _selection(run: Run) -> Selection:
    manifest = run.manifest
    config = manifest["config"]
    policies = manifest.get("policies") or config["policies"]
    return Selection(
        with_promises([Policy.model_validate(entry) for entry in policies]),
        (),
        Sampling.model_validate(config["sampling"]),
        int(config["seed"]),
    )


def _judged_pairs(artifacts: JsonObject, query_id: str, doc_id: str) -> tuple[Pairs, int]:
    query_ix = _position(artifacts["queries"], "query_id", query_id)
    doc_ix = _position(artifacts["documents"], "doc_id", doc_id)
    judged = Dataset(str(artifacts["judged"])).read_queries(Block(query_ix, query_ix + 1))
    pairs = to_pairs(judged)
    return pairs, int((pairs.doc_ix == doc_ix).argmax())


def _position(path: object, column: str, identifier: str) -> int:
    start = 0
    for table in Dataset(str(path)).tables([column]):
        found = table.column(column).index(identifier).as_py()
        if found >= 0:
            return int(start + found)
        start += table.num_rows
    raise ConfigError(f"the work directory's {column} {identifier!r} is gone; mine the run again")
