"""Pairs that a lazy judge reads, against all: replays a run whose judge scored every pair.

    python benchmarks/lazy_judging.py RUN [--quota 5] [--sampling contrast,top,uniform]

RUN was mined with a judge that scores every pair (fusion, late_interaction). Its scores stand for
those of a dear judge: for each sampling method it is asked lazily, and what it was not asked for
is the saving. The choice must be the same as with every score.
"""

import argparse
from dataclasses import replace

import numpy as np
from rich.console import Console
from rich.table import Table

from negmine.jobs.runs.published import find_run
from negmine.schemas.config import Sampling, Tier
from negmine.schemas.policies import Policy
from negmine.schemas.selection import Selection
from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.judging.calibrate import read_calibration
from negmine.transforms.kernels.choosing.picking import DocumentArrays
from negmine.transforms.kernels.choosing.policies import decide
from negmine.transforms.kernels.choosing.tiers import choose
from negmine.transforms.kernels.choosing.waves import judge_needed
from negmine.transforms.pairs.table import to_pairs


def _selection(manifest: dict[str, object], method: str, quota: int) -> Selection:
    config = manifest["config"]
    assert isinstance(config, dict)
    policies = tuple(Policy.model_validate(entry) for entry in config["policies"])
    tiers = (("hard", Tier(quota=quota)),)
    return Selection(policies, tiers, Sampling.model_validate({"method": method}), 42)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run")
    parser.add_argument("--quota", type=int, default=5)
    parser.add_argument("--sampling", default="contrast,top,uniform,softmax,mmr")
    arguments = parser.parse_args()
    run = find_run(arguments.run)
    artifacts = run.artifacts()
    judged = Dataset(str(artifacts["judged"]))
    calibration = read_calibration(judged, judged=True)
    documents = DocumentArrays(
        array_column(Dataset(str(artifacts["document_vectors"])), "vector"),
        array_column(Dataset(str(artifacts["documents"])), "minhash"),
    )
    table = Table(title=f"pairs read, {arguments.quota} negatives a query", title_justify="left")
    for heading in ("sampling", "read", "all", "share", "waves", "same choice"):
        table.add_column(heading, justify="right")
    for method in arguments.sampling.split(","):
        selection = _selection(run.manifest, method, arguments.quota)
        selection = selection.calibrated(calibration)
        read = total = waves = 0
        same = True
        for part in judged.tables():
            pairs = to_pairs(part)
            calls: list[int] = []

            def score(
                rows: np.ndarray, scores: np.ndarray = pairs.judge, calls: list[int] = calls
            ) -> np.ndarray:
                calls.append(len(rows))
                return scores[rows]

            lazy = judge_needed(pairs, selection, documents, score)
            first, second = (
                choose(known, decide(known, selection.policies).policy < 0, selection, documents)
                for known in (pairs, replace(pairs, judge=lazy))
            )
            same &= bool((first.tier == second.tier).all() and (first.rank == second.rank).all())
            read += sum(calls)
            total += len(pairs.query)
            waves = max(waves, len(calls))
        share = f"{read / max(total, 1):.1%}"
        table.add_row(method, f"{read:,}", f"{total:,}", share, str(waves), str(same))
    Console().print(table)


if __name__ == "__main__":
    main()
