"""Teacher lists in every format, and in the losses that read them."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.jobs.collections import cross_encoder, negmine
from tests.jobs.mining.lists.conftest import SIZE, Mined
from tests.jobs.mining.lists.test_lists import by_query


def exported(mined: Mined, file: Path, *arguments: str) -> Any:
    ended = negmine("export", f"{mined.output}:listed", "-o", str(file), *arguments)
    assert ended.code == 0, ended.err
    report = json.loads(file.with_name(file.name + ".export.json").read_text())
    assert report["queries"]["out"] == 12
    return pq.read_table(file) if file.suffix == ".parquet" else file.read_text().splitlines()


@pytest.mark.parametrize("raw", [False, True])
def test_a_row_of_lists_is_a_query_with_its_documents_and_scores(
    raw: bool, mined: Mined, tmp_path: Path
) -> None:
    table = exported(mined, tmp_path / "l.parquet", "--format", "lists", *["--raw"][: int(raw)])
    assert table.column_names == ["query", "documents", "scores"]
    column = "judge_logit" if raw else "teacher_score"
    expected = [
        {
            "query": listed[0]["query"],
            "documents": [row["document"] for row in listed],
            "scores": [row[column] for row in listed],
        }
        for listed in by_query(mined.listed).values()
    ]
    assert table.to_pylist() == expected


def test_an_n_tuple_of_lists_is_as_wide_as_they_are(mined: Mined, tmp_path: Path) -> None:
    table = exported(mined, tmp_path / "n.parquet", "-f", "n_tuple", "--lists", "--scores")
    assert (table.num_rows, table.num_columns) == (12, 2 + SIZE - 1 + 1)
    first = by_query(mined.listed)["q0000"]
    row = table.to_pylist()[0]
    assert row["scores"] == [listed["teacher_score"] for listed in first]
    assert row[f"negative_{SIZE - 1}"] == first[-1]["document"]


def test_flagembedding_has_a_score_of_every_text(mined: Mined, tmp_path: Path) -> None:
    lines = exported(mined, tmp_path / "f.jsonl", "-f", "flagembedding", "--lists", "--scores")
    for line in map(json.loads, lines):
        assert len(line["pos"]) == len(line["pos_scores"]) == 1
        assert len(line["neg"]) == len(line["neg_scores"]) == SIZE - 1


def test_a_run_of_ids_takes_the_texts_from_the_work_directory(mined: Mined, tmp_path: Path) -> None:
    mined.mine("ids", f"lists.size={SIZE}", "output.texts=ids_only")
    assert "document" not in pq.read_schema(next((mined.output / "runs/ids/lists").glob("*")))
    inline = exported(mined, tmp_path / "1.parquet", "-f", "lists")
    ended = negmine(
        "export", f"{mined.output}:ids", "-f", "lists", "-o", str(tmp_path / "2.parquet")
    )
    assert ended.code == 0 and pq.read_table(tmp_path / "2.parquet").equals(inline)


@pytest.mark.parametrize(
    ("run", "arguments", "said"),
    [
        ("plain", ("-f", "lists"), "run plain holds no teacher lists; mine it with --set lists"),
        ("plain", ("-f", "triplet", "--raw"), "--raw is about the scores of teacher lists"),
        ("listed", ("-f", "lists", "--tier", "hard"), "teacher lists have no tiers"),
        ("listed", ("-f", "lists", "--n", "3"), "--n does not apply to lists"),
    ],
)
def test_mistakes_are_named(run: str, arguments: tuple[str, ...], said: str, mined: Mined) -> None:
    ended = negmine("export", f"{mined.output}:{run}", "-o", "-", *arguments)
    assert ended.code in (2, 3) and said in ended.err


def rows_of(file: Path, cache: Path) -> Any:
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(
        "parquet", data_files=str(file), split="train", cache_dir=str(cache)
    )


@pytest.mark.parametrize("name", ["ListNetLoss", "LambdaLoss"])
def test_rerankers_learn_from_lists(name: str, mined: Mined, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import losses

    exported(mined, tmp_path / "l.parquet", "--format", "lists", "--raw")
    table = rows_of(tmp_path / "l.parquet", tmp_path / "cache")
    model = CrossEncoder(str(cross_encoder(tmp_path / "reranker")), device="cpu")
    head = [p for name, p in model.named_parameters() if "classifier" in name]
    for parameter in head:  # the judge's own weights have nothing to learn
        torch.nn.init.zeros_(parameter)
    loss = getattr(losses, name)(model)
    labels = [torch.tensor(row) for row in table["scores"]]
    steps = learn(model, lambda: loss([list(table["query"]), list(table["documents"])], labels))
    assert steps[-1] < steps[0]


@pytest.mark.parametrize("name", ["MarginMSELoss", "DistillKLDivLoss"])
def test_students_learn_from_lists(name: str, mined: Mined, tmp_path: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer, losses

    exported(mined, tmp_path / "n.parquet", "-f", "n_tuple", "--lists", "--scores")
    table = rows_of(tmp_path / "n.parquet", tmp_path / "cache")
    model = SentenceTransformer(str(mined.base / "student"), device="cpu")
    loss = getattr(losses, name)(model)
    labels = torch.tensor(list(table["scores"]))
    columns = [c for c in table.column_names if c != "scores"]
    steps = learn(model, lambda: loss([model.preprocess(list(table[c])) for c in columns], labels))
    assert steps[-1] < steps[0]


def learn(model: Any, loss: Any, steps: int = 4) -> list[float]:
    """The loss over a few steps of gradient descent."""
    import torch

    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        found.append(float(value.detach()))
    return found
