"""sentence-transformers' miner as a whole program, and ours; what each mined."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from benchmarks._paired import Side
from benchmarks._process import negmine
from negmine.pipelines.graph import STAGES


def read_collection(folder: str, split: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Texts of a BEIR folder and its (query, positive) texts, title and text joined by a space."""

    def rows(name: str) -> list[dict[str, str]]:
        with open(Path(folder) / name, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    documents = {
        row["_id"]: f"{row.get('title') or ''} {row['text']}".strip()
        for row in rows("corpus.jsonl")
    }
    queries = {row["_id"]: row["text"] for row in rows("queries.jsonl")}
    judged = (Path(folder) / "qrels" / f"{split}.tsv").read_text().splitlines()[1:]
    pairs = [line.split("\t") for line in judged]
    known = [(queries[q], documents[d]) for q, d, grade in pairs if float(grade) > 0]
    return list(documents.values()), known


def sentence_transformers(
    collection: str,
    split: str,
    model: str,
    out: str,
    precision: str = "fp32",
    cross_encoder: str | None = None,
    options: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Mine with `mine_hard_negatives`; `options` are its arguments, the rest its defaults."""
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.util import mine_hard_negatives

    documents, known = read_collection(collection, split)
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    student = SentenceTransformer(model, device="cpu", model_kwargs={"dtype": kind})
    judge, scored = _counting(cross_encoder)
    pairs = Dataset.from_dict({"query": [q for q, _ in known], "positive": [d for _, d in known]})
    mined = mine_hard_negatives(
        pairs, student, corpus=documents, cross_encoder=judge, verbose=False, **(options or {})
    )
    mined.to_parquet(str(Path(out) / "mined.parquet"))
    return {
        "counts": {
            "negatives": len({(row["query"], row["negative"]) for row in mined}),
            "queries": len({query for query, _ in known}),
            "documents": len(documents),
        },
        "details": {"rows": len(mined), "pairs_judged": sum(scored)},
    }


def _counting(folder: str | None) -> tuple[Any, list[int]]:
    """A cross-encoder that notes how many pairs it is asked for."""
    scored: list[int] = []
    if folder is None:
        return None, scored
    from sentence_transformers import CrossEncoder

    class Counting(CrossEncoder):
        def predict(self, inputs: Sequence[Any], *arguments: Any, **named: Any) -> Any:
            scored.append(len(inputs))
            return super().predict(inputs, *arguments, **named)

    return Counting(folder, device="cpu", local_files_only=True), scored


def ours(config: dict[str, Any], output: str | None = None) -> Side:
    """`negmine mine`, into a fresh folder unless `output` names one that keeps earlier work."""

    def command(run: Path) -> list[str]:
        file = run / "config.yaml"
        file.write_text(yaml.safe_dump(config, sort_keys=False))
        return negmine("mine", str(file), "--output", output or str(run / "out"))

    def read(run: Path) -> dict[str, Any]:
        return mined(Path(output) if output else run / "out")

    return Side("negmine", command, read)


def current(output: Path) -> Path:
    """Folder of the run in force."""
    return output / "runs" / (output / "current").read_text().strip()


def by_job(seconds: dict[str, float]) -> dict[str, float]:
    """Seconds of stages, added up over those that one Beam job makes; named by its first."""
    found: dict[str, float] = {}
    for stage, value in seconds.items():
        job = STAGES[stage].job if stage in STAGES else stage
        found[job] = found.get(job, 0.0) + value
    return found


def mined(output: Path) -> dict[str, Any]:
    """Counts, stage times and judged pairs of the run in force."""
    run = current(output)
    manifest = json.loads((run / "manifest.json").read_text())
    summary = manifest["summary"]
    names = ["query_id", "negative_id"]
    files = sorted((run / "negatives").rglob("*.parquet"))
    tables = [pq.read_table(file, columns=names, partitioning=None) for file in files]
    pairs = {(q, d) for table in tables for q, d in zip(*table.to_pydict().values(), strict=True)}
    judge = summary.get("judge") or {}
    return {
        "figures": by_job({s: entry["seconds"] for s, entry in manifest["timings"].items()}),
        "counts": {
            "negatives": len(pairs),
            "queries": summary["queries"],
            "documents": summary["documents"],
        },
        "details": {"pairs_judged": judge.get("pairs_scored", 0)},
    }


def input_section(collection: str, split: str, **more: Any) -> dict[str, Any]:
    """The `input` section of a BEIR folder."""
    return {"format": "beir", "path": collection, "split": split, **more}
