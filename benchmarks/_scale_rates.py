"""What a document and a query cost each step, from runs of a few sizes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from benchmarks.scaling import Cost, measure

GROWS: dict[str, tuple[str, ...]] = {
    "ingest": ("documents", "queries"),
    "place documents": ("documents",),
    "place queries": ("queries",),
    "index bm25": ("documents",),
    "retrieve bm25": ("documents", "pairs"),
    "retrieve dense": ("documents", "pairs"),
    "retrieve random": ("queries",),
    "judge": ("documents", "queries"),
    "select": ("documents", "queries"),
    "publish": ("documents", "queries"),
}
"""What the CPU seconds of a step grow with; `pairs` are documents x queries."""
WHOLE = "sum of the steps"


@dataclass(frozen=True)
class Rate:
    """CPU seconds of a step: once, and for one more of each thing that it grows with."""

    fixed: float
    documents: float = 0.0
    queries: float = 0.0
    pairs: float = 0.0

    def seconds(self, documents: float, queries: float) -> float:
        """CPU seconds at a size."""
        grown = self.documents * documents + self.queries * queries
        return self.fixed + grown + self.pairs * documents * queries


@dataclass(frozen=True)
class Rates:
    """Rates of all steps and bytes a row of what they write, with where they were measured."""

    steps: dict[str, Rate]
    document_bytes: dict[str, float]
    query_bytes: dict[str, float]
    measured: str

    def save(self, file: Path) -> None:
        """Write them as JSON."""
        file.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, file: Path) -> "Rates":
        """Read what `save` wrote."""
        told = json.loads(file.read_text())
        return cls(**{**told, "steps": {n: Rate(**r) for n, r in told["steps"].items()}})


def fit(costs: Sequence[Cost]) -> dict[str, Rate]:
    """Rates by least squares of relative errors, none below zero."""
    found = {}
    for step, grows in GROWS.items():
        seconds = np.array([max(cost.cpu[step], 0.01) for cost in costs])
        columns = [np.ones(len(costs)), *(np.array([_size(c, g) for c in costs]) for g in grows)]
        scaled = np.stack(columns, axis=1) / seconds[:, None]
        weight = scaled.max(axis=0)
        rates = nnls(scaled / weight, np.ones(len(costs)))[0] / weight
        found[step] = Rate(rates[0], **dict(zip(grows, rates[1:], strict=True)))
    return found


def _size(cost: Cost, grows: str) -> float:
    if grows == "pairs":
        return float(cost.documents) * cost.queries
    return float(getattr(cost, grows))


def errors(rates: dict[str, Rate], check: Cost) -> dict[str, tuple[float, float, float]]:
    """Of each step and of their sum: CPU seconds foretold, measured, and the relative error."""
    told = {step: rate.seconds(check.documents, check.queries) for step, rate in rates.items()}
    taken = {step: check.cpu[step] for step in rates}
    told[WHOLE], taken[WHOLE] = sum(told.values()), sum(taken.values())
    return {step: (told[step], taken[step], told[step] / taken[step] - 1) for step in told}


def bytes_a_row(work: Path, rows: int, stages: Sequence[str]) -> dict[str, float]:
    """Bytes that each of the stages holds in a work directory, mapped copies too, by row."""
    found = {}
    for stage in stages:
        files = [file for file in (work / stage).rglob("*") if file.is_file()]
        found[stage] = sum(file.stat().st_size for file in files) / rows
    return found


def measured(
    sizes: Sequence[tuple[int, int]], check: tuple[int, int], depth: int, folder: Path
) -> tuple[dict[str, Rate], dict[str, tuple[float, float, float]], Path]:
    """Rates of runs at `sizes` (documents, queries), their errors at `check`, and its folder."""
    rates = fit([measure(*size, depth, folder, keep=False) for size in sizes])
    last = measure(*check, depth, folder, keep=True)
    return rates, errors(rates, last), folder / f"{check[0]}x{check[1]}"
