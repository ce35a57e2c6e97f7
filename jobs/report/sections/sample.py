"""A keyed sample of negatives by tier and of dropped candidates by verdict, with their texts."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from negmine.jobs.report.read import RunData
from negmine.jobs.runs.views import Row
from negmine.schemas import JsonObject
from negmine.schemas.verdicts import Verdict

ROWS_A_GROUP = 40
ROWS_IN_ALL = 600
_MINED = "negatives", "tier", "negative_id"
_DROPPED = "ledger", "verdict", "doc_id"


@dataclass(frozen=True)
class Group:
    """Some rows of one tier, or of one drop reason (`tier` is None), out of `total`."""

    tier: str | None
    verdict: str
    total: int
    rows: list[JsonObject]

    @property
    def name(self) -> str:
        return self.verdict if self.tier is None else self.tier


def draw(run: RunData) -> list[Group]:
    """Groups of at most 40 rows, 600 in all: tiers first, hardest first, then drop reasons.

    A row is drawn where the MD5 of seed, query and document is among the smallest of its group, so
    the same run always shows the same rows.
    """
    tiers = run.groups("negatives", "tier")
    verdicts = run.groups("ledger", "verdict")
    verdicts.pop(Verdict.KEPT, None)
    order = [tier for tier in run.manifest.get("tier_order") or [] if tier in tiers]
    order += [tier for tier in tiers if tier not in order]
    reasons = [str(verdict) for verdict in Verdict if verdict in verdicts]
    reasons += [verdict for verdict in verdicts if verdict not in reasons]
    size = min(ROWS_A_GROUP, ROWS_IN_ALL // max(len(order) + len(reasons), 1))
    mined, dropped = _rows(run, *_MINED, order, size), _rows(run, *_DROPPED, reasons, size)
    groups = [Group(tier, str(Verdict.KEPT), tiers[tier], mined[tier]) for tier in order]
    groups += [Group(None, reason, verdicts[reason], dropped[reason]) for reason in reasons]
    _add_texts(run, [row for group in groups if group.tier is None for row in group.rows])
    return groups


def _rows(
    run: RunData, view: str, partition: str, document: str, values: list[str], size: int
) -> dict[str, list[JsonObject]]:
    """The rows with the `size` smallest keys of each of these values of the partition."""
    # Keys first, so that texts are read of the chosen rows alone.
    answer = run.connection.execute(
        f"""
        WITH keyed AS (
            SELECT {partition} AS part, md5_number_lower(
                concat($seed, ' ', length(query_id), ' ', query_id, {document})) AS drawn,
                {{'key': drawn, 'query': query_id, 'document': {document}}} AS pair
            FROM {view} WHERE list_contains($values, {partition})
        ), chosen AS (SELECT part, unnest(min(pair, {size})) AS pair FROM keyed GROUP BY part)
        SELECT {view}.* FROM {view} JOIN chosen ON {partition} = part
        AND query_id = pair.query AND {document} = pair.document ORDER BY pair
        """,
        {"seed": str(run.manifest.get("seed") or 0), "values": values},
    )
    names = [column[0] for column in answer.description or ()]
    found: dict[str, list[JsonObject]] = {value: [] for value in values}
    for row in (dict(zip(names, entry, strict=True)) for entry in answer.fetchall()):
        found[row[partition]].append(row)
    return found


def _add_texts(run: RunData, rows: list[JsonObject]) -> None:
    """Give ledger rows the query, its positive and the candidate's text, where the run has them.

    The ledger has no texts; a candidate's text is known where it is a negative or a positive
    of some query.
    """
    queries = _ids(rows, "query_id")
    positives: dict[str, str] = dict(_wanted(run, "query_id", "positive_id", "sets", queries))
    for row in rows:
        row["positive_id"] = positives.get(row["query_id"])
        row["negative_id"] = row["doc_id"]
    texts: dict[str, str] = dict(_wanted(run, "query_id", "query", "negatives", queries))
    documents = sorted(set(_ids(rows, "doc_id")) | set(_ids(rows, "positive_id")))
    known: dict[str, str] = dict(_wanted(run, "positive_id", "positive", "negatives", documents))
    known |= dict(_wanted(run, "negative_id", "negative", "negatives", documents))
    for row in rows:
        row["query"] = texts.get(row["query_id"])
        row["positive"] = known.get(row["positive_id"])
        row["negative"] = known.get(row["doc_id"])


def _ids(rows: list[JsonObject], name: str) -> list[str]:
    return sorted({row[name] for row in rows if row[name] is not None})


def _wanted(run: RunData, key: str, value: str, view: str, ids: list[str]) -> Iterator[Row]:
    run.connection.register("wanted", pa.table({"id": pa.array(ids, pa.string())}))
    yield from run.all(
        f"SELECT {key}, min({value}) FROM {view} SEMI JOIN wanted ON {key} = wanted.id "
        f"WHERE {value} IS NOT NULL GROUP BY {key}"
    )
    run.connection.unregister("wanted")
