"""One run, step by step, in a process of its own: `_scaling_run.py CONFIG MARKS [KEY=VALUE ...]`.

Writes a JSON line for each step as it ends: its name, when it began and ended, CPU seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.bm25 import bm25_index
from negmine.jobs.mining.models import EncoderChoice
from negmine.jobs.mining.publish import check_output, publish
from negmine.jobs.mining.retrieval import SOURCES
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors.embedding import embedded
from negmine.jobs.mining.vectors.given_vectors import GivenStudent, placed_vectors
from negmine.jobs.workdir.artifacts import Artifact
from negmine.schemas.verdicts import Source


def steps(run: MiningRun) -> list[tuple[str, Callable[[], Any]]]:
    """Names and steps of a run, each made on its own."""

    def make(artifact: Callable[[], Artifact]) -> Callable[[], Any]:
        return lambda: run.work.make_or_reuse(artifact())

    run.until = "embed"
    found: list[tuple[str, Callable[[], Any]]] = [("ingest", lambda: run.ingested)]
    verb = "place" if run.config.student.vectors else "embed"
    if verb == "embed":
        found.append(("choose precision", lambda: run.student))
    for texts in ("documents", "queries"):
        found.append((f"{verb} {texts}", make(partial(_vectors, run, texts))))
    bm25 = run.config.sources.bm25
    if bm25 is not None:
        found.append(("index bm25", lambda: bm25_index(run, bm25.language)))
    for name in run.config.sources.on():
        found.append((f"retrieve {name}", make(partial(_candidates, run, name))))
    return [
        *found,
        ("check judge", lambda: run.judge_checks),
        ("judge", lambda: run.judged),
        ("select", partial(_select, run)),
        ("score", partial(_score, run)),
        ("publish", lambda: publish(run, "run")),
    ]


def _vectors(run: MiningRun, texts: str) -> Artifact:
    student = run.student
    if isinstance(student, GivenStudent):
        return placed_vectors(run, texts, student)
    assert isinstance(student, EncoderChoice)
    return embedded(run, texts, student, run.student_gives_tokens)


def _select(run: MiningRun) -> None:
    run.until = "select"
    _ = run.verdicts


def _score(run: MiningRun) -> None:
    # Its own job, where a run makes it in one with select.
    run.until = "score"
    vars(run).pop("_chosen")
    _ = run.sets


def _candidates(run: MiningRun, source: Source) -> Artifact:
    return SOURCES[source](run, run.vectors)


def main() -> None:
    config, marks, *settings = sys.argv[1:]
    run = MiningRun(load_config(config, settings))
    check_output(run)
    run.check()
    with open(marks, "w", encoding="utf-8") as out:
        for name, step in steps(run):
            began, used = time.time(), time.process_time()
            step()
            cpu = time.process_time() - used
            mark = {"step": name, "began": began, "ended": time.time(), "cpu": cpu}
            out.write(json.dumps(mark) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
