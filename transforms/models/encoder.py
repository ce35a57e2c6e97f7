"""Encoders: texts to vectors, and token vectors in the same forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from sentence_transformers.sentence_transformer.modules import StaticEmbedding

from negmine.schemas import JsonObject
from negmine.schemas.errors import ModelError
from negmine.transforms import storage
from negmine.transforms.kernels import underway
from negmine.transforms.kernels.measures.geometry import length_fault, normalised
from negmine.transforms.models.batching import batches, fit, one_core_each, token_budget
from negmine.transforms.models.failures import inside_model
from negmine.transforms.models.gpu.buckets import Padding
from negmine.transforms.models.gpu.encoder import GpuEncoder
from negmine.transforms.models.gpu.run import devices as cuda_devices
from negmine.transforms.models.gpu.tokens import UnusualFeatures
from negmine.transforms.models.sentence_transformer import dtype_of, load, transformers_of
from negmine.transforms.models.specs import EncoderSpec, Kind
from negmine.transforms.models.static_embedding import static_features
from negmine.transforms.models.weights import LoadedFiles, States, installed, loaded_states

MIN_COSINE = 0.995
LEAST_COSINE = 0.98


@dataclass(frozen=True)
class Encoded:
    """`vectors` (texts, dimension) float32; `token_vectors`: see `_token_vectors`."""

    vectors: np.ndarray
    token_vectors: list[np.ndarray] | None


class Encoder(Protocol):
    """Turns texts into vectors. The same text gives the same bits in any company.

    `blocks_at_once` threads may ask at a time, and the processor is busier for it.
    """

    dimension: int
    dtype: str
    blocks_at_once: int

    def encode(self, texts: Sequence[str], kind: Kind, tokens: bool = False) -> Encoded:
        """Encode texts. Raises ModelError where the model fails or a value is no finite number."""
        ...


class SentenceTransformerEncoder:
    """Any sentence-transformers model: Transformer, Router (asymmetric) or StaticEmbedding.

    `dtype` is that of its transformer's parameters as they are after loading. Raises ModelError
    where it cannot be loaded or changes meanwhile, ConfigError for a `max_length` beyond its
    positions.
    """

    def __init__(self, spec: EncoderSpec) -> None:
        self.spec = spec
        self._files = LoadedFiles(spec.folder, spec.digest)
        with self._files.loading(), inside_model(spec, "encoder", "cannot be loaded"):
            self._load()

    def _load(self) -> None:
        elsewhere = self.spec.backend != "torch"
        devices = [] if elsewhere else cuda_devices(self.spec.device)
        own = "cpu" if elsewhere else self.spec.device
        models = [load(self.spec, device) for device in devices or [own]]
        self.model = model = models[0]
        transformers = transformers_of(model)
        self.dtype = dtype_of(transformers or [model], self.spec)
        self.dimension = int(model.get_embedding_dimension())
        tokenizer = getattr(model, "tokenizer", None)
        self._special = sorted(getattr(tokenizer, "all_special_ids", []) or [])
        self._pad = int(getattr(tokenizer, "pad_token_id", 0) or 0)
        self._left = getattr(tokenizer, "padding_side", "right") == "left"
        first = model[0]
        self._words = first if type(first) is StaticEmbedding else None
        self.blocks_at_once = 3 if devices and transformers else 2 if self._words else 1
        self._gpu: GpuEncoder | None = None
        if devices and transformers:
            padding = Padding(self._pad, self._left, model.max_seq_length)
            self._gpu = GpuEncoder(models, padding, self._token_bits)

    def _prompt(self, kind: Kind) -> str | None:
        own = self.spec.query_prompt if kind == "query" else self.spec.document_prompt
        if own is not None:
            return own or None
        names = ("query",) if kind == "query" else ("document", "passage", "corpus")
        prompts: dict[str, str] = self.model.prompts or {}
        return next((prompts[name] for name in names if prompts.get(name)), None)

    def _forward(self, features: JsonObject, kind: Kind) -> JsonObject:
        on_device = {
            name: value.to(self.model.device) if isinstance(value, torch.Tensor) else value
            for name, value in features.items()
        }
        with torch.inference_mode():
            return dict(self.model(on_device, task=kind))

    def _token_bits(self, output: JsonObject) -> torch.Tensor:
        """Token vectors of a batch, (rows, width, dimension) int16: bfloat16 bit patterns.

        bfloat16 rather than float16, for NumPy widens it four times as fast.
        """
        width = output["token_embeddings"].shape[-1]
        if width != self.dimension:
            raise ModelError(
                f"the encoder in {self.spec.folder} gives {width} numbers a token and "
                f"{self.dimension} a text, and late interaction needs as many; name another as "
                "judge.model, or choose another judge.kind"
            )
        vectors = torch.nn.functional.normalize(output["token_embeddings"], dim=-1)
        return vectors.to(torch.bfloat16).view(torch.int16)

    def _token_vectors(self, output: JsonObject, ids: torch.Tensor) -> list[np.ndarray]:
        """The bits, (tokens, dimension) uint16 a text, special tokens left out."""
        bits = self._token_bits(output)
        special = torch.tensor(self._special, device=ids.device)
        keep = output["attention_mask"].bool() & ~torch.isin(ids, special)
        return [
            row[mask].cpu().numpy().view(np.uint16) for row, mask in zip(bits, keep, strict=True)
        ]

    def _encode_rows(
        self,
        features: JsonObject,
        lengths: np.ndarray,
        kind: Kind,
        vectors: np.ndarray,
        token_vectors: list[np.ndarray] | None,
    ) -> None:
        """Fill in the vectors of tokenised texts, and their token vectors where a list is given."""
        device = self.model.device.type
        whole = {n: v for n, v in features.items() if not _per_row(v, len(lengths))}
        rows_of = {n: v for n, v in features.items() if _per_row(v, len(lengths))}

        def encode_batch(batch_of: tuple[np.ndarray, int]) -> None:
            rows, width = batch_of
            index = torch.from_numpy(rows)
            batch = {
                name: fit(value[index], width, self._pad * (name == "input_ids"), self._left)
                for name, value in rows_of.items()
            }
            output = self._forward({**whole, **batch}, kind)
            vectors[rows] = output["sentence_embedding"].float().cpu().numpy()
            if token_vectors is not None:
                ids = batch["input_ids"].to(self.model.device)
                for row, value in zip(rows, self._token_vectors(output, ids), strict=True):
                    token_vectors[row] = value
            underway.advance(len(rows))

        with one_core_each(device) as threads:
            for _ in threads.map(encode_batch, batches(lengths, token_budget(device), None)):
                pass

    def encode(self, texts: Sequence[str], kind: Kind, tokens: bool = False) -> Encoded:
        """Encode texts.

        Raises ModelError where the model fails, its files changed or a value is no finite number.
        """
        with inside_model(self.spec, "encoder", f"failed on {len(texts)} texts"):
            encoded = self._encode(texts, kind, tokens)
        self._files.unchanged()
        _refuse_nan(encoded.vectors, texts, self.spec.folder)
        fault = None if self.spec.normalize else length_fault(encoded.vectors)
        if fault:
            raise ModelError(f"the encoder in {self.spec.folder}: {fault}")
        return encoded

    def _by_gpu(self, texts: Sequence[str], kind: Kind, tokens: bool) -> Encoded | None:
        """What the GPUs give; None where there is none, or where the model does not fit them."""
        gpu = self._gpu  # another thread may find that it does not fit
        if gpu is None:
            return None
        try:
            special = self._special if tokens else None
            return Encoded(*gpu.encode(texts, kind, self._prompt(kind) or "", special))
        except UnusualFeatures:
            self._gpu = None
            return None

    def _features(self, texts: Sequence[str], kind: Kind) -> JsonObject:
        """Texts tokenised, as the model's own `preprocess` gives them."""
        prompt = self._prompt(kind)
        if self._words is None:
            return dict(self.model.preprocess(list(texts), prompt=prompt, task=kind))
        return static_features(self._words, texts, prompt)

    def _encode(self, texts: Sequence[str], kind: Kind, tokens: bool) -> Encoded:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        token_vectors: list[np.ndarray] = [np.empty((0, self.dimension), np.uint16)] * len(texts)
        found = self._by_gpu(texts, kind, tokens) if len(texts) else None
        if found is not None:
            vectors, token_vectors = found.vectors, found.token_vectors or token_vectors
        elif len(texts):
            features = self._features(texts, kind)
            mask = features.get("attention_mask")
            if mask is None:
                if tokens:
                    raise ModelError(
                        f"{self.spec.folder} gives no token vectors, which late interaction needs; "
                        "choose a transformer for judge.model or another judge.kind"
                    )
                output = self._forward(features, kind)
                vectors[:] = output["sentence_embedding"].float().cpu().numpy()
            else:
                kept = token_vectors if tokens else None
                self._encode_rows(features, mask.sum(1).numpy(), kind, vectors, kept)
        if self.spec.normalize:
            vectors = normalised(vectors)
        return Encoded(vectors, token_vectors if tokens else None)


def _per_row(value: object, rows: int) -> bool:
    return isinstance(value, torch.Tensor) and value.ndim == 2 and value.shape[0] == rows


def _refuse_nan(vectors: np.ndarray, texts: Sequence[str], folder: str) -> None:
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise ModelError(
            f"the encoder in {folder} gave a vector that is not a number for {len(bad)} of "
            f"{len(texts)} texts, first for {texts[bad[0]][:80]!r}; its weights are damaged or "
            "the precision is too low (try student.precision: fp32)"
        )


def load_encoder(spec: EncoderSpec) -> Encoder:
    """The encoder of a spec, loaded once a process, and anew where its files were written again."""
    spec = replace(spec, folder=installed(spec.folder))
    return _load_once(spec, loaded_states(spec.folder, spec.digest))


@lru_cache(maxsize=4)
def _load_once(spec: EncoderSpec, _: States) -> Encoder:
    return SentenceTransformerEncoder(replace(spec, folder=str(storage.fetch_tree(spec.folder))))


def agreement(spec: EncoderSpec, texts: Sequence[str]) -> float:
    """Lowest cosine between a sample's vectors under `spec` and in fp32 by torch, in [-1, 1]."""
    fast = load_encoder(spec).encode(texts, "document").vectors.astype(np.float64)
    exact = SentenceTransformerEncoder(replace(spec, precision="fp32", backend="torch"))
    slow = exact.encode(texts, "document").vectors.astype(np.float64)
    norms = np.linalg.norm(fast, axis=1) * np.linalg.norm(slow, axis=1)
    return float(((fast * slow).sum(axis=1) / np.maximum(norms, 1e-12)).min())
