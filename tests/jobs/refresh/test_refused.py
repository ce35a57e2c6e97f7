"""What cannot be refreshed is one sentence that says what to do."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from negmine.jobs.refresh.config import refresh_config
from negmine.jobs.refresh.request import Request
from negmine.jobs.runs.published import Run, find_run
from negmine.schemas.errors import ConfigError
from tests.jobs.collections import Ended, negmine, published, small_run
from tests.jobs.refresh.rounds import Rounds, done, manifest
from tests.jobs.vector_files import DOCUMENTS, QUERIES, export, unit, write_vectors


def refused(ended: Ended, code: int, *words: str) -> None:
    assert ended.code == code, ended.err
    assert "Traceback" not in ended.err and ended.err.count("error: ") == 1
    for word in words:
        assert word in ended.err


def test_a_checkpoint_is_needed_and_has_to_be_there(rounds: Rounds) -> None:
    one, before = f"{rounds.output}:one", published(rounds.output)
    refused(negmine("refresh", one), 2, "--student CHECKPOINT")
    missing = str(rounds.base / "nowhere")
    refused(negmine("refresh", one, "--student", missing), 4, missing, "no such folder")
    empty = rounds.base / "empty"
    empty.mkdir(exist_ok=True)
    refused(negmine("refresh", one, "--student", str(empty)), 4, "holds no config.json")
    assert published(rounds.output) == before


def test_the_same_weights_change_nothing(rounds: Rounds) -> None:
    copy = rounds.base / "copy"
    shutil.copytree(rounds.base / "student", copy, dirs_exist_ok=True)
    ended = negmine("refresh", f"{rounds.output}:one", "--student", str(copy))
    refused(ended, 2, "has the weights that run one was mined with", "nothing would change")


def test_a_run_that_is_not_there_names_those_that_are(rounds: Rounds) -> None:
    ended = negmine("refresh", f"{rounds.output}:gone", "--student", str(rounds.new))
    refused(ended, 2, "no run 'gone'", "one, ")


def test_two_that_say_who_judges_are_refused(rounds: Rounds) -> None:
    command = ("refresh", f"{rounds.output}:one", "--student", str(rounds.new))
    ended = negmine(*command, "--judge", "checkpoint", "--set", "judge={kind: none}")
    refused(ended, 2, "--judge checkpoint and --set judge both say who judges")


def test_settings_are_those_of_mine(rounds: Rounds) -> None:
    ended = negmine(
        "refresh", f"{rounds.output}:one", "--student", str(rounds.new), "--set", "sead=1"
    )
    refused(ended, 2, "the config of run one: sead: unknown key; did you mean seed?")
    assert "older negmine" not in ended.err


def older(rounds: Rounds, folder: Path, change: Any) -> Run:
    """A copy of the run `one` whose manifest was changed."""
    run = folder / "out" / "runs" / "one"
    shutil.copytree(rounds.run("one"), run)
    values = manifest(run)
    change(values)
    (run / "manifest.json").write_text(json.dumps(values))
    return find_run(str(run))


def test_a_run_without_a_config_is_told_apart(rounds: Rounds, tmp_path: Path) -> None:
    run = older(rounds, tmp_path, lambda values: values.pop("config"))
    with pytest.raises(ConfigError, match=r"published by an older negmine.*refresh that run"):
        refresh_config(run, Request((str(rounds.new),)))


def test_a_key_that_is_gone_is_named(rounds: Rounds, tmp_path: Path) -> None:
    def change(values: Any) -> None:
        values["config"]["sampling"]["flavour"] = 3

    run = older(rounds, tmp_path, change)
    with pytest.raises(ConfigError, match=r"sampling\.flavour: unknown key.*older negmine"):
        refresh_config(run, Request((str(rounds.new),)))


def test_paths_are_remembered_beside_the_run_and_asked_for_elsewhere(
    rounds: Rounds, tmp_path: Path
) -> None:
    whole = refresh_config(find_run(f"{rounds.output}:one"), Request((str(rounds.new),)))
    assert whole.input.model_dump()["path"] == str(rounds.base / "collection")
    assert str(rounds.base) not in (rounds.run("one") / "manifest.json").read_text()
    run = older(rounds, tmp_path, lambda values: None)
    settings = ("--set", f"judge.model={rounds.base / 'reranker'}")
    command = ("refresh", str(run.path), "--student", str(rounds.new), *settings)
    refused(negmine(*command), 3, "last names of absolute paths only", "--set input.path=FOLDER")
    done(*command, "--set", f"input.path={rounds.base / 'collection'}")


def test_what_runs_code_is_not_taken_from_a_run(rounds: Rounds, tmp_path: Path) -> None:
    def change(values: Any) -> None:
        values["config"]["student"] |= {"trust_remote_code": True, "allow_pickle": True}
        values["config"]["judge"]["trust_remote_code"] = True
        values["config"]["runner"]["options"] = {"setup_file": "./evil.py"}
        values["config"]["output"]["workdir"] = "/tmp"

    run = older(rounds, tmp_path, change)
    config = refresh_config(run, Request((str(rounds.new),)))
    assert not config.student.trust_remote_code and not config.student.allow_pickle
    assert not config.judge.trust_remote_code  # type: ignore[attr-defined]
    assert config.runner.options == {} and config.output.workdir is None


def test_given_vectors_are_refreshed_with_given_vectors(tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    config = small_run(tmp_path, student={"vectors": vectors})
    done("mine", config, "--set", "output.run_id=one")
    out = str(tmp_path / "out")
    refused(
        negmine("refresh", out, "--student", "somewhere"),
        2,
        "run one was mined with vectors that were given",
        "--set student.vectors.documents=FILE",
    )
    named = ("--set", f"student.vectors.documents={vectors['documents']}")
    refused(negmine("refresh", out, *named), 2, "these vectors are those that run one")
    new = tmp_path / "new.parquet"
    write_vectors(new, [f"d{i:04}" for i in range(DOCUMENTS)], unit(DOCUMENTS, 5))
    done("refresh", out, "--set", f"student.vectors.documents={new}", "--set", "output.run_id=two")
    drift = manifest(tmp_path / "out" / "runs" / "two")["drift"]
    assert drift["queries"] == QUERIES and drift["compared"] == drift["negatives"] > 0


def test_another_collection_is_remarked_on(rounds: Rounds, tmp_path: Path) -> None:
    values = yaml.safe_load(Path(rounds.config).read_text())
    folder = tmp_path / "collection"
    shutil.copytree(values["input"]["path"], folder)
    lines = (folder / "corpus.jsonl").read_text().splitlines()
    gone = "d0019"
    kept = [line for line in lines if gone not in line]
    (folder / "corpus.jsonl").write_text("\n".join(kept) + "\n")
    settings = ("--set", f"input.path={folder}", "--output", str(tmp_path / "out"))
    ended = rounds.refresh("moved", "--student", str(rounds.new), *settings)
    assert "remark: The collection is not as run one found it" in ended.err
    drift = manifest(tmp_path / "out" / "runs" / "moved")["drift"]
    lost = sum(tier.get("gone", 0) for tier in drift["tiers"].values())
    assert drift["compared"] == drift["negatives"] - lost and lost > 0
