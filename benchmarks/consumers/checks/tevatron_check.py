"""Tevatron as PyPI has it (0.1.0): its training set over every row."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from common import Found, model_folder, tell
from tevatron.arguments import DataArguments
from tevatron.data import QPCollator, TrainDataset
from tevatron.datasets import HFTrainDataset
from transformers import AutoTokenizer


def legacy(file: Path) -> Found:
    tokenizer = AutoTokenizer.from_pretrained(model_folder(), use_fast=False)
    arguments = DataArguments(dataset_name="json", train_n_passages=4, dataset_proc_num=1)
    arguments.train_path = [str(file)]
    arguments.dataset_language = None
    made: Any = HFTrainDataset(tokenizer, arguments, str(file.parent / "c"))
    from tevatron.datasets.preprocessor import TrainPreProcessor

    made.preprocessor = TrainPreProcessor
    trainer = SimpleNamespace(state=SimpleNamespace(epoch=0), args=SimpleNamespace(seed=42))
    rows = TrainDataset(arguments, made.process(), tokenizer, trainer)
    collate = QPCollator(tokenizer, max_p_len=64, max_q_len=32)
    used = 0
    for at in range(len(rows)):
        query, passages = collate([rows[at]])
        assert len(passages["input_ids"]) == 4 and len(query["input_ids"]) == 1
        used += 1
    return "HFTrainDataset, TrainDataset and QPCollator over every row", used


tell("tevatron", {"tevatron": legacy})
