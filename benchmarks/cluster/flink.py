"""A Flink session cluster of bare processes: a job manager, task managers of one slot, Beam's job server."""

import json
import os
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster.downloads import JobServer, distribution, job_server_jar
from benchmarks.cluster.processes import Cluster, Process, free_ports, listening, start, wait

HOST = "127.0.0.1"
VERSION = "1.19.3"
BEAM = "2.62.0"
"""Newest Beam whose job server for this Flink Maven Central gave whole, in plain artifacts."""

_PACKAGE = "apache-flink-libraries"
_DIGEST = "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60"
_MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_SERVER = JobServer("beam-runners-flink-1.19", BEAM, _MAIN)
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

_MEMORY = {"task.heap": 384, "task.off-heap": 0, "managed": 256, "network": 64} | {
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
    libraries = distribution(_PACKAGE, VERSION, _DIGEST, cache) / "deps" / "lib"
    jar = job_server_jar(_SERVER, cache)
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    rpc, rest, jobs, artifacts, expansion = free_ports(5)
    (folder / "conf" / "log4j.properties").write_text(_LOGGING)
    (folder / "conf" / "config.yaml").write_text(json.dumps(_settings(folder, rpc, rest), indent=1))
    cluster = Cluster("flink", VERSION, BEAM, {"rest": rest, "jobs": jobs}, {})

    def run(name: str, words: Sequence[str], core: int | None = None) -> None:
        cluster.processes[name] = start(name, words, folder, core=core)
        cluster.save(folder)

    run("job_manager", _java(folder, f"{libraries}/*", 512, _entry("Standalone", folder)))
    wait(cluster, "job_manager", lambda: listening(rest))
    for number in range(managers):
        core = cores[number] if number < len(cores) else None
        run(f"task_manager_{number + 1}", task_manager(folder, libraries, number + 1), core)
    served = f"{jar}:{libraries}/*"
    asked = [f"--flink-master={HOST}:{rest}", f"--job-host={HOST}", f"--job-port={jobs}"]
    asked += [f"--artifact-port={artifacts}", f"--expansion-port={expansion}"]
    asked += [f"--artifacts-dir={folder / 'artifacts'}"]
    run("job_server", _java(folder, served, 768, [_MAIN, *asked]))
    wait(cluster, "job_server", lambda: listening(jobs))
    last = f"task_manager_{managers}"
    wait(cluster, last, lambda: overview(cluster)["taskmanagers"] == managers)
    return cluster


def task_manager(folder: Path, libraries: Path, number: int) -> list[str]:
    """The command of a task manager with one slot."""
    memory = {f"taskmanager.memory.{part}.size": f"{size}m" for part, size in _MEMORY.items()}
    network = f"{_MEMORY['network']}m"
    memory |= {f"taskmanager.memory.network.{bound}": network for bound in ("min", "max")}
    memory |= {f"taskmanager.memory.jvm-overhead.{bound}": "192m" for bound in ("min", "max")}
    memory.pop("taskmanager.memory.network.size")
    named = {"taskmanager.resource-id": f"tm{number}", "taskmanager.cpu.cores": "1.0", **memory}
    words = [word for key, value in named.items() for word in ("-D", f"{key}={value}")]
    heap = _MEMORY["task.heap"] + _MEMORY["framework.heap"]
    entry = ["org.apache.flink.runtime.taskexecutor.TaskManagerRunner", "-c", str(folder / "conf")]
    limits = [f"-XX:MaxMetaspaceSize={_MEMORY['jvm-metaspace']}m", "-XX:MaxDirectMemorySize=320m"]
    return _java(folder, f"{libraries}/*", heap, [*entry, *words], limits)


def restart(folder: Path, cache: Path, cluster: Cluster, name: str) -> Process:
    """Start a task manager again under its name."""
    libraries = distribution(_PACKAGE, VERSION, _DIGEST, cache) / "deps" / "lib"
    made = start(name, task_manager(folder, libraries, int(name[-1])), folder)
    cluster.processes[name] = made
    cluster.save(folder)
    return made


def rest(cluster: Cluster, path: str) -> Any:
    """An answer of Flink's REST service."""
    with urllib.request.urlopen(f"http://{HOST}:{cluster.ports['rest']}/{path}", timeout=10) as got:
        return json.load(got)


def overview(cluster: Cluster) -> dict[str, Any]:
    """Flink's overview: task managers, slots, jobs by state."""
    found: dict[str, Any] = rest(cluster, "overview")
    return found


def _entry(kind: str, folder: Path) -> list[str]:
    name = f"org.apache.flink.runtime.entrypoint.{kind}SessionClusterEntrypoint"
    return [name, "-c", str(folder / "conf")]


def _java(
    folder: Path, classes: str, megabytes: int, words: Sequence[str], limits: Sequence[str] = ()
) -> list[str]:
    java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED]
    logging = f"-Dlog4j.configurationFile={folder / 'conf' / 'log4j.properties'}"
    return [java, f"-Xmx{megabytes}m", *limits, *opened, logging, "-cp", classes, *words]


def _settings(folder: Path, rpc: int, rest: int) -> dict[str, Any]:
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": rpc,
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": rest,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": 1,
        "heartbeat.timeout": 20000,
        "heartbeat.interval": 4000,
        "io.tmp.dirs": str(folder / "tmp"),
        "blob.storage.directory": str(folder / "tmp"),
        "web.tmpdir": str(folder / "tmp"),
    }
