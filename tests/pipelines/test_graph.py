"""The graph of stages: it is in order, it is what the code makes, and the page draws it."""

from pathlib import Path

from negmine.jobs.workdir.layout import OF_SEVERAL
from negmine.pipelines.graph import COMMANDS, GRAPH, STAGES, mermaid
from tests.jobs.collections import negmine

PAGE = Path(__file__).parents[2] / "docs" / "stages.md"


def test_every_stage_reads_what_was_written_before_it() -> None:
    there = {"input"}
    for stage in GRAPH:
        missing = set(stage.reads) - there
        assert not missing or all(
            STAGES[maker.name].optional
            for maker in GRAPH
            for name in missing
            if name in maker.writes
        ), stage.name
        there |= set(stage.writes)


def test_names_are_given_once() -> None:
    written = [name for stage in GRAPH for name in stage.writes]
    assert len(set(written)) == len(written)
    assert len(STAGES) == len(GRAPH)


def test_a_job_makes_stages_that_follow_one_another() -> None:
    jobs = [stage.job for stage in GRAPH if not stage.optional]
    runs = [job for at, job in enumerate(jobs) if at == 0 or jobs[at - 1] != job]
    assert len(runs) == len(set(jobs))


def test_commands_are_in_the_order_of_the_run() -> None:
    expected = ("ingest", "embed", "retrieve", "judge", "select", "score", "publish")
    assert expected == COMMANDS


def test_artifacts_of_several_data_sets_are_those_of_the_graph() -> None:
    assert set(OF_SEVERAL) == {"ingest", "edit", "bm25_index"}


def test_the_command_prints_every_stage_with_what_it_reads_and_writes() -> None:
    told = " ".join(negmine("stages").out.split())
    for stage in GRAPH:
        assert stage.name in told
        assert stage.covers.split()[0] in told
    assert negmine("stages", "--mermaid").out == mermaid()


def test_the_page_draws_the_same_graph() -> None:
    assert f"```mermaid\n{mermaid()}```" in PAGE.read_text()
