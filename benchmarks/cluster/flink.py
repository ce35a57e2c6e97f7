"""A Flink session cluster of bare processes, task managers of one slot, and Beam's job server."""

import json
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster.downloads import JobServer, distribution, job_server_jar
from benchmarks.cluster.processes import NOBODY, Cluster, free_ports, listening, start, wait

HOST = "127.0.0.1"
VERSION = "1.19.3"
BEAM = "2.62.0"
"""Newest Beam whose job server for this Flink Maven Central gave whole, in plain artifacts."""

_PACKAGE = "apache-flink-libraries"
_DIGEST = "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60"
_MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_SERVER = JobServer("beam-runners-flink-1.19", BEAM, _MAIN)
_ENTRY = "org.apache.flink.runtime"
_MANAGER = (f"{_ENTRY}.entrypoint.StandaloneSessionClusterEntrypoint", "-c")
_WORKER = (f"{_ENTRY}.taskexecutor.TaskManagerRunner", "-c")
_OPENED = (
    "java.base/sun.net.util",
    "java.base/java.lang",
    "java.base/java.net",
    "java.base/java.io",
    "java.base/java.nio",
    "java.base/java.lang.reflect",
    "java.base/java.text",
    "java.base/java.time",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/java.util.concurrent.locks",
)
"""Packages that Flink's serialisers look into; Java 17 wants them named."""

_MEMORY = {
    "task.heap": 384,
    "task.off-heap": 0,
    "managed": 256,
    "framework.heap": 128,
    "framework.off-heap": 128,
    "jvm-metaspace": 384,
}
"""MB of a task manager's parts, which Flink's own start scripts would compute."""

_LOGGING = """rootLogger.level = INFO
rootLogger.appenderRef.out.ref = Out
appender.out.name = Out
appender.out.type = CONSOLE
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1} - %m%n%ex{8}
"""


def up(folder: Path, cache: Path, managers: int = 2, cores: Sequence[int] = ()) -> Cluster:
    """Start a cluster in a folder and wait for it; task manager i runs on `cores[i]`, if given."""
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    names = ("rpc", "rest", "jobs", "artifacts", "expansion")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    (folder / "conf" / "log4j.properties").write_text(_LOGGING)
    (folder / "conf" / "config.yaml").write_text(json.dumps(_settings(folder, ports), indent=1))
    cluster = Cluster("flink", VERSION, BEAM, ports, {}, list(cores))
    for number in range(managers):
        cluster.processes[f"task_manager_{number + 1}"] = NOBODY
    return mend(folder, cache, cluster)


def mend(folder: Path, cache: Path, cluster: Cluster) -> Cluster:
    """Start what does not run of a cluster, and wait for it."""
    commands = _commands(folder, cache, cluster)
    for name, words in commands.items():
        if not cluster.processes.get(name, NOBODY).lives():
            number = int(name[-1]) - 1 if name.startswith("task_manager") else len(cluster.cores)
            core = cluster.cores[number] if number < len(cluster.cores) else None
            cluster.processes[name] = start(name, words, folder, core=core)
            cluster.save(folder)
        if name == "job_manager":
            wait(cluster, name, lambda: listening(cluster.ports["rest"]))
    wait(cluster, "job_server", lambda: listening(cluster.ports["jobs"]))
    managers = [name for name in commands if name.startswith("task_manager")]
    wait(cluster, managers[-1], lambda: overview(cluster)["slots-total"] == len(managers))
    return cluster


def _commands(folder: Path, cache: Path, cluster: Cluster) -> dict[str, list[str]]:
    libraries = distribution(_PACKAGE, VERSION, _DIGEST, cache) / "deps" / "lib"
    jar = job_server_jar(_SERVER, cache)
    ports = cluster.ports
    # Beam sends its server's whole class path to Flink with every job: no more than is needed.
    served = ":".join([str(jar), *map(str, sorted(libraries.glob("log4j-*.jar")))])
    asked = [f"--flink-master={HOST}:{ports['rest']}", f"--job-host={HOST}"]
    asked += [f"--{name[:-1]}-port={ports[name]}" for name in ("jobs", "artifacts")]
    asked += [f"--expansion-port={ports['expansion']}", f"--artifacts-dir={folder / 'artifacts'}"]
    found = {"job_manager": _java(folder, f"{libraries}/*", 512, [*_MANAGER, str(folder / "conf")])}
    for name in cluster.processes:
        if name.startswith("task_manager"):
            found[name] = _task_manager(folder, libraries, int(name[-1]))
    return {**found, "job_server": _java(folder, served, 768, [_MAIN, *asked])}


def _task_manager(folder: Path, libraries: Path, number: int) -> list[str]:
    memory = {f"taskmanager.memory.{part}.size": f"{size}m" for part, size in _MEMORY.items()}
    for part, size in (("network", 64), ("jvm-overhead", 192)):
        memory |= {f"taskmanager.memory.{part}.{bound}": f"{size}m" for bound in ("min", "max")}
    named = {"taskmanager.resource-id": f"tm{number}", "taskmanager.cpu.cores": "1.0", **memory}
    words = [word for key, value in named.items() for word in ("-D", f"{key}={value}")]
    heap = _MEMORY["task.heap"] + _MEMORY["framework.heap"]
    limits = [f"-XX:MaxMetaspaceSize={_MEMORY['jvm-metaspace']}m", "-XX:MaxDirectMemorySize=320m"]
    entry = [*_WORKER, str(folder / "conf"), *words]
    return _java(folder, f"{libraries}/*", heap, entry, limits)


def rest(cluster: Cluster, path: str) -> Any:
    """An answer of Flink's REST service."""
    with urllib.request.urlopen(f"http://{HOST}:{cluster.ports['rest']}/{path}", timeout=10) as got:
        return json.load(got)


def cancel(cluster: Cluster, job: str) -> None:
    """Ask Flink to end a job."""
    address = f"http://{HOST}:{cluster.ports['rest']}/jobs/{job}?mode=cancel"
    urllib.request.urlopen(urllib.request.Request(address, method="PATCH"), timeout=10).close()


def overview(cluster: Cluster) -> dict[str, Any]:
    """Flink's overview: task managers, slots, jobs by state."""
    found: dict[str, Any] = rest(cluster, "overview")
    return found


def jobs(cluster: Cluster) -> list[dict[str, Any]]:
    """Every job in order of its start: `jid`, `state`, `duration` in ms."""
    return sorted(rest(cluster, "jobs/overview")["jobs"], key=lambda job: job["start-time"])


def records(cluster: Cluster, job: str) -> dict[str, int]:
    """Elements that the steps of a job have read, by the task manager that read them."""
    found: dict[str, int] = {}
    for vertex in rest(cluster, f"jobs/{job}")["vertices"]:
        for each in rest(cluster, f"jobs/{job}/vertices/{vertex['id']}/taskmanagers")[
            "taskmanagers"
        ]:
            name = each["taskmanager-id"]
            found[name] = found.get(name, 0) + each["metrics"]["read-records"]
    return found


def _java(
    folder: Path, classes: str, megabytes: int, words: Sequence[str], limits: Sequence[str] = ()
) -> list[str]:
    java = (
        os.path.join(os.environ["JAVA_HOME"], "bin", "java")
        if "JAVA_HOME" in os.environ
        else "java"
    )
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
    logging = f"-Dlog4j.configurationFile={folder / 'conf' / 'log4j.properties'}"
    return [java, f"-Xmx{megabytes}m", *limits, *opened, logging, "-cp", classes, *words]


def _settings(folder: Path, ports: dict[str, int]) -> dict[str, Any]:
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": ports["rpc"],
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": ports["rest"],
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": 1,
        "heartbeat.timeout": 20000,
        "heartbeat.interval": 4000,
        "io.tmp.dirs": str(folder / "tmp"),
        "blob.storage.directory": str(folder / "tmp"),
        "web.tmpdir": str(folder / "tmp"),
    }
