"""`BatchPlan`: batches and masks as trainers see them, and training by them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from negmine import BatchPlan
from negmine.jobs.batches.plan import Request, plan
from negmine.jobs.runs.published import find_run
from negmine.schemas.errors import ConfigError, DataError, StorageError
from tests.jobs.collections import negmine

SIZE = 5
PAGE = Path(__file__).parents[3] / "docs" / "batches.md"


@pytest.fixture(scope="module")
def file(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "plan.parquet"
    plan(find_run(str(out)), Request(size=SIZE, epochs=2), path)
    return path


def exported(out: Path, path: Path, *options: str) -> Path:
    ended = negmine("export", str(out), *options, "-o", str(path))
    assert ended.code == 0, ended.err
    return path


def test_batches_and_masks_are_those_of_the_file(file: Path) -> None:
    read = BatchPlan(file)
    rows = pq.read_table(file).to_pylist()
    for epoch in range(2):
        mine = [row for row in rows if row["epoch"] == epoch]
        assert np.concatenate(list(read.batches(epoch))).tolist() == [row["row"] for row in mine]
        for batch in range(len(read)):
            masked = [row["masked"] for row in mine if row["batch"] == batch]
            found = [np.flatnonzero(line).tolist() for line in read.mask(epoch, batch)]
            assert found == masked
    assert [b.tolist() for b in read.batches(2)] == [b.tolist() for b in read.batches(0)]


def test_a_mask_is_found_by_rows_in_any_order(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "one.parquet"
    pairs = BatchPlan(plan(find_run(str(out)), Request(size=4), tmp_path / "x.parquet").path).pairs
    plan(find_run(str(out)), Request(size=pairs), file)
    read = BatchPlan(file)
    (rows,) = read.batches()
    assert read.mask(0, 0).any()
    turned = np.random.default_rng(0).permutation(pairs)
    assert (read.mask_of(rows) == read.mask(0, 0)).all()
    assert (read.mask_of(rows[turned]) == read.mask(0, 0)[np.ix_(turned, turned)]).all()


def test_rows_of_a_training_set_are_found_by_text(out: Path, file: Path, tmp_path: Path) -> None:
    table = pq.read_table(exported(out, tmp_path / "t.parquet", "-f", "triplet"))
    read = BatchPlan(file)
    rows = read.rows(table["anchor"].to_pylist(), table["positive"].to_pylist())
    assert set(rows.tolist()) == set(range(read.pairs))
    with pytest.raises(DataError, match=r"1 of 2 pairs of the training set are not in .* in row 1"):
        read.rows(
            [table["anchor"][0].as_py(), "no such query"], [table["positive"][0].as_py(), "none"]
        )


def test_what_is_no_plan_is_refused_in_words(out: Path, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is no plan of batches"):
        BatchPlan(exported(out, tmp_path / "t.parquet", "-f", "triplet"))
    with pytest.raises(StorageError, match="cannot be read"):
        BatchPlan(tmp_path / "none.parquet")


def test_the_reader_loads_neither_beam_nor_duckdb_nor_torch(file: Path) -> None:
    code = (
        f"import sys; from negmine import BatchPlan; next(BatchPlan({str(file)!r}).batches());"
        "print([n for n in ('apache_beam', 'duckdb', 'torch', 'faiss') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def training(out: Path, file: Path, tmp_path: Path) -> tuple[BatchPlan, Any]:
    """A plan, and an export with the plan's rows as its label."""
    datasets = pytest.importorskip("datasets", reason="needs the extra datasets")
    pytest.importorskip("accelerate", reason="sentence-transformers' trainer needs accelerate")
    read = BatchPlan(file)
    path = exported(out, tmp_path / "t.parquet", "-f", "triplet")
    train = datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    rows = read.rows(train["anchor"], train["positive"])
    return read, train.add_column("label", rows)


def test_the_trainer_sees_the_batches_of_the_plan_with_their_masks(
    out: Path,
    training: tuple[BatchPlan, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read, _ = training
    seen: list[list[int]] = []
    find = BatchPlan.mask_of

    def watched(plan: BatchPlan, rows: np.ndarray) -> np.ndarray:
        seen.append(rows.tolist())
        return find(plan, rows)

    monkeypatch.setattr(BatchPlan, "mask_of", watched)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    shutil.copy(read.path, "plan.parquet")
    exported(out, tmp_path / "train.parquet", "-f", "triplet")
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    names: dict[str, Any] = {}
    exec(code.replace("path/or/hub-name", str(out.parent / "student")), names)

    planned = [rows.tolist() for epoch in range(2) for rows in read.batches(epoch)]
    assert seen == planned
    before = SentenceTransformer(str(out.parent / "student"), device="cpu")[0].embedding.weight
    trained = names["model"][0].embedding.weight
    assert not torch.equal(before, trained.cpu())

    loss = names["MaskedRankingLoss"](names["model"], read)
    plain = MultipleNegativesRankingLoss(names["model"])
    vectors = [torch.randn(4, 8, generator=torch.Generator().manual_seed(at)) for at in range(3)]
    rows = next(rows for rows in planned if not find(read, np.array(rows)).any())[:4]
    labels = torch.tensor(rows)
    found = loss.compute_loss_from_embeddings(vectors, labels)
    expected = plain.compute_loss_from_embeddings(vectors, labels)
    assert torch.allclose(found, expected, atol=1e-4)


def test_the_sampler_refuses_another_size_and_rows_without_a_label(
    training: tuple[BatchPlan, Any],
) -> None:
    read, train = training
    with pytest.raises(
        ConfigError, match=r"per_device_train_batch_size is 8, and the plan .* of 5"
    ):
        read.batch_sampler(train, batch_size=8, drop_last=False)
    with pytest.raises(DataError, match="has no column 'label'"):
        read.batch_sampler(train.remove_columns("label"), batch_size=SIZE, drop_last=False)


def test_pairs_that_the_training_set_lacks_are_missing_from_their_batches(
    training: tuple[BatchPlan, Any],
) -> None:
    read, train = training
    some = train.filter(lambda row: row["label"] % 3 != 0)
    sampler = read.batch_sampler(some, batch_size=SIZE, drop_last=False)
    batches = [some.select(batch)["label"] for batch in sampler]
    expected = [[row for row in rows.tolist() if row % 3] for rows in read.batches()]
    assert [list(batch) for batch in batches] == [rows for rows in expected if rows]
    assert len(sampler) == len(batches)
