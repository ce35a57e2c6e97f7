"""A stage that a model takes most of, on two task managers against one: paired, in turn.

    python benchmarks/cluster/scaling.py FOLDER COLLECTION --out DIR [--stage embed] [--limit 60]
        [--pairs 2]

FOLDER holds a cluster that was started with `--cores 0,1`. The stages before are made on this
machine, once; then with one slot and with two, in turn, a cross-encoder of MiniLM's size and of
random weights judges what they found, or the default student embeds. Prints the seconds of the
whole command, of the engine's job and of its longest step of the stage; the load of the machine is
printed beside them.
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


def step_of(cluster: Cluster, since: set[str], stage: str) -> tuple[float, float]:
    """Seconds of the job that made a stage, and of its longest step there."""
    for job in flink.jobs(cluster):
        if job["jid"] not in since:
            steps = flink.rest(cluster, f"jobs/{job['jid']}")["vertices"]
            own = [step["duration"] for step in steps if f"]{stage}" in step["name"]]
            if own:
                return job["duration"] / 1000, max(own) / 1000
    raise SystemExit(f"no job made {stage}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("collection")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", choices=["judge", "embed"], default="judge")
    parser.add_argument("--split", default="train")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--block-size", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=2)
    given = parser.parse_args()
    given.judge = None
    folder, out = given.folder.resolve(), given.out.resolve()
    judge = ["judge.kind=none"]
    if given.stage == "judge":
        judge = ["judge.kind=cross_encoder", f"judge.model={random_judge(out / 'judge')}"]
    wanted = [*settings(given), *judge]
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

    run("retrieve" if given.stage == "judge" else "ingest", out / "before", 0)
    print("| slots | command s | job s | step s | load |\n|---|---|---|---|---|")
    steps: dict[int, list[float]] = {1: [], 2: []}
    for slots in (2, 1) * given.pairs:
        shutil.rmtree(out / "now", ignore_errors=True)
        shutil.copytree(out / "before", out / "now")
        before = {job["jid"] for job in flink.jobs(cluster)}
        took = run(given.stage, out / "now", slots)
        job, step = step_of(cluster, before, given.stage)
        steps[slots].append(step)
        load_now = os.getloadavg()[0]
        print(f"| {slots} | {took:.0f} | {job:.0f} | {step:.0f} | {load_now:.0f} |", flush=True)
    print(f"\nTwo take {median(steps[2]) / median(steps[1]):.2f} of the time of one.")


if __name__ == "__main__":
    main()
