"""Vectors that somebody's own model gave, in place of a student: what is read, and refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from negmine.transforms.data.columns import array_column
from negmine.transforms.data.datasets import Dataset
from tests.jobs.collections import (
    Ended,
    digest,
    negmine,
    static_student,
    write_collection,
    write_config,
)
from tests.jobs.vector_files import DOCUMENTS, QUERIES, WIDTH, export, unit, write_vectors
from tests.transforms.input_files import write_beir
from tests.transforms.models import broken


def mine(folder: Path, vectors: dict[str, str], command: str = "mine", **sections: Any) -> Ended:
    collection = folder / "collection"
    if not collection.exists():
        write_collection(collection, DOCUMENTS, QUERIES)
    values = {
        "input": {"format": "beir", "path": str(collection)},
        "student": {"vectors": vectors, "model": "no/such/model"},
        "judge": {"kind": "none"},
        "sources": {"bm25": {"depth": 10}, "dense": {"depth": 10}, "random": {"count": 5}},
        **sections,
    }
    config = write_config(folder / "run.yaml", **values)
    out = str(folder / "out")
    more = [] if command == "plan" else ["--set", "output.run_id=r"]
    return negmine(command, config, "--output", out, *more)


def placed(folder: Path, rows: int) -> np.ndarray:
    """The artifact of so many vectors."""
    for path in (folder / "out" / "work" / "embed").iterdir():
        if path.is_dir() and Dataset(str(path)).rows == rows:
            return np.asarray(array_column(Dataset(str(path)), "vector"))
    raise AssertionError("no artifact")


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float32(), WIDTH),
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float16(), WIDTH),
    ],
    ids=str,
)
def test_vectors_are_put_on_positions_by_identifier(kind: pa.DataType, tmp_path: Path) -> None:
    ended = mine(tmp_path, export(tmp_path / "vectors", kind), "embed")
    assert ended.code == 0, ended.err
    wanted = unit(DOCUMENTS, 1).astype(kind.value_type.to_pandas_dtype()).astype(np.float32)
    found = placed(tmp_path, DOCUMENTS)
    assert np.allclose(found, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    assert np.allclose(placed(tmp_path, QUERIES), unit(QUERIES, 2), atol=1e-3)
    assert not list(tmp_path.rglob("_given")), "the plain copy is removed"


def test_a_students_own_vectors_give_the_run_that_the_student_gives(tmp_path: Path) -> None:
    model = {"model": str(static_student(tmp_path / "student")), "device": "cpu"}
    assert mine(tmp_path, {}, student=model).code == 0
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for texts, rows in (("documents", DOCUMENTS), ("queries", QUERIES)):
        ids = [f"{texts[0]}{i:04}" for i in range(rows)]
        write_vectors(vectors / f"{texts}.parquet", ids, placed(tmp_path, rows))
    (tmp_path / "out").rename(tmp_path / "first")
    given = {texts: str(vectors / f"{texts}.parquet") for texts in ("documents", "queries")}
    assert mine(tmp_path, given).code == 0
    dense = pq.read_table(tmp_path / "out/runs/r/negatives", columns=["dense_score"])["dense_score"]
    assert max(dense.to_pylist()) <= 1.000001
    for name in ("negatives", "ledger", "sets"):
        first = digest(tmp_path / "first/runs/r", name)
        assert digest(tmp_path / "out/runs/r", name) == first, name


def test_the_files_contents_identify_the_vectors_and_not_their_names(tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    assert mine(tmp_path, vectors, "embed").code == 0
    folder = Path(vectors["documents"])
    (folder / "0.parquet").rename(folder / "z.parquet")
    again = mine(tmp_path, {**vectors, "documents": str(folder / "*.parquet")}, "embed")
    assert "embed      reused" in again.out
    ids = [f"q{i:04}" for i in range(QUERIES)]
    write_vectors(Path(vectors["queries"]), ids, unit(QUERIES, 5))
    assert "embed      done" in mine(tmp_path, vectors, "embed").out


def test_columns_are_named_and_lengths_kept_where_asked(tmp_path: Path) -> None:
    vectors = {}
    for texts, rows in (("documents", DOCUMENTS), ("queries", QUERIES)):
        file = tmp_path / f"{texts}.parquet"
        ids = [f"{texts[0]}{i:04}" for i in range(rows)]
        names = {"id": "key", "vector": "embedding"}
        vectors[texts] = str(write_vectors(file, ids, 3 * unit(rows, 1), **names))
    given = {**vectors, "id": "key", "vector": "embedding"}
    ended = mine(tmp_path, {}, "embed", student={"vectors": given, "normalize": False})
    assert ended.code == 0, ended.err
    lengths = np.linalg.norm(placed(tmp_path, DOCUMENTS), axis=1)
    assert np.allclose(lengths, 3, atol=1e-5)


def test_a_merged_query_takes_the_vector_of_its_smallest_identifier(tmp_path: Path) -> None:
    documents = [{"_id": str(i), "text": f"word{i} of a text"} for i in range(20)]
    queries = [{"_id": name, "text": "Word1 text"} for name in ("7", "3", "5")]
    queries.append({"_id": "8", "text": "word2"})
    qrels = [("7", "1", 1), ("3", "1", 1), ("5", "2", 1), ("8", "2", 1)]
    write_beir(tmp_path / "collection", documents, queries, qrels)
    vectors = unit(4, 2)
    given = {
        "documents": str(write_vectors(tmp_path / "d.parquet", range(20), unit(20, 1))),
        "queries": str(write_vectors(tmp_path / "q.parquet", [8, 7, 5, 5], vectors[[0, 1, 2, 2]])),
    }
    ended = mine(tmp_path, given, "embed")
    assert ended.code == 0, ended.err
    found = placed(tmp_path, 2)
    assert np.allclose(found, vectors[[2, 0]], atol=1e-6), "3 has none, so 5's before 7's"


def spoilt(vectors: dict[str, str], ids: list[str], rows: Any) -> None:
    write_vectors(Path(vectors["queries"]), ids, rows, pa.list_(pa.float32()))


Rows = list[Any]


def with_row(row: Any) -> Rows:
    rows: Rows = list(unit(QUERIES, 2))
    rows[4] = row
    return rows


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (with_row(None), "1 identifiers, 'q0004', have no vector (null)"),
        (with_row([1.0]), "'q0004', have a vector that is not of the width of the others, 8"),
        (with_row([float("nan")] * WIDTH), "'q0004', have a vector that holds infinity, NaN"),
        (with_row([None] * WIDTH), "'q0004', have a vector that holds infinity, NaN or null"),
        (with_row([0.0] * WIDTH), "'q0004', have a vector of zeros"),
    ],
)
def test_a_vector_that_cannot_be_used_is_named(rows: Rows, said: str, tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    spoilt(vectors, [f"q{i:04}" for i in range(QUERIES)], rows)
    ended = mine(tmp_path, vectors)
    assert ended.code == 3
    assert said in " ".join(ended.err.split())
    assert "student.vectors.queries" in ended.err


def test_identifiers_without_a_vector_are_counted_and_three_named(tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    spoilt(vectors, [f"q{i:04}" for i in range(5)], unit(5, 2))
    ended = mine(tmp_path, vectors)
    assert ended.code == 3
    said = " ".join(ended.err.split())
    assert "7 identifiers, the first 'q0005', 'q0006', 'q0007', have no vector" in said


def test_rows_of_one_identifier_must_agree_and_strangers_do_not_matter(tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    ids = [f"q{i:04}" for i in range(QUERIES)]
    rows = list(unit(QUERIES, 2))
    spoilt(vectors, [*ids, "q0003", "stranger"], [*rows, rows[3], [float("nan")] * WIDTH])
    assert mine(tmp_path, vectors, "embed").code == 0
    spoilt(vectors, [*ids, "q0003"], [*rows, rows[4]])
    ended = mine(tmp_path, vectors)
    assert ended.code == 3
    assert "1 identifiers, 'q0003', stand in several rows" in " ".join(ended.err.split())


@pytest.mark.parametrize(
    ("vectors", "said"),
    [
        ({"documents": "gone.parquet"}, "student.vectors.documents: gone.parquet names no vectors"),
        ({"vector": "embedding"}, "no column 'embedding'; its columns are id, vector"),
        ({"vector": "id"}, "it needs lists of float16, float32 or float64"),
    ],
)
def test_files_that_do_not_fit_are_refused_before_any_work(
    vectors: dict[str, str], said: str, tmp_path: Path
) -> None:
    ended = mine(tmp_path, {**export(tmp_path / "vectors"), **vectors})
    assert ended.code == 3
    assert said in " ".join(ended.err.split())
    assert not (tmp_path / "out" / "work" / "ingest").exists()


def test_documents_and_queries_must_have_one_width(tmp_path: Path) -> None:
    vectors = export(tmp_path / "vectors")
    spoilt(vectors, [f"q{i:04}" for i in range(QUERIES)], unit(QUERIES, 2)[:, :5])
    ended = mine(tmp_path, vectors)
    assert ended.code == 3
    assert "hold 8 numbers and those of queries 5" in " ".join(ended.err.split())


@pytest.mark.parametrize("kind", ["fusion", "late_interaction"])
def test_a_judge_of_token_vectors_needs_its_own_model(kind: str, tmp_path: Path) -> None:
    ended = mine(tmp_path, export(tmp_path / "vectors"), judge={"kind": kind})
    assert ended.code == 2
    assert "name an encoder as judge.model" in " ".join(ended.err.split())


def test_a_judge_of_token_vectors_works_with_its_own_model(tmp_path: Path) -> None:
    judge = {"kind": "fusion", "model": str(broken.encoder(tmp_path / "model")), "device": "cpu"}
    ended = mine(tmp_path, export(tmp_path / "vectors"), judge=judge)
    assert ended.code == 0, ended.err
    manifest = json.loads((tmp_path / "out/runs/r/manifest.json").read_text())
    assert set(manifest["models"]) == {"student", "judge"}
    assert manifest["precision"]["student"] == "given"


def test_a_plan_says_what_placing_takes_to_people_in_a_table_and_a_sentence(
    tmp_path: Path,
) -> None:
    ended = mine(tmp_path, export(tmp_path / "vectors"), "plan")
    assert ended.code == 0, ended.err
    assert "place documents" in ended.out
    assert "KiB" not in ended.out and "MiB" not in ended.out, "sizes are decimal everywhere"
    assert "on this machine;" in ended.out and "extrapolated from a small sample" in ended.out


def test_no_deep_learning_library_is_loaded_and_no_store_is_opened(tmp_path: Path) -> None:
    export(tmp_path / "vectors")
    assert mine(tmp_path, export(tmp_path / "other"), "ingest").code == 0
    code = (
        "import sys; from negmine.jobs.load_config import load_config; "
        "from negmine.jobs.mining.run import MiningRun; "
        "from negmine.jobs.mining.publish import check_output, publish; "
        f"c = load_config({str(tmp_path / 'run.yaml')!r}, [], {str(tmp_path / 'out')!r}); "
        "m = MiningRun(c); "
        "m.check(); m.run_until('score'); publish(m, check_output(m)); "
        "assert not {'torch', 'sentence_transformers'} & set(sys.modules); "
        "stores = {f'negmine.transforms.storage.{name}' for name in ('mirror', 'objects')}; "
        "assert not stores & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
