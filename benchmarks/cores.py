"""What a second core is worth in each stage, how long short commands take, and where it goes.

    python benchmarks/cores.py --out bench/cores --scifact data/scifact --wordnet data/wordnet31
    python benchmarks/cores.py --out bench/cores --only stages --repeats 3
    python benchmarks/cores.py --out bench/cores --table

`stages`: WordNet with a static student and no judge, SciFact with the judge fusion, step by step in
a process of its own, on one core and on all, in turns; each step finds those before it finished.
`commands`: process start to end of --help, of a query, of another threshold on a finished work
directory, and of `negmine mine stdlib`. `seconds`: where the time of another threshold goes, by a
profile, which makes it longer. Tables are of medians, with the load that the machine had. CPU
seconds of the first process say how much of a step its helpers took, whatever else is at work.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import yaml

from benchmarks import _peer_data as data
from benchmarks._peer_miners import input_section
from benchmarks._process import ROOT, negmine
from benchmarks.scaling import machine

_PARTS = ("stages", "commands", "seconds")
_SHARE = "policies.judge_calibrated_threshold.positives_above"


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("out/benchmarks/cores"), help="folder of raw results")
    add("--only", default="stages,commands,seconds", help="by commas")
    add("--repeats", type=int, default=3, help="pairs of runs, and runs of a command")
    add("--table", action="store_true", help="print Markdown of what was measured; run nothing")
    add("--scifact", default="data/scifact", help="BEIR folder")
    add("--wordnet", default="data/wordnet31", help="BEIR folder")
    add("--queries", type=int, default=5000, help="of WordNet")
    add("--student", default="all-MiniLM-L6-v2", help="encoder of SciFact; a folder or a name")
    return parser.parse_args(words)


def configs(given: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The runs that are measured, by name."""
    shared = given.out / "shared"
    data.static_student(shared / "static", data.student_folder("all-MiniLM-L6-v2"))
    wordnet = data.some_queries(
        str(Path(given.wordnet).resolve()), "train", given.queries, shared / "wordnet"
    )
    return {
        "wordnet": {
            "input": input_section(str(wordnet), data.SPLIT),
            "student": {"model": str(shared / "static")},
            "judge": {"kind": "none"},
        },
        "scifact": {
            "input": input_section(str(Path(given.scifact).resolve()), "train"),
            "student": {"model": given.student},
            "judge": {"kind": "fusion"},
        },
    }


def _environment() -> dict[str, str]:
    threads = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    return {
        **threads,
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }


def _run(command: Sequence[str], log: Path, cores: int = 0) -> float:
    """Seconds of a process on so many cores, 0 for all. Raises SystemExit where it fails."""
    some = sorted(os.sched_getaffinity(0))[:cores] if cores else None
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    with log.open("wb") as out:
        code = subprocess.run(
            command,
            cwd=ROOT,
            env=_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=(lambda: os.sched_setaffinity(0, some)) if some else None,
            check=False,
        ).returncode
    if code:
        tail = log.read_text(errors="replace")[-4000:]
        raise SystemExit(f"{' '.join(command)} ended with {code}:\n{tail}")
    return time.perf_counter() - started


def _keep(file: Path, value: dict[str, Any]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({**value, "load": round(os.getloadavg()[0], 1)}) + "\n")


def stages(given: argparse.Namespace) -> None:
    """Each step's seconds on one core and on all, in turns."""
    script = str(ROOT / "benchmarks" / "_scaling_run.py")
    for name, config in configs(given).items():
        for at in range(given.repeats):
            for cores in (1, 0):
                place = given.out / "stages" / f"{name}-{at}-{cores}"
                if (place / "marks.jsonl").is_file():
                    continue
                place.mkdir(parents=True, exist_ok=True)
                output = {"path": str(place / "out"), "run_id": "run"}
                (place / "run.yaml").write_text(yaml.safe_dump({**config, "output": output}))
                marks = place / "marks.part"
                _run(
                    [sys.executable, script, str(place / "run.yaml"), str(marks)],
                    place / "log",
                    cores,
                )
                for line in marks.read_text().splitlines():
                    step = json.loads(line)
                    taken = {"seconds": step["ended"] - step["began"], "cpu": step["cpu"]}
                    taken["step"] = step["step"]
                    _keep(given.out / "stages.jsonl", {"run": name, "cores": cores, **taken})
                subprocess.run(["rm", "-rf", str(place / "out")], check=True)
                marks.rename(place / "marks.jsonl")


def _finished(given: argparse.Namespace) -> Path:
    """The config of a finished run of SciFact, mined where it is not there."""
    place = (given.out / "shared" / "finished").resolve()
    place.mkdir(parents=True, exist_ok=True)
    config = {**configs(given)["scifact"], "output": {"path": str(place / "out")}}
    calibrated = {"judge_calibrated_threshold": {"positives_above": 0.5}}
    config["policies"] = [
        {"known_positive": {}},
        {"near_duplicate_of_positive": {"jaccard": 0.8, "cosine": 0.97}},
        calibrated,
    ]
    (place / "run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    if not (place / "out" / "current").is_file():
        _run(negmine("mine", str(place / "run.yaml")), place / "log")
    return place


def _thresholds(place: Path) -> Iterator[str]:
    """Thresholds that no run there has yet."""
    made = len(list((place / "out" / "runs").glob("[!.]*")))
    while True:
        made += 1
        yield f"{_SHARE}={0.7 - 0.0007 * made:.4f}"


def commands(given: argparse.Namespace) -> None:
    """Process start to end."""
    place = _finished(given)
    again = _thresholds(place)
    for at in range(given.repeats):
        first = given.out / "commands" / f"first-{at}"
        runs = {
            "negmine --help": negmine("--help"),
            "negmine query RUN 'select 1'": negmine("query", str(place / "out"), "select 1"),
            "another threshold, SciFact, fusion": negmine(
                "mine", str(place / "run.yaml"), "--set", next(again)
            ),
            "negmine mine stdlib": negmine("mine", "stdlib", "--output", str(first)),
        }
        for name, command in runs.items():
            seconds = _run(command, given.out / "commands" / "log")
            _keep(given.out / "commands.jsonl", {"command": name, "seconds": seconds})
        subprocess.run(["rm", "-rf", str(first)], check=True)


def seconds(given: argparse.Namespace) -> None:
    """What a profile of another threshold says of imports, graphs, steps, syncs and the rest."""
    place = _finished(given)
    script = str(ROOT / "benchmarks" / "_profiled.py")
    for _, setting in zip(range(given.repeats), _thresholds(place), strict=False):
        told = given.out / "profile.json"
        words = [str(told), "mine", str(place / "run.yaml"), "--set", setting]
        _run([sys.executable, script, *words], given.out / "profile.log")
        _keep(given.out / "seconds.jsonl", json.loads(told.read_text()))


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def table(out: Path) -> str:
    """Markdown of all that was measured."""
    lines = [f"{date.today()}, {machine()}", ""]
    steps = _rows(out / "stages.jsonl")
    for run in dict.fromkeys(row["run"] for row in steps):
        mine = [row for row in steps if row["run"] == run]
        heads = ["1 core, s", "all, s", "ratio", "CPU of the first process, s", "ratio", "load"]
        lines += [f"| {run} | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
        for step in dict.fromkeys(row["step"] for row in mine):
            of = {c: [r for r in mine if r["step"] == step and r["cores"] == c] for c in (1, 0)}
            if not of[1] or not of[0]:
                continue
            one, every = (statistics.median(r["seconds"] for r in of[c]) for c in (1, 0))
            alone, shared = (statistics.median(r["cpu"] for r in of[c]) for c in (1, 0))
            load = statistics.median(r["load"] for rows in of.values() for r in rows)
            cells = [f"{one:.2f}", f"{every:.2f}", f"{one / max(every, 1e-3):.2f}"]
            cells += [f"{alone:.2f}, {shared:.2f}", f"{alone / max(shared, 1e-3):.2f}"]
            lines.append(f"| {step} | {' | '.join(cells)} | {load:.1f} |")
        lines.append("")
    timed = _rows(out / "commands.jsonl")
    if timed:
        lines += ["| command | s | lowest-highest | runs | load |", "|---|---:|---:|---:|---:|"]
    for name in dict.fromkeys(row["command"] for row in timed):
        found = sorted(row["seconds"] for row in timed if row["command"] == name)
        load = statistics.median(row["load"] for row in timed if row["command"] == name)
        span = f"{found[0]:.2f}-{found[-1]:.2f}"
        middle = statistics.median(found)
        lines.append(f"| `{name}` | {middle:.2f} | {span} | {len(found)} | {load:.1f} |")
    profiles = _rows(out / "seconds.jsonl")
    if profiles:
        lines += ["", "| another threshold, profiled | s | share |", "|---|---:|---:|"]
        whole = statistics.median(row["whole"] for row in profiles)
        for name in profiles[0]["parts"]:
            part = statistics.median(row["parts"][name] for row in profiles)
            lines.append(f"| {name} | {part:.2f} | {part / whole:.0%} |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is asked for, then print the tables."""
    given = parse(words)
    given.out = given.out.resolve()
    given.out.mkdir(parents=True, exist_ok=True)
    measures = {"stages": stages, "commands": commands, "seconds": seconds}
    for name in _PARTS:
        if name in given.only.split(",") and not given.table:
            measures[name](given)
    print(table(given.out))


if __name__ == "__main__":
    main()
