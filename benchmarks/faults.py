"""`negmine mine`, kill -9 at keyed events of every stage, and what is lost.

    python benchmarks/faults.py [COLLECTION] [--split train] [--kills 20] [--seed 0] [--out DIR]

COLLECTION is a folder in BEIR layout; without it a small one is generated. One run's process group
is killed again and again, gone on with by the same command, and in the end compared with an
undisturbed run in another work directory. A kill comes at an event (a block begins, a part has its
temporary name, a part is there, a stage's work is done), at which the run waits for it. Prints a
Markdown table and a verdict; exit status 1 where a byte differs, a finished part was made again,
more than one block was lost at once (a local run has one worker), or a stage was not hit.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks._killed_runs import Kill, KilledRun, durations, moments, plan_kills, whole_run
from benchmarks._whole_runs import digest, write_config
from negmine.transforms.kernels.hashing import mix

PUBLISHED = ("negatives", "positives", "ledger", "sets", "metrics.parquet")
HEADINGS = (
    "kill",
    "stage",
    "parts there",
    "made again",
    "blocks lost",
    "temporary left",
    "s until it went on",
)
_WORDS = tuple(f"{a}{b}" for a in ("sol", "ter", "aqu", "ven", "lun") for b in ("a", "en", "ix"))


def generate(folder: Path, documents: int = 300, queries: int = 60) -> Path:
    """A BEIR folder of texts drawn by keyed hash; query i asks for document i."""

    def words(key: int, count: int) -> str:
        return " ".join(_WORDS[int(mix(key, at)) % len(_WORDS)] for at in range(count))

    def rows(name: str, count: int, length: int) -> str:
        lines = ({"_id": f"{name}{i}", "text": f"{words(i, length)} {i}"} for i in range(count))
        return "".join(json.dumps(line) + "\n" for line in lines)

    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    (folder / "corpus.jsonl").write_text(rows("d", documents, 12))
    (folder / "queries.jsonl").write_text(rows("q", queries, 3))
    qrels = "".join(f"q{i}\td{i}\t1\n" for i in range(queries))
    (folder / "qrels" / "train.tsv").write_text(f"query-id\tcorpus-id\tscore\n{qrels}")
    return folder


def row(number: int, kill: Kill) -> str:
    """A line of the table."""
    cells = [number, kill.stage, kill.finished, kill.rewritten, kill.lost, kill.temporary]
    return f"| {' | '.join(map(str, cells))} | {kill.resumed:.1f} |"


def faults_of(kills: Sequence[Kill], stages: Sequence[str], same: bool) -> list[str]:
    """What must not be, in words; empty where all is well."""
    found = [] if same else ["the published bytes differ"]
    for number, kill in enumerate(kills, 1):
        if kill.rewritten:
            found.append(f"kill {number}: {kill.rewritten} finished parts were made again")
        if kill.lost > 1:
            found.append(f"kill {number}: {kill.lost} blocks were lost")
    if len(kills) >= len(stages):
        missed = [stage for stage in stages if stage not in {kill.stage for kill in kills}]
        found += [f"no kill hit {stage}" for stage in missed]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("collection", type=Path, nargs="?")
    parser.add_argument("--split", default="train")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--block-size", type=int, default=32)
    parser.add_argument("--student", default="all-MiniLM-L6-v2")
    parser.add_argument("--judge", default="fusion")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--out", type=Path, default=Path("out/faults"))
    given = parser.parse_args()
    out = given.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    collection = given.collection or generate(out / "collection")
    config = write_config(
        out / "run.yaml", collection, given.split, given.student, given.judge, given.block_size
    )
    trace = whole_run(config, out / "undisturbed", given.settings)
    seconds = durations(trace)
    taken = ", ".join(f"{stage} {taken:.1f}" for stage, taken in seconds.items())
    print(f"undisturbed, seconds: {taken}\n", flush=True)
    print(f"| {' | '.join(HEADINGS)} |\n|---:|---|{'---:|' * (len(HEADINGS) - 2)}", flush=True)
    plans = plan_kills(moments(trace), given.kills, given.seed)
    kills = KilledRun(config, out / "killed", given.settings).go(plans)
    for number, kill in enumerate(kills, 1):
        print(row(number, kill))
    wanted, found = (digest(out / name, *PUBLISHED) for name in ("undisturbed", "killed"))
    print(f"\nSHA-256 over {', '.join(PUBLISHED)}:\nundisturbed {wanted}\nkilled      {found}\n")
    wrong = faults_of(kills, list(seconds), wanted == found)
    for fault in wrong:
        print(f"WRONG: {fault}")
    again, lost = sum(kill.rewritten for kill in kills), max(kill.lost for kill in kills)
    verdict = "the same bytes" if wanted == found else "OTHER bytes"
    print(f"{len(kills)} kills: {verdict}; {again} finished parts made again, {lost} block at most")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
