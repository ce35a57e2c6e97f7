"""FlagEmbedding: its data sets and collators over every row, and two steps of its own models."""

from pathlib import Path
from typing import Any

import torch
from common import Found, model_folder, tell
from FlagEmbedding.abc.finetune.embedder import (
    AbsEmbedderCollator,
    AbsEmbedderDataArguments,
    AbsEmbedderTrainDataset,
)
from FlagEmbedding.abc.finetune.reranker import (
    AbsRerankerCollator,
    AbsRerankerDataArguments,
    AbsRerankerTrainDataset,
)
from transformers import AutoModel, AutoTokenizer


def _arguments(kind: Any, file: Path, distil: bool) -> Any:
    return kind(
        train_data=[str(file)],
        cache_path=str(file.parent / "c"),
        train_group_size=4,
        query_max_len=32,
        passage_max_len=64,
        knowledge_distillation=distil,
    )


def embedder(distil: bool) -> Any:
    def check(file: Path) -> Found:
        tokenizer = AutoTokenizer.from_pretrained(model_folder())
        arguments = _arguments(AbsEmbedderDataArguments, file, distil)
        data = AbsEmbedderTrainDataset(arguments, tokenizer)
        collate = AbsEmbedderCollator(tokenizer, query_max_len=32, passage_max_len=64)
        model = AutoModel.from_pretrained(model_folder())
        optimiser = torch.optim.SGD(model.parameters(), lr=1e-3)
        used = 0
        for start in range(0, len(data), 4):
            rows = [data[at] for at in range(start, min(start + 4, len(data)))]
            batch = collate(rows)
            used += len(rows)
            if start < 8:
                loss = _step(model, batch, distil)
                loss.backward()
                optimiser.step()
        name = "embedder, distillation" if distil else "embedder"
        return f"{name}: every row loaded and collated, 2 steps", used

    return check


def _step(model: Any, batch: dict[str, Any], distil: bool) -> Any:
    query, passage = (
        torch.nn.functional.normalize(model(**batch[name]).last_hidden_state[:, 0], dim=-1)
        for name in ("queries", "passages")
    )
    scores = torch.einsum("qd,qpd->qp", query, passage.view(len(query), -1, query.shape[-1]))
    if distil:
        teacher = torch.tensor(batch["teacher_scores"]).view(scores.shape)
        return torch.nn.functional.kl_div(
            scores.log_softmax(-1), teacher.softmax(-1), reduction="batchmean"
        )
    return torch.nn.functional.cross_entropy(scores / 0.02, torch.zeros(len(query)).long())


def reranker(file: Path) -> Found:
    tokenizer = AutoTokenizer.from_pretrained(model_folder())
    data = AbsRerankerTrainDataset(_arguments(AbsRerankerDataArguments, file, False), tokenizer)
    collate = AbsRerankerCollator(tokenizer, query_max_len=32, passage_max_len=64)
    used = 0
    for at in range(len(data)):
        batch = collate([data[at]])
        assert len(batch["pair"]["input_ids"]) == 4
        used += 1
    return "reranker: every row loaded and collated", used


tell(
    "FlagEmbedding",
    {
        "flagembedding": embedder(False),
        "flagembedding-distillation": embedder(True),
        "flagembedding_reranker": reranker,
    },
)
