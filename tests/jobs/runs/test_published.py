"""Published runs: found by path, by id and by `current`; promoted only when they are complete."""

import json
from pathlib import Path

import pytest

from negmine.jobs.runs.published import current_id, find_run, list_runs, promote
from negmine.jobs.runs.trust import vouch
from negmine.schemas.errors import ConfigError, StorageError
from tests.builders import TIERS, Layout, build_run


@pytest.fixture
def output(tmp_path: Path) -> Path:
    build_run(tmp_path, Layout(run_id="new", created="2026-02-01T00:00:00Z"))
    build_run(tmp_path, Layout(run_id="old", created="2026-01-01T00:00:00Z"), current=False)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / ".unfinished").mkdir()
    return tmp_path


def test_a_run_is_found_by_folder_by_output_and_by_id(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_run(str(output / "runs" / "old")).run_id == "old"
    assert find_run(str(output)).run_id == "new"
    assert find_run(f"{output}:old").run_id == "old"
    monkeypatch.chdir(output)
    assert find_run(".").run_id == "new"
    assert find_run(".:old").path == output / "runs" / "old"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{}:gone", "no run 'gone' in .*; it has new, old"),
        ("{}:../new", "no run '../new'"),
        ("{}:broken", r"run broken .* is not complete: it has no manifest\.json; it has new, old"),
        ("{}/runs/broken", "is not complete"),
        ("{}/runs/gone", "no run 'gone' in .*; it has new, old"),
        ("{}/runs", "is neither a run nor a folder of runs"),
        ("{}/nowhere", "does not exist"),
    ],
)
def test_a_wrong_reference_names_what_exists(output: Path, reference: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find_run(reference.format(output))


def test_an_output_without_current_asks_for_a_run(output: Path) -> None:
    (output / "current").unlink()
    with pytest.raises(ConfigError, match="has no current run; it has new, old: name one"):
        find_run(str(output))


def test_runs_are_listed_oldest_first_and_only_complete_ones(output: Path) -> None:
    assert [run.run_id for run in list_runs(output)] == ["old", "new"]
    with pytest.raises(ConfigError, match="holds no runs/"):
        list_runs(output / "nowhere")


def test_promote_rewrites_current_in_one_step(output: Path) -> None:
    assert promote(output, "old").run_id == "old"
    assert (output / "current").read_text() == "old\n"
    assert current_id(output) == "old" and find_run(str(output)).run_id == "old"
    assert not list(output.glob(".current*"))


@pytest.mark.parametrize("run_id", ["broken", "gone", "../runs/old", ".unfinished", ""])
def test_promote_refuses_what_is_not_a_complete_run(output: Path, run_id: str) -> None:
    with pytest.raises(ConfigError, match="it has new, old"):
        promote(output, run_id)
    assert current_id(output) == "new"


def test_promote_refuses_a_renamed_or_unreadable_run(output: Path) -> None:
    (output / "runs" / "old").rename(output / "runs" / "other")
    with pytest.raises(StorageError, match="belongs to run 'old', not 'other'"):
        promote(output, "other")
    (output / "runs" / "other" / "manifest.json").write_text("{")
    with pytest.raises(StorageError, match="cannot be read"):
        promote(output, "other")
    assert current_id(output) == "new"


def test_quotas_are_in_the_order_of_the_tiers(output: Path) -> None:
    assert list(find_run(str(output)).quotas) == list(TIERS)


def test_artifacts_stay_inside_the_work_directory(output: Path, tmp_path: Path) -> None:
    manifest = output / "runs" / "new" / "manifest.json"
    value = json.loads(manifest.read_text())
    value["artifacts"] = {"documents": "../runs", "queries": "ingest/abc/queries", "report": None}
    manifest.write_text(json.dumps(value))
    run = find_run(str(output))
    assert run.artifacts() == {"queries": output / "work" / "ingest" / "abc" / "queries"}
    value["config"]["output"]["workdir"] = "../elsewhere"
    (output / "work").rename(tmp_path.parent / "elsewhere")
    manifest.write_text(json.dumps(value))
    assert find_run(str(output)).artifacts() == {}
    assert "not made by a run there" in find_run(str(output)).missing_artifact("queries")
    vouch(tmp_path.parent / "elsewhere", output)
    assert list(find_run(str(output)).artifacts()) == ["queries"]
    value["config"]["output"]["workdir"] = str(output / "nowhere")
    manifest.write_text(json.dumps(value))
    run = find_run(str(output))
    assert run.artifacts() == {}
    assert "is missing" in run.missing_artifact("queries")
    assert "does not name candidates_dense" in run.missing_artifact("candidates_dense")
