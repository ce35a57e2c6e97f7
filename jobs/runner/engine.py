"""The engine that makes a run's jobs: where it is, and what Flink says of a job."""

import argparse
import contextlib
import http.client
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from negmine.schemas import JsonObject

_SECONDS = 5.0
"""Longest wait for one answer of Flink's REST service."""

_OVER = frozenset({"FINISHED", "FAILED", "CANCELED", "SUSPENDED"})
_MAGIC = ("[local]", "[auto]", "[collection]")
_UNREACHED = (OSError, ValueError, KeyError, TypeError, http.client.HTTPException)
"""What a request or its answer can raise; a job is never the worse for it."""

_OPTIONS = ("runner", "job_endpoint", "flink_master", "spark_master_url", "project", "region")


@dataclass(frozen=True)
class Engine:
    """Where the jobs of a run go.

    Attributes:
        runner: Beam's name of the runner.
        service: `host:port` of the job service that this process speaks to; None for none.
        page: address of the engine's own page, where that is known.
        project, region: of Dataflow.
    """

    runner: str
    service: str | None = None
    page: str | None = None
    project: str = ""
    region: str = ""

    @property
    def flink(self) -> "Flink | None":
        """Flink's REST service, where its address is known: it is where its page is."""
        return Flink(self.page) if self.runner == "FlinkRunner" and self.page else None

    @property
    def place(self) -> str:
        """Where its jobs are to be looked for."""
        return self.page or f"the engine behind {self.service or self.runner}"

    def __str__(self) -> str:
        found = [f"engine: {self.runner}"]
        if self.service:
            found.append(f"job service {self.service}")
        if self.page:
            found.append(self.page)
        elif self.runner == "FlinkRunner":
            found.append(
                "Flink's own address is not known (runner.options.flink_master=HOST:PORT says it), "
                "so its jobs cannot be ended from here"
            )
        return ", ".join(found)


def engine_of(options: Sequence[str]) -> Engine | None:
    """The engine that Beam's options of a run lead to; None for a run in this process."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in _OPTIONS:
        parser.add_argument(f"--{name}")
    found = parser.parse_known_args(list(options))[0]
    if found.runner is None or found.runner in ("FnApiRunner", "DirectRunner"):
        return None
    page = None
    if found.runner == "FlinkRunner" and found.flink_master not in (None, *_MAGIC):
        page = found.flink_master.strip().rstrip("/")
    elif found.runner == "DataflowRunner":
        page = f"https://console.cloud.google.com/dataflow/jobs?project={found.project}"
    elif found.runner == "SparkRunner":
        page = found.spark_master_url
    if page and "://" not in page:
        page = f"http://{page}"
    return Engine(found.runner, found.job_endpoint, page, found.project or "", found.region or "")


@dataclass(frozen=True)
class Flink:
    """Flink's REST service; where it does not answer, a question has no answer, and none raises."""

    address: str

    def running(self, name: str) -> list[str] | None:
        """Numbers of the jobs of this name that are not over; None where Flink does not answer."""
        jobs = self.jobs(name)
        return None if jobs is None else [j for j, state in jobs.items() if state not in _OVER]

    def jobs(self, name: str) -> dict[str, str] | None:
        """Every job of this name that Flink remembers, with its state; None without an answer."""
        try:
            found = self._ask("jobs/overview")["jobs"]
            return {job["jid"]: job["state"] for job in found if job["name"] == name}
        except _UNREACHED:
            return None

    def page(self, job: str) -> str:
        """Address of a job's page."""
        return f"{self.address}/#/job/running/{job}"

    def cancel(self, job: str, name: str, seconds: float) -> bool:
        """Cancel a job and wait for its end; whether it is over."""
        until = time.monotonic() + seconds
        with contextlib.suppress(*_UNREACHED):  # It may be over already; that is asked next.
            self._ask(f"jobs/{job}?mode=cancel", "PATCH")
        while True:
            left = self.running(name)
            if left is not None and job not in left:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(0.3)

    def state(self, job: str) -> str:
        """What Flink says of a job, as a clause: its state, its steps, and who still works."""
        try:
            found = self._ask(f"jobs/{job}")
            steps = Counter(vertex["status"] for vertex in found["vertices"])
            counted = ", ".join(f"{n} {status.lower()}" for status, n in sorted(steps.items()))
            working = self._working(job, found["vertices"])
            names = f"; at work: {', '.join(working)}" if working else ""
            return f"{found['state']} ({counted} of its steps{names})"
        except _UNREACHED as error:
            return f"of an unknown state, as {self.address} does not answer ({error})"

    def _working(self, job: str, vertices: Sequence[JsonObject]) -> list[str]:
        """Task managers of the first step that is not done; those behind it wait for it."""
        step = next((v["id"] for v in vertices if v["status"] == "RUNNING"), None)
        tasks = self._ask(f"jobs/{job}/vertices/{step}")["subtasks"] if step else ()
        running = (task for task in tasks if task["status"] == "RUNNING")
        return sorted({f"{task.get('taskmanager-id')} on {task.get('host')}" for task in running})

    def _ask(self, path: str, method: str = "GET") -> JsonObject:
        request = urllib.request.Request(f"{self.address}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            text = answer.read()
        found: JsonObject = json.loads(text) if text.strip() else {}
        return found
