"""Every source alone, in pairs and all together, through every part that lists sources."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow.parquet as pq
import pytest

from negmine.jobs.runner.budget import Budget
from negmine.jobs.runs.published import Run, find_run
from negmine.schemas import tables
from negmine.schemas.config import Config
from negmine.schemas.sources import IN_OWN_ORDER, RETRIEVING, SOURCES, Sources
from negmine.schemas.verdicts import Source
from tests.jobs.collections import negmine, static_student, write_collection, write_config
from tests.transforms.foreign.sets import write_jsonl

DOCUMENTS, QUERIES, DEPTH, MOST = 20, 6, 10, 2
SETTINGS: dict[Source, dict[str, Any]] = {
    Source.BM25: {"depth": DEPTH},
    Source.DENSE: {"depth": DEPTH},
    Source.RANDOM: {"count": DEPTH},
    Source.GIVEN: {},
    Source.SAME_DOCUMENT: {"count": DEPTH, "window": 0},
    Source.CLUSTER: {"count": DEPTH, "clusters": 2},
    Source.MEMORY: {},
}
"""Of given and memory, see `settings`; of edited, which needs texts that say something, see
`test_edited`."""
SETS = [
    (Source.RANDOM,),
    (Source.GIVEN,),
    (Source.SAME_DOCUMENT, Source.CLUSTER, Source.MEMORY),
    tuple(SETTINGS),
    *(
        pytest.param(sources, marks=pytest.mark.long)
        for sources in ((Source.BM25,), (Source.DENSE,), *combinations(SETTINGS, 2))
    ),
]


class Ran(NamedTuple):
    """A run of some sources: its config, its output and what `plan` said before it."""

    sources: tuple[Source, ...]
    config: str
    run: Run
    plan: dict[str, Any]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("sources")
    write_collection(base / "in", DOCUMENTS, QUERIES)
    static_student(base / "student")
    corpus = base / "in" / "corpus.jsonl"
    lines = map(json.loads, corpus.read_text().splitlines())
    passages = [{**d, "group_id": at % 2, "group_place": at} for at, d in enumerate(lines)]
    write_jsonl(corpus, passages)
    write_config(base / "earlier.yaml", **run_of(base, "earlier"), tiers={"all": {"quota": 9}})
    assert negmine("mine", str(base / "earlier.yaml")).code == 0
    rows = [
        {"query_id": f"q{q:04}", "doc_id": f"d{(q + step) % DOCUMENTS:04}", "rank": step}
        for q in range(QUERIES)
        for step in range(1, DEPTH + 1)
    ]
    write_jsonl(base / "given.jsonl", [*rows, {**rows[0], "query_id": "not mined"}])
    return base


def run_of(base: Path, name: str) -> dict[str, Any]:
    return {
        "input": {"format": "beir", "path": str(base / "in")},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "judge": {"kind": "none"},
        "output": {"workdir": str(base / "work"), "path": str(base / name)},
    }


def settings(base: Path, *sources: Source) -> dict[str, Any]:
    given = {Source.GIVEN: {"path": str(base / "given.jsonl")}}
    memory = {Source.MEMORY: {"count": DEPTH, "runs": [str(base / "earlier")]}}
    on = {**SETTINGS, **given, **memory}
    return {str(source): on[source] if source in sources else None for source in Source}


@pytest.fixture(scope="module", params=SETS, ids=lambda sources: "+".join(sources))
def ran(base: Path, request: pytest.FixtureRequest) -> Ran:
    sources: tuple[Source, ...] = request.param
    output = base / "+".join(sources)
    first = next((source for source in sources if source in RETRIEVING), None)
    window = [{"rank_window": {"source": str(first), "min": 2}}] if first else []
    config = write_config(
        base / f"{output.name}.yaml",
        **run_of(base, output.name),
        sources=settings(base, *sources),
        policies=[{"hub_cap": {"max_queries": MOST}}, *window],
        tiers={**{str(s): {"quota": 2, "source": str(s)} for s in sources}, "rest": {"quota": 9}},
        runner={"memory": "6GiB"},
    )
    planned = negmine("plan", config, "--json", "--set", f"output.workdir={output}/fresh")
    assert planned.code == 0, planned.err
    ended = negmine("mine", config)
    assert ended.code == 0, ended.err
    return Ran(sources, config, find_run(str(output)), json.loads(planned.out))


def test_the_table_and_the_config_name_the_same_sources() -> None:
    assert list(SOURCES) == list(Source) == list(Sources.model_fields)
    for source in Source:
        assert f"{source}_rank" in tables.JUDGED.names
        assert f"{source}_rank" in tables.LEDGER.names
        section = Sources.model_fields[source].annotation
        (model,) = [kind for kind in section.__args__ if kind is not type(None)]
        bound = SOURCES[source].bound
        assert bound is None or bound in model.model_fields
    assert RETRIEVING == (Source.BM25, Source.DENSE, Source.GIVEN)
    others = (Source.SAME_DOCUMENT, Source.CLUSTER, Source.MEMORY, Source.EDITED)
    assert (Source.RANDOM, Source.GIVEN, *others) == IN_OWN_ORDER


def test_candidates_are_those_of_the_sources_that_are_on(ran: Ran) -> None:
    (found,) = (
        duckdb.connect()
        .sql(
            f"SELECT list(DISTINCT s) FROM (SELECT unnest(sources) AS s FROM "
            f"read_parquet('{ran.run.path}/ledger/*/*.parquet'))"
        )
        .fetchall()
    )
    assert set(found[0]) == set(ran.sources)
    rows = pq.read_table(ran.run.path / "ledger").to_pylist()
    for row in rows:
        ranked = [source for source in Source if row[f"{source}_rank"] is not None]
        assert row["sources"] == ranked


def test_no_document_serves_more_queries_than_the_hub_cap_allows(ran: Ran) -> None:
    rows = pq.read_table(ran.run.path / "negatives").to_pylist()
    used: dict[str, set[str]] = {}
    for row in rows:
        used.setdefault(row["negative_id"], set()).add(row["query_id"])
    assert 0 < max(map(len, used.values())) <= MOST
    hubs = pq.read_table(ran.run.path / "ledger" / "verdict=hub", partitioning=None).to_pylist()
    assert hubs, "the cap had something to do"
    assert all(row["value"] > row["threshold"] == MOST for row in hubs)


def test_a_rank_window_reads_the_ranks_of_every_source_that_retrieves(ran: Ran) -> None:
    first = next((source for source in ran.sources if source in RETRIEVING), None)
    rows = pq.read_table(ran.run.path / "ledger").to_pylist()
    best = [row for row in rows if first is not None and row[f"{first}_rank"] == 1]
    outside = [row for row in rows if row["verdict"] == "outside_rank_window"]
    assert bool(outside) is bool(best)
    assert {id(row) for row in outside} <= {id(row) for row in best}
    assert "kept" not in {row["verdict"] for row in best}


def test_plan_knows_every_source_before_the_run(ran: Ran) -> None:
    stages = {stage["what"]: stage for stage in ran.plan["stages"]}
    for source in ran.sources:
        (what,) = [
            what for what in stages if what.split()[1:] == [str(source)] and "index" not in what
        ]
        assert stages[what]["bytes"] > 0
        assert stages[what]["memory"] > 0
        assert stages[what]["state"] == "estimate"
    if Source.GIVEN in ran.sources:
        assert (stages["read given"]["rows"], stages["read given"]["unit"]) == (
            QUERIES * DEPTH,
            "rows",
        )
    most = QUERIES * (min(DOCUMENTS, DEPTH * len(ran.sources)) + 1)
    assert stages["select"]["rows"] == most
    assert ran.run.manifest["summary"]["judge"]["pairs_total"] <= most


def test_memory_is_reckoned_for_the_candidates_of_every_source(ran: Ran) -> None:
    def least(**changed: Any) -> int:
        values = {**ran.run.manifest["config"], **changed}
        values |= {"input": {"format": "stdlib"}, "tiers": {"all": {"quota": 1}}}
        budget = Budget(Config.model_validate(values))
        return budget.expected(100 * DOCUMENTS, QUERIES, 8, 0, 0)["judge"]

    folder = Path(ran.config).parent
    whole = least(sources=settings(folder, *ran.sources))
    if len(ran.sources) > 1:
        for source in ran.sources:
            others = [other for other in ran.sources if other != source]
            assert least(sources=settings(folder, *others)) < whole


def test_show_and_the_report_name_every_source(ran: Ran) -> None:
    shown = negmine("show", str(ran.run.path))
    assert shown.code == 0, shown.err
    header = next(line for line in shown.out.splitlines() if line.startswith("tier "))
    assert [word for word in header.split() if word in set(Source)] == [str(s) for s in ran.sources]
    report = (ran.run.path / "report.html").read_text()
    for source in Source:
        named = f">{source}</option>" in report
        assert named == (source in ran.sources)


def test_metrics_have_every_source_and_every_two(ran: Ran) -> None:
    rows = pq.read_table(ran.run.path / "metrics.parquet").to_pylist()
    found = {row["source"] for row in rows if row["metric"] == "tier_source"}
    assert found == set(ran.sources)
    overlaps = {row["key"] for row in rows if row["metric"] == "source_jaccard"}
    assert overlaps == {"|".join(pair) for pair in combinations(ran.sources, 2)}


def test_why_tells_the_ranks_of_every_source(ran: Ran) -> None:
    (row, *_) = pq.read_table(ran.run.path / "negatives").to_pylist()
    told = negmine("why", str(ran.run.path), row["query_id"], row["negative_id"])
    assert told.code == 0, told.err
    for source in row["sources"]:
        assert f"{source} rank" in told.out
    listed = negmine("why", str(ran.run.path), row["query_id"])
    assert listed.code == 0, listed.err
    header = next(line for line in listed.out.splitlines() if "verdict" in line)
    named = [source for source in RETRIEVING if source in ran.sources]
    assert [word for word in header.split() if word in set(Source)] == [str(s) for s in named]


def test_a_sweep_finds_what_the_run_chose(ran: Ran) -> None:
    options = ("--policy", f"hub_cap.max_queries=1,{MOST}", "--json")
    swept = negmine("sweep", str(ran.run.path), *options)
    assert swept.code == 0, swept.err
    points = json.loads(swept.out)
    rows = points["points"] if isinstance(points, dict) else points
    kept = {t: v["negatives"] for t, v in ran.run.manifest["summary"]["tiers"].items()}
    assert rows[1]["tiers"] == kept
    assert sum(rows[0]["tiers"].values()) < sum(kept.values())
