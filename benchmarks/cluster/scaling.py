"""A judge-bound stage on two task managers against one, each held to a core: paired, in turn.

    python benchmarks/cluster/scaling.py FOLDER COLLECTION --out DIR [--limit 60] [--pairs 2]

FOLDER holds a cluster that was started with `--cores 0,1`. The stages before are made on this
machine, once; then a cross-encoder of MiniLM's size and of random weights judges what they found,
with one slot and with two, in turn. Prints the seconds of the whole command, of the engine's job
and of its judging step; the load of the machine is printed beside them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks._whole_runs import ROOT, environment
from benchmarks.cluster import flink
from benchmarks.cluster.cluster import options
from benchmarks.cluster.processes import Cluster, load
from benchmarks.cluster.run import collection_of, settings


def random_judge(folder: Path) -> Path:
    """A cross-encoder with the tokenizer and the shape of MiniLM that knows nothing."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

    from negmine.transforms.models.weights import find_folder

    if not folder.exists():
        torch.manual_seed(0)
        source = find_folder("all-MiniLM-L6-v2")
        config = AutoConfig.from_pretrained(source, num_labels=1)
        AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
        AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder


def judge_step(cluster: Cluster, since: set[str]) -> tuple[float, float]:
    """Seconds of the job that judged, and of its judging step."""
    for job in flink.jobs(cluster):
        if job["jid"] not in since:
            for vertex in flink.rest(cluster, f"jobs/{job['jid']}")["vertices"]:
                if "]judge/{" in vertex["name"]:
                    return job["duration"] / 1000, vertex["duration"] / 1000
    raise SystemExit("no job judged")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("collection")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--block-size", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=2)
    given = parser.parse_args()
    given.judge = None
    folder, out = given.folder.resolve(), given.out.resolve()
    judge = random_judge(out / "judge")
    wanted = [*settings(given), "judge.kind=cross_encoder", f"judge.model={judge}"]
    sets = [word for setting in wanted for word in ("--set", setting)]
    cluster = load(folder)

    def run(stage: str, output: Path, slots: int) -> float:
        words = [sys.executable, "-m", "negmine", stage, str(collection_of(given)), *sets]
        words += ["--output", str(output)]
        words += ["--", *options(cluster, folder, slots)] if slots else []
        started = time.perf_counter()
        ended = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True)
        if ended.returncode:
            raise SystemExit(ended.stderr)
        return time.perf_counter() - started

    if not (out / "before").exists():
        run("retrieve", out / "before", 0)
    print("| slots | command s | job s | judging s | load |\n|---|---|---|---|---|")
    judging: dict[int, list[float]] = {1: [], 2: []}
    for slots in (2, 1) * given.pairs:
        shutil.rmtree(out / "now", ignore_errors=True)
        shutil.copytree(out / "before", out / "now")
        before = {job["jid"] for job in flink.jobs(cluster)}
        took = run("judge", out / "now", slots)
        job, step = judge_step(cluster, before)
        judging[slots].append(step)
        load_now = os.getloadavg()[0]
        print(f"| {slots} | {took:.0f} | {job:.0f} | {step:.0f} | {load_now:.0f} |", flush=True)
    print(f"\nTwo take {median(judging[2]) / median(judging[1]):.2f} of the judging time of one.")


if __name__ == "__main__":
    main()
