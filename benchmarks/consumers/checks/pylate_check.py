"""PyLate: a small late-interaction model, two steps of its losses, every row through its loader."""

import tempfile
from pathlib import Path
from typing import Any

from common import Found, model_folder, tell
from datasets import load_dataset
from pylate import losses, models, utils
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments


def _train(name: str, table: Any, loss: Any, model: Any) -> Found:
    arguments = SentenceTransformerTrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=4,
        max_steps=2,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        logging_steps=1,
    )
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments,
        train_dataset=table,
        loss=loss,
        data_collator=utils.ColBERTCollator(model.tokenize),
    )
    loader = trainer.get_train_dataloader()
    assert sum(1 for _ in loader) == len(loader)
    rows = sum(len(indices) for indices in loader.batch_sampler)
    trainer.train()
    value = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    return f"{name}: 2 steps, loss {float(value):.3f}", rows


def contrastive(file: Path) -> Found:
    model = models.ColBERT(model_name_or_path=model_folder(), device="cpu")
    table = load_dataset("parquet", data_files=str(file), split="train")
    return _train("Contrastive", table, losses.Contrastive(model=model), model)


def distillation(folder: Path) -> Found:
    model = models.ColBERT(model_name_or_path=model_folder(), device="cpu")
    parts = {
        name: load_dataset(str(folder), name, split="train")
        for name in ("train", "queries", "documents")
    }
    train = parts["train"]
    processing = utils.KDProcessing(queries=parts["queries"], documents=parts["documents"])
    train.set_transform(processing.transform)
    return _train("Distillation", train, losses.Distillation(model=model), model)


def ledger(folder: Path) -> Found:
    parts = {
        name: load_dataset(str(folder), name, split="train")
        for name in ("train", "queries", "documents")
    }
    processing = utils.KDProcessing(
        queries=parts["queries"], documents=parts["documents"], n_ways=4
    )
    parts["train"].set_transform(processing.transform)
    used = 0
    for row in parts["train"]:
        assert all(row["documents"]) and len(row["scores"]) == len(row["documents"]) == 4
        used += 1
    return "KDProcessing, n_ways=4, over every row", used


tell("pylate", {"pylate": contrastive, "pylate_kd": distillation, "lighton": ledger})
