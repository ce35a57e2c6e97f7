"""NeMo Automodel: its retrieval data set over every row, by identifier and inline."""

from pathlib import Path

from common import Found, tell
from nemo_automodel.components.datasets.llm import make_retrieval_dataset


def _used(file: Path) -> int:
    rows = make_retrieval_dataset(data_dir_list=[str(file)], n_passages=4)
    used = 0
    for at in range(len(rows)):
        row = rows[at]
        assert row["question"] and len(row["doc_text"]) == 4 and all(row["doc_text"])
        used += 1
    return used


def by_identifier(folder: Path) -> Found:
    return "make_retrieval_dataset over every row", _used(folder / "train.json")


def inline(file: Path) -> Found:
    return "make_retrieval_dataset over every row", _used(file)


tell("nemo-automodel", {"automodel": by_identifier, "automodel_inline": inline})
