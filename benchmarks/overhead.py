"""What Beam, Parquet and the work directory cost: whole runs beside the same kernels in a loop.

    python benchmarks/overhead.py --out bench [--only scifact-fusion] [--repeats 3]
    python benchmarks/overhead.py --out bench --table

Whole run: `negmine mine` into a fresh folder on FnApiRunner, process start to end. Bare: one
process that reads the texts and calls the kernels one after another, with tables in memory. Both
must give the same negatives. WordNet is embedded with a static model of random weights, which
costs next to nothing.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pyarrow.parquet as pq

from benchmarks import _peer_data as data
from benchmarks._bare import digest
from benchmarks._paired import Case, Row, Side, measure
from benchmarks._paired_table import selected, table
from benchmarks._peer_miners import current, input_section, mined, ours
from benchmarks._side import side
from negmine.jobs.mining.models import choose_encoder
from negmine.jobs.workdir.directory import WorkDirectory
from negmine.schemas.config import Config

STAGES = ("ingest", "embed", "retrieve", "judge", "select", "score", "publish")
TARGET = 1.15


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("out/benchmarks/overhead"), help="folder of raw results")
    add("--only", default="", help="scifact-fusion, scifact-none, wordnet-none; by commas")
    add("--repeats", type=int, default=3, help="pairs of runs")
    add("--threads", type=int, default=os.cpu_count(), help="of each side")
    add("--table", action="store_true", help="print Markdown of what was measured; run nothing")
    add("--scifact", default="data/scifact", help="BEIR folder")
    add("--wordnet", default="data/wordnet31", help="BEIR folder")
    add("--split", default="train", help="qrels of both")
    add("--queries", type=int, default=5000, help="of WordNet")
    add("--student", default="all-MiniLM-L6-v2", help="encoder of SciFact; a folder or a name")
    return parser.parse_args(words)


def _whole(config: dict[str, Any]) -> Side:
    plain = ours(config)

    def read(folder: Path) -> dict[str, Any]:
        found, run = mined(folder / "out"), current(folder / "out")
        rows: list[tuple[Any, ...]] = []
        for file in sorted((run / "negatives").glob("tier=*/*.parquet")):
            tier = file.parent.name.removeprefix("tier=")
            part = pq.read_table(
                file, columns=["query_id", "negative_id", "rank"], partitioning=None
            )
            query, doc, rank = (column.to_pylist() for column in part.columns)
            rows += [(q, d, tier, r) for q, d, r in zip(query, doc, rank, strict=True)]
        found["counts"]["digest"] = digest(rows)
        return found

    return Side("negmine mine", plain.command, read)


def _precision(config: dict[str, Any], folder: Path) -> str:
    """What `student.precision: auto` settles on here."""
    run = Config.model_validate(config)
    documents = data.ingested(config["input"]["path"], config["input"]["split"], folder)
    return choose_encoder(
        run.student, documents["documents"], WorkDirectory(folder, 512).root
    ).precision


def cases(given: argparse.Namespace) -> Iterator[Case]:
    """SciFact with both judges, then WordNet."""
    shared = given.out / "shared"
    wordnet, static = shared / f"wordnet-{given.queries}", shared / "static"

    def prepare() -> None:
        data.static_student(static, data.student_folder("all-MiniLM-L6-v2"))
        data.some_queries(str(Path(given.wordnet).resolve()), given.split, given.queries, wordnet)

    scifact = (str(Path(given.scifact).resolve()), given.split, given.student)
    for name, (folder, split, student), judge in (
        ("scifact-fusion", scifact, "fusion"),
        ("scifact-none", scifact, "none"),
        ("wordnet-none", (str(wordnet), data.SPLIT, str(static)), "none"),
    ):
        config: dict[str, Any] = {
            "input": input_section(folder, split),
            "student": {"model": student},
            "judge": {"kind": judge},
        }
        settled = shared / f"precision-{name}"

        def ready(name: str = name, config: dict[str, Any] = config, to: Path = settled) -> None:
            if name.startswith("wordnet"):
                prepare()
            to.mkdir(parents=True, exist_ok=True)
            (to / "settled").write_text(_precision(config, to))

        yield Case(
            "overhead",
            name,
            (_whole(config), _bare(config, settled / "settled")),
            (
                Row(f"{name}, whole", limit=TARGET),
                *(Row(f"{name}, {stage}", stage) for stage in STAGES),
            ),
            ready,
            equal=("negatives", "queries", "documents", "digest"),
            settings={"collection": folder, "split": split, "student": student, "judge": judge},
            note="publish: metrics, files and report.html; of the bare side, metrics alone.",
        )


def _bare(config: dict[str, Any], settled: Path) -> Side:
    """The bare side, with the precision that is known by the time it starts."""

    def command(folder: Path) -> list[str]:
        arguments = {"config": config, "precision": settled.read_text()}
        return side("bare", "_bare.bare", arguments).command(folder)

    return Side("bare", command, side("bare", "_bare.bare", {}).read)


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is missing, then print the table."""
    given = parse(words)
    wanted = [f"overhead:{name}" for name in given.only.split(",") if name]
    given.out = given.out.resolve()
    if not given.table:
        for case in cases(given):
            if selected("overhead", case.name, wanted):
                measure(case, given.out, given.repeats, given.threads)
    print(table(given.out, wanted))


if __name__ == "__main__":
    main()
