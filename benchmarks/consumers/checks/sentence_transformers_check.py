"""sentence-transformers: its trainers, two steps, and every row through its loader and collator."""

import tempfile
from pathlib import Path
from typing import Any

from common import Found, model_folder, tell
from datasets import load_dataset
from sentence_transformers import (
    CrossEncoder,
    CrossEncoderTrainer,
    CrossEncoderTrainingArguments,
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    losses,
)
from sentence_transformers.cross_encoder import losses as cross


def _table(file: Path) -> Any:
    kind = "parquet" if file.suffix == ".parquet" else "json"
    return load_dataset(kind, data_files=str(file), split="train", cache_dir=str(file.parent / "c"))


_COMMON: dict[str, Any] = {
    "per_device_train_batch_size": 8,
    "max_steps": 2,
    "report_to": [],
    "use_cpu": True,
    "save_strategy": "no",
    "logging_steps": 1,
}


def _train(name: str, trainer: Any) -> Found:
    """Every row through the trainer's loader and collator, then two steps."""
    loader = trainer.get_train_dataloader()
    batches = sum(1 for _ in loader)
    assert batches == len(loader)
    rows = sum(len(indices) for indices in loader.batch_sampler)
    trainer.train()
    loss = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    return f"{name}: 2 steps, loss {float(loss):.3f}", rows


def bi_encoder(name: str, **options: Any) -> Any:
    def check(file: Path) -> Found:
        table = _table(file)
        model = SentenceTransformer(model_folder(), device="cpu")
        loss = getattr(losses, name)(model, **options)
        arguments = SentenceTransformerTrainingArguments(output_dir=tempfile.mkdtemp(), **_COMMON)
        trainer = SentenceTransformerTrainer(
            model=model, args=arguments, train_dataset=table, loss=loss
        )
        return _train(name, trainer)

    return check


def cross_encoder(name: str) -> Any:
    def check(file: Path) -> Found:
        table = _table(file)
        model = CrossEncoder(model_folder(), num_labels=1, device="cpu")
        loss = getattr(cross, name)(model)
        arguments = CrossEncoderTrainingArguments(output_dir=tempfile.mkdtemp(), **_COMMON)
        trainer = CrossEncoderTrainer(model=model, args=arguments, train_dataset=table, loss=loss)
        return _train(f"CrossEncoder {name}", trainer)

    return check


def data_set(folder: Path) -> Found:
    """The folder as a data set of Hugging Face, by its card."""
    loaded = load_dataset(str(folder), cache_dir=str(folder.parent / "c"))
    return "datasets.load_dataset(folder)", loaded["train"].num_rows


tell(
    "sentence-transformers",
    {
        "triplet": bi_encoder("MultipleNegativesRankingLoss"),
        "n_tuple": bi_encoder("CachedMultipleNegativesRankingLoss"),
        "n_tuple-MarginMSELoss": bi_encoder("MarginMSELoss"),
        "n_tuple-DistillKLDivLoss": bi_encoder("DistillKLDivLoss", temperature=0.05),
        "labeled_pair": bi_encoder("ContrastiveLoss"),
        "labeled_pair-CosineSimilarityLoss": bi_encoder("CosineSimilarityLoss"),
        "labeled_list": cross_encoder("LambdaLoss"),
        "labeled_list-ListNetLoss": cross_encoder("ListNetLoss"),
        "bce": cross_encoder("BinaryCrossEntropyLoss"),
        "hf": data_set,
    },
)
