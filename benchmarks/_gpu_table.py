"""The figures of benchmarks/gpu.py as a table, with the machine that they are of."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any


def machine() -> dict[str, Any]:
    """Card, processors and versions."""
    import torch

    card = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    names = ("torch", "transformers", "sentence-transformers", "tokenizers")
    found = {name: version(name) for name in names}
    day = datetime.now(UTC).date().isoformat()
    return {"card": card, "cores": os.cpu_count(), "date": day, **found}


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown, with what was asked of them."""
    f, shown = figures, {"stages"}
    head = "| what | ours | forward alone | theirs | of forward | times theirs |"
    where = ", ".join(f"{name} {value}" for name, value in machine().items())
    lines = [where, "", head, "|---|---:|---:|---:|---:|---:|"]
    for what, *names in (
        ("embed, fp32, texts/s", "embed fp32", "forward fp32", "encode fp32"),
        ("embed, auto (bf16), texts/s", "embed auto", "forward auto", "encode auto"),
        ("cross-encoder, fp32, pairs/s", "judge fp32", "forward judge fp32", "predict fp32"),
        ("cross-encoder, bf16, pairs/s", "judge bf16", "forward judge bf16", "predict bf16"),
    ):
        if names[0] in f:
            ours, alone, theirs = (float(f[name]) for name in names)
            rates = f"{ours:,.0f} | {alone:,.0f} | {theirs:,.0f}"
            lines.append(f"| {what} | {rates} | {ours / alone:.2f} | {ours / theirs:.1f} |")
            shown.update(names)
    return "\n".join([*lines, "", *(f"- {n}: {v}" for n, v in f.items() if n not in shown)])
