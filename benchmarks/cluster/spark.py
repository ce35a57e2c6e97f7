"""A standalone Spark cluster of bare processes, workers of one core, and Beam's job server."""

import json
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster.downloads import distribution, job_server_jar
from benchmarks.cluster.java import java
from benchmarks.cluster.processes import HOST, NOBODY, Cluster, Job, listening, start, wait
from benchmarks.cluster.versions import VERSIONS

_DEPLOY = "org.apache.spark.deploy"
_EXECUTOR = {"spark.executor.cores": "1", "spark.executor.memory": "640m"}


def up(
    folder: Path,
    cache: Path,
    workers: int = 2,
    cores: Sequence[int] = (),
    version: str = "spark-3.5",
) -> Cluster:
    """Start a cluster in a folder and wait for it; worker i runs on `cores[i]`, if given."""
    cluster = Cluster.planned(version, ("master", "rest", "jobs", "artifacts", "expansion"), cores)
    for part in ("events", "local", "work"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(workers):
        cluster.processes[f"worker_{number + 1}"] = NOBODY
    return mend(folder, cache, cluster)


def mend(folder: Path, cache: Path, cluster: Cluster) -> Cluster:
    """Start what does not run of a cluster, and wait for it."""
    variables = {
        "SPARK_HOME": str(_spark(cache, cluster)),
        "SPARK_LOCAL_IP": HOST,
        "SPARK_SCALA_VERSION": "2.12",
    }
    commands = _commands(folder, cache, cluster)
    for name, words in commands.items():
        if not cluster.processes.get(name, NOBODY).lives():
            number = int(name[-1]) - 1 if name.startswith("worker") else len(cluster.cores)
            core = cluster.cores[number] if number < len(cluster.cores) else None
            cluster.processes[name] = start(name, words, folder, variables, core)
            cluster.save(folder)
        if name == "master":
            wait(cluster, name, lambda: listening(cluster.ports["rest"]))
    wait(cluster, "job_server", lambda: listening(cluster.ports["jobs"]))
    workers = [name for name in commands if name.startswith("worker")]
    wait(cluster, workers[-1], lambda: rest(cluster)["aliveworkers"] == len(workers))
    return cluster


def options(cluster: Cluster, folder: Path, cache: Path) -> list[str]:
    """Beam's options that lead to the cluster."""
    server = VERSIONS[cluster.engine].server
    assert server
    # Beam would send the job server's whole class path, and Spark's own jars are among it.
    sent = f"--files_to_stage={job_server_jar(server, cache)}"
    # Without a cache each stage of Spark starts, and ends, a Python worker of its own.
    kept = "--environment_cache_millis=600000"
    return ["--runner=SparkRunner", f"--job_endpoint={HOST}:{cluster.ports['jobs']}", sent, kept]


def state(cluster: Cluster) -> str:
    """What Spark's master says of itself."""
    seen = rest(cluster)
    ended = [job["state"] for job in seen["completedapps"]]
    return (
        f"workers {seen['aliveworkers']}, cores {seen['cores']}, used {seen['coresused']}, "
        f"jobs finished {ended.count('FINISHED')}, failed {ended.count('FAILED')}"
    )


def rest(cluster: Cluster) -> dict[str, Any]:
    """What the master tells of workers and jobs."""
    with urllib.request.urlopen(f"http://{HOST}:{cluster.ports['rest']}/json/", timeout=10) as got:
        found: dict[str, Any] = json.load(got)
    return found


def done(cluster: Cluster, folder: Path) -> list[Job]:
    """Every job that ended, in order of its start, with the tasks that each worker did."""
    ended = sorted(rest(cluster)["completedapps"], key=lambda job: job["starttime"])
    return [Job(job["id"], job["duration"] / 1000, _tasks(folder, job["id"])) for job in ended]


def _tasks(folder: Path, job: str) -> dict[str, int]:
    """Tasks by the worker that did them: an executor has its folder where its worker works."""
    counted: Counter[str] = Counter()
    for log in (folder / "events").glob(f"{job}*"):
        for line in log.read_text().splitlines():
            if line.startswith('{"Event":"SparkListenerTaskEnd"'):
                executor = json.loads(line)["Task Info"]["Executor ID"]
                (place,) = (folder / "work").glob(f"*/{job}/{executor}")
                counted[place.parts[-3]] += 1
    return dict(counted)


def _spark(cache: Path, cluster: Cluster) -> Path:
    version = VERSIONS[cluster.engine]
    return distribution(version.package, version.number, version.digest, cache) / "deps"


def _commands(folder: Path, cache: Path, cluster: Cluster) -> dict[str, list[str]]:
    server = VERSIONS[cluster.engine].server
    assert server
    classes = f"{_spark(cache, cluster) / 'jars'}/*"
    ports = cluster.ports
    master = f"spark://{HOST}:{ports['master']}"
    listens = ["--host", HOST, "--port", str(ports["master"]), "--webui-port", str(ports["rest"])]
    found = {"master": java(folder, classes, 256, [f"{_DEPLOY}.master.Master", *listens])}
    for name in cluster.processes:
        if name.startswith("worker"):
            place = ["--work-dir", str(folder / "work" / name), "--host", HOST, "--webui-port", "0"]
            words = [f"{_DEPLOY}.worker.Worker", "--cores", "1", "--memory", "1g", *place, master]
            found[name] = java(folder, classes, 256, words)
    properties = {
        **_EXECUTOR,
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.local.dir": str(folder / "local"),
        "spark.ui.enabled": "false",
    }
    asked = [f"--spark-master-url={master}", f"--job-host={HOST}"]
    asked += [f"--{name[:-1]}-port={ports[name]}" for name in ("jobs", "artifacts")]
    asked += [f"--expansion-port={ports['expansion']}", f"--artifacts-dir={folder / 'artifacts'}"]
    served = f"{job_server_jar(server, cache)}:{classes}"
    words = [server.main, *asked]
    return {**found, "job_server": java(folder, served, 768, words, properties=properties)}
