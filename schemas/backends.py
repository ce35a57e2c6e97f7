"""What runs a model's forward pass, and in which precision: what goes together."""

from typing import Literal

Backend = Literal["torch", "openvino"]
Precision = Literal["auto", "fp32", "bf16", "int8"]


def check_backend(backend: str, precision: str, device: str) -> None:
    """Raise ValueError where a backend has no such precision or does not run on the device."""
    if precision == "int8" and backend != "openvino":
        raise ValueError("precision int8 needs backend: openvino")
    if backend == "openvino" and device not in ("auto", "cpu"):
        raise ValueError(f"backend openvino runs on the CPU, and device is {device}; set it to cpu")
