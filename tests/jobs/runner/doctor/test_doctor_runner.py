"""`negmine doctor CONFIG --runner`: a line a check, and nothing submitted."""

import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from negmine.jobs.load_config import config_of
from negmine.jobs.runner.doctor import access
from negmine.jobs.runner.doctor.access import access_checks
from negmine.jobs.runner.doctor.checks import Check, State
from negmine.jobs.runner.doctor.places import place_checks
from negmine.transforms.models.weights import find_weights, installed
from tests.jobs.collections import negmine, static_student, write_collection, write_config
from tests.transforms.storage.servers import BUCKET, Proxy, environment, gs_server, using


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    base = tmp_path_factory.mktemp("doctor")
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(write_collection(base / "c"))},
        student={"model": str(static_student(base / "student"))},
        judge={"kind": "none"},
        output={"path": str(base / "out")},
    )


def states(checks: list[dict[str, str]]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in checks}


@pytest.fixture
def listening() -> Iterator[str]:
    """An address on this machine where something answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"localhost:{server.getsockname()[1]}"


def test_a_service_and_a_pool_that_answer_are_enough(config: str, listening: str) -> None:
    options = (f"--job_endpoint={listening}", "--environment_type=EXTERNAL")
    more = f"--environment_config={listening}"
    ended = negmine("doctor", config, "--runner", "portable", "--", *options, more)
    assert ended.code == 0, ended.out
    assert ended.out.splitlines()[-1].startswith("ready for portable")
    assert "cannot tell  graphs " in ended.out
    assert f"ok           service        answers at {listening}" in ended.out
    assert not Path(config).with_name("out").exists(), "nothing is made"


def test_the_graphs_of_an_ingested_collection_are_looked_at(
    config: str, listening: str, tmp_path: Path
) -> None:
    output = f"output.path={tmp_path}"
    assert negmine("ingest", config, "--set", output).code == 0
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    options = (f"--job_endpoint={listening}", "--environment_type=LOOPBACK")
    asked = ("doctor", config, "--runner", "portable", "--json", "--set", output)
    told = json.loads(negmine(*asked, "--", *options).out)
    (graphs,) = [check for check in told["checks"] if check["name"] == "graphs"]
    assert graphs["state"] == "ok", graphs
    assert int(graphs["what"].split()[0]) >= 6
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before, "nothing is made"
    many = (*asked, "--set", "runner.min_ram=16GB", "--", *options)
    assert json.loads(negmine(*many).out)["ready"]


def test_json_says_the_same(config: str, listening: str) -> None:
    given = (config, "--runner", "flink", "--", f"--job_endpoint={listening}")
    ended = negmine("doctor", given[0], "--json", *given[1:])
    told = json.loads(ended.out)
    assert (ended.code, told["ready"], told["runner"]) == (0, True, "flink")
    lines = negmine("doctor", *given).out.splitlines()
    assert len(lines) == len(told["checks"]) + 2
    for line, check in zip(lines, told["checks"], strict=False):
        assert line.startswith(check["state"])
        assert check["what"] in line


def test_all_that_is_wrong_is_said_at_once_with_exit_code_2(config: str, tmp_path: Path) -> None:
    script = tmp_path / "worker.sh"
    script.write_text("#!/bin/sh\n")
    process = json.dumps({"command": str(script)})
    options = ("--environment_type=PROCESS", f"--environment_config={process}")
    ended = negmine("doctor", config, "--runner", "portable", "--json", "--", *options)
    found = states(json.loads(ended.out)["checks"])
    assert ended.code == 2
    assert {name for name, state in found.items() if state == "wrong"} == {
        "job_endpoint",
        "worker command",
    }
    assert found["input.path"] == "cannot tell", "nobody knows what workers elsewhere see"


def test_dataflow_sees_nothing_of_this_machine(config: str) -> None:
    ended = negmine("doctor", config, "--runner", "dataflow", "--json")
    found = states(json.loads(ended.out)["checks"])
    assert ended.code == 2
    wrong = {name for name, state in found.items() if state == "wrong"}
    assert wrong >= {"project", "region", "temp_location", "worker image"}
    assert wrong >= {"input.path", "student.model", "output.path"}


def test_what_beam_refuses_is_said_and_the_rest_is_looked_at(config: str) -> None:
    options = ("--runner", "dataflow", "--json", "--", "--max_num_workerz=3")
    told = json.loads(negmine("doctor", config, *options).out)
    by_name = {check["name"]: check for check in told["checks"]}
    assert "did you mean --max_num_workers" in by_name["options"]["what"]
    assert by_name["output.path"]["state"] == "wrong"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--runner", "flnk"), "portable, flink, spark, dataflow"),
        (("--set", "seed=1"), "give --runner too"),
    ],
)
def test_what_cannot_be_asked(config: str, arguments: tuple[str, ...], words: str) -> None:
    ended = negmine("doctor", config, *arguments)
    assert ended.code == 2
    assert words in ended.err


def placed(runner: str, here: bool = False, **sections: object) -> dict[str, Check]:
    given: dict[str, object] = {
        "input": {"format": "pairs", "path": "gs://b/pairs.csv", "pool": "s3://b/pool.csv"},
        "judge": {"kind": "none"},
        "output": {"path": "gs://b/out"},
        **sections,
    }
    return {c.name: c for c in place_checks(config_of(given, "test"), runner, here)}


def test_places_that_workers_see() -> None:
    found = placed("dataflow", judge={"kind": "cross_encoder", "model": "some/model"})
    expected = {
        "input.path": State.OK,
        "input.pool": State.UNKNOWN,
        "student.model": State.OK,
        "judge.model": State.WRONG,
        "output.path": State.OK,
    }
    assert {name: check.state for name, check in found.items()} == expected
    elsewhere = placed("flink", judge={"kind": "cross_encoder", "model": "some/model"})
    assert elsewhere["judge.model"].state is State.UNKNOWN
    assert placed("flink", True, output={"path": "out"})["output.path"].state is State.OK
    library = placed("dataflow", input={"format": "ir_datasets", "name": "beir/scifact/train"})
    assert library["input"].state is State.WRONG
    assert placed("flink", input={"format": "stdlib"})["input"].state is State.UNKNOWN


def test_weights_of_a_package_are_found_where_each_machine_keeps_it() -> None:
    here = find_weights("all-MiniLM-L6-v2").folder
    assert installed(f"/opt/elsewhere/site-packages/{Path(here).parent.name}/model") == here
    assert installed(here) == here
    assert installed("/nowhere/at/all") == "/nowhere/at/all"


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without credentials, and not one of Google's."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(access, "_METADATA", "127.0.0.1:9")


@pytest.mark.usefixtures("nobody")
def test_without_credentials_the_bucket_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    _, credentials, bucket = access_checks("gs://bucket/temp")
    assert credentials.state is bucket.state is State.UNKNOWN
    assert "gcloud auth" in credentials.do
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    _, credentials, bucket = access_checks("gs://bucket/temp")
    assert (credentials.state, bucket.state) == (State.WRONG, State.UNKNOWN)


@pytest.mark.usefixtures("nobody")
def test_credentials_of_a_login_are_found_and_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "application_default_credentials.json"
    file.write_text(json.dumps({"type": "authorized_user", "refresh_token": "hidden"}))
    found = access.credentials()
    assert found.state is State.OK
    assert "authorized user" in found.what
    assert "hidden" not in found.what


def test_a_bucket_takes_a_file_which_goes_again(tmp_path: Path) -> None:
    from negmine.transforms.storage import objects

    with gs_server() as port, using(environment("gs", port, tmp_path)):
        *_, bucket = access_checks(f"gs://{BUCKET}/temp")
        assert bucket.state is State.OK, bucket
        assert objects.listing(f"gs://{BUCKET}/temp", True) == {}
        *_, other = access_checks("gs://no-such-bucket/temp")
        assert other.state is State.WRONG


def test_a_store_that_never_answers_is_given_up(tmp_path: Path) -> None:
    proxy = Proxy(9, lambda _: "hang")
    started = time.monotonic()
    try:
        with using(environment("gs", proxy.own, tmp_path)):
            *_, bucket = access_checks(f"gs://{BUCKET}/temp", seconds=0.5)
    finally:
        proxy.close()
    assert bucket.state is State.UNKNOWN
    assert "did not answer" in bucket.what
    assert time.monotonic() - started < 60
    assert "STORAGE_EMULATOR_HOST" not in os.environ
