"""The kind of processor that a run was made on: other kinds give other last digits of numbers."""

import platform
from pathlib import Path

import faiss

from negmine.schemas import JsonObject
from negmine.transforms.kernels.threads import blas_architecture
from negmine.transforms.models.hardware import has_cuda


def processor() -> JsonObject:
    """Architecture, model, and the instructions that NumPy's BLAS and FAISS choose here."""
    level = getattr(faiss, "SIMDConfig", None)
    return {
        **_machine(),
        "numpy": blas_architecture(),
        "faiss": str(level.get_level_name()) if level is not None else None,
    }


def torch_processor(device: str = "cpu") -> JsonObject:
    """Architecture, model, and the instructions or the cards that torch uses; imports torch."""
    import torch

    used: JsonObject = {**_machine(), "torch": torch.backends.cpu.get_cpu_capability()}
    if has_cuda(device):
        cards = {torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())}
        used["cuda"] = ", ".join(sorted(cards))
    return used


def _machine() -> JsonObject:
    return {"architecture": platform.machine(), "model": _model()}


def _model() -> str | None:
    """Name of the processor with family and model number, which a virtual machine may hide."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or None
    facts = dict[str, str]()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if not key.strip():
            break
        facts[key.strip()] = value.strip()
    named = [facts.get("model name") or facts.get("CPU implementer")]
    named += [f"{key} {facts[key]}" for key in ("cpu family", "model", "CPU part") if key in facts]
    return ", ".join(filter(None, named)) or None
