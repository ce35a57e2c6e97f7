"""A Flink session cluster of bare processes, task managers of one slot, and Beam's job server."""

import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cluster.downloads import distribution, job_server_jar
from benchmarks.cluster.java import java
from benchmarks.cluster.processes import HOST, NOBODY, Cluster, Job, listening, start, wait
from benchmarks.cluster.versions import VERSIONS

_ENTRY = "org.apache.flink.runtime"
_MANAGER = (f"{_ENTRY}.entrypoint.StandaloneSessionClusterEntrypoint", "-c")
_WORKER = (f"{_ENTRY}.taskexecutor.TaskManagerRunner", "-c")
_MEMORY = {
    "task.heap": 384,
    "task.off-heap": 0,
    "managed": 256,
    "framework.heap": 128,
    "framework.off-heap": 128,
    "jvm-metaspace": 384,
}
"""MB of a task manager's parts, which Flink's own start scripts would compute."""


def up(
    folder: Path,
    cache: Path,
    workers: int = 2,
    cores: Sequence[int] = (),
    version: str = "flink-1.19",
) -> Cluster:
    """Start a cluster in a folder and wait for it; task manager i runs on `cores[i]`, if given."""
    cluster = Cluster.planned(version, ("rpc", "rest", "jobs", "artifacts", "expansion"), cores)
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    settings = json.dumps(_settings(folder, cluster.ports), indent=1)
    (folder / "conf" / "config.yaml").write_text(settings)
    for number in range(workers):
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


def options(cluster: Cluster, folder: Path, cache: Path) -> list[str]:
    """Beam's options that lead to the cluster."""
    return ["--runner=FlinkRunner", f"--job_endpoint={HOST}:{cluster.ports['jobs']}"]


def _commands(folder: Path, cache: Path, cluster: Cluster) -> dict[str, list[str]]:
    version = VERSIONS[cluster.engine]
    assert version.server
    unpacked = distribution(version.package, version.number, version.digest, cache)
    libraries = unpacked / "deps" / "lib"
    jar = job_server_jar(version.server, cache)
    ports = cluster.ports
    # Beam sends its server's whole class path to Flink with every job: no more than is needed.
    served = ":".join([str(jar), *map(str, sorted(libraries.glob("log4j-*.jar")))])
    asked = [f"--flink-master={HOST}:{ports['rest']}", f"--job-host={HOST}"]
    asked += [f"--{name[:-1]}-port={ports[name]}" for name in ("jobs", "artifacts")]
    asked += [f"--expansion-port={ports['expansion']}", f"--artifacts-dir={folder / 'artifacts'}"]
    manager = java(folder, f"{libraries}/*", 512, [*_MANAGER, str(folder / "conf")])
    found = {"job_manager": manager}
    for name in cluster.processes:
        if name.startswith("task_manager"):
            found[name] = _task_manager(folder, libraries, int(name[-1]))
    return {**found, "job_server": java(folder, served, 768, [version.server.main, *asked])}


def _task_manager(folder: Path, libraries: Path, number: int) -> list[str]:
    memory = {f"taskmanager.memory.{part}.size": f"{size}m" for part, size in _MEMORY.items()}
    for part, size in (("network", 64), ("jvm-overhead", 192)):
        memory |= {f"taskmanager.memory.{part}.{bound}": f"{size}m" for bound in ("min", "max")}
    named = {"taskmanager.resource-id": f"tm{number}", "taskmanager.cpu.cores": "1.0", **memory}
    words = [word for key, value in named.items() for word in ("-D", f"{key}={value}")]
    heap = _MEMORY["task.heap"] + _MEMORY["framework.heap"]
    limits = [f"-XX:MaxMetaspaceSize={_MEMORY['jvm-metaspace']}m", "-XX:MaxDirectMemorySize=320m"]
    entry = [*_WORKER, str(folder / "conf"), *words]
    return java(folder, f"{libraries}/*", heap, entry, limits)


def rest(cluster: Cluster, path: str) -> Any:
    """An answer of Flink's REST service."""
    with urllib.request.urlopen(f"http://{HOST}:{cluster.ports['rest']}/{path}", timeout=10) as got:
        return json.load(got)


def cancel(cluster: Cluster, job: str) -> None:
    """Ask Flink to end a job."""
    address = f"http://{HOST}:{cluster.ports['rest']}/jobs/{job}?mode=cancel"
    urllib.request.urlopen(urllib.request.Request(address, method="PATCH"), timeout=10).close()


def state(cluster: Cluster) -> str:
    """What Flink says of itself."""
    seen = overview(cluster)
    names = ("taskmanagers", "slots-total", "slots-available", "jobs-finished", "jobs-failed")
    return ", ".join(f"{name} {seen[name]}" for name in names)


def done(cluster: Cluster, folder: Path) -> list[Job]:
    """Every job in order of its start, with the elements that each task manager read."""
    return [
        Job(job["jid"], job["duration"] / 1000, records(cluster, job["jid"]))
        for job in jobs(cluster)
    ]


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
        # On a busy machine a JVM that is silent is not lost: Flink would wait 50 s, 10 s and 10 s.
        "heartbeat.timeout": 180000,
        "pekko.ask.timeout": "180 s",
        "pekko.startup-timeout": "180 s",
        "io.tmp.dirs": str(folder / "tmp"),
        "blob.storage.directory": str(folder / "tmp"),
        "web.tmpdir": str(folder / "tmp"),
    }
