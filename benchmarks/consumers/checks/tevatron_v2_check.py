"""Tevatron's main branch, which is on no index: its training set over every row of both formats.

The second argument is a folder that holds the package `tevatron` (`src` of its repository).
"""

import sys
from pathlib import Path
from types import SimpleNamespace

from common import Found, tell

sys.path.insert(0, sys.argv[2])

from tevatron.retriever.dataset import TrainDataset

_ARGUMENTS = {
    "dataset_config": None,
    "dataset_split": "train",
    "num_proc": 1,
    "corpus_config": None,
    "corpus_split": "train",
    "assets_path": None,
    "query_prefix": "",
    "passage_prefix": "",
    "train_group_size": 4,
    "encode_text": True,
    "encode_image": False,
    "encode_video": False,
    "encode_audio": False,
}


def _used(file: Path, corpus: Path | None) -> int:
    arguments = SimpleNamespace(
        **_ARGUMENTS,
        dataset_name="json",
        dataset_path=str(file),
        dataset_cache_dir=str(file.parent / "c"),
        corpus_name="json" if corpus else None,
        corpus_path=str(corpus) if corpus else None,
    )
    trainer = SimpleNamespace(state=SimpleNamespace(epoch=0), args=SimpleNamespace(seed=42))
    rows = TrainDataset(arguments, trainer)
    used = 0
    for at in range(len(rows)):
        query, documents = rows[at]
        assert query[0] and len(documents) == 4 and all(document[0] for document in documents)
        used += 1
    return used


def ours(folder: Path) -> Found:
    used = _used(folder / "train.jsonl", folder / "corpus.jsonl")
    return "TrainDataset over every row", used


def legacy(file: Path) -> Found:
    return "TrainDataset over every row", _used(file, None)


tell("tevatron (main, 2026-07)", {"tevatron_v2": ours, "tevatron": legacy})
