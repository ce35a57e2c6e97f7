"""What a terminal says at the end of a run: the report's first screen, in words."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from negmine.jobs.mining.run import MiningRun
from negmine.jobs.report import render
from negmine.jobs.report.verdict import commands, render_run
from negmine.jobs.runs.published import find_run
from tests.builders import Layout, build_run
from tests.jobs.collections import negmine
from tests.jobs.published_runs import mine, work_without


def told(run: object, short: bool = True) -> str:
    stream = io.StringIO()
    Console(file=stream, width=120).print(render_run(run, short))  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.fixture(scope="module")
def output(first: tuple[Path, MiningRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("verdict")
    mine(output, work_without(first[1], output / "made"))
    return output


def test_the_verdict_says_what_the_report_says(output: Path) -> None:
    run = find_run(str(output))
    words = " ".join(told(run).split())
    page = render(run.path)
    for question in ("What was mined", "How safe", "How hard", "Worth", "What is wrong"):
        assert question in words
    for sentence in ("got its whole quota", "mean similarity of negative"):
        assert sentence in words and sentence in page
    assert str(run.path / "report.html") in words


def test_every_finding_comes_with_what_to_do(output: Path) -> None:
    text = told(find_run(str(output)))
    assert text.count("To do: ") == len([x for x in text.splitlines() if x[:3] in NUMBERED])


NUMBERED = [f"{n}. " for n in range(1, 30)]


def test_its_commands_run_as_they_are_written(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shlex

    monkeypatch.chdir(output.parent)
    run = find_run(str(output))
    for command in commands(run):
        name, *arguments = shlex.split(command)
        ended = negmine(*arguments)
        assert (name, ended.code) == ("negmine", 0), (command, ended.err)


def test_the_tables_behind_it_are_few_after_mine_and_all_in_show(output: Path) -> None:
    run = find_run(str(output))
    short, whole = told(run), told(run, short=False)
    assert "Candidates by verdict" in short and "Wall time" not in short
    assert "Candidates by verdict" in whole and "Wall time" in whole


def test_a_run_without_metrics_has_a_verdict_too(tmp_path: Path) -> None:
    build_run(tmp_path)
    build_run(tmp_path, Layout(run_id="run-0", created="2025-12-31T00:00:00Z"), current=False)
    assert "needs judge scores" in told(find_run(str(tmp_path)))
    assert any(f"{tmp_path}:run-0" in c for c in commands(find_run(f"{tmp_path}:run-0")))
