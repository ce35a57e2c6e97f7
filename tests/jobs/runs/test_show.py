"""The summary of a run, and the commands over published runs."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from negmine.jobs.cli.runs import register
from negmine.jobs.runs.published import find_run
from negmine.jobs.runs.show import render_summary, run_head
from negmine.jobs.terminal import format_bytes, format_seconds
from negmine.schemas.errors import ConfigError
from negmine.transforms.exporters import EXPORTERS, every_format
from tests.builders import Layout, build_run


def shown(manifest: dict, path: str = "out/runs/run-1") -> str:
    stream = io.StringIO()
    Console(file=stream, width=120).print(run_head(manifest), render_summary(manifest, path))
    return stream.getvalue()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    build_run(tmp_path)
    build_run(tmp_path, Layout(run_id="run-0", created="2025-12-31T00:00:00Z"), current=False)
    return tmp_path


@pytest.fixture
def app() -> typer.Typer:
    application = typer.Typer()
    register(application)
    return application


def test_the_summary_tells_everything(output: Path) -> None:
    text = shown(find_run(str(output)).manifest)
    for part in (
        "Run run-1",
        "5,000 documents, 8 queries, 8 positives, 1 query short of a quota, ",
        "2 bad input rows left out",
        "Judge: 40 of 160 pairs scored, 120 saved (75.0 %)",
        "S (signal)",
        "Δ (safety)",
        "harmonic mean",
        "0.6438",
        "known_positive",
        "3 min 07 s",
        "reused",
        "Peak memory: 1.5 GiB",
        "Output: out/runs/run-1",
    ):
        assert part in text
    first = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert first.index("hard") < first.index("semi_hard") < first.index("random")


def test_the_parent_of_a_refreshed_run_is_told(tmp_path: Path, app: typer.Typer) -> None:
    build_run(tmp_path)
    build_run(tmp_path, Layout(run_id="run-2", created="2026-02-01T00:00:00Z", parent="run-1"))
    text = " ".join(shown(find_run(f"{tmp_path}:run-2").manifest).split())
    assert "Parent: run run-1; of its 31 negatives 100.0 % are chosen again" in text
    assert "100.0 % are now easy (0 stale); dense top 10 1.00 the same (Jaccard)" in text
    assert "Parent" not in shown(find_run(f"{tmp_path}:run-1").manifest)
    listing = CliRunner().invoke(app, ["runs", "list", str(tmp_path)]).stdout.splitlines()
    assert [line.endswith("  of run-1") for line in listing] == [False, True]


def test_stages_are_listed_in_pipeline_order_whatever_the_manifest_says() -> None:
    stages = ["ingest", "embed", "retrieve", "judge", "select", "score", "publish"]
    timings = {name: {"seconds": 1.0} for name in sorted([*stages, "audit"])}
    text = shown({"timings": timings})
    first = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert first[first.index("ingest") : first.index("all", first.index("ingest"))] == [
        *stages,
        "audit",
    ]


def test_the_summary_survives_missing_facts_and_hostile_names() -> None:
    shown({})
    tiers = {"[red]\x1b[31m": {"negatives": 1}}
    text = shown({"run_id": "[bold]x", "summary": {"tiers": tiers}}, "a\x1b[0mb")
    assert "[bold]x" in text and "\x1b" not in text and "[red]\\x1b[31m" in text


def test_durations_and_sizes_read_well() -> None:
    assert [format_seconds(s) for s in (0.421, 59.04, 61, 7500)] == [
        "0.42 s",
        "59.0 s",
        "1 min 01 s",
        "2 h 05 min",
    ]
    assert [format_bytes(b) for b in (512, 1536, 3 * 2**29, 2**41)] == [
        "512 B",
        "1.5 KiB",
        "1.5 GiB",
        "2.0 TiB",
    ]


def test_commands_list_promote_show_and_query(output: Path, app: typer.Typer) -> None:
    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments, catch_exceptions=False).stdout

    listing = run("runs", "list", str(output)).splitlines()
    assert [line[:7] for line in listing] == ["  run-0", "* run-1"]
    assert run("runs", "promote", str(output), "run-0") == "current: run-0 (was run-1)\n"
    assert "Run run-0" in run("show", str(output))
    assert "Run run-1" in run("show", f"{output}:run-1")
    assert "drop_reasons" in run("query", str(output))
    answer = run("query", str(output), "SELECT count(*) AS n FROM sets", "--format", "json")
    assert json.loads(answer) == [{"n": 8}]
    with pytest.raises(ConfigError, match="no run 'gone'"):
        run("show", f"{output}:gone")


@pytest.mark.parametrize("format", ["triplet", "n_tuple", "flagembedding"])
def test_export_has_a_default_place_beside_the_runs(
    format: str, output: Path, app: typer.Typer
) -> None:
    arguments = ["export", str(output), "--format", format, "--scores", "--tier", "hard"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    file = output / "exports" / f"run-1-{format}{EXPORTERS[format].SUFFIX}"
    assert file.is_file() and str(file) in done.stdout
    assert "scores: judge" in done.stdout


def test_help_names_every_format(app: typer.Typer) -> None:
    told = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200"}).output
    assert all(format in told for format in every_format())


def test_queries_left_out_are_reported(output: Path, app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["export", str(output), "--format", "n_tuple"])
    assert "queries: 7 of 8: 1 with fewer than n negatives\n" in done.output
    assert "positives: 7 of 8: 1 of queries with fewer than n negatives\n" in done.output


def test_a_query_takes_less_than_a_second(output: Path) -> None:
    """Of processor time: a busy machine takes longer by the clock, and the command does not."""
    code = (
        "import typer; from negmine.jobs.cli.runs import register; "
        "app = typer.Typer(); register(app);"
        f"app(['query', {str(output)!r}, 'tier_counts'])"
    )
    times = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()
        times.append(sum(after[2:4]) - sum(before[2:4]))
    assert min(times) < 1.0


def test_the_students_precision_is_told_with_its_agreement() -> None:
    manifest = {
        "config": {"student": {"model": "all-MiniLM-L6-v2"}},
        "precision": {"student": "bf16", "lowest_cosine_with_fp32": 0.99993},
    }
    expected = "Student: all-MiniLM-L6-v2, bf16 (lowest cosine with fp32 on a sample: 0.9999)"
    assert expected in shown(manifest)
