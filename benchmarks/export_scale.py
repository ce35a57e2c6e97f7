"""Rows a second and peak memory of every export format, of a synthetic run of any size.

python benchmarks/export_scale.py --queries 200000          # 1,000,000 negatives
python benchmarks/export_scale.py --queries 200000 triplet hf
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks._process import negmine, run
from benchmarks._synthetic_run import write_run

CASES = [
    "triplet",
    "n_tuple --scores --scale student",
    "labeled_pair",
    "labeled_list",
    "bce --scores --scale unit",
    "flagembedding",
    "flagembedding_reranker",
    "tevatron",
    "tevatron_v2",
    "pylate_kd",
    "lighton",
    "colbert",
    "automodel",
    "automodel_inline",
    "ms_swift",
    "ms_swift_reranker",
    "lightning_ir",
    "msmarco",
    "trec_run",
    "qrels",
    "hf",
    "triplet --split val=0.05",
    "n_tuple --epochs 3 --n 2",
    "labeled_list --ranking",
]


def measure(output: Path, case: str, folder: Path) -> dict[str, object]:
    """One export in a process of its own, and what came of it."""
    target = folder / "exported"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    command = negmine("export", str(output), "-f", *case.split(), "-o", f"{target}/")
    done = run(command, folder / "log", threads=2)
    beside = next(iter(target.rglob("*export.json")))
    rows = json.loads(beside.read_text())["rows"]
    written = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    return {
        "rows": rows,
        "seconds": done.seconds,
        "rows_per_s": rows / done.seconds,
        "peak_mb": done.peak_bytes / 2**20,
        "file_mb": written / 2**20,
    }


def main() -> None:
    """Print the table, a format a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="formats with their options; default: all")
    parser.add_argument("--queries", type=int, default=200_000, help="five negatives each")
    parser.add_argument("--corpus", type=int, default=500_000)
    parser.add_argument("--words", type=int, default=50, help="of a document")
    parser.add_argument("--keep", type=Path, help="make the run here, or use the one that is")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        output = given.keep or folder / "out"
        if not (output / "current").is_file():
            write_run(output, given.queries, given.corpus, given.words)
        print(f"{given.queries:,} queries, {5 * given.queries:,} negatives")
        print("| Export | rows | s | negatives/s | peak MB | file MB |\n|---|---|---|---|---|---|")
        for case in given.cases or CASES:
            found = measure(output, case, folder)
            speed = 5 * given.queries / float(str(found["seconds"]))
            print(
                f"| `{case}` | {found['rows']:,} | {found['seconds']:.1f} | {speed:,.0f} | "
                f"{found['peak_mb']:.0f} | {found['file_mb']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
