"""A student whose vectors keep their lengths: S, Delta and ECI are of cosines all the same."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.jobs.runs.published import find_run
from negmine.transforms.data.datasets import Dataset
from tests.jobs.collections import negmine, static_student, write_collection, write_config

DATA, MODEL = 3, 4


def config(base: Path, **student: Any) -> str:
    return write_config(
        base / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"device": "cpu", "normalize": False, **student},
        judge={"kind": "none"},
        runner={"block_size": 5},
        output={"path": str(base / "out"), "run_id": "run"},
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("lengths")
    write_collection(base / "collection")
    path = config(base, model=str(static_student(base / "student", scale=7.0)))
    ended = negmine("mine", path)
    assert ended.code == 0, ended.err
    return base / "out" / "runs" / "run"


def expected(run: Path) -> dict[str, tuple[float, float]]:
    """S and Delta of each query, from the vectors and the published negatives alone."""
    artifacts = find_run(str(run)).artifacts()
    unit, place = {}, {}
    for texts, vectors, name in (
        ("documents", "document_vectors", "doc_id"),
        ("queries", "query_vectors", "query_id"),
    ):
        rows = Dataset(str(artifacts[vectors])).read(["vector"])["vector"].to_pylist()
        matrix = np.array(rows, dtype=np.float64)
        assert not np.allclose(np.linalg.norm(matrix, axis=1), 1)
        unit[texts] = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        ids = Dataset(str(artifacts[texts])).read([name])[name].to_pylist()
        place[texts] = {identifier: at for at, identifier in enumerate(ids)}

    def cosine(query: str, document: str) -> float:
        q, d = place["queries"][query], place["documents"][document]
        return float(unit["queries"][q] @ unit["documents"][d])

    found: dict[str, list[tuple[float, float]]] = {}
    files = f"{run}/negatives/**/*.parquet"
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT query_id, positive_id, negative_id FROM read_parquet('{files}')"
        ).fetchall()
    for query, positive, negative in rows:
        low, high = cosine(query, negative), cosine(query, positive)
        found.setdefault(query, []).append((low, max(0.0, high - low)))
    return {query: tuple(np.mean(pairs, axis=0)) for query, pairs in found.items()}


def test_sets_summary_metrics_and_sweep_agree_on_cosines(run: Path) -> None:
    wanted = expected(run)
    sets = pq.read_table(run / "sets").to_pylist()
    for row in sets:
        assert (row["signal"], row["safety"]) == pytest.approx(wanted[row["query_id"]], abs=1e-5)
    signal, safety = np.mean(list(wanted.values()), axis=0)
    eci = json.loads((run / "manifest.json").read_text())["summary"]["eci"]["overall"]
    assert (eci["signal"], eci["safety"]) == pytest.approx((signal, safety), abs=1e-5)
    metrics = pq.read_table(run / "metrics.parquet").to_pylist()
    for name, value in (("signal", signal), ("safety", safety)):
        (measured,) = (
            row["value"]
            for row in metrics
            if (row["metric"], row["tier"], row["source"]) == (name, None, None)
        )
        assert measured == pytest.approx(value, abs=1e-5)
    swept = negmine("sweep", str(run), "--set", "sampling.method=fused", "--json")
    (row,) = json.loads(swept.out)
    assert (row["signal"], row["safety"]) == pytest.approx((signal, safety), abs=1e-5)
    again = ("--set", "output.run_id=again", "--set", "tiers.hard.quota=1")
    assert negmine("mine", str(run.parents[2] / "run.yaml"), *again).code == 0
    compared = negmine("compare", str(run), str(run.parent / "again"), "--json")
    assert compared.code == 0, compared.err
    paired = {r["metric"]: r["a"] for r in json.loads(compared.out)["paired"] if not r["tier"]}
    assert paired["signal"] == pytest.approx(signal, abs=1e-5)
    assert paired["safety"] == pytest.approx(safety, abs=1e-5)


def test_the_similarity_stays_the_students_own(run: Path) -> None:
    negatives = pq.read_table(run / "negatives").to_pylist()
    assert max(row["dense_score"] for row in negatives) > 1
    assert all(abs(row["query_cosine"]) <= 1.000001 for row in negatives)


def test_of_a_normalised_student_nothing_is_told_twice(run: Path, tmp_path: Path) -> None:
    base = run.parents[2]
    student = str(static_student(tmp_path / "student"))
    path = write_config(
        tmp_path / "run.yaml",
        input={"format": "beir", "path": str(base / "collection")},
        student={"model": student, "device": "cpu"},
        judge={"kind": "none"},
        output={"path": str(tmp_path / "out"), "run_id": "run"},
    )
    assert negmine("mine", path).code == 0
    table = pq.read_table(tmp_path / "out" / "runs" / "run" / "negatives")
    assert table["query_cosine"].null_count == table.num_rows > 0


def keeps(base: Path) -> list[tuple[Any, ...]]:
    rows = pq.read_table(base / "out" / "runs" / "run" / "negatives").to_pylist()
    assert rows
    return sorted((row["query_id"], row["tier"], row["rank"], row["negative_id"]) for row in rows)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run whose student is scaled to length 1."""
    base = tmp_path_factory.mktemp("plain")
    write_collection(base / "collection")
    model = str(static_student(base / "student"))
    assert negmine("mine", config(base, model=model, normalize=True)).code == 0
    return base


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_a_model_beyond_float32_is_refused_unless_scaled(
    tmp_path: Path, plain: Path, scale: float
) -> None:
    write_collection(tmp_path / "collection")
    model = str(static_student(tmp_path / "student", scale=scale))
    ended = negmine("mine", config(tmp_path, model=model))
    assert ended.code == MODEL, ended.err
    assert ended.err.count("\n") == 1
    assert f"the encoder in {model}: " in ended.err and "set student.normalize: true" in ended.err
    ended = negmine("mine", config(tmp_path, model=model, normalize=True))
    assert ended.code == 0, ended.err
    assert keeps(tmp_path) == keeps(plain)


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_given_vectors_beyond_float32_are_refused(tmp_path: Path, scale: float) -> None:
    write_collection(tmp_path / "collection")
    random = np.random.default_rng(0)
    for name, letter, count in (("documents", "d", 60), ("queries", "q", 12)):
        vectors = scale * random.normal(size=(count, 4))
        table = {"id": [f"{letter}{i:04}" for i in range(count)], "vector": vectors.tolist()}
        kind = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32()))])
        pq.write_table(pa.table(table, schema=kind), tmp_path / f"{name}.parquet")
    files = {name: str(tmp_path / f"{name}.parquet") for name in ("documents", "queries")}
    ended = negmine("mine", config(tmp_path, vectors=files))
    assert ended.code == DATA, ended.err
    assert ended.err.startswith("error: student.vectors.")
    assert "set student.normalize: true" in ended.err and ended.err.count("\n") == 1
    assert negmine("embed", config(tmp_path, vectors=files, normalize=True)).code == 0
