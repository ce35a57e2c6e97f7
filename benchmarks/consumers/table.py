"""A table of export formats and the trainers that read them: rows in, rows used.

    python benchmarks/consumers/environments.py                # once; some minutes, 2 GB
    python benchmarks/consumers/table.py [--tevatron SRC]      # all; or names of consumers

A small run with texts that break naive readers is exported in every format, and each trainer's
own loader, in an environment of its own, reads it to the end or trains two steps.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.consumers.environments import ROOT as PLACES
from benchmarks.consumers.environments import python_of
from tests.builders import Layout, build_run

ROOT = Path(__file__).resolve().parents[2]
CHECKS = Path(__file__).resolve().parent / "checks"
EXPORTS: dict[str, str] = {
    "triplet": "--for MultipleNegativesRankingLoss -f triplet",
    "n_tuple": "--for CachedMultipleNegativesRankingLoss",
    "n_tuple-MarginMSELoss": "--for MarginMSELoss",
    "n_tuple-DistillKLDivLoss": "--for DistillKLDivLoss",
    "labeled_pair": "--for ContrastiveLoss",
    "labeled_pair-CosineSimilarityLoss": "--for CosineSimilarityLoss --scores",
    "labeled_list": "--for LambdaLoss",
    "labeled_list-ListNetLoss": "--for ListNetLoss --scores",
    "bce": "--for BinaryCrossEntropyLoss",
    "hf": "-f hf --split val=0.2",
    "flagembedding": "--for flagembedding",
    "flagembedding-distillation": "--for flagembedding --scores",
    "flagembedding_reranker": "--for flagembedding-reranker",
    "tevatron": "--for tevatron",
    "tevatron_v2": "--for tevatron -f tevatron_v2",
    "pylate": "--for pylate",
    "pylate_kd": "--for pylate-kd",
    "lighton": "-f lighton",
    "colbert": "--for colbert --n 3",
    "colbert-scores": "--for colbert --n 3 --scores",
    "automodel": "--for automodel",
    "automodel_inline": "--for automodel -f automodel_inline",
    "ms_swift": "--for ms-swift --instruction Retrieve",
    "ms_swift_reranker": "--for ms-swift-reranker --instruction Rank",
    "lightning_ir": "--for lightning-ir",
}
"""What is exported, and how, by the name under which the checks find it."""

CONSUMERS = {
    "sentence-transformers": "sentence_transformers_check.py",
    "flagembedding": "flagembedding_check.py",
    "pylate": "pylate_check.py",
    "tevatron": "tevatron_check.py",
    "tevatron-v2": "tevatron_v2_check.py",
    "colbert": "colbert_check.py",
    "lightning-ir": "lightning_ir_check.py",
    "automodel": "automodel_check.py",
    "ms-swift": "ms_swift_check.py",
}


@dataclass(frozen=True)
class Line:
    """One format in one consumer."""

    format: str
    package: str
    what: str
    given: int
    used: int


def write_exports(folder: Path) -> dict[str, int]:
    """Export everything; rows of each, of the training part."""
    shutil.rmtree(folder, ignore_errors=True)
    build_run(folder / "out", Layout(queries=24, positives=2))
    _negmine(folder, "mine", *_REAL)
    rows = {}
    for name, options in EXPORTS.items():
        told = _export(folder, name, options)
        parts = told["parts"]
        rows[name] = parts[0]["rows"] if parts else told["rows"]
    return rows


_ENDINGS = {"flagembedding": ".jsonl", "tevatron": ".jsonl", "ms_swift": ".jsonl"}
_FOLDERS = ("hf", "tevatron_v2", "pylate_kd", "lighton", "colbert", "automodel")


_REAL = ("jobs/presets/stdlib.yaml", "--set", "input.limit=60", "--output", "real")
"""A mined run, whose ledger has all that the sources found."""


def _negmine(folder: Path, *words: str) -> None:
    places = [str(folder / word) if word == "real" else word for word in words]
    command = [sys.executable, "-m", "negmine", *places]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")


def _export(folder: Path, name: str, options: str) -> dict[str, object]:
    format = name.partition("-")[0]
    place = folder / name
    if format not in _FOLDERS:
        jsonl = format.startswith(tuple(_ENDINGS)) or format == "automodel_inline"
        place = folder / f"{name}.{'jsonl' if jsonl else 'parquet'}"
    run = folder / ("real" if format == "lighton" else "out")
    _negmine(folder, "export", str(run), "-o", str(place), *options.split())
    report = (
        place / "export.json" if place.is_dir() else place.with_name(place.name + ".export.json")
    )
    found: dict[str, object] = json.loads(report.read_text())
    report.rename(folder / f"report-{name}.json") if not place.is_dir() else None
    return found


def consumed(name: str, folder: Path, rows: dict[str, int], tevatron: str) -> list[Line]:
    """What a consumer makes of its formats; a line that says why where it cannot run at all."""
    own = name == "sentence-transformers"
    environment = "tevatron" if name == "tevatron-v2" else name
    python = Path(sys.executable) if own else python_of(environment)
    if name == "tevatron-v2" and not tevatron:
        return [Line("tevatron_v2", "tevatron (main)", "not run: give --tevatron SRC", 0, 0)]
    if not python.is_file():
        return [Line("-", name, "not run: no environment; environments.py makes it", 0, 0)]
    command = [str(python), str(CHECKS / CONSUMERS[name]), str(folder), tevatron]
    settings = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TQDM_DISABLE": "1"}
    settings |= {"CUDA_VISIBLE_DEVICES": "", "HF_DATASETS_CACHE": str(folder / "c")}
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(
        command, capture_output=True, text=True, env={**kept, **settings}, timeout=1_200
    )
    (folder / f"log-{name}.txt").write_text(done.stdout + done.stderr)
    found = [
        json.loads(line.removeprefix("RESULT "))
        for line in done.stdout.splitlines()
        if line.startswith("RESULT ")
    ]
    if not found:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return [Line("-", name, f"not run: {last:.160}", 0, 0)]
    return [
        Line(
            f["format"],
            f"{f['package']} {f['version']}".strip(),
            f["what"],
            rows[f["format"]],
            f["used"],
        )
        for f in found
    ]


def main() -> None:
    """Print the table, a format and consumer a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("consumers", nargs="*", help="default: all")
    parser.add_argument("--tevatron", default="", help="`src` of Tevatron's repository")
    given = parser.parse_args()
    folder = PLACES / "data"
    rows = write_exports(folder)
    print("| Export | Consumer | What was run | rows in | rows used |\n|---|---|---|---|---|")
    for name in given.consumers or CONSUMERS:
        for line in consumed(name, folder, rows, given.tevatron):
            print(
                f"| `{EXPORTS.get(line.format, line.format)}` | {line.package} | {line.what} | "
                f"{line.given:,} | {line.used:,} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
