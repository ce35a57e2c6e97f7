"""Encoders: texts to vectors, and token vectors in the same forward pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding, Transformer

from negmine.schemas import JsonObject
from negmine.schemas.errors import ModelError
from negmine.transforms import storage
from negmine.transforms.kernels import underway
from negmine.transforms.kernels.measures.geometry import length_fault, normalised
from negmine.transforms.models.batching import batches, fit, one_core_each, token_budget
from negmine.transforms.models.failures import inside_model, no_padding
from negmine.transforms.models.gpu.buckets import Padding
from negmine.transforms.models.gpu.encoder import GpuEncoder
from negmine.transforms.models.gpu.run import devices as cuda_devices
from negmine.transforms.models.gpu.tokens import UnusualFeatures
from negmine.transforms.models.limits import check_length, positions_of
from negmine.transforms.models.packed import pack_linears
from negmine.transforms.models.specs import EncoderSpec, Kind
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


def _to_float32(_: object, __: object, output: JsonObject) -> JsonObject:
    for name in ("token_embeddings", "sentence_embedding"):
        if name in output:
            output[name] = output[name].float()
    return output


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
        models = [self._loaded(device) for device in devices or [own]]
        self.model = model = models[0]
        transformers = _transformers(model)
        self.dtype = _dtype(transformers or [model], self.spec)
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

    def _loaded(self, device: str) -> SentenceTransformer:
        spec = self.spec
        model = SentenceTransformer(
            spec.folder,
            device=None if device == "auto" else device,
            trust_remote_code=spec.trust_remote_code,
            local_files_only=True,
            model_kwargs={"dtype": torch.float32},
        )
        transformers = _transformers(model)
        for transformer in transformers:
            positions = positions_of(transformer.named_modules(), transformer.config)
            key = f"{spec.section}.max_length"
            check_length(spec.folder, key, spec.max_length, positions)
            own = transformer.max_seq_length
            if positions is not None and (own is None or own > positions):
                transformer.max_seq_length = positions
            if getattr(transformer.tokenizer, "pad_token_id", 0) is None:
                token = repr(transformer.tokenizer.eos_token or "TOKEN")
                raise no_padding(spec, "encoder", "tokenizer_config.json", "pad_token", token)
        if spec.max_length is not None:
            model.max_seq_length = spec.max_length
        model.eval().float()
        if spec.backend == "openvino":
            from negmine.transforms.models.backends.openvino import run_in_openvino

            for transformer in transformers:
                run_in_openvino(transformer, spec.folder, spec.section, spec.precision)
        elif spec.precision == "bf16":
            for transformer in transformers:
                transformer.to(torch.bfloat16)
                transformer.register_forward_hook(_to_float32)
        elif model.device.type == "cpu":
            pack_linears(model)
        return model

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
        # The model's own looks at each text for what may be a picture or a sound, and has the
        # tokeniser note where each token stands: half of a static model's CPU time, profiled.
        asked = [prompt + text for text in texts] if prompt else list(texts)
        found = self._words.tokenizer.encode_batch_fast(asked, add_special_tokens=False)
        ids = [np.asarray(one.ids, dtype=np.int64) for one in found]
        ends = np.cumsum([len(one) for one in ids])
        return {
            "input_ids": torch.from_numpy(np.concatenate(ids)),
            "offsets": torch.from_numpy(np.concatenate([[0], ends[:-1]])),
        }

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


def _transformers(model: torch.nn.Module) -> list[Transformer]:
    return [module for module in model.modules() if isinstance(module, Transformer)]


def _dtype(modules: Sequence[torch.nn.Module], spec: EncoderSpec) -> str:
    """Dtype of the modules' numbers. Raises ModelError where it is not the precision asked for."""
    if spec.backend != "torch" and _has_transformer(modules):
        return {"fp32": "float32", "bf16": "bfloat16"}.get(spec.precision, spec.precision)
    kinds = {p.dtype for m in modules for p in m.parameters() if p.is_floating_point()}
    asked = torch.bfloat16 if spec.precision == "bf16" and _has_transformer(modules) else None
    asked = asked or torch.float32
    if kinds - {asked}:
        found = ", ".join(sorted(_name(kind) for kind in kinds))
        raise ModelError(
            f"the encoder in {spec.folder} runs in {found} and not in {_name(asked)}; set another "
            f"{spec.section}.precision, or save it anew in float32"
        )
    return _name(asked)


def _has_transformer(modules: Sequence[torch.nn.Module]) -> bool:
    return any(isinstance(module, Transformer) for module in modules)


def _name(kind: torch.dtype) -> str:
    return str(kind).removeprefix("torch.")


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
