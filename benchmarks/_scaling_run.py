"""One run, step by step, in a process of its own: `_scaling_run.py CONFIG MARKS [KEY=VALUE ...]`.

Writes a JSON line for each step as it ends: its name, when it began and ended, CPU seconds.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from negmine.jobs.load_config import load_config
from negmine.jobs.mining.publish import check_output, publish
from negmine.jobs.mining.retrieval import bm25_index, retrieve_source
from negmine.jobs.mining.run import MiningRun


def steps(miner: MiningRun) -> list[tuple[str, Callable[[], Any]]]:
    """Names and steps of a run, each made on its own."""
    sources = miner.config.sources
    found: list[tuple[str, Callable[[], Any]]] = [
        ("ingest", lambda: miner.ingested),
        ("place documents", lambda: miner.document_vectors),
        ("place queries", lambda: miner.query_vectors),
    ]
    if sources.bm25 is not None:
        language = sources.bm25.language
        found.append(("index bm25", lambda: bm25_index(miner, language)))
    for name in ("bm25", "dense", "random"):
        if getattr(sources, name) is not None:
            found.append((f"retrieve {name}", lambda name=name: retrieve_source(miner, name)))
    run_id = "run"
    return [
        *found,
        ("judge", lambda: miner.judged),
        ("select", lambda: miner.verdicts),
        ("score", lambda: miner.sets),
        ("publish", lambda: publish(miner, run_id)),
    ]


def main() -> None:
    config, marks, *settings = sys.argv[1:]
    miner = MiningRun(load_config(config, settings))
    check_output(miner)
    miner.check()
    with open(marks, "w", encoding="utf-8") as out:
        for name, step in steps(miner):
            began, used = time.time(), time.process_time()
            step()
            cpu = time.process_time() - used
            mark = {"step": name, "began": began, "ended": time.time(), "cpu": cpu}
            out.write(json.dumps(mark) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
