"""Where a run's engine is, and what is asked of Flink's REST service; here of a small server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from negmine.jobs.runner.engine import Engine, Flink, engine_of

NOBODY = "http://localhost:9"
FLINK = ("--runner=FlinkRunner", "--job_endpoint=host:8099")

KNOWN = {
    (): None,
    ("--runner=FnApiRunner",): None,
    FLINK: "engine: FlinkRunner, job service host:8099, Flink's own address is not known",
    (*FLINK, "--flink_master=[auto]"): "Flink's own address is not known",
    (*FLINK, "--flink_master", "host:8081"): "job service host:8099, http://host:8081",
    ("--runner=FlinkRunner", "--flink_master=https://f/"): "engine: FlinkRunner, https://f",
    ("--runner=PortableRunner", "--job_endpoint=a:1"): "engine: PortableRunner, job service a:1",
    ("--runner=SparkRunner", "--spark_master_url=spark://s:7077"): "SparkRunner, spark://s:7077",
    ("--runner=DataflowRunner", "--project=p", "--region=r"): "dataflow/jobs?project=p",
}


@pytest.mark.parametrize("options", KNOWN, ids=" ".join)
def test_the_options_say_where_the_engine_is(options: tuple[str, ...]) -> None:
    found, expected = engine_of(options), KNOWN[options]
    if expected is None:
        assert found is None
    else:
        assert expected in str(found)


def test_the_last_option_wins() -> None:
    found = engine_of([*FLINK, "--flink_master=a:1", "--flink_master=b:2"])
    assert found is not None and found.page == "http://b:2"


def test_flink_is_asked_only_where_its_address_is_known() -> None:
    assert Engine("FlinkRunner", "host:1").flink is None
    assert Engine("SparkRunner", "host:1", "http://host:2").flink is None
    assert Engine("FlinkRunner", "host:1", "http://host:2").flink == Flink("http://host:2")


class Rest:
    """A few jobs as Flink's REST service tells of them; a job that is cancelled is."""

    def __init__(self, **states: str) -> None:
        self.states = states
        self.heeds = True

    def answer(self, method: str, path: str) -> Any:
        if path == "/jobs/overview":
            found = self.states.items()
            return {"jobs": [{"jid": j, "name": j[:-1], "state": s} for j, s in found]}
        if method == "PATCH" and self.heeds:
            self.states[path.split("/")[2].partition("?")[0]] = "CANCELED"
            return None
        if "vertices" in path:
            tasks = [("tm1", "FINISHED"), ("tm2", "RUNNING")]
            named = [{"taskmanager-id": t, "host": f"h-{t}", "status": s} for t, s in tasks]
            return {"subtasks": named}
        steps = ["FINISHED", "FINISHED", "RUNNING", "RUNNING"]
        return {
            "state": "RUNNING",
            "vertices": [{"id": str(at), "status": s} for at, s in enumerate(steps)],
        }


@contextmanager
def served(rest: Rest) -> Iterator[Flink]:
    """What leads to a server of these answers, which lives as long as the body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(rest.answer(self.command, self.path)).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        do_PATCH = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Flink(f"http://localhost:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def test_a_job_is_found_by_its_name_while_it_runs() -> None:
    with served(Rest(a1="FINISHED", a2="RUNNING", b1="CREATED")) as flink:
        assert flink.running("a") == ["a2"]
        assert flink.running("b") == ["b1"]
        assert flink.running("c") == []


def test_a_job_that_is_cancelled_is_waited_for() -> None:
    rest = Rest(a1="RUNNING")
    with served(rest) as flink:
        rest.heeds = False
        assert not flink.cancel("a1", "a", 0.5)
        rest.heeds = True
        assert flink.cancel("a1", "a", 5)
        assert rest.states == {"a1": "CANCELED"}


def test_the_state_of_a_job_names_who_still_works() -> None:
    with served(Rest(a1="RUNNING")) as flink:
        said = flink.state("a1")
    assert said == "RUNNING (2 finished, 2 running of its steps; at work: tm2 on h-tm2)"


def test_where_flink_does_not_answer_nothing_raises() -> None:
    flink = Flink(NOBODY)
    assert flink.running("a") is None
    assert f"{NOBODY} does not answer" in flink.state("a1")
    assert not flink.cancel("a1", "a", 0)


def test_an_answer_that_is_none_of_flink_is_no_answer() -> None:
    class Other(Rest):
        def answer(self, method: str, path: str) -> Any:
            return ["hello"]

    with served(Other()) as flink:
        assert flink.running("a") is None
        assert "unknown state" in flink.state("a1")
