"""Which runner, with which options; and a run by a job service and worker processes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from negmine.jobs.flex_main import command
from negmine.jobs.load_config import load_config
from negmine.jobs.runner.options import RUNNERS, resolve, runner_name
from negmine.jobs.runner.pipeline import run_pipeline
from negmine.schemas.config import Runner
from negmine.schemas.errors import ConfigError
from tests.jobs.collections import (
    Ended,
    digest,
    leftovers,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.jobs.runner.job_service import LAUNCHER, ROOT, job_service

NOBODY = "localhost:9"


def options_of(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = PipelineOptions(list(arguments)).get_all_options()
    return found


def test_a_local_run_gives_beam_no_options() -> None:
    assert resolve(Runner()) == ()
    assert runner_name(()) is None


def test_options_reach_beam_by_name_with_their_types() -> None:
    options = {
        "flink_master": "host:8081",
        "parallelism": 4,
        "flink_submit_uber_jar": True,
        "experiments": ["one", "two"],
        "save_main_session": False,
        "streaming": False,
    }
    found = options_of(*resolve(Runner(name="flink", options=options)))
    assert found["runner"] == "FlinkRunner"
    assert {name: found[name] for name in options} == options


def test_the_command_line_wins() -> None:
    runner = Runner(name="flink", options={"flink_master": "one:1", "parallelism": 4})
    found = options_of(*resolve(runner, ["--parallelism=8", "--flink_master", "two:2"]))
    assert (found["parallelism"], found["flink_master"]) == (8, "two:2")
    other = resolve(runner, ["--runner=PortableRunner", "--job_endpoint=embed"])
    assert runner_name(other) == "PortableRunner"
    assert options_of(*other)["job_server_timeout"] == 604_800, "not Beam's minute"
    assert resolve(runner, other) == other
    hurried = resolve(Runner(), [*other, "--job_server_timeout=60"])
    assert options_of(*hurried)["job_server_timeout"] == 60


@pytest.mark.parametrize("name", ["portable", "flink", "spark"])
def test_no_job_ends_after_a_minute_because_beam_is_impatient(name: str) -> None:
    endpoint = {"job_endpoint": "host:1"}
    found = options_of(*resolve(Runner.model_validate({"name": name, "options": endpoint})))
    assert found["job_server_timeout"] == 604_800
    given = [f"--runner={RUNNERS[name]}", "--job_endpoint=host:1"]
    assert options_of(*resolve(Runner(), given))["job_server_timeout"] == 604_800


@pytest.mark.parametrize("name", ["flink", "spark"])
def test_workers_load_the_steps_before_an_engine_s_three_minutes_begin(name: str) -> None:
    runner = Runner.model_validate({"name": name, "options": {"job_endpoint": "host:1"}})
    found = options_of(*resolve(runner))
    assert found["beam_plugins"] == ["negmine.pipelines.loaded"]
    assert resolve(runner, resolve(runner)) == resolve(runner)
    more = options_of(*resolve(runner, ["--beam_plugins=mine"]))
    assert more["beam_plugins"] == ["negmine.pipelines.loaded", "mine"], "a user's own are more"


def test_workers_of_a_portable_engine_register_first() -> None:
    """Prism gives a worker one minute to register, and no limit afterwards."""
    options = {"job_endpoint": "host:1"}
    found = resolve(Runner.model_validate({"name": "portable", "options": options}))
    assert options_of(*found)["beam_plugins"] is None


def test_dataflow_is_not_sent_what_a_notebook_holds() -> None:
    options = {"project": "my-project", "region": "r", "temp_location": "gs://b/t"}
    found = resolve(Runner.model_validate({"name": "dataflow", "options": options}))
    assert options_of(*found)["save_main_session"] is False
    assert resolve(Runner(), found) == found
    given = ["--runner=DataflowRunner", *(f"--{n}={v}" for n, v in options.items())]
    assert options_of(*resolve(Runner(), given))["save_main_session"] is False
    asked = resolve(Runner(), [*given, "--save_main_session"])
    assert options_of(*asked)["save_main_session"] is True


def test_resolving_again_changes_nothing() -> None:
    runner = Runner(name="portable", options={"job_endpoint": "embed", "labels": ["a"]})
    once = resolve(runner, ["--labels=b"])
    assert resolve(runner, once) == once


def test_hints_of_the_config_are_options_of_the_model_steps() -> None:
    found = options_of(*resolve(Runner(min_ram="16GB", accelerator="type:nvidia-l4;count:1")))
    assert found["model_min_ram"] == "16GB"
    assert found["model_accelerator"] == "type:nvidia-l4;count:1"


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "unknown name": (
        {"options": {"direct_num_workerz": 2}},
        ("did you mean --direct_num_workers",),
    ),
    "bad value": (
        {"name": "flink", "options": {"flink_master": "h:1", "parallelism": "x"}},
        ("runner.options", "--parallelism", "'x'"),
    ),
    "runner twice": ({"options": {"runner": "FlinkRunner"}}, ("runner.name", "'FlinkRunner'")),
    "secret": ({"options": {"s3_secret_access_key": "x"}}, ("publishes its config", "after --")),
    "no service": ({"name": "portable"}, ("PortableRunner", "runner.options.job_endpoint")),
    "no master": ({"name": "flink"}, ("runner.options.flink_master or job_endpoint",)),
    "no Spark": ({"name": "spark"}, ("spark_master_url",)),
    "no project": ({"name": "dataflow"}, ("runner.options.project",)),
    "bad memory": ({"min_ram": "lots"}, ("runner.min_ram", "'lots'", "16GB")),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_a_config_error(case: str) -> None:
    section, words = REFUSED[case]
    with pytest.raises(ConfigError) as caught:
        resolve(Runner(**section))
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_runner_is_a_config_error(tmp_path: Path) -> None:
    config = write_config(tmp_path / "run.yaml", input={"format": "stdlib"})
    with pytest.raises(ConfigError, match=r"runner\.name.*'flnk'"):
        load_config(config, ["runner.name=flnk"])
    with pytest.raises(ConfigError, match="NoSuchRunner"):
        resolve(Runner(), ["--runner=NoSuchRunner"])


@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner_has_a_preset_that_resolves(name: str) -> None:
    runner = load_config(str(ROOT / "jobs" / "presets" / f"{name}.yaml")).runner
    found = options_of(*resolve(runner))
    assert found["runner"] == RUNNERS[name]
    assert {key: found[key] for key in runner.options} == runner.options


@pytest.mark.parametrize(
    ("name", "option", "address"),
    [
        ("portable", "job_endpoint", NOBODY),
        ("flink", "flink_master", f"http://{NOBODY}"),
        ("flink", "job_endpoint", NOBODY),
        ("spark", "spark_master_url", f"spark://{NOBODY}"),
        ("spark", "spark_rest_url", f"http://{NOBODY}"),
        ("portable", "job_endpoint", "localhost:port"),
    ],
)
def test_a_service_that_cannot_be_reached_is_named(name: str, option: str, address: str) -> None:
    arguments = resolve(Runner.model_validate({"name": name, "options": {option: address}}))
    with pytest.raises(ConfigError) as caught:
        run_pipeline([], arguments)
    assert address in str(caught.value)
    assert f"runner.options.{option}" in str(caught.value)


def test_dataflow_refuses_what_it_would_refuse_before_anything_is_sent() -> None:
    options = {"project": "Not A Project", "region": "r", "temp_location": "/tmp/not-a-bucket"}
    with pytest.raises(ConfigError, match="DataflowRunner did not take the job"):
        run_pipeline([], resolve(Runner(name="dataflow", options=options)))


def test_the_flex_launcher_gives_beam_what_the_template_does_not_declare() -> None:
    given = ["--stage=embed", "--runner=DataflowRunner", "--config", "a.yaml", "--output=out"]
    assert command(given) == ["embed", "a.yaml", "--output", "out", "--", "--runner=DataflowRunner"]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with job_service(tmp_path_factory.mktemp("services")) as options:
        yield options


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("collection")
    return write_config(
        folder / "run.yaml",
        input={"format": "beir", "path": str(write_collection(folder / "c")), "split": "train"},
        student={"model": str(static_student(folder / "student"))},
        judge={"kind": "none"},
        runner={"block_size": 5},
        output={"run_id": "r"},
    )


def manifest(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "runs" / "r" / "manifest.json").read_text())
    return found


def mine(config: str, output: Path, services: dict[str, str], *settings: str) -> Ended:
    arguments = resolve(Runner.model_validate({"name": "portable", "options": services}))
    sets = [part for setting in settings for part in ("--set", setting)]
    return negmine("mine", config, "--output", str(output), *sets, "--", *arguments)


@pytest.mark.slow
def test_worker_processes_of_a_job_service_give_the_same_bytes(
    config: str, services: dict[str, str], tmp_path: Path
) -> None:
    local, remote = tmp_path / "local", tmp_path / "remote"
    assert negmine("mine", config, "--output", str(local)).code == 0
    ended = mine(config, remote, services)
    assert ended.code == 0, ended.err
    for name in ("negatives", "positives", "ledger", "sets"):
        expected = digest(local / "runs" / "r", name)
        assert expected and digest(remote / "runs" / "r", name) == expected
    assert leftovers(remote) == []
    counted, there = (manifest(output)["counters"] for output in (local, remote))
    assert counted["select"]["verdict_kept"] > 0
    assert there == counted
    assert (
        ended.progress.count(f"engine: PortableRunner, job service {services['job_endpoint']}") == 1
    )


@pytest.mark.slow
def test_an_error_raised_in_a_worker_that_the_launcher_started_reaches_the_user(
    config: str, tmp_path: Path
) -> None:
    model = static_student(tmp_path / "nan", broken=True)
    logs = tmp_path / "logs"
    variables = {"NEGMINE_PYTHON": sys.executable, "NEGMINE_WORKER_LOGS": str(logs)}
    with job_service(tmp_path, variables, LAUNCHER) as services:
        ended = mine(config, tmp_path / "out", services, f"student.model={model}")
    assert list(logs.iterdir()), "the workers were the launcher's"
    assert ended.code == 4
    assert f"error: the encoder in {model} gave a vector that is not a number" in ended.err
    assert "Traceback" not in ended.err


def test_a_worker_pool_that_is_not_there_is_an_error_for_people(
    config: str, services: dict[str, str], tmp_path: Path
) -> None:
    ended = mine(config, tmp_path / "out", {**services, "environment_config": NOBODY})
    assert ended.code == 2
    assert "PortableRunner lost its service or workers" in ended.err
    assert "127.0.0.1:9" in ended.err
    assert "Traceback" not in ended.err
