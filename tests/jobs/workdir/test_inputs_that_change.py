"""What a run reads is what its fingerprints are of, however a file changes meanwhile."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.load_config import load_config
from negmine.jobs.mining import retrieval
from negmine.jobs.mining.judging import given_scores
from negmine.jobs.mining.run import MiningRun
from negmine.jobs.mining.vectors import given_vectors
from negmine.schemas.errors import DataError, ModelError
from negmine.transforms.judging.cross_encoder import CrossEncoder
from negmine.transforms.storage import digests
from tests.jobs.collections import cross_encoder, static_student, write_collection, write_config
from tests.transforms.input_files import write_table

QUERIES, DOCUMENTS = 6, 20
SUFFIXES = (
    ".jsonl",
    ".parquet",
    *(pytest.param(s, marks=pytest.mark.long) for s in (".jsonl.gz", ".jsonl.zst", ".json", ".pq")),
)
"""Of files as a run reads them; each reader by itself has its own test."""
Row = dict[str, Any]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_collection(tmp_path / "collection", DOCUMENTS, QUERIES)
    static_student(tmp_path / "student")
    return tmp_path


def miner(base: Path, **sections: object) -> MiningRun:
    """A run over the collection; its work directory stays the same."""
    values = {
        "input": {"format": "beir", "path": str(base / "collection")},
        "student": {"model": str(base / "student"), "device": "cpu"},
        "judge": {"kind": "none"},
        "runner": {"block_size": 5},
    }
    config = write_config(base / "run.yaml", **{**values, **sections})
    return MiningRun(load_config(config, [], str(base / "out")))


def swapped(file: Path, old: str, new: str) -> Callable[[], None]:
    """Put other content of the same size and time into a file; returns what puts it back."""
    data, found = file.read_bytes(), file.stat()
    assert old.encode() in data
    file.write_bytes(data.replace(old.encode(), new.encode()))
    os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))

    def back() -> None:
        file.write_bytes(data)
        os.utime(file, ns=(found.st_atime_ns, found.st_mtime_ns))

    return back


def positives(run: MiningRun) -> list[tuple[int, ...]]:
    columns = run.ingested["positives"].read().to_pydict()
    return sorted(zip(columns["query_ix"], columns["doc_ix"], strict=True))


def made(base: Path, stage: str) -> list[str]:
    """Parts and manifests of a stage."""
    folder = base / "out" / "work" / stage
    return sorted(f.name for f in folder.rglob("*") if f.name.startswith(("part-", "_manifest")))


def after(
    monkeypatch: pytest.MonkeyPatch, module: Any, change: Callable[[], Any]
) -> list[Callable[[], None]]:
    """Have a file change as soon as its digest is known; holds what puts it back."""
    known, backs = module.file_digests, []

    def then(*arguments: Any) -> Any:
        found = known(*arguments)
        if not backs:
            backs.append(change())
        return found

    monkeypatch.setattr(module, "file_digests", then)
    return backs


def test_qrels_replaced_between_fingerprint_and_reading(base: Path) -> None:
    qrels = base / "collection" / "qrels" / "train.tsv"
    run = miner(base)
    assert run.input_fingerprint
    back = swapped(qrels, "d0001", "d0009")
    with pytest.raises(DataError, match=r"train\.tsv changed while it was read.*Run again"):
        run.run_until("ingest")
    assert made(base, "ingest") == []
    assert not list((base / "out").rglob("raw"))
    back()
    again = miner(base)
    again.run_until("ingest")
    assert positives(again) == [(at, at) for at in range(QUERIES)]


@pytest.mark.parametrize("settled", [True, False])
def test_other_qrels_of_the_same_size_and_time_are_another_collection(
    base: Path, settled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if settled:
        monkeypatch.setattr(digests, "RACY", 0)
    first = miner(base)
    first.run_until("ingest")
    assert (base / "out" / "work" / "inputs.json").exists() == settled
    swapped(base / "collection" / "qrels" / "train.tsv", "d0001", "d0009")
    second = miner(base)
    assert second.input_fingerprint != first.input_fingerprint
    assert (1, 9) in positives(second) and (1, 9) not in positives(first)


def write_vectors(base: Path, name: str, count: int, scale: float = 1.0) -> Path:
    """Vectors of the documents or queries, by identifier."""
    rows = np.random.default_rng(7).normal(size=(count, 8)).astype(np.float32) * scale
    ids = [f"{name[0]}{at:04}" for at in range(count)]
    file = base / f"{name}.parquet"
    pq.write_table(pa.table({"id": ids, "vector": list(rows)}), file, compression="none")
    return file


def test_vectors_replaced_between_fingerprint_and_reading(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {n: write_vectors(base, n, c) for n, c in (("documents", 20), ("queries", 6))}
    kept = files["documents"].read_bytes()
    vectors = {"vectors": {name: str(file) for name, file in files.items()}}
    run = miner(base, student=vectors)
    after(monkeypatch, given_vectors, lambda: write_vectors(base, "documents", 20, 2.0))
    with pytest.raises(DataError, match=r"documents\.parquet changed while it was read"):
        run.run_until("embed")
    assert made(base, "embed") == []
    files["documents"].write_bytes(kept)
    again = miner(base, student=vectors)
    again.run_until("embed")
    found = np.stack(again.document_vectors.read(["vector"]).column("vector").to_pylist())
    rows = np.random.default_rng(7).normal(size=(20, 8)).astype(np.float32)
    assert np.allclose(found, rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_candidates_replaced_between_fingerprint_and_reading(
    base: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(document: int) -> Path:
        rows = [
            {"query_id": f"q{q:04}", "doc_id": f"d{document:04}", "rank": 1} for q in range(QUERIES)
        ]
        return write_table(base / f"given{suffix}", rows)

    off = dict.fromkeys(("bm25", "dense", "random"))
    section = {
        "sources": {**off, "given": {"path": str(write(11))}},
        "tiers": {"given": {"quota": 1, "source": "given"}},
    }
    run = miner(base, **section)
    after(monkeypatch, retrieval, lambda: write(12))
    with pytest.raises(DataError, match=r"given.* changed while it was read"):
        run.run_until("retrieve")
    assert made(base, "retrieve") == []
    write(11)
    again = miner(base, **section)
    again.run_until("retrieve")
    assert set(again.candidates["given"].read(["doc_ix"]).column("doc_ix").to_pylist()) == {11}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_scores_replaced_between_fingerprint_and_reading(
    base: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(score: float) -> Path:
        names = [(f"q{q:04}", f"d{d:04}") for q in range(QUERIES) for d in range(DOCUMENTS)]
        rows = [{"query_id": q, "doc_id": d, "score": score} for q, d in names]
        return write_table(base / f"scores{suffix}", rows)

    section = {"judge": {"kind": "precomputed", "path": str(write(0.25))}}
    run = miner(base, **section)
    after(monkeypatch, given_scores, lambda: write(0.75))
    with pytest.raises(DataError, match=r"scores.* changed while it was read"):
        run.run_until("judge")
    assert made(base, "precomputed") == []
    write(0.25)
    again = miner(base, **section)
    again.run_until("judge")
    found = again.judged.read(["judge_score"]).column("judge_score").to_pylist()
    assert set(found) == {0.25}


def rewritten(file: Path) -> None:
    """The last byte of weights turned over."""
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 0xFF]))


def weights(folder: Path) -> Path:
    (file,) = folder.rglob("*.safetensors")
    return file


def test_a_student_replaced_between_fingerprint_and_loading(base: Path) -> None:
    file = weights(base / "student")
    kept = file.read_bytes()
    run = miner(base)
    run.run_until("ingest")
    assert run.student.digest
    rewritten(file)
    with pytest.raises(ModelError, match=r"student changed while it was used.*Run again"):
        run.run_until("embed")
    assert made(base, "embed") == []
    file.write_bytes(kept)
    again = miner(base)
    again.run_until("embed")
    assert again.student.digest == run.student.digest
    assert again.document_vectors.rows == DOCUMENTS


def test_a_student_that_changes_between_two_blocks(base: Path) -> None:
    """Its weights may be mapped, so what it gives after a change is never kept."""
    from negmine.transforms.models.encoder import load_encoder

    run = miner(base)
    run.run_until("ingest")
    spec = run.encoder(run.config.student, "judge").spec()
    encoder = load_encoder(spec)
    first = encoder.encode(["sola teren"], "query").vectors
    file = weights(base / "student")
    file.write_bytes(file.read_bytes())
    with pytest.raises(ModelError, match="changed while it was used"):
        encoder.encode(["sola teren"], "query")
    assert np.array_equal(load_encoder(spec).encode(["sola teren"], "query").vectors, first)


def test_a_judge_replaced_between_fingerprint_and_loading(base: Path) -> None:
    folder = cross_encoder(base / "judge")
    section = {"judge": {"kind": "cross_encoder", "model": str(folder), "device": "cpu"}}
    run = miner(base, **section)
    run.run_until("retrieve")
    assert isinstance(run.judgement.judge, CrossEncoder)
    rewritten(weights(folder))
    with pytest.raises(ModelError, match="judge changed while it was used"):
        run.run_until("judge")
    assert made(base, "judge") == []
    assert not list((base / "out").rglob("pair_scores/*/part-*"))


def test_the_manifest_names_the_judge_that_judged(base: Path) -> None:
    """Not the one that its folder holds when the run is published."""
    from negmine.jobs.mining.publish import check_output, publish

    folder = cross_encoder(base / "judge")
    section = {"judge": {"kind": "cross_encoder", "model": str(folder), "device": "cpu"}}
    run = miner(base, **section)
    run_id = check_output(run)
    run.run_until("score")
    rewritten(weights(folder))
    manifest = json.loads((publish(run, run_id) / "manifest.json").read_text())
    assert manifest["models"]["judge"] == run.judgement.key["weights"]
