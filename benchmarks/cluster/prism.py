"""Prism, Beam's portable runner: one process that starts a worker for each job."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cluster.downloads import go_program
from benchmarks.cluster.processes import HOST, NOBODY, Cluster, Job, listening, start, wait
from benchmarks.cluster.versions import VERSIONS

_ENDED = '"msg":"pipeline done!"'


def up(
    folder: Path,
    cache: Path,
    workers: int = 1,
    cores: Sequence[int] = (),
    version: str = "prism",
) -> Cluster:
    """Start Prism in a folder and wait for it; it has one worker a job, whatever `workers` says."""
    folder.mkdir(parents=True, exist_ok=True)
    return mend(folder, cache, Cluster.planned(version, ("jobs", "web"), cores))


def mend(folder: Path, cache: Path, cluster: Cluster) -> Cluster:
    """Start Prism where it does not run, and wait for it."""
    version = VERSIONS[cluster.engine]
    module = version.package
    program = go_program(f"{module}/go/cmd/prism", module, version.number, version.digest, cache)
    words = [str(program), f"--job_port={cluster.ports['jobs']}", "--log_kind=json"]
    words += [f"--web_port={cluster.ports['web']}"]
    if not cluster.processes.get("prism", NOBODY).lives():
        core = cluster.cores[0] if cluster.cores else None
        cluster.processes["prism"] = start("prism", words, folder, core=core)
        cluster.save(folder)
    wait(cluster, "prism", lambda: listening(cluster.ports["jobs"]))
    return cluster


def options(cluster: Cluster, folder: Path, cache: Path) -> list[str]:
    """Beam's options that lead to it."""
    return ["--runner=PortableRunner", f"--job_endpoint={HOST}:{cluster.ports['jobs']}"]


def state(cluster: Cluster) -> str:
    """Where its page is."""
    return f"jobs at http://{HOST}:{cluster.ports['web']}"


def done(cluster: Cluster, folder: Path) -> list[Job]:
    """Every job that ended, in the order of their ends; Prism does not say what each took."""
    lines = (folder / "prism.log").read_text().splitlines()
    return [Job(str(json.loads(line)["job"]), None, {}) for line in lines if _ENDED in line]
