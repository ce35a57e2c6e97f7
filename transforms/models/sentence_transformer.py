"""A sentence-transformers model as a spec asks for it, and the dtype that it computes in."""

from collections.abc import Sequence

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer

from negmine.schemas import JsonObject
from negmine.schemas.errors import ModelError
from negmine.transforms.models.backends.openvino import run_in_openvino
from negmine.transforms.models.failures import no_padding
from negmine.transforms.models.limits import check_length, positions_of
from negmine.transforms.models.packed import pack_linears
from negmine.transforms.models.specs import EncoderSpec


def load(spec: EncoderSpec, device: str) -> SentenceTransformer:
    """The model on a device, with its length, precision and engine as the spec asks.

    Raises ConfigError for a `max_length` beyond its positions, ModelError where it cannot be used.
    """
    model = SentenceTransformer(
        spec.folder,
        device=None if device == "auto" else device,
        trust_remote_code=spec.trust_remote_code,
        local_files_only=True,
        model_kwargs={"dtype": torch.float32},
    )
    transformers = transformers_of(model)
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
        for transformer in transformers:
            run_in_openvino(transformer, spec.folder, spec.section, spec.precision)
    elif spec.precision == "bf16":
        for transformer in transformers:
            transformer.to(torch.bfloat16)
            transformer.register_forward_hook(_to_float32)
    elif model.device.type == "cpu":
        pack_linears(model)
    return model


def _to_float32(_: object, __: object, output: JsonObject) -> JsonObject:
    for name in ("token_embeddings", "sentence_embedding"):
        if name in output:
            output[name] = output[name].float()
    return output


def transformers_of(model: torch.nn.Module) -> list[Transformer]:
    """Its transformers, of which an asymmetric model has several and a static one none."""
    return [module for module in model.modules() if isinstance(module, Transformer)]


def dtype_of(modules: Sequence[torch.nn.Module], spec: EncoderSpec) -> str:
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
