"""Faults of a cluster in each stage of a run: what the run says, and what comes of it.

    python benchmarks/cluster/faults.py FOLDER COLLECTION --out DIR [--limit N] [--judge fusion]
        [--stages ingest,embed,...] [--victims task_manager,worker:stop,run:interrupt,disk,...]

FOLDER holds a cluster that `cluster.py up` started; what is killed there is started again. A victim
is killed (kill -9); with `:stop` it is halted (SIGSTOP), and killed when the run has said that
nothing moves, or ended; with `:interrupt` it gets Ctrl-C's signal. `disk` fills the disk of DIR, a
mount of its own of less than a GiB, until the run has ended. Each fault hits a run as soon as the
engine works on the stage; then the same command is given again. In the end the run is compared with
one of this machine alone, at DIR/here. Prints a Markdown table; exit status 1 where a byte differs,
an error is no sentence, or a job is left on the engine.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks._whole_runs import ROOT, RUN_ID, command, digest, environment, mine
from benchmarks.cluster import flink
from benchmarks.cluster.cluster import cache_of, options
from benchmarks.cluster.processes import HOST, Cluster, children, load
from benchmarks.cluster.run import PUBLISHED, collection_of, settings

STAGES = "ingest,embed documents,retrieve bm25,judge,select,publish"
VICTIMS = "task_manager,worker,job_server,run"
HEADINGS = "| fault | stage | hit | exit | s until it spoke | s until it ended | what it said |"
_FOLDERS = ["ingest", "embed", "bm25_index", "retrieve", "check_judge", "judge", "select", "score"]
_STAGE = re.compile(r"\]\{?([a-z][\w ]*)")
_WORKER = "negmine.jobs.runner.worker"
_HOW = {"": signal.SIGKILL, "stop": signal.SIGSTOP, "interrupt": signal.SIGINT}
_OVER = ("FINISHED", "FAILED", "CANCELED")
_SMALL = 1 << 30
_SPOKE = ("no new part for", "cannot be seen from here", "error", "interrupted")


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


def strike(
    victim: str, how: str, cluster: Cluster, run: "subprocess.Popen[bytes]", out: Path
) -> tuple[str, Callable[[], None]]:
    """Hit one process, or the disk; its name, and what ends that when the run has spoken."""
    sent = _HOW[how]
    if victim == "disk":
        ballast = out / "ballast"
        ballast.write_bytes(bytes(os.statvfs(out).f_bavail * os.statvfs(out).f_frsize))
        return f"{victim} full", ballast.unlink
    if victim == "worker":
        pid = workers(cluster)[-1]
        os.kill(pid, sent)
        return f"worker {pid} {how}", lambda: _kill(pid)
    if victim == "run":
        run.send_signal(sent)
        return f"negmine mine {how}", lambda: None
    name = next(n for n in sorted(cluster.processes, reverse=True) if n.startswith(victim))
    process = cluster.processes[name]
    process.kill(sent)

    def end() -> None:
        while process.lives():
            process.kill()
            time.sleep(0.2)

    return f"{name} {how}", end


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def spoken(said: Path, run: "subprocess.Popen[bytes]") -> float:
    """Wait until a run has said that something is wrong, or has ended; seconds that took."""
    started = time.monotonic()
    while run.poll() is None and not any(word in said.read_text() for word in _SPOKE):
        time.sleep(0.5)
    return time.monotonic() - started


def left(cluster: Cluster) -> list[str]:
    """States of the jobs on the engine that are not over."""
    return [j["state"] for j in flink.jobs(cluster) if j["state"] not in _OVER]


def idle(cluster: Cluster) -> bool:
    """Whether no job is left over on the engine; those of a run that is gone are cancelled."""
    running = [job for job in flink.jobs(cluster) if job["state"] not in _OVER]
    for job in running:
        flink.cancel(cluster, job["jid"])
    return not running


def same(out: Path) -> bool:
    """Whether both runs have published the same bytes."""
    return digest(out / "here", *PUBLISHED) == digest(out / "there", *PUBLISHED)


def beam(cluster: Cluster, folder: Path) -> list[str]:
    """Options that lead to a cluster, its own address among them."""
    return [*options(cluster, folder, 2), f"--flink_master={HOST}:{cluster.ports['rest']}"]


def _lines(said: Path) -> list[str]:
    return said.read_text().splitlines()


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
    signal.signal(signal.SIGINT, signal.default_int_handler)  # A shell's background ignores it.
    folder, out = given.folder.resolve(), given.out.resolve()
    wanted = settings(given)
    collection = collection_of(given)
    if not (out / "here").exists():
        mine(collection, out / "here", wanted)

    hits = [(s, v) for s in given.stages.split(",") for v in given.victims.split(",")]
    if "disk" in given.victims and not 0 < shutil.disk_usage(out).total < _SMALL:
        raise SystemExit(f"{out} is no small disk of its own; mount one there, as a tmpfs")
    print(f"{HEADINGS}\n|{'---|' * 7}", flush=True)
    number, bad = 0, 0
    for stage, hit in hits:
        victim, _, how = hit.partition(":")
        if (out / "there" / "runs" / RUN_ID).exists():
            bad += not same(out)
            undo(out / "there", stage)
        cluster = flink.mend(folder, cache_of(folder), load(folder))
        while not idle(cluster):
            time.sleep(1)
        words = command(collection, out / "there", wanted, beam(cluster, folder))
        said = folder / "said.txt"
        with said.open("wb") as err:
            run = subprocess.Popen(
                words, cwd=ROOT, env=environment(), stderr=err, stdout=subprocess.DEVNULL
            )
        while run.poll() is None:
            with suppress(TimeoutError):  # A busy machine answers late.
                if at_work(cluster, stage) and workers(cluster):
                    break
            time.sleep(0.2)
        if run.poll() is not None:
            print(f"| - | {stage} | not hit: {hit} | {run.returncode} | | | |", flush=True)
            continue
        struck = time.monotonic()
        name, undone = strike(victim, how, cluster, run, out)
        spoke = spoken(said, run)
        note = next((line for line in _lines(said) if any(w in line for w in _SPOKE[:2])), "")
        if victim != "disk":
            undone()
        run.wait()
        took = time.monotonic() - struck
        if victim == "disk":
            undone()
        number += 1
        ends = (line for line in reversed(_lines(said)) if line.startswith(_SPOKE[2:]))
        sentence = next(ends, "")
        bad += "expected this" in sentence or "Traceback" in said.read_text()
        killed_run = victim == "run" and not how
        jobs = [] if killed_run else left(cluster)
        bad += len(jobs)
        told = "<br>".join(filter(None, [note, sentence, f"LEFT: {jobs}" if jobs else ""]))
        print(
            f"| {number} | {stage} | {name.strip()} | {run.returncode} | {spoke:.0f} | {took:.0f} "
            f"| {told} |",
            flush=True,
        )
    cluster = flink.mend(folder, cache_of(folder), load(folder))
    if not (out / "there" / "runs" / RUN_ID).exists():
        mine(collection, out / "there", wanted, beam(cluster, folder))
    verdict = "the same bytes" if same(out) else "OTHER BYTES"
    print(f"\n{number} faults, then the same command: {verdict}.")
    return int(bad > 0 or not same(out))


if __name__ == "__main__":
    sys.exit(main())
