"""`negmine why`: every candidate's story, from the run and its work directory."""

import json
import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.runs.published import Run, find_run
from negmine.jobs.runs.query import Database
from negmine.jobs.why.explain import candidates, explain_candidate, explain_query
from negmine.jobs.why.story import story
from negmine.schemas.errors import ConfigError
from negmine.transforms.data.sql import sql_string
from tests.jobs.collections import negmine


def shown(told: RenderableType) -> str:
    stream = StringIO()
    Console(file=stream, width=200).print(told)
    return stream.getvalue()


def pair_with(run: Run, verdict: str) -> tuple[str, str]:
    sql = f"SELECT query_id, doc_id FROM ledger WHERE verdict = '{verdict}' ORDER BY ALL LIMIT 1"
    with Database(run) as database:
        query_id, doc_id = next(database.ask(sql).rows)
    return query_id, doc_id


@pytest.mark.parametrize(
    ("verdict", "firing"),
    [
        ("kept", None),
        ("known_positive", "known_positive"),
        ("judge_calibrated_threshold", "judge_calibrated_threshold"),
        ("over_quota", None),
    ],
)
def test_a_candidates_story_names_the_policy_that_fired(
    first: tuple[Path, MiningRun], verdict: str, firing: str | None
) -> None:
    run = find_run(str(first[0]))
    story = shown(explain_candidate(run, *pair_with(run, verdict)))
    fires = [line.split()[0] for line in story.splitlines() if line.rstrip().endswith("yes")]
    assert (firing in fires) if firing else not fires
    assert "similarity relative to the served positive" in story


def test_a_querys_candidates_are_listed_with_their_verdicts(first: tuple[Path, MiningRun]) -> None:
    run = find_run(str(first[0]))
    query_id, doc_id = pair_with(run, "kept")
    text = shown(explain_query(run, query_id))
    assert "kept" in text and "known_positive" in text
    assert doc_id.split(":")[0] in text


def test_without_the_work_directory_the_ledger_still_answers(
    first: tuple[Path, MiningRun], tmp_path: Path
) -> None:
    copy = tmp_path / "out" / "runs" / "first"
    shutil.copytree(first[0], copy)
    run = find_run(str(copy))
    story = shown(explain_candidate(run, *pair_with(run, "kept")))
    assert "verdict" in story and "are not shown" in story


@pytest.mark.parametrize("doc_id", [None, "nowhere"])
def test_an_unknown_query_is_named(first: tuple[Path, MiningRun], doc_id: str | None) -> None:
    run = find_run(str(first[0]))
    with pytest.raises(ConfigError, match='no query "it\'s not there"'):
        shown(
            explain_query(run, "it's not there")
            if doc_id is None
            else explain_candidate(run, "it's not there", doc_id)
        )


def test_a_document_that_no_source_returned_is_named(first: tuple[Path, MiningRun]) -> None:
    run = find_run(str(first[0]))
    query_id, _ = pair_with(run, "kept")
    with pytest.raises(ConfigError, match="is no candidate of query"):
        explain_candidate(run, query_id, "nowhere")


def test_a_pair_is_found_by_parts_of_its_texts(first: tuple[Path, MiningRun]) -> None:
    run = find_run(str(first[0]))
    query_id, doc_id = pair_with(run, "kept")
    known = story(run, query_id, doc_id)
    assert known.query.text and known.document.text and known.positive
    found = story(run, f"  {known.query.text.upper()} ", known.document.text[5:])
    assert (found.query.id, found.document.id) == (query_id, doc_id)
    assert found == known


def test_texts_that_several_have_are_listed(first: tuple[Path, MiningRun]) -> None:
    run = find_run(str(first[0]))
    with pytest.raises(ConfigError, match=r"more than 10 queries hold 'the'; (.|\n)*\n  \.\.\."):
        candidates(run, "the")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("kept", r"A negative: tier \w+, rank \d"),
        ("known_positive", r"Dropped by policy known_positive: labelled"),
        ("judge_relative_margin", r"by policy judge_relative_margin \([-\d.]+, limit [-\d.]+\)"),
        (
            "outside_tiers",
            r"no band takes it: its similarity is [-\d.]+ of .* hard takes from 0",
        ),
        ("over_quota", r"In the band of tier \w+, and not needed: the \d that it takes"),
    ],
)
def test_a_sentence_names_what_decided(
    first: tuple[Path, MiningRun], verdict: str, said: str
) -> None:
    run = find_run(str(first[0]))
    query_id, doc_id = pair_with(run, verdict)
    assert re.search(said, story(run, query_id, doc_id).sentence)
    text = shown(explain_candidate(run, query_id, doc_id))
    with Database(run) as database:
        sql = f"SELECT text FROM documents WHERE doc_id = {sql_string(doc_id)}"
        document = str(next(database.ask(sql).rows)[0])
    assert document.splitlines()[0] in text


def test_a_story_and_a_list_are_json_too(first: tuple[Path, MiningRun]) -> None:
    run = find_run(str(first[0]))
    query_id, doc_id = pair_with(run, "outside_tiers")
    told = json.loads(negmine("why", str(first[0]), query_id, doc_id, "--json").out)
    assert told["facts"]["verdict"] == "outside_tiers"
    assert told["tests"][0] == {
        "drops_as": "known_positive",
        "value": 0.0,
        "threshold": 1.0,
        "fires": False,
    }
    listed = json.loads(negmine("why", str(first[0]), query_id, "--json").out)["candidates"]
    with Database(run) as database:
        sql = f"SELECT count(*) FROM ledger WHERE query_id = {sql_string(query_id)}"
        assert len(listed) == next(database.ask(sql).rows)[0]
