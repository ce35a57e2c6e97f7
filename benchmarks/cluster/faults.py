"""kill -9 on a cluster in each stage of a run: what the run says, and what comes of it.

    python benchmarks/cluster/faults.py FOLDER COLLECTION --out DIR [--limit N] [--judge fusion]
        [--stages ingest,embed,...] [--victims task_manager,worker,job_server,run]

FOLDER holds a cluster that `cluster.py up` started; what is killed there is started again. Each
kill hits a run as soon as the engine works on the stage; then the same command is given again. In
the end the run is compared with one of this machine alone, at DIR/here. Prints a Markdown table;
exit status 1 where a byte differs or an error is no sentence.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks._whole_runs import ROOT, RUN_ID, command, digest, environment, mine
from benchmarks.cluster import flink
from benchmarks.cluster.cluster import options
from benchmarks.cluster.processes import Cluster, children, load
from benchmarks.cluster.run import PUBLISHED, collection_of, settings

STAGES = "ingest,embed documents,retrieve bm25,judge,select,publish"
VICTIMS = "task_manager,worker,job_server,run"
HEADINGS = "| kill | stage | killed | exit | seconds until it ended | what the run said |"
_FOLDERS = ["ingest", "embed", "bm25_index", "retrieve", "check_judge", "judge", "select", "score"]
_STAGE = re.compile(r"\]\{?([a-z][\w ]*)")
_WORKER = "negmine.jobs.runner.worker"


def at_work(cluster: Cluster, stage: str) -> bool:
    """Whether a job that makes a stage runs on the engine."""
    for job in flink.jobs(cluster):
        if job["state"] == "RUNNING":
            vertices = flink.rest(cluster, f"jobs/{job['jid']}")["vertices"]
            running = [v["name"] for v in vertices if v["status"] == "RUNNING"]
            if any(s.startswith(stage) for name in running for s in _STAGE.findall(name)):
                return True
    return False


def workers(cluster: Cluster) -> list[int]:
    """Numbers of the worker processes of all task managers."""
    managers = [p.pid for name, p in cluster.processes.items() if name.startswith("task_manager")]
    found = [pid for manager in managers for pid in children(manager)]
    return [pid for pid in found if _WORKER in _command(pid)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def strike(victim: str, cluster: Cluster, run: "subprocess.Popen[str]") -> str:
    """Kill one process; its name."""
    if victim == "worker":
        pid = workers(cluster)[-1]
        os.kill(pid, signal.SIGKILL)
        return f"worker {pid}"
    if victim == "run":
        run.kill()
        return "negmine mine"
    name = next(n for n in sorted(cluster.processes, reverse=True) if n.startswith(victim))
    cluster.processes[name].kill()
    return name


def idle(cluster: Cluster) -> bool:
    """Whether no job is left over on the engine; those of a run that is gone are cancelled."""
    left = [j for j in flink.jobs(cluster) if j["state"] not in ("FINISHED", "FAILED", "CANCELED")]
    for job in left:
        flink.cancel(cluster, job["jid"])
    return not left


def same(out: Path) -> bool:
    """Whether both runs have published the same bytes."""
    return digest(out / "here", *PUBLISHED) == digest(out / "there", *PUBLISHED)


def undo(output: Path, stage: str) -> None:
    """Take back what is published, and a stage with all that come after it."""
    shutil.rmtree(output / "runs")
    (output / "current").unlink(missing_ok=True)
    first = stage.split()[0]
    for folder in _FOLDERS[_FOLDERS.index(first) :] if first in _FOLDERS else ():
        shutil.rmtree(output / "work" / folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("collection")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--judge")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--block-size", type=int, default=16)
    parser.add_argument("--stages", default=STAGES)
    parser.add_argument("--victims", default=VICTIMS)
    given = parser.parse_args()
    folder, out = given.folder.resolve(), given.out.resolve()
    wanted = settings(given)
    collection = collection_of(given)
    if not (out / "here").exists():
        mine(collection, out / "here", wanted)

    kills = [(s, v) for s in given.stages.split(",") for v in given.victims.split(",")]
    print(f"{HEADINGS}\n|{'---|' * 6}", flush=True)
    number, bad = 0, 0
    for stage, victim in kills:
        if (out / "there" / "runs" / RUN_ID).exists():
            bad += not same(out)
            undo(out / "there", stage)
        cluster = flink.mend(folder, folder / "cache", load(folder))
        while not idle(cluster):
            time.sleep(1)
        words = command(collection, out / "there", wanted, options(cluster, folder, 2))
        run = subprocess.Popen(
            words,
            cwd=ROOT,
            env=environment(),
            text=True,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        while run.poll() is None and not (at_work(cluster, stage) and workers(cluster)):
            time.sleep(0.2)
        if run.poll() is not None:
            print(f"| - | {stage} | not hit: {victim} | {run.returncode} | | |", flush=True)
            continue
        struck, killed = time.monotonic(), strike(victim, cluster, run)
        said = run.communicate()[1].strip().splitlines()
        took = time.monotonic() - struck
        number += 1
        sentence = next((line for line in reversed(said) if line.startswith("error")), "")
        bad += "expected this" in sentence or any("Traceback" in line for line in said)
        print(
            f"| {number} | {stage} | {killed} | {run.returncode} | {took:.0f} | "
            f"{'' if victim == 'run' else sentence} |",
            flush=True,
        )
    cluster = flink.mend(folder, folder / "cache", load(folder))
    if not (out / "there" / "runs" / RUN_ID).exists():
        mine(collection, out / "there", wanted, options(cluster, folder, 2))
    verdict = "the same bytes" if same(out) else "OTHER BYTES"
    print(f"\n{number} kills, then the same command: {verdict}.")
    return int(bad > 0 or not same(out))


if __name__ == "__main__":
    sys.exit(main())
