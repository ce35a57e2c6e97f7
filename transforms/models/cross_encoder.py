"""Cross-encoders: pairs of texts to scores that do not depend on the rest of the call."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import CrossEncoder

from negmine.schemas import JsonObject
from negmine.schemas.errors import ModelError
from negmine.transforms import storage
from negmine.transforms.kernels import underway
from negmine.transforms.models.backends.openvino import run_in_openvino
from negmine.transforms.models.batching import (
    batches,
    fit,
    make_rows_independent,
    one_core_each,
    token_budget,
)
from negmine.transforms.models.failures import inside_model, no_padding, refuse_nan
from negmine.transforms.models.gpu.buckets import Padding
from negmine.transforms.models.gpu.pairs import GpuCrossEncoder
from negmine.transforms.models.gpu.run import devices
from negmine.transforms.models.gpu.tokens import UnusualFeatures
from negmine.transforms.models.limits import check_length, positions_of
from negmine.transforms.models.packed import pack_linears
from negmine.transforms.models.specs import CrossEncoderSpec
from negmine.transforms.models.weights import LoadedFiles, saved_names

Pair = tuple[str, str]

PIECE = 1024
"""Pairs, neighbours in length, that are tokenised at once."""


def longest(model: CrossEncoder) -> int | None:
    """Most tokens that the model takes, None where it does not say."""
    config = getattr(model[0], "config", None)
    limits = (model.max_seq_length, getattr(config, "max_position_embeddings", None))
    return min((limit for limit in limits if limit and limit > 0), default=None)


def score_pairs(model: CrossEncoder, pairs: Sequence[Pair]) -> np.ndarray:
    """Sigmoid of a one-label model's logits, (pairs,) float32.

    On the CPU batches go to threads, and each product stays on one: about twice as fast as one
    batch on all of them, and the same bits for any number of cores. Raises whatever the model
    raises; does not look for NaN.
    """
    scores = np.empty(len(pairs), dtype=np.float32)
    features: JsonObject = model.preprocess(list(pairs))
    per_row = {
        name: value
        for name, value in features.items()
        if isinstance(value, torch.Tensor) and value.ndim == 2 and len(value) == len(pairs)
    }
    whole = {name: value for name, value in features.items() if name not in per_row}
    tokenizer = model.tokenizer
    left = tokenizer.padding_side == "left"
    fill = {"input_ids": int(tokenizer.pad_token_id or 0)}
    budget = token_budget(model.device.type)
    lengths = per_row["attention_mask"].sum(1).numpy()

    def score_batch(batch_of: tuple[np.ndarray, int]) -> None:
        rows, width = batch_of
        index = torch.from_numpy(rows)
        batch = {
            name: fit(value[index], width, fill.get(name, 0), left).to(model.device)
            for name, value in per_row.items()
        }
        with torch.inference_mode():
            logits = model({**whole, **batch})["scores"]
            scores[rows] = torch.sigmoid(logits.double()).float().cpu().numpy().reshape(-1)
        underway.advance(len(rows))

    todo = batches(lengths, budget, longest(model))
    with one_core_each(model.device.type) as threads:
        for _ in threads.map(score_batch, todo):
            pass
    return scores


def _load(spec: CrossEncoderSpec, device: str | None) -> CrossEncoder:
    with inside_model(spec, "cross-encoder", "cannot be loaded"):
        return _loaded(spec, device)


def _loaded(spec: CrossEncoderSpec, device: str | None) -> CrossEncoder:
    folder = storage.fetch_tree(spec.folder)
    model = CrossEncoder(
        str(folder),
        device=device,
        trust_remote_code=spec.trust_remote_code,
        local_files_only=True,
        model_kwargs={"dtype": torch.float32},
    )
    if model.num_labels != 1:
        raise ModelError(
            f"the cross-encoder in {spec.folder} has {model.num_labels} labels; a judge "
            "needs one score a pair. Name a reranker as judge.model, or set judge.kind: fusion"
        )
    config = getattr(model[0], "config", None)
    positions = positions_of(model.named_modules(), config)
    check_length(spec.folder, f"{spec.section}.max_length", spec.max_length, positions)
    own = spec.max_length if spec.max_length is not None else model.max_seq_length
    limit = min(filter(None, (own, positions)), default=None)
    if limit is not None:
        model.max_seq_length = limit
    _refuse_without_padding(spec, model, config)
    _refuse_new_head(spec, model, folder)
    model.eval().float()
    if spec.backend == "openvino":
        run_in_openvino(model[0], spec.folder, spec.section, spec.precision)
    elif spec.precision == "bf16":
        model.to(torch.bfloat16)
    elif model.device.type == "cpu":
        pack_linears(model)
    make_rows_independent(model)
    return model


def _refuse_without_padding(spec: CrossEncoderSpec, model: CrossEncoder, config: object) -> None:
    """Raise ModelError where pairs cannot be padded, or where the head would read the padding.

    Decoders' heads (`score`) look for the last token that is not `pad_token_id`. To set another
    token here, such as the one that ends a text, could change the scores.
    """
    tokenizer = model.tokenizer
    if tokenizer is not None and tokenizer.pad_token_id is None:
        token = repr(tokenizer.eos_token or "TOKEN")
        raise no_padding(spec, "cross-encoder", "tokenizer_config.json", "pad_token", token)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    reads_padding = hasattr(getattr(model[0], "model", None), "score")
    if reads_padding and getattr(text, "pad_token_id", None) is None:
        number = str(tokenizer.pad_token_id) if tokenizer is not None else "NUMBER"
        raise no_padding(spec, "cross-encoder", "config.json", "pad_token_id", number)


def _refuse_new_head(spec: CrossEncoderSpec, model: CrossEncoder, folder: Path) -> None:
    """Raise ModelError where the head is not in the weights: it would be drawn anew each time."""
    network = getattr(model[0], "model", None)
    prefix = getattr(network, "base_model_prefix", "")
    saved = saved_names(folder)
    if network is None or not prefix or not saved:
        return
    head = [name for name in network.state_dict() if not name.startswith(f"{prefix}.")]
    missing = [name for name in head if not any(known.endswith(name) for known in saved)]
    if missing:
        raise ModelError(
            f"{spec.section}.model: the weights in {spec.folder} lack {missing[0]}, so it is an "
            "encoder and no reranker: its scores would be random. Name a reranker as judge.model, "
            "or set judge.kind: fusion"
        )


class CrossEncoderJudge:
    """A sentence-transformers CrossEncoder with one label, one copy a CUDA device.

    Logits go through a sigmoid. The same pair gives the same bits in any company.
    """

    def __init__(self, spec: CrossEncoderSpec) -> None:
        self.spec = spec
        self._files = LoadedFiles(str(storage.fetch_tree(spec.folder)), spec.digest)
        with self._files.loading():
            self._place()

    def _place(self) -> None:
        """Load the model, a copy on each CUDA device."""
        elsewhere = self.spec.backend != "torch"
        cuda = [] if elsewhere else devices(self.spec.device)
        own = None if self.spec.device == "auto" else self.spec.device
        places: list[str | None] = [*cuda] or ["cpu" if elsewhere else own]
        models = [_load(self.spec, device) for device in places]
        self.model = models[0]
        self._gpu: GpuCrossEncoder | None = None
        if cuda:
            tokenizer = self.model.tokenizer
            left = tokenizer.padding_side == "left"
            padding = Padding(int(tokenizer.pad_token_id or 0), left, longest(self.model))
            self._gpu = GpuCrossEncoder(models, padding)

    def score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        """Probabilities, (pairs,) float32.

        Raises ModelError where the model fails, its files changed or a score is not a number.
        """
        with inside_model(self.spec, "cross-encoder", f"failed on {len(pairs)} pairs"):
            scores = self._score(pairs)
        self._files.unchanged()
        refuse_nan(scores, f"the cross-encoder in {self.spec.folder}")
        return scores

    def _score(self, pairs: Sequence[tuple[str, str]]) -> np.ndarray:
        if self._gpu is not None and pairs:
            try:
                return self._gpu.score(pairs)
            except UnusualFeatures:
                self._gpu = None
        order = sorted(range(len(pairs)), key=lambda i: -len(pairs[i][0]) - len(pairs[i][1]))
        scores = np.empty(len(pairs), dtype=np.float32)
        for start in range(0, len(order), PIECE):
            rows = order[start : start + PIECE]
            scores[rows] = score_pairs(self.model, [pairs[i] for i in rows])
        return scores
